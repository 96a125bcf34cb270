"""Does the model know the disease or the hospital? One source at a time is left out of training and judged by itself."""

from __future__ import annotations

from collections.abc import Callable
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
    calls a tenth of those negatives ill.
    """

    label: str
    positives: int
    negatives: int
    within: bool
    auc: Estimate
    sensitivity_at_90: float


class LeftOut(msgspec.Struct, frozen=True):
    """One value of the column: what was found on its pictures, or why it could not be left out."""

    value: str
    pictures: int
    findings: tuple[Finding, ...] = ()
    reason: str = ""


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
    only: tuple[str, ...] = (),
) -> LeavingOut:
    """Train once for each value of the column (or of `only`) without its pictures, and write leave_out.json in `work`.

    A value without which nothing could be learnt or chosen is named with the reason. Killed and called again, it goes on.
    """
    values = only or tuple(sorted({example.value(column) for example in prepared.examples} - {""}))
    if not values:
        raise DataError(f"No picture has a value in the column {column!r}.", "Name a column of the manifest.")
    result = LeavingOut(
        recipe.name, recipe.seed, column, tuple(_one(recipe, prepared, column, v, work, report) for v in values)
    )
    write_beside(work / FILE, msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return result


def text(result: LeavingOut) -> str:
    """A table for a terminal."""
    lines = [f"{'left out':<16}{'label':<16}{'ill':>6}{'well':>6}  {'AUC':<22}{'sens. at .90':>12}"]
    for left in result.values:
        if left.reason:
            lines.append(f"{left.value:<16}{left.reason}")
        for one in left.findings:
            auc = f"{one.auc.value:.3f} ({one.auc.low:.3f}-{one.auc.high:.3f}){'' if one.within else ' *'}"
            counted = f"{left.value:<16}{one.label:<16}{one.positives:>6}{one.negatives:>6}"
            lines.append(f"{counted}  {auc:<22}{one.sensitivity_at_90:>12.3f}")
    return "\n".join([*lines, "* one kind is of other sources, from the test split: this flatters"])


def _one(recipe: Recipe, prepared: Prepared, column: str, value: str, work: Path, report: Callable[[str], None]) -> LeftOut:
    report(f"without {column} {value}")
    away = [example.value(column) == value for example in prepared.examples]
    examples = splitting.without(prepared.examples, away)
    try:
        judged = held_out.judge(
            recipe, prepared, examples, (splitting.LEFT_OUT, "test"), work / f"without-{_as_name(value)}", report
        )
    except DataError as error:
        return LeftOut(value, sum(away), reason=str(error))
    outside = np.array(away)[judged.rows]
    found = (_finding(prepared, judged, outside, name, indices) for name, indices in _kinds(recipe))
    return LeftOut(value, sum(away), tuple(one for one in found if one is not None))


def _kinds(recipe: Recipe) -> list[tuple[str, list[int]]]:
    """What is told from all else: each positive label; of grades, all that are positive together."""
    positive = [(index, label.id) for index, label in enumerate(recipe.labels) if label.positive]
    if recipe.model.activation == "ordinal":
        return [("positive", [index for index, _ in positive])]
    return [(name, [index]) for index, name in positive]


def _finding(
    prepared: Prepared, judged: Judged, outside: npt.NDArray[np.bool_], name: str, indices: list[int]
) -> Finding | None:
    """None where the source that was left out has too few who are ill to say anything."""
    ill = np.isin(prepared.labels[judged.rows], indices)
    kinds = {kind: outside & (ill == kind) for kind in (True, False)}
    there = {kind: int(rows.sum()) >= _FEWEST for kind, rows in kinds.items()}
    if not there[True]:
        return None
    chosen = kinds[True] | (kinds[False] if there[False] else ~outside & ~ill)
    places: Indices = np.flatnonzero(chosen)
    truth, chance = ill[places], judged.probability[places][:, indices].sum(axis=1)
    two = np.stack([1 - chance, chance], axis=1)
    groups = [prepared.examples[i].group for i in judged.rows[places]]
    auc = figures(truth.astype(np.int64), two, groups, _binary(judged.card))["auc"]
    threshold, _ = operating_point(truth, chance, _RULE)
    return Finding(
        name,
        int(truth.sum()),
        int((~truth).sum()),
        there[False],
        auc,
        float((chance[truth] >= threshold).mean()),
    )


def _binary(card: Card) -> Card:
    """The card of one positive and one other label, whichever: only the ranking is asked for."""
    first = {label.positive: label for label in reversed(card.labels)}
    outputs = msgspec.structs.replace(card.outputs, activation="softmax")
    return msgspec.structs.replace(card, labels=(first[False], first[True]), outputs=outputs)


def _as_name(value: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in value)
