"""A site's own temperature, operating point and band, fitted on its pictures and kept beside the card, never in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

import medsdk
from medsdk.core.card import Calibration, Card, Decision
from medsdk.core.decision import positive_probability, probabilities
from medsdk.core.errors import MedsdkError
from medsdk.core.site import Site
from medsdk.evaluation.operating import TEMPERATURES, fit_temperature, inconclusive_band, operating_point

# With fewer pictures of a kind, a threshold is chosen by a handful of people's pictures.
FEWEST = 30
# A temperature at the end of its range makes every probability the same: the logits say nothing, or the opposite.
_HARDLY_ANY_EVIDENCE = 0.99


def recalibrate(
    card: Card,
    logits: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int64],
    groups: Sequence[str],
    *,
    data: str,
    split: str,
    rule: str | None = None,
) -> Site:
    """Fit on the accepted pictures' logits (n, k), truth (n,) and groups (n,); the rule is the card's unless given.

    Raises MedsdkError where there are fewer than 30 positive or 30 other pictures, the model cannot tell them apart, or
    the rule is none.
    """
    rule = rule or card.decision.rule
    positive = np.array([label.positive for label in card.labels])[truth]
    positives = int(positive.sum())
    if min(positives, len(positive) - positives) < FEWEST:
        raise MedsdkError(
            f"{positives} positive and {len(positive) - positives} other pictures are too few to recalibrate by.",
            f"Collect at least {FEWEST} of each, better some hundreds of many patients.",
        )
    temperature = fit_temperature(logits, truth, card.outputs.activation)
    if temperature > _HARDLY_ANY_EVIDENCE * TEMPERATURES[1]:
        raise MedsdkError(
            "On these pictures the model cannot tell the labels apart, so that no operating point is worth having.",
            "Check how the labels are mapped; if they are right, do not use the model here.",
        )
    calibration = Calibration(temperature, split=split)
    warmed = msgspec.structs.replace(card, calibration=calibration)
    chance = positive_probability(probabilities(logits, warmed), card)
    threshold, _ = operating_point(positive, chance, rule)
    band = inconclusive_band(chance, positive, threshold)
    return Site(
        disease=card.disease,
        model_sha256=card.model.sha256,
        calibration=calibration,
        decision=Decision(threshold, band, rule, split),
        data=data,
        pictures=len(positive),
        groups=len(set(groups)),
        positives=positives,
        made=date.today().isoformat(),
        tool=f"medsdk {medsdk.__version__}",
    )
