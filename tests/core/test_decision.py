from __future__ import annotations

import msgspec
import numpy as np
import pytest

import medsdk
from medsdk.core import decision
from medsdk.core.card import Calibration, Card, Decision, Label, Outputs


@pytest.fixture
def card(malaria: medsdk.Analyzer) -> Card:
    return msgspec.structs.replace(malaria.card, calibration=Calibration(2.0))


def with_activation(card: Card, activation: str, labels: int = 2) -> Card:
    names = [Label(f"l{i}", f"label {i}", i >= labels // 2) for i in range(labels)]
    return msgspec.structs.replace(card, labels=tuple(names), outputs=Outputs(activation=activation))


def test_softmax_is_taken_at_the_temperature(card: Card) -> None:
    found = decision.probabilities(np.array([0.0, 2.0], np.float32), with_activation(card, "softmax"))
    assert found.tolist() == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])


def test_sigmoid_gives_two_labels(card: Card) -> None:
    found = decision.probabilities(np.array([2.0], np.float32), with_activation(card, "sigmoid"))
    assert found.tolist() == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])


def test_ordinal_probabilities_sum_to_one_even_where_logits_cross(card: Card) -> None:
    card = with_activation(card, "ordinal", 4)
    found = decision.probabilities(np.array([[4.0, 0.0, 2.0], [-1, -2, -3]], np.float32), card)
    assert found.shape == (2, 4)
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert decision.positive_probability(found, card)[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("activation", "labels"), [("softmax", 2), ("softmax", 5), ("sigmoid", 2), ("ordinal", 5)])
def test_the_direction_is_the_slope_of_the_log_odds(card: Card, activation: str, labels: int) -> None:
    card = msgspec.structs.replace(with_activation(card, activation, labels), calibration=Calibration(1.0))
    logits = np.sort(np.random.default_rng(1).normal(size=card.logits).astype(np.float64))[::-1]

    def log_odds(x: np.ndarray) -> float:
        chance = float(decision.positive_probability(decision.probabilities(x, card), card))
        return float(np.log(chance / (1 - chance)))

    slope = [(log_odds(logits + step) - log_odds(logits - step)) / 2e-5 for step in np.eye(card.logits) * 1e-5]
    assert decision.direction(logits, card).tolist() == pytest.approx(slope, abs=1e-4)


def test_the_band_is_open_and_the_threshold_is_positive() -> None:
    rule = Decision(0.4, (0.3, 0.6), "youden", "val")
    verdicts = [decision.verdict(p, rule) for p in (0.1, 0.3, 0.31, 0.4, 0.59, 0.6, 0.9)]
    assert verdicts == ["negative", "negative", "inconclusive", "inconclusive", "inconclusive", "positive", "positive"]
    assert decision.verdict(0.4, Decision(0.4, (0.4, 0.4), "youden", "val")) == "positive"
