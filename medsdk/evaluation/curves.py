"""ROC, precision-recall and calibration curves as numbers, ready for JSON and for drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medsdk.core.card import Estimate
from medsdk.evaluation.bootstrap import wilson
from medsdk.evaluation.extra import need
from medsdk.evaluation.metrics import ECE_BINS

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# More points than a drawing shows would only make the JSON long.
_POINTS = 400


@dataclass(frozen=True)
class Bin:
    """Pictures whose positive probability lies in low..high: how many, their mean probability, the share positive."""

    low: float
    high: float
    pictures: int
    mean: float
    positive: Estimate


@dataclass(frozen=True)
class Curves:
    """`roc` holds (1 - specificity, sensitivity), `precision_recall` (recall, precision); both in drawing order."""

    roc: tuple[tuple[float, float], ...]
    precision_recall: tuple[tuple[float, float], ...]
    calibration: tuple[Bin, ...]


def curves(positive: Bools, chance: Floats) -> Curves | None:
    """From truth (n,) and positive probability (n,); None where the set holds one kind of picture only."""
    if positive.all() or not positive.any():
        return None
    metrics = need("sklearn.metrics")
    false_alarms, hits, _ = metrics.roc_curve(positive, chance)
    precision, recall, _ = metrics.precision_recall_curve(positive, chance, drop_intermediate=True)
    return Curves(_thinned(false_alarms, hits), _thinned(recall[::-1], precision[::-1]), calibration(positive, chance))


def calibration(positive: Bools, chance: Floats) -> tuple[Bin, ...]:
    """The bins of `metrics.calibration_error` that hold pictures; intervals are Wilson's over pictures."""
    index = np.clip((chance * ECE_BINS).astype(np.int64), 0, ECE_BINS - 1)
    bins = []
    for at in np.unique(index).tolist():
        inside = index == at
        count = int(inside.sum())
        observed = wilson(int(positive[inside].sum()), count)
        bins.append(Bin(at / ECE_BINS, (at + 1) / ECE_BINS, count, float(chance[inside].mean()), observed))
    return tuple(bins)


def _thinned(across: Floats, up: Floats) -> tuple[tuple[float, float], ...]:
    kept = np.unique(np.linspace(0, len(across) - 1, min(len(across), _POINTS)).round().astype(np.int64))
    return tuple((round(float(x), 5), round(float(y), 5)) for x, y in zip(across[kept], up[kept], strict=True))
