"""What is fitted behind the trained model: temperature, operating point, band, rejection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.core import decision, screening
from medsdk.core.card import Calibration, Card, Decision, Rejection
from medsdk.evaluation.operating import fit_temperature, inconclusive_band, operating_point
from medsdk_converters.inference import Inferred
from medsdk_converters.recipe import Recipe

# The limit must not sit on the very edge of val: new hospitals are a little further off than the known ones.
_SLACK = 1.05
# Of so few training pictures no covariance can be told.
_FEWEST_REFERENCES = 8


@dataclass(frozen=True)
class Fitted:
    """Everything that stands in the card or the reference and was fitted, not trained.

    `rejection` and `reference` are None for a model without a feature map.
    """

    calibration: Calibration
    decision: Decision
    rejection: Rejection | None
    reference: screening.Reference | None


def fit(
    recipe: Recipe,
    draft: Card,
    val: Inferred,
    truth: npt.NDArray[np.int64],
    decide_on: Sequence[int] | npt.NDArray[np.int64],
    train_pooled: npt.NDArray[np.float32],
) -> Fitted:
    """`truth` (n,) are the val pictures' labels; `decide_on` the rows that the operating point is chosen by."""
    calibration, point = fit_decision(recipe, draft, val.logits, truth, decide_on)
    if not val.pooled.shape[1] or len(train_pooled) < _FEWEST_REFERENCES:
        return Fitted(calibration, point, None, None)
    reference = screening.fit(train_pooled, _dimensions(recipe, train_pooled))
    limit = float(np.quantile(reference.distances(val.pooled), recipe.reject.accept)) * _SLACK
    rejection = Rejection(round(limit, 4), "Mahalanobis distance of averaged feature maps, probabilistic PCA", "val")
    return Fitted(calibration, point, rejection, reference)


def fit_decision(
    recipe: Recipe,
    draft: Card,
    logits: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    decide_on: Sequence[int] | npt.NDArray[np.int64],
) -> tuple[Calibration, Decision]:
    """Temperature, operating point and band by the val pictures' logits (n, k) and labels (n,)."""
    temperature = fit_temperature(logits, truth, recipe.model.activation)
    calibration = Calibration(round(float(temperature), 4))
    card = msgspec.structs.replace(draft, calibration=calibration)
    chance = decision.positive_probability(decision.probabilities(logits, card), card)
    positive = np.array([label.positive for label in recipe.labels])[truth]
    threshold, _ = operating_point(positive[decide_on], chance[decide_on], recipe.decide.rule)
    low, high = inconclusive_band(chance[decide_on], positive[decide_on], threshold, recipe.decide.undecided)
    # Not rounded: a rounded threshold may step over a neighbouring score.
    return calibration, Decision(threshold, (low, high), recipe.decide.rule, "val")


def _dimensions(recipe: Recipe, pooled: npt.NDArray[np.float32]) -> int:
    """As many as the recipe asks for, where that leaves pictures enough to estimate them by, and dimensions over."""
    return max(1, min(recipe.reject.components, len(pooled) // 4, pooled.shape[1] // 2))
