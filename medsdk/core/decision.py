"""From logits to a calibrated probability and a verdict at the card's operating point."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk.core.card import Card, Decision

Floats = npt.NDArray[np.float32]
Verdict: TypeAlias = Literal["positive", "negative", "inconclusive", "rejected"]


def probabilities(logits: Floats, card: Card) -> npt.NDArray[np.float64]:
    """Logits (..., k) to one probability for each label (..., labels), summing to 1, at the card's temperature."""
    scaled = np.asarray(logits, np.float64) / card.calibration.temperature
    if card.outputs.activation == "softmax":
        shifted = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))
    worse = _sigmoid(scaled)
    # 'worse than label k' can only become less likely as k rises.
    worse = np.minimum.accumulate(worse, axis=-1)
    edge = np.ones_like(worse[..., :1])
    cumulative = np.concatenate([edge, worse, np.zeros_like(edge)], axis=-1)
    return cumulative[..., :-1] - cumulative[..., 1:]


def positive_probability(probability: npt.NDArray[np.float64], card: Card) -> npt.NDArray[np.float64]:
    """(..., labels) to the probability that one of the positive labels is true, (...)."""
    return np.asarray(probability[..., [label.positive for label in card.labels]].sum(axis=-1))


def direction(logits: Floats, card: Card) -> Floats:
    """How the log-odds of 'positive' change with each logit (k,): what an attention map explains.

    For softmax this is p(label | positive) for positive labels and -p(label | not positive) for the others.
    """
    if card.outputs.activation == "sigmoid":
        return np.ones(1, np.float32)
    if card.outputs.activation == "ordinal":
        first_positive = [label.positive for label in card.labels].index(True)
        return np.eye(card.logits, dtype=np.float32)[first_positive - 1]
    positive = np.array([label.positive for label in card.labels])
    if len(positive) == 2:  # one on either side, each certain given its side
        return np.where(positive, np.float32(1), np.float32(-1))
    probability = probabilities(logits, card)
    chance = positive_probability(probability, card)
    share = np.where(positive, probability / max(float(chance), 1e-12), -probability / max(1 - float(chance), 1e-12))
    return share.astype(np.float32)


def verdict(probability: float, decision: Decision) -> Verdict:
    """Strictly inside the band is inconclusive; otherwise the threshold decides."""
    low, high = decision.inconclusive
    if low < probability < high:
        return "inconclusive"
    return "positive" if probability >= decision.threshold else "negative"


def _sigmoid(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))
