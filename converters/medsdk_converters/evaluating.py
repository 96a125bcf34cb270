"""The figures of an exported model on the recipe's sets, the shortcut floors beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medsdk.core import decision
from medsdk.core.card import Card, Estimate, Evaluation
from medsdk.evaluation import plots
from medsdk.evaluation.curves import calibration
from medsdk.evaluation.metrics import asking_for, figures, label_figures
from medsdk_converters import floors
from medsdk_converters.errors import RecipeError
from medsdk_converters.export import PLAIN_RANGE, Range
from medsdk_converters.inference import infer
from medsdk_converters.preparation import Indices, Prepared, Progress
from medsdk_converters.recipe import EvaluationSpec, Recipe


@dataclass(frozen=True)
class Judged:
    """What the exported model said of a set: rows of the prepared pictures, and probability (n, labels) of each."""

    rows: Indices
    probability: npt.NDArray[np.float64]


def judge(
    recipe: Recipe,
    prepared: Prepared,
    content: bytes,
    card: Card,
    spec: EvaluationSpec,
    progress: Progress,
    value_range: Range = PLAIN_RANGE,
) -> Judged:
    """Raises RecipeError if the set holds no picture."""
    rows = np.array([i for i in prepared.indices(spec.split) if _belongs(prepared, int(i), spec)], np.int64)
    if not len(rows):
        raise RecipeError(
            f"{recipe.name}: no picture belongs to the evaluation {spec.set!r}.",
            f"Correct its split, where or without; the splits are {', '.join(_splits(prepared))}.",
        )
    outputs = infer(content, prepared.pixels[rows], progress, value_range)
    return Judged(rows, decision.probabilities(outputs.logits, card))


def evaluation(prepared: Prepared, card: Card, spec: EvaluationSpec, judged: Judged) -> Evaluation:
    """One set's figures with their intervals over groups, and the floors."""
    rows, truth = judged.rows, prepared.labels[judged.rows]
    groups = [prepared.examples[i].group for i in rows]
    found = asked(spec, truth, judged.probability, groups, card)
    if spec.label:
        card = asking_for(card, spec.label)
    return Evaluation(
        spec.set,
        len(rows),
        len(set(groups)),
        int(_positive(card)[truth].sum()),
        {**found, **_floors(prepared, rows, groups, card)},
        spec.note,
    )


def asked(
    spec: EvaluationSpec, truth: Indices, probability: npt.NDArray[np.float64], groups: Sequence[str], card: Card
) -> dict[str, Estimate]:
    """The figures of what the set is asked for: positive or negative, or one label."""
    if spec.label:
        return label_figures(truth, probability, groups, card, spec.label)
    return figures(truth, probability, groups, card)


def diagram(recipe: Recipe, prepared: Prepared, card: Card, judged: Judged) -> bytes:
    """The reliability diagram of a set, as SVG."""
    positive = positive_labels(recipe)[prepared.labels[judged.rows]]
    return plots.calibration(calibration(positive, decision.positive_probability(judged.probability, card)))


def positive_labels(recipe: Recipe) -> npt.NDArray[np.bool_]:
    """(labels,) True where a label is positive."""
    return np.array([label.positive for label in recipe.labels])


def _positive(card: Card) -> npt.NDArray[np.bool_]:
    return np.array([label.positive for label in card.labels])


def _belongs(prepared: Prepared, row: int, spec: EvaluationSpec) -> bool:
    example = prepared.examples[row]
    return example.matches(spec.where) and not (bool(spec.without) and example.matches(spec.without))


def _splits(prepared: Prepared) -> list[str]:
    return sorted({example.picture.split for example in prepared.examples})


def _floors(prepared: Prepared, rows: Indices, groups: Sequence[str], card: Card) -> dict[str, Estimate]:
    positive = _positive(card)[prepared.labels]
    train_rows = prepared.indices("train", trainable=True)
    if len(set(positive[rows])) < 2 or len(set(positive[train_rows])) < 2:
        return {}
    found = {}
    for name, describe in floors.FLOORS.items():
        chance = floors.scores(describe(prepared.thumbnails), positive, train_rows)[rows]
        # As a card of two labels, so that the same bootstrap gives the interval.
        two = np.zeros((len(rows), len(card.labels)))
        two[:, _first(card, wanted=True)] = chance
        two[:, _first(card, wanted=False)] = 1 - chance
        found[name] = figures(prepared.labels[rows], two, groups, card)["auc"]
    return found


def _first(card: Card, *, wanted: bool) -> int:
    return next(i for i, label in enumerate(card.labels) if label.positive is wanted)
