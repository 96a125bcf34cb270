"""95 % intervals: the bootstrap over groups, and Wilson's for a plain share.

Pictures of one patient are alike, so that an interval from resampled pictures would be too narrow. Here whole groups
(patients, lesions) are drawn with replacement (Field & Welsh 2007, "cluster bootstrap").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from medsdk.core.card import Estimate

Floats = npt.NDArray[np.float64]
# Weights (b, n), how often each picture occurs in each of b resamples, to named figures (b,), NaN where undefined.
Statistic = Callable[[Floats], Mapping[str, Floats]]

LEVEL = 0.95
# The normal distribution's quantile for a two-sided 95 % interval.
_Z = 1.959963984540054
# Weights held at once, in numbers: 32 MB, whatever the size of the set.
_AT_ONCE = 4_000_000


def group_weights(groups: Sequence[str], resamples: int, seed: int) -> Iterator[Floats]:
    """How often each picture occurs in each resample of the groups: arrays (b, n), `resamples` rows altogether.

    Pictures of one group always have the same weight.
    """
    names, member = np.unique(list(groups), return_inverse=True)
    random = np.random.default_rng(seed)
    rows = max(1, _AT_ONCE // max(1, len(member)))
    for begin in range(0, resamples, rows):
        count = min(rows, resamples - begin)
        drawn = random.integers(0, len(names), (count, len(names)))
        drawn += np.arange(count)[:, np.newaxis] * len(names)
        times = np.bincount(drawn.ravel(), minlength=count * len(names)).reshape(count, len(names))
        yield times[:, member].astype(np.float64)


def intervals(
    statistic: Statistic, groups: Sequence[str], *, resamples: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """The percentile interval of each figure over resamples of the groups.

    Resamples in which a figure is undefined (no positive was drawn) are left out of that figure's interval; a figure
    that no resample defines has none.
    """
    if resamples < 1:
        raise ValueError("resamples must be at least 1")
    parts: dict[str, list[Floats]] = {}
    for weights in group_weights(groups, resamples, seed):
        for name, values in statistic(weights).items():
            parts.setdefault(name, []).append(values)
    found = {}
    for name, values in ((name, np.concatenate(part)) for name, part in parts.items()):
        defined = values[np.isfinite(values)]
        if len(defined):
            tail = (1 - LEVEL) / 2
            low, high = np.quantile(defined, (tail, 1 - tail))
            found[name] = (float(low), float(high))
    return found


def wilson(successes: float, n: int) -> Estimate:
    """A share with Wilson's score interval (Wilson 1927), which stays honest at 0 of n and n of n.

    `successes` may be a fraction, where n counts groups. Raises ValueError where n is 0.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share")
    share, z2 = successes / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Estimate(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def share_estimate(value: float, bounds: tuple[float, float] | None, groups: Sequence[str]) -> Estimate:
    """A share with its bootstrap interval or, where that has no width, with Wilson's over the number of groups.

    Resamples of pictures that are all right, or all of one group, are all alike: that is no certainty. `groups` are
    those of the pictures that the share was counted over, at least one.
    """
    if bounds is not None and bounds[0] < bounds[1]:
        return widened(value, bounds)
    number = len(set(groups))
    return widened(value, (wilson(value * number, number).low, wilson(value * number, number).high))


def widened(value: float, bounds: tuple[float, float]) -> Estimate:
    """An interval that holds the value, as a percentile interval of a figure that resampling biases may not."""
    return Estimate(value, min(value, bounds[0]), max(value, bounds[1]))
