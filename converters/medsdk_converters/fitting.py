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


@dataclass(frozen=True)
class Fitted:
    """Everything that stands in the card or the reference and was fitted, not trained."""

    calibration: Calibration
    decision: Decision
    rejection: Rejection
    reference: screening.Reference


def fit(
    recipe: Recipe,
    draft: Card,
    val: Inferred,
    truth: npt.NDArray[np.int64],
    decide_on: Sequence[int] | npt.NDArray[np.int64],
    train_pooled: npt.NDArray[np.float32],
) -> Fitted:
    """`truth` (n,) are the val pictures' labels; `decide_on` the rows that the operating point is chosen by."""
    temperature = fit_temperature(val.logits, truth, recipe.model.activation)
    calibration = Calibration(round(float(temperature), 4))
    card = msgspec.structs.replace(draft, calibration=calibration)
    chance = decision.positive_probability(decision.probabilities(val.logits, card), card)
    positive = np.array([label.positive for label in recipe.labels])[truth]
    threshold, _ = operating_point(positive[decide_on], chance[decide_on], recipe.decide.rule)
    low, high = inconclusive_band(chance[decide_on], positive[decide_on], threshold)
    reference = screening.fit(train_pooled, min(recipe.reject.components, len(train_pooled) // 4))
    distances = reference.distances(val.pooled)
    limit = float(np.quantile(distances, recipe.reject.accept)) * _SLACK
    return Fitted(
        calibration,
        Decision(round(threshold, 4), (round(low, 4), round(high, 4)), recipe.decide.rule, "val"),
        Rejection(round(limit, 4), "Mahalanobis distance of pooled features, probabilistic PCA", "val"),
        reference,
    )
