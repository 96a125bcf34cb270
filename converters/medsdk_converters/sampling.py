"""Which pictures make an epoch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medsdk_converters.data import Example
from medsdk_converters.recipe import Phase, Recipe, Sampling


def chances(keys: Sequence[tuple[str, ...]], power: float) -> npt.NDArray[np.float64]:
    """The chance of each picture to be drawn, (n,), summing to 1; `keys` are the values to balance over."""
    counts = Counter(keys)
    weight = np.array([counts[key] ** -power for key in keys])
    return np.asarray(weight / weight.sum())


def by_phase(recipe: Recipe, examples: Sequence[Example]) -> tuple[npt.NDArray[np.float64], ...]:
    """The chance of each training picture to be drawn, (n,), for each phase."""
    columns = recipe.sampling.balance
    keys = [tuple(str(e.label) if column == "label" else e.value(column) for column in columns) for e in examples]
    even = chances(keys, recipe.sampling.power)
    return tuple(_redrawn(even, phase, examples) for phase in recipe.schedule.phases)


def _redrawn(chance: npt.NDArray[np.float64], phase: Phase, examples: Sequence[Example]) -> npt.NDArray[np.float64]:
    weight = chance.copy()
    for draw in phase.draw:
        weight[[example.matches(draw.where) for example in examples]] *= draw.times
    return np.asarray(weight / weight.sum())


def epoch(how: Sampling, chance: npt.NDArray[np.float64], seed: int, number: int) -> npt.NDArray[np.int64]:
    """The indices of one epoch: a function of the seed and its number alone, so that a resumed run sees the same.

    Systematic sampling: each picture comes as often as its chance says, give or take one, in random order.
    """
    random = np.random.default_rng([seed, number])
    total = how.pictures or len(chance)
    order = random.permutation(len(chance))
    marks = (np.arange(total) + random.random()) / total
    drawn = order[np.minimum(np.searchsorted(np.cumsum(chance[order]), marks), len(chance) - 1)]
    return np.asarray(random.permutation(drawn))
