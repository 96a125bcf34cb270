"""Figures of each label, the confusion matrix, and shares such as the rejection rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medsdk.core.card import Estimate, Label
from medsdk.evaluation.bootstrap import intervals, share_estimate, widened
from medsdk.evaluation.extra import need

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ClassFigures:
    """One label against all others, by the most probable label. `support` counts its pictures.

    None where undefined: recall of a label that has no picture, precision of one that is never named.
    """

    label: str
    name: str
    support: int
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None


def by_class(
    truth: Ints, named: Ints, groups: Sequence[str], labels: Sequence[Label], *, resamples: int = 1000, seed: int = 0
) -> tuple[ClassFigures, ...]:
    """Precision, recall, F1 and support of each label. truth, named (n,): true and most probable label's index."""

    def statistic(weights: Floats) -> Mapping[str, Floats]:
        with np.errstate(divide="ignore", invalid="ignore"):
            hits = weights @ (is_true & is_named).astype(np.float64)
            true, called = weights @ is_true.astype(np.float64), weights @ is_named.astype(np.float64)
            found = {"precision": hits / called, "recall": hits / true, "f1": 2 * hits / (true + called)}
        return {f"{name} {index}": values[:, index] for name, values in found.items() for index in range(len(labels))}

    index = np.arange(len(labels))
    is_true, is_named = truth[:, np.newaxis] == index, named[:, np.newaxis] == index
    bounds = intervals(statistic, groups, resamples=resamples, seed=seed)
    scores = need("sklearn.metrics").precision_recall_fscore_support(truth, named, labels=index, zero_division=np.nan)
    values = dict(zip(("precision", "recall", "f1"), scores, strict=False))

    def estimate(name: str, at: int) -> Estimate | None:
        value, found = float(values[name][at]), bounds.get(f"{name} {at}")
        if not np.isfinite(value):
            return None
        if name == "f1":
            return widened(value, found or (value, value))
        counted = is_true[:, at] if name == "recall" else is_named[:, at]
        return share_estimate(value, found, np.asarray(list(groups))[counted].tolist())

    return tuple(
        ClassFigures(
            label.id,
            label.name,
            int(is_true[:, at].sum()),
            estimate("precision", at),
            estimate("recall", at),
            estimate("f1", at),
        )
        for at, label in enumerate(labels)
    )


def confusion(truth: Ints, named: Ints, labels: int) -> tuple[tuple[int, ...], ...]:
    """Counts: a row for each true label, a column for each most probable one."""
    counts = np.bincount(truth * labels + named, minlength=labels * labels).reshape(labels, labels)
    return tuple(tuple(row) for row in counts.tolist())


def share(flags: Bools, groups: Sequence[str], *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """The share of pictures (n,) that are flagged, with its interval over groups; Wilson's where that has no width."""
    value = float(flags.mean())
    bounds = intervals(
        lambda weights: {"share": weights @ flags / weights.sum(axis=1)}, groups, resamples=resamples, seed=seed
    )
    return share_estimate(value, bounds["share"], groups)
