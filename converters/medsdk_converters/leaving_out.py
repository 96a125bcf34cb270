"""Does the model know the disease or the hospital? One source at a time is left out of training and judged by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.core.card import Card, Estimate
from medsdk.core.files import write_beside
from medsdk.evaluation.metrics import figures
from medsdk.evaluation.operating import operating_point
from medsdk_converters import held_out, splitting
from medsdk_converters.errors import DataError
from medsdk_converters.held_out import Judged
from medsdk_converters.preparation import Indices, Prepared
from medsdk_converters.recipe import Recipe

FILE = "leave_out.json"
# Fewer of either kind give an interval as wide as the scale.
_FEWEST = 10
_RULE = "specificity>=.9"


class Finding(msgspec.Struct, frozen=True):
    """How one positive label is told from all else.

    `within` is true where ill and well both come from the source that was left out; otherwise the kind that it lacks
    is taken from the other sources' test split, and the figure flatters. `sensitivity_at_90` is at the threshold that
    calls a tenth of those negatives ill; `sensitivity` and `specificity` are at the threshold that the recipe's rule
    chose on val, where the source was not: what a user in that hospital would meet. None where val lacks one kind.
    """

    label: str
    positives: int
    negatives: int
    within: bool
    auc: Estimate
    sensitivity_at_90: float
    sensitivity: float | None = None
    specificity: float | None = None


class LeftOut(msgspec.Struct, frozen=True):
    """One value of the column: what was found on its pictures, or why it could not be left out.

    `beside` names the values that were left out of the same training.
    """

    value: str
    pictures: int
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    beside: tuple[str, ...] = ()


class LeavingOut(msgspec.Struct, frozen=True):
    """What leave_out.json holds."""

    recipe: str
    seed: int
    column: str
    values: tuple[LeftOut, ...]


def leave_out(
    recipe: Recipe,
    prepared: Prepared,
    column: str,
    work: Path,
    report: Callable[[str], None],
    only: Sequence[str] = (),
    *,
    together: bool = False,
    against: dict[str, str] | None = None,
) -> LeavingOut:
    """Train once for each value of the column (or of `only`) without its pictures, and write leave_out.json in `work`.

    `together`: train once, without any of them, and judge each by itself. `against`: columns and values of the test
    pictures that stand in for the well of a source that has none. A value without which nothing could be learnt
    or chosen is named with the reason. Killed and called again, it goes on.
    """
    there = tuple(sorted({example.value(column) for example in prepared.examples} - {""}))
    if not there:
        raise DataError(f"No picture has a value in the column {column!r}.", "Name a column of the manifest.")
    unknown = [value for value in only if value not in there]
    if unknown:
        raise DataError(f"No picture has {column}={unknown[0]}.", f"There are: {', '.join(there)}.")
    values = tuple(only) or there
    groups = [values] if together else [(value,) for value in values]
    found = (left for group in groups for left in _without(recipe, prepared, column, group, work, report, against or {}))
    result = LeavingOut(recipe.name, recipe.seed, column, tuple(found))
    write_beside(work / FILE, msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return result


def text(result: LeavingOut) -> str:
    """A table for a terminal."""
    lines = [f"{'left out':<16}{'label':<16}{'ill':>6}{'well':>6}  {'AUC':<22}{'sens. at .90':>12}{'sens.':>8}{'spec.':>8}"]
    for left in result.values:
        if left.reason:
            lines.append(f"{left.value:<16}{left.reason}")
        for one in left.findings:
            auc = f"{one.auc.value:.3f} ({one.auc.low:.3f}-{one.auc.high:.3f}){'' if one.within else ' *'}"
            counted = f"{left.value:<16}{one.label:<16}{one.positives:>6}{one.negatives:>6}"
            at_point = "".join("       -" if x is None else f"{x:>8.3f}" for x in (one.sensitivity, one.specificity))
            lines.append(f"{counted}  {auc:<22}{one.sensitivity_at_90:>12.3f}{at_point}")
    lines.append("sens. and spec.: at the threshold that was chosen on val, without the source")
    return "\n".join([*lines, "* one kind is of other sources, from the test split: this flatters"])


def _without(
    recipe: Recipe,
    prepared: Prepared,
    column: str,
    group: tuple[str, ...],
    work: Path,
    report: Callable[[str], None],
    against: dict[str, str],
) -> list[LeftOut]:
    """One training without all values of the group, and what it says of each."""
    report(f"without {column} {', '.join(group)}")
    values = [example.value(column) for example in prepared.examples]
    examples = splitting.without(prepared.examples, [value in group for value in values])
    folder = work / f"without-{'-'.join(map(_as_name, group))}"
    try:
        judged = held_out.judge(recipe, prepared, examples, (splitting.LEFT_OUT, "test", "val"), folder, report)
    except DataError as error:
        return [LeftOut(value, values.count(value), reason=str(error)) for value in group]
    split = np.array([examples[i].picture.split for i in judged.rows])
    stand_ins = (split == "test") & np.array([examples[i].matches(against) for i in judged.rows])
    parts = _Parts(recipe, prepared, judged, split == "val", stand_ins)
    return [
        LeftOut(
            value,
            values.count(value),
            parts.findings(np.array([values[i] == value for i in judged.rows])),
            beside=tuple(other for other in group if other != value),
        )
        for value in group
    ]


@dataclass(frozen=True)
class _Parts:
    """What one training said, and which of its rows (rows,) are of val, and stand in where a source has no well people."""

    recipe: Recipe
    prepared: Prepared
    judged: Judged
    val: npt.NDArray[np.bool_]
    stand_ins: npt.NDArray[np.bool_]

    def findings(self, outside: npt.NDArray[np.bool_]) -> tuple[Finding, ...]:
        """`outside` (rows,) is true for the source that is asked about."""
        found = (self._finding(outside, name, indices) for name, indices in _kinds(self.recipe))
        return tuple(one for one in found if one is not None)

    def _finding(self, outside: npt.NDArray[np.bool_], name: str, indices: list[int]) -> Finding | None:
        """None where the source that was left out has too few who are ill to say anything, or nobody is well beside it."""
        ill = np.isin(self.prepared.labels[self.judged.rows], indices)
        chance = self.judged.probability[:, indices].sum(axis=1)
        enough = {kind: int((outside & (ill == kind)).sum()) >= _FEWEST for kind in (True, False)}
        if not enough[True]:
            return None
        well = outside if enough[False] else self.stand_ins
        rows = np.flatnonzero((outside & ill) | (well & ~ill))
        truth = ill[rows]
        if truth.all():
            return None
        two = np.stack([1 - chance[rows], chance[rows]], axis=1)
        groups = [self.prepared.examples[i].group for i in self.judged.rows[rows]]
        auc = figures(truth.astype(np.int64), two, groups, _binary(self.judged.card))["auc"]
        at_90, _ = operating_point(truth, chance[rows], _RULE)
        return Finding(
            name,
            int(truth.sum()),
            int((~truth).sum()),
            enough[False],
            auc,
            float((chance[rows][truth] >= at_90).mean()),
            *self._at_chosen_point(ill, chance, rows),
        )

    def _at_chosen_point(
        self, ill: npt.NDArray[np.bool_], chance: npt.NDArray[np.float64], rows: Indices
    ) -> tuple[float | None, float | None]:
        """Sensitivity and specificity on the rows, at the threshold that the recipe's rule chooses on val."""
        where = self.recipe.decide.where
        matching = np.array([self.prepared.examples[i].matches(where) for i in self.judged.rows])
        val = matching & self.val
        if ill[val].all() or not ill[val].any():
            return None, None
        threshold, _ = operating_point(ill[val], chance[val], self.recipe.decide.rule)
        called, truth = chance[rows] >= threshold, ill[rows]
        return float(called[truth].mean()), float(1 - called[~truth].mean())


def _kinds(recipe: Recipe) -> list[tuple[str, list[int]]]:
    """What is told from all else: each positive label; of grades, all that are positive together."""
    positive = [(index, label.id) for index, label in enumerate(recipe.labels) if label.positive]
    if recipe.model.activation == "ordinal":
        return [("positive", [index for index, _ in positive])]
    return [(name, [index]) for index, name in positive]


def _binary(card: Card) -> Card:
    """The card of one positive and one other label, whichever: only the ranking is asked for."""
    first = {label.positive: label for label in reversed(card.labels)}
    outputs = msgspec.structs.replace(card.outputs, activation="softmax")
    return msgspec.structs.replace(card, labels=(first[False], first[True]), outputs=outputs)


def _as_name(value: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in value)
