"""The arithmetic of counting: an interval for a share, and whether so many calls can be the classifier's own mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, sqrt
from typing import Literal

Z_95 = 1.959964

POSITIVE_BELOW = 0.01
"""A count of sure calls that false ones alone would reach less often than this is a positive finding."""
NEGATIVE_ABOVE = 0.10
"""A finding is negative where false ones alone would reach both counts, of calls and of sure calls, more often than this."""


@dataclass(frozen=True)
class FalseCalls:
    """How often a plain red cell is called infected: a beta distribution, because smears differ.

    The rate's mean is alpha / (alpha + beta); the larger both, the less it varies between fields.
    """

    alpha: float
    beta: float

    @property
    def rate(self) -> float:
        return self.alpha / (self.alpha + self.beta)


@dataclass(frozen=True)
class Mistakes:
    """How often plain cells are called at all, and for sure."""

    called: FalseCalls
    sure: FalseCalls


@dataclass(frozen=True)
class Tally:
    """Red cells counted, of them those called infected, and of these those called for sure.

    Two lines are drawn because two things are asked. A share wants every infected cell, and mistakes cost it little; a
    positive verdict wants calls that plain cells hardly ever get.
    """

    red_cells: int = 0
    infected: int = 0
    sure: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.red_cells + other.red_cells, self.infected + other.infected, self.sure + other.sure)


@dataclass(frozen=True)
class Count:
    """What a tally means.

    `share` and its Wilson interval are in 0..1; `chance` and `sure_chance` are how often as many calls, and as many sure
    calls, would come from plain cells alone.
    """

    tally: Tally
    share: float
    low: float
    high: float
    expected_false: float
    chance: float
    sure_chance: float

    @classmethod
    def of(cls, tally: Tally, mistakes: Mistakes) -> Count:
        low, high = wilson(tally.infected, tally.red_cells)
        share = tally.infected / tally.red_cells if tally.red_cells else 0.0
        chance = at_least(tally.infected, tally.red_cells, mistakes.called)
        sure_chance = at_least(tally.sure, tally.red_cells, mistakes.sure)
        return cls(tally, share, low, high, tally.red_cells * mistakes.called.rate, chance, sure_chance)

    @property
    def verdict(self) -> Literal["positive", "negative", "inconclusive"]:
        if self.sure_chance < POSITIVE_BELOW:
            return "positive"
        return "negative" if min(self.chance, self.sure_chance) > NEGATIVE_ABOVE else "inconclusive"


def wilson(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), within 0..1; (0, 1) where nothing was tried."""
    if trials <= 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    reach = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low = 0.0 if successes == 0 else max(0.0, (centre - reach) / scale)
    high = 1.0 if successes == trials else min(1.0, (centre + reach) / scale)
    return low, high


def at_least(successes: int, trials: int, false_calls: FalseCalls) -> float:
    """The chance of so many or more under the beta-binomial distribution."""
    below = sum(exp(_log_chance(k, trials, false_calls)) for k in range(min(successes, trials + 1)))
    return min(1.0, max(0.0, 1.0 - below))


def _log_chance(k: int, n: int, false_calls: FalseCalls) -> float:
    a, b = false_calls.alpha, false_calls.beta
    return _log_choose(n, k) + _log_beta(k + a, n - k + b) - _log_beta(a, b)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
