"""Putting back together what the splitting cut too often: two neighbours that make one convex cell are one cell."""

import numpy as np

from .cell import Labels
from .regions import measure, neighbours, solidity

_WHOLE_AREA = 1.4
"""Typical cell areas that a rejoined cell may have at most; two overlapping cells are seldom smaller."""

_WHOLE_SOLIDITY = 0.92
"""Two touching discs reach 0.87; a bent or dented single cell stays above 0.92."""

_ROUNDS = 2
"""A cell cut in three is whole after two rounds."""


def rejoin(labels: Labels, diameter: float) -> Labels:
    """The same map with neighbours joined where their union is a convex shape of one cell's size."""
    joined = labels.copy()
    limit = _WHOLE_AREA * np.pi * diameter**2 / 4.0
    for _ in range(_ROUNDS):
        if not _join_best(joined, limit):
            break
    return joined


def _join_best(labels: Labels, limit: float) -> bool:
    """Join in place, most convex pairs first, each region once; tells whether anything was joined."""
    regions = measure(labels)
    pairs = neighbours(labels)
    small = pairs[regions.area[pairs].sum(axis=1) < limit]
    ranked = sorted(((solidity(regions.mask(int(a), int(b))), int(a), int(b)) for a, b in small), reverse=True)
    used: set[int] = set()
    for convexity, a, b in ranked:
        if convexity <= _WHOLE_SOLIDITY:
            break
        if not used & {a, b}:
            crop = labels[regions.window(b)]
            crop[crop == b] = a
            used |= {a, b}
    return bool(used)
