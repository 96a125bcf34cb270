"""How much do the figures hang on the split? Each picture is judged once, by a model that never saw its group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from medsdk.core.card import Estimate
from medsdk.core.files import write_beside
from medsdk.evaluation.metrics import figures
from medsdk_converters import evaluating, held_out, splitting
from medsdk_converters.errors import DataError
from medsdk_converters.preparation import Prepared
from medsdk_converters.recipe import Recipe

_FIGURES = (
    "auc",
    "average_precision",
    "accuracy",
    "sensitivity",
    "specificity",
    "label_accuracy",
    "quadratic_weighted_kappa",
)
FILE = "folds.json"


class Fold(msgspec.Struct, frozen=True):
    """The figures on the fold that was left out of training."""

    fold: int
    pictures: int
    groups: int
    positives: int
    figures: dict[str, Estimate]


class Spread(msgspec.Struct, frozen=True):
    """Over the folds."""

    mean: float
    deviation: float
    low: float
    high: float


class CrossValidation(msgspec.Struct, frozen=True):
    """What folds.json holds. `of` are the columns and values of the pictures that were folded; none means all."""

    recipe: str
    seed: int
    of: dict[str, str]
    folds: tuple[Fold, ...]
    figures: dict[str, Spread]


def cross_validate(
    recipe: Recipe,
    prepared: Prepared,
    count: int,
    work: Path,
    report: Callable[[str], None],
    of: dict[str, str] | None = None,
) -> CrossValidation:
    """Train `count` times, each in a folder of its own under `work`, and write folds.json there. Test is not touched.

    Epoch and operating point are chosen on val: on the pack's, where only the pictures `of` some columns' values are
    folded; else on the fold behind the one that is judged. Killed and called again, it goes on. Raises DataError if
    there are fewer groups than folds.
    """
    of = of or {}
    kept = [i for i, example in enumerate(prepared.examples) if example.picture.split in ("train", "val")]
    chosen = [prepared.examples[i] for i in kept]
    folded = [example for example in chosen if example.matches(of)]
    if len({example.group for example in folded}) < count:
        raise DataError(f"There are fewer groups than {count} folds.", "Ask for fewer folds.")
    places = iter(splitting.folds(folded, count, recipe.seed))
    fold_of = [next(places) if example.matches(of) else None for example in chosen]
    part = replace(prepared, examples=chosen, pixels=prepared.pixels[kept], thumbnails=prepared.thumbnails[kept])
    found = []
    for fold in range(count):
        report(f"fold {fold + 1} of {count}")
        found.append(_one(recipe, part, fold_of, fold, count, work / f"fold{fold + 1}of{count}", report))
    result = CrossValidation(recipe.name, recipe.seed, of, tuple(found), _spread(found))
    write_beside(work / FILE, msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")
    return result


def text(result: CrossValidation) -> str:
    """A table for a terminal."""
    lines = [f"{'figure':<28}{'mean':>8}{'± sd':>8}   folds"]
    for name, spread in result.figures.items():
        each = " ".join(f"{fold.figures[name].value:.3f}" for fold in result.folds if name in fold.figures)
        lines.append(f"{name:<28}{spread.mean:>8.3f}{spread.deviation:>8.3f}   {each}")
    return "\n".join(lines)


def _one(
    recipe: Recipe,
    part: Prepared,
    fold_of: list[int | None],
    fold: int,
    count: int,
    work: Path,
    report: Callable[[str], None],
) -> Fold:
    examples = splitting.in_fold(part.examples, fold_of, fold, count)
    judged = held_out.judge(recipe, part, examples, ("test",), work, report)
    truth = part.labels[judged.rows]
    groups = [part.examples[i].group for i in judged.rows]
    every = figures(truth, judged.probability, groups, judged.card)
    positives = int(evaluating.positive_labels(recipe)[truth].sum())
    kept: dict[str, Any] = {name: every[name] for name in _FIGURES if name in every}
    return Fold(fold + 1, len(truth), len(set(groups)), positives, kept)


def _spread(found: list[Fold]) -> dict[str, Spread]:
    spreads = {}
    for name in _FIGURES:
        values = [fold.figures[name].value for fold in found if name in fold.figures]
        if values:
            spreads[name] = Spread(float(np.mean(values)), float(np.std(values)), min(values), max(values))
    return spreads
