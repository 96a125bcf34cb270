from __future__ import annotations

import numpy as np
import pytest

from medsdk.evaluation import bootstrap
from medsdk.evaluation.bootstrap import group_weights, intervals, share_estimate, wilson

GROUPS = [f"patient {at // 3}" for at in range(30)]


def mean_of(values: np.ndarray) -> bootstrap.Statistic:
    return lambda weights: {"mean": weights @ values / weights.sum(axis=1)}


def test_groups_are_kept_together() -> None:
    weights = np.concatenate(list(group_weights(GROUPS, 200, seed=0)))
    assert weights.shape == (200, 30)
    by_group = weights.reshape(200, 10, 3)
    assert (by_group == by_group[..., :1]).all()
    assert (by_group[..., 0].sum(axis=1) == 10).all()


def test_groups_need_not_stand_side_by_side() -> None:
    weights = np.concatenate(list(group_weights(["a", "b", "a", "c"], 100, seed=1)))
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] != weights[:, 1]).any()


def test_memory_is_bounded_and_does_not_change_the_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(group_weights(GROUPS, 50, seed=3)))
    monkeypatch.setattr(bootstrap, "_AT_ONCE", 30 * 7)
    parts = list(group_weights(GROUPS, 50, seed=3))
    assert max(len(part) for part in parts) == 7
    assert (np.concatenate(parts) == whole).all()


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(30.0)
    first, second, other = (intervals(mean_of(values), GROUPS, resamples=100, seed=seed) for seed in (0, 0, 1))
    assert first == second != other


def test_copies_of_a_patient_do_not_narrow_the_interval() -> None:
    random = np.random.default_rng(0)
    values = np.repeat(random.random(40), 20)
    patients = [str(at // 20) for at in range(800)]
    pictures = [str(at) for at in range(800)]
    low, high = intervals(mean_of(values), patients)["mean"]
    narrow_low, narrow_high = intervals(mean_of(values), pictures)["mean"]
    assert (high - low) / (narrow_high - narrow_low) == pytest.approx(20**0.5, rel=0.15)


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(1).normal(size=400)
    low, high = intervals(mean_of(values), [str(at) for at in range(400)], resamples=4000)["mean"]
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.06)


def test_resamples_that_leave_a_figure_undefined_are_left_out() -> None:
    found = intervals(
        lambda weights: {"never": weights[:, 0] * np.nan, "mostly": np.where(weights[:, 0] > 0, 0.5, np.nan)}, GROUPS
    )
    assert found == {"mostly": (0.5, 0.5)}


def test_no_resamples_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        intervals(mean_of(np.zeros(30)), GROUPS, resamples=0)


# Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert (found.value, found.low, found.high) == pytest.approx((successes / n, low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_wilson_refuses_what_is_no_share(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(successes, n)


def test_a_perfect_share_is_no_certainty() -> None:
    found = share_estimate(1.0, (1.0, 1.0), ["a"] * 50 + ["b"] * 50)
    assert found == wilson(2, 2)
    assert found.low < 0.5
