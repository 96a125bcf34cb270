"""A model's word on pictures that it was kept from: what cross-validation and leaving a source out have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.core import decision
from medsdk.core.card import Card
from medsdk_converters import build, data, fitting
from medsdk_converters.data import Example
from medsdk_converters.inference import float_logits
from medsdk_converters.preparation import Indices, Prepared
from medsdk_converters.recipe import Recipe


@dataclass(frozen=True)
class Judged:
    """What a model said of the rows that it was judged on: probability (n, labels), calibrated on val.

    `card` holds the operating point, which was chosen on val too.
    """

    rows: Indices
    probability: npt.NDArray[np.float64]
    card: Card


def judge(
    recipe: Recipe,
    prepared: Prepared,
    examples: Sequence[Example],
    splits: Sequence[str],
    work: Path,
    report: Callable[[str], None],
) -> Judged:
    """Train on the examples of split train, choose epoch and operating point on val, judge those of `splits`.

    `examples` are the prepared ones with other splits. The float model is judged; its state is kept in `work`.
    """
    data.check_trainable(recipe, examples)
    work.mkdir(parents=True, exist_ok=True)
    part = replace(prepared, examples=examples)
    model = build.train(recipe, part, work, report)
    val = part.indices("val")
    card, logits = build.shape_only(recipe), float_logits(model, part.pixels[val])
    where = part.places(val, recipe.decide.where)
    calibration, point = fitting.fit_decision(recipe, card, logits, part.labels[val], where)
    card = msgspec.structs.replace(card, calibration=calibration, decision=point)
    rows = np.concatenate([part.indices(split) for split in splits])
    return Judged(rows, decision.probabilities(float_logits(model, part.pixels[rows]), card), card)
