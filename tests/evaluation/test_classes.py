from __future__ import annotations

import numpy as np
import pytest

from medsdk.core.card import Label
from medsdk.evaluation.classes import by_class, confusion, share
from medsdk.evaluation.curves import calibration, curves

sklearn = pytest.importorskip("sklearn.metrics")

LABELS = tuple(Label(name, name.upper(), name == "c") for name in "abc")


def test_each_label_as_scikit_learn_has_it() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 200)
    named = np.where(random.random(200) < 0.6, truth, random.integers(0, 3, 200))
    found = by_class(truth, named, [str(at // 2) for at in range(200)], LABELS)
    expected = sklearn.precision_recall_fscore_support(truth, named)
    for at, label in enumerate(found):
        estimates = (label.precision, label.recall, label.f1)
        assert [estimate.value for estimate in estimates if estimate] == pytest.approx([row[at] for row in expected[:3]])
        assert label.support == expected[3][at]
        assert all(estimate.low < estimate.value < estimate.high for estimate in estimates if estimate)
    assert confusion(truth, named, 3) == tuple(map(tuple, sklearn.confusion_matrix(truth, named).tolist()))


def test_a_label_that_is_not_there_has_no_figures() -> None:
    found = by_class(np.array([0, 0, 1]), np.array([0, 1, 1]), "abc", LABELS)
    assert (found[2].support, found[2].precision, found[2].recall, found[2].f1) == (0, None, None, None)
    assert found[1].recall is not None
    # One patient, right: nearly nothing is known.
    assert (found[1].recall.low, found[1].recall.high) == pytest.approx((0.2065, 1), abs=1e-4)


def test_rows_are_true_and_columns_named() -> None:
    assert confusion(np.array([0, 0, 2]), np.array([1, 1, 2]), 3) == ((0, 2, 0), (0, 0, 0), (0, 0, 1))


def test_a_share_of_none_is_no_certainty() -> None:
    found = share(np.zeros(100, bool), [str(at // 10) for at in range(100)])
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.2775, abs=1e-3)


def test_curves_have_the_area_of_the_figures() -> None:
    random = np.random.default_rng(0)
    positive = random.random(3000) < 0.3
    chance = np.clip(random.normal(0.4 + 0.2 * positive, 0.15), 0, 1)
    found = curves(positive, chance)
    assert found is not None
    x, y = np.array(found.roc).T
    assert np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) == pytest.approx(sklearn.roc_auc_score(positive, chance), abs=0.002)
    recall, precision = np.array(found.precision_recall).T
    assert np.sum(np.diff(recall) * precision[1:]) == pytest.approx(
        sklearn.average_precision_score(positive, chance), abs=0.005
    )
    assert len(found.roc) <= 400


def test_one_kind_has_no_curves() -> None:
    assert curves(np.ones(3, bool), np.array([0.1, 0.5, 0.9])) is None


def test_calibration_bins_by_hand() -> None:
    low, high = calibration(np.array([True, False, True]), np.array([0.5, 0.52, 1.0]))
    assert (low.low, low.high, low.pictures, low.mean) == pytest.approx((7 / 15, 8 / 15, 2, 0.51))
    assert low.positive.value == 0.5
    assert (high.pictures, high.high, high.positive.value) == (1, 1, 1)
