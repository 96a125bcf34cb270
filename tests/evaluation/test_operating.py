from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from medsdk.core.card import Card
from medsdk.core.decision import probabilities
from medsdk.core.errors import MedsdkError
from medsdk.evaluation.operating import (
    fit_bias,
    fit_temperature,
    inconclusive_band,
    negative_log_likelihood,
    operating_point,
    parse_rule,
)

pytest.importorskip("scipy")

TRUTH = np.array([0, 0, 0, 1, 0, 1, 1, 1], bool)
CHANCE = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9])


def log_odds(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


@pytest.mark.parametrize(
    ("rule", "threshold", "sensitivity", "specificity"),
    [
        ("youden", 0.35, 1.0, 0.75),
        ("accuracy", 0.35, 1.0, 0.75),
        ("sensitivity>=0.95", 0.35, 1.0, 0.75),
        ("sensitivity >= .75", 0.55, 0.75, 1.0),
        ("specificity>=0.97", 0.55, 0.75, 1.0),
        ("Specificity>=0.5", 0.25, 1.0, 0.5),
        ("specificity>=0", 0.05, 1.0, 0.0),
        ("sensitivity>=0", 0.95, 0.0, 1.0),
    ],
)
def test_thresholds_lie_midway(rule: str, threshold: float, sensitivity: float, specificity: float) -> None:
    found, achieved = operating_point(TRUTH, CHANCE, rule)
    assert found == pytest.approx(threshold)
    assert achieved["sensitivity"] == sensitivity
    assert achieved["specificity"] == specificity
    assert achieved["youden"] == pytest.approx(sensitivity + specificity - 1)


@pytest.mark.parametrize("rule", ["youden", "accuracy", "sensitivity>=0.9", "specificity>=0.9"])
def test_no_other_threshold_is_better(rule: str) -> None:
    random = np.random.default_rng(3)
    truth = random.random(200) < 0.4
    chance = np.clip(random.normal(0.4 + 0.2 * truth, 0.2), 0, 1).round(2)
    found, achieved = operating_point(truth, chance, rule)
    called = chance >= found
    assert achieved["sensitivity"] == called[truth].mean()
    assert achieved["specificity"] == (~called)[~truth].mean()
    tried = [chance >= threshold for threshold in np.linspace(0, 1, 1001)]
    sensitivities = np.array([called[truth].mean() for called in tried])
    specificities = np.array([(~called)[~truth].mean() for called in tried])
    best = {
        "youden": (achieved["youden"], (sensitivities + specificities).max() - 1),
        "accuracy": (achieved["accuracy"], max((called == truth).mean() for called in tried)),
        "sensitivity>=0.9": (achieved["specificity"], specificities[sensitivities >= 0.9].max()),
        "specificity>=0.9": (achieved["sensitivity"], sensitivities[specificities >= 0.9].max()),
    }[rule]
    assert best[0] == pytest.approx(best[1])


def test_scores_one_float_apart_are_still_parted() -> None:
    low = 0.5
    high = float(np.nextafter(low, 1))
    threshold, achieved = operating_point([False, True], [low, high], "youden")
    assert threshold == high
    assert achieved["youden"] == 1


def test_a_sum_of_probabilities_may_exceed_one_in_its_last_digit() -> None:
    assert operating_point([False, True], [0.0, 1 + 1e-15], "youden").threshold == 0.5


def test_a_demand_that_no_threshold_in_range_meets() -> None:
    with pytest.raises(MedsdkError, match="No threshold reaches specificity>=1"):
        operating_point([False, True], [1.0, 1.0], "specificity>=1")


@pytest.mark.parametrize("rule", ["", "best", "sensitivity", "sensitivity>=95", "specificity>=.9.", "auc>=0.9"])
def test_a_rule_that_is_none(rule: str) -> None:
    with pytest.raises(MedsdkError, match="Use youden, accuracy"):
        parse_rule(rule)


def test_one_kind_only_has_no_operating_point() -> None:
    with pytest.raises(MedsdkError, match="one kind only"):
        operating_point([True, True], [0.1, 0.9], "youden")


@pytest.mark.parametrize(
    ("truth", "chance", "complaint"),
    [([True, False], [0.5, 1.5], "0..1"), ([True, False], [0.5, np.nan], "0..1"), ([True], [0.5, 0.5], r"\(n,\)")],
)
def test_scores_that_are_none(truth: list[bool], chance: list[float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        operating_point(truth, chance, "youden")


@pytest.mark.parametrize(("activation", "labels"), [("softmax", 3), ("sigmoid", 2), ("ordinal", 4)])
def test_likelihood_agrees_with_the_probabilities_of_core(
    make_card: Callable[..., Card], activation: str, labels: int
) -> None:
    card = make_card([at == labels - 1 for at in range(labels)], activation)
    random = np.random.default_rng(0)
    logits, truth = random.normal(size=(50, card.logits)), random.integers(0, labels, 50)
    chances = probabilities(logits.astype(np.float32), card)[np.arange(50), truth]
    expected = -np.log(np.maximum(chances, 1e-12)).mean()
    found = negative_log_likelihood(logits, truth, card.outputs.activation)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("activation", "labels"), [("softmax", 3), ("sigmoid", 2), ("ordinal", 4)])
@pytest.mark.parametrize("temperature", [0.3, 2.5])
def test_the_temperature_that_made_the_labels_is_found(
    make_card: Callable[..., Card], activation: str, labels: int, temperature: float
) -> None:
    card = make_card([at == labels - 1 for at in range(labels)], activation)
    random = np.random.default_rng(0)
    logits = random.normal(scale=2 * temperature, size=(5000, card.logits))
    if activation == "ordinal":
        logits = -np.sort(-logits, axis=1)
    cooled = msgspec.structs.replace(card.calibration, temperature=temperature)
    chances = probabilities(logits.astype(np.float32), msgspec.structs.replace(card, calibration=cooled))
    truth = (chances.cumsum(axis=1) < random.random((5000, 1))).sum(axis=1)
    assert fit_temperature(logits, truth, card.outputs.activation) == pytest.approx(temperature, rel=0.08)


@pytest.mark.parametrize(("activation", "labels"), [("softmax", 3), ("sigmoid", 2), ("ordinal", 4)])
def test_the_bias_that_is_missing_is_found(make_card: Callable[..., Card], activation: str, labels: int) -> None:
    card = make_card([at == labels - 1 for at in range(labels)], activation)
    random = np.random.default_rng(0)
    logits = random.normal(scale=2, size=(8000, card.logits))
    if activation == "ordinal":
        logits = -np.sort(-logits, axis=1)
    chances = probabilities(logits.astype(np.float32), card)
    truth = (chances.cumsum(axis=1) < random.random((8000, 1))).sum(axis=1)
    missing = np.linspace(1.0, -0.5, card.logits)
    found = fit_bias(logits - missing, truth, card.outputs.activation)
    # Of softmax only the differences tell.
    assert np.allclose(
        found - found[0] * (activation == "softmax"), missing - missing[0] * (activation == "softmax"), atol=0.12
    )


def test_a_label_that_the_set_does_not_hold_is_not_ruled_out() -> None:
    random = np.random.default_rng(0)
    found = fit_bias(random.normal(size=(500, 3)), random.integers(0, 2, 500), "softmax")
    assert -12 < found[2] - found[0] < -2


def test_temperature_stays_in_its_range() -> None:
    logits, truth = np.array([[-1.0], [1.0]] * 20), np.array([0, 1] * 20)
    assert fit_temperature(logits, truth, "sigmoid") == pytest.approx(0.05, rel=0.01)
    assert fit_temperature(logits, 1 - truth, "sigmoid") == pytest.approx(20, rel=0.01)


def test_broken_logits_have_no_temperature() -> None:
    with pytest.raises(MedsdkError, match="not finite"):
        fit_temperature(np.array([[np.nan], [1.0]]), np.array([0, 1]), "sigmoid")


def calibrated(pictures: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    chance = 1 / (1 + np.exp(-random.normal(scale=3, size=pictures)))
    return chance, random.random(pictures) < chance


@pytest.mark.parametrize("threshold", [0.5, 0.2, 0.9])
def test_the_band_holds_few_pictures_and_many_errors(threshold: float) -> None:
    chance, truth = calibrated()
    low, high = inconclusive_band(chance, truth, threshold)
    assert low < threshold < high
    inside = (low < chance) & (chance < high)
    wrong = (chance >= threshold) != truth
    assert 0.04 < inside.mean() <= 0.05
    assert wrong[inside].mean() > 1.5 * wrong[~inside].mean()
    assert log_odds(high) - log_odds(threshold) == pytest.approx(log_odds(threshold) - log_odds(low))


def test_the_band_ends_where_errors_become_rare() -> None:
    # Errors stand in .45..0.55 only, so that a wider band would hold back right answers.
    chance = np.concatenate([np.linspace(0.01, 0.44, 480), np.linspace(0.46, 0.54, 20), np.linspace(0.56, 0.99, 500)])
    truth = chance >= 0.5
    truth[480:500:2] ^= True
    low, high = inconclusive_band(chance, truth, 0.5, share=0.2)
    assert (low, high) == pytest.approx((0.45, 0.55), abs=0.015)


def test_without_errors_there_is_no_band() -> None:
    chance = np.linspace(0, 1, 100)
    assert inconclusive_band(chance, chance >= 0.5, 0.5) == (0.5, 0.5)


def test_equal_scores_are_all_inside_or_all_outside() -> None:
    chance = np.array([0.1] * 40 + [0.52] * 20 + [0.9] * 40)
    truth = np.array([False] * 50 + [True] * 50)
    assert inconclusive_band(chance, truth, 0.5, share=0.1) == (0.5, 0.5)
    low, high = inconclusive_band(chance, truth, 0.5, share=0.2)
    assert low < 0.48 < 0.52 < high
    assert ((low < chance) & (chance < high)).sum() == 20


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_threshold_at_the_end_has_no_band(threshold: float) -> None:
    chance, truth = calibrated(200)
    assert inconclusive_band(chance, truth, threshold) == (threshold, threshold)
