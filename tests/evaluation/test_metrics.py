from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from medsdk.core.card import Card, Evaluation, Label, Outputs
from medsdk.evaluation.metrics import WeightedFigures, calibration_error, figures, label_figures

sklearn = pytest.importorskip("sklearn.metrics")

MakeCard = Callable[..., Card]


def two(chance: list[float]) -> np.ndarray:
    return np.stack([1 - np.array(chance), np.array(chance)], axis=1)


def some(labels: int, pictures: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Truth and coarse probabilities, so that many are equal."""
    random = np.random.default_rng(labels)
    truth = random.integers(0, labels, pictures)
    logits = random.normal(size=(pictures, labels))
    logits[np.arange(pictures), truth] += 1
    probability = np.exp(logits).round(1) + 0.1
    return truth, probability / probability.sum(axis=1, keepdims=True)


def test_by_hand(make_card: MakeCard) -> None:
    found = figures(np.array([1, 1, 0, 0]), two([0.9, 0.4, 0.6, 0.1]), "abcd", make_card())
    values = {name: estimate.value for name, estimate in found.items()}
    assert values == pytest.approx(
        {
            "auc": 3 / 4,
            "average_precision": 1 / 2 + 1 / 2 * 2 / 3,
            "accuracy": 1 / 2,
            "balanced_accuracy": 1 / 2,
            "sensitivity": 1 / 2,
            "specificity": 1 / 2,
            "precision": 1 / 2,
            "f1": 1 / 2,
            "label_accuracy": 1 / 2,
            "ece": (0.1 + 0.6 + 0.6 + 0.1) / 4,
        }
    )


def test_at_the_threshold_is_positive(make_card: MakeCard) -> None:
    found = figures(np.array([1, 0]), two([0.3, 0.2]), "ab", make_card(threshold=0.3))
    assert found["sensitivity"].value == found["specificity"].value == 1


def test_the_positive_probability_is_the_sum_over_positive_labels(make_card: MakeCard) -> None:
    card = make_card([False, True, True])
    probability = np.array([[0.4, 0.3, 0.3], [0.6, 0.2, 0.2]])
    found = figures(np.array([1, 0]), probability, "ab", card)
    assert found["accuracy"].value == 1
    assert found["label_accuracy"].value == 0.5


@pytest.mark.parametrize(("positive", "activation"), [([False, True], "softmax"), ([False, False, True, True], "ordinal")])
def test_resamples_are_scored_as_scikit_learn_scores_weights(
    make_card: MakeCard, positive: list[bool], activation: str
) -> None:
    truth, probability = some(len(positive))
    card = make_card(positive, activation)
    weights = np.random.default_rng(5).integers(0, 4, (6, len(truth))).astype(float)
    found = WeightedFigures(truth, probability, card)(weights)
    ill = np.array(positive)[truth]
    chance = probability[:, positive].sum(axis=1)
    called, named = chance >= 0.5, probability.argmax(axis=1)
    for row, weight in enumerate(weights):
        expected = {
            "auc": sklearn.roc_auc_score(ill, chance, sample_weight=weight),
            "average_precision": sklearn.average_precision_score(ill, chance, sample_weight=weight),
            "accuracy": sklearn.accuracy_score(ill, called, sample_weight=weight),
            "balanced_accuracy": sklearn.balanced_accuracy_score(ill, called, sample_weight=weight),
            "sensitivity": sklearn.recall_score(ill, called, sample_weight=weight),
            "specificity": sklearn.recall_score(~ill, ~called, sample_weight=weight),
            "precision": sklearn.precision_score(ill, called, sample_weight=weight),
            "f1": sklearn.f1_score(ill, called, sample_weight=weight),
            "label_accuracy": sklearn.accuracy_score(truth, named, sample_weight=weight),
            "ece": calibration_error(np.repeat(ill, weight.astype(int)), np.repeat(chance, weight.astype(int))),
        }
        if activation == "ordinal":
            expected["quadratic_weighted_kappa"] = sklearn.cohen_kappa_score(
                truth, named, weights="quadratic", sample_weight=weight
            )
        assert {name: float(values[row]) for name, values in found.items()} == pytest.approx(expected)


@pytest.mark.parametrize("activation", ["softmax", "ordinal"])
def test_the_values_are_those_of_the_whole_set(make_card: MakeCard, activation: str) -> None:
    truth, probability = some(3)
    card = make_card([False, True, True], activation)
    whole = WeightedFigures(truth, probability, card)(np.ones((1, len(truth))))
    found = figures(truth, probability, [str(at) for at in range(len(truth))], card, resamples=50)
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(
        {name: float(values[0]) for name, values in whole.items()}
    )
    assert ("quadratic_weighted_kappa" in found) == (activation == "ordinal")
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.values())


def test_calibration_error_by_hand() -> None:
    # Bins are 1/15 wide: .5 and .52 share one, 1.0 falls into the last.
    positive, chance = np.array([True, False, True, False]), np.array([0.5, 0.52, 1.0, 0.1])
    assert calibration_error(positive, chance) == pytest.approx((2 * abs(0.51 - 0.5) + 0 + 0.1) / 4)


def test_a_perfect_classifier_is_not_certain(make_card: MakeCard) -> None:
    truth = np.array([0, 1] * 10)
    found = figures(truth, two([0.01, 0.99] * 10), [str(at // 2) for at in range(20)], make_card())
    assert found["auc"].value == found["sensitivity"].value == found["f1"].value == 1
    # Ten patients all right: Wilson says at least 72 %.
    assert found["sensitivity"].low == pytest.approx(0.722, abs=0.001)
    assert found["specificity"].low == found["accuracy"].low == found["sensitivity"].low


def test_a_constant_classifier_knows_nothing(make_card: MakeCard) -> None:
    truth = np.array([0, 0, 0, 1])
    found = figures(truth, two([0.2] * 4), "abcd", make_card())
    assert found["auc"].value == 0.5
    assert found["average_precision"].value == 0.25
    assert (found["sensitivity"].value, found["specificity"].value) == (0, 1)
    assert "precision" not in found
    assert found["f1"].value == 0


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_only_leaves_out_what_it_cannot_say(make_card: MakeCard, label: int) -> None:
    found = figures(np.full(4, label), two([0.1, 0.4, 0.6, 0.9]), "abcd", make_card([False, True], "softmax"))
    assert set(found) == {"accuracy", "label_accuracy", "ece", "sensitivity" if label else "specificity"}


def test_nothing_undefined_reaches_the_json(make_card: MakeCard) -> None:
    # Few groups: many resamples hold one class only.
    found = figures(np.array([1, 0, 0]), two([0.9, 0.2, 0.2]), "abb", make_card())
    evaluation = Evaluation("test", 3, 2, 1, found)
    text = msgspec.json.encode(evaluation)
    assert msgspec.json.decode(text, type=Evaluation) == evaluation
    assert b"null" not in text


def test_ordinal_grades_that_are_one_off_cost_less(make_card: MakeCard) -> None:
    card = make_card([False, True, True], "ordinal")
    truth = np.array([0, 1, 2, 0, 1, 2])
    near, far = np.array([0, 1, 2, 1, 1, 2]), np.array([0, 1, 2, 2, 1, 2])
    kappas = [figures(truth, np.eye(3)[named], "abcdef", card)["quadratic_weighted_kappa"].value for named in (near, far)]
    # By hand for `near`: 1 - 1 / (6 · sum of chance weights / 36) with margins (2,2,2) and (1,3,2).
    assert kappas[0] == pytest.approx(1 - 1 / ((2 * 3 + 2 * 2 * 4 + 2 * 1 + 2 * 2 + 2 * 1 * 4 + 2 * 3) / 6))
    assert kappas[1] < kappas[0]


@pytest.mark.parametrize(
    ("truth", "probability", "groups", "complaint"),
    [
        ([0, 2], [[0.5, 0.5]] * 2, "ab", "indices"),
        ([0.0, 1.0], [[0.5, 0.5]] * 2, "ab", "indices"),
        ([0, 1], [[0.5, 0.5]] * 3, "ab", r"must be \(2, 2\)"),
        ([0, 1], [[0.5, np.nan]] * 2, "ab", "not finite"),
        ([0, 1], [[0.5, 0.5]] * 2, "a", "1 groups for 2"),
        ([], np.zeros((0, 2)), "", "no pictures"),
    ],
)
def test_what_does_not_fit_is_an_error(
    make_card: MakeCard, truth: list[float], probability: list[list[float]], groups: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        figures(np.array(truth), np.array(probability), groups, make_card())


def test_one_label_is_asked_for_by_its_own_probability(make_card: MakeCard) -> None:
    truth, probability = some(3)
    labels = tuple(Label(name, name, name != "a") for name in "abc")
    card = msgspec.structs.replace(make_card(), labels=labels, outputs=Outputs(activation="softmax"))
    groups = [str(at) for at in range(len(truth))]
    found = label_figures(truth, probability, groups, card, "c")
    assert set(found) == {"auc", "average_precision", "ece"}
    assert found["auc"].value == pytest.approx(sklearn.roc_auc_score(truth == 2, probability[:, 2]))
    assert found["auc"].value != pytest.approx(figures(truth, probability, groups, card)["auc"].value)
    with pytest.raises(KeyError, match="d"):
        label_figures(truth, probability, groups, card, "d")
