"""The last resort for a clump that shows no necks: cut it into as many pieces as its area holds cells."""

import numpy as np
import numpy.typing as npt

from .cell import Labels
from .regions import Regions, measure, solidity

_MIN_AREA = 2.0
_MAX_AREA = 9.0
"""Typical cell areas; smaller is a large cell or an overlapping pair, larger a sheet that is left out altogether."""

_MAX_SOLIDITY = 0.95
"""A large convex region is one swollen cell: parasites double the size of what they live in."""

_CELL_SHARE = 0.95
"""Typical areas that one cell of a clump covers: each loses something to the next."""

_ROUNDS = 8
_SAMPLE = 2

_Points = npt.NDArray[np.float32]


def divide(labels: Labels, diameter: float) -> Labels:
    """The same map with large indented regions cut by k-means over their pixels' places."""
    typical = np.pi * diameter**2 / 4.0
    regions = measure(labels)
    divided = labels.copy()
    large = np.flatnonzero((regions.area >= _MIN_AREA * typical) & (regions.area <= _MAX_AREA * typical))
    following = len(regions.area)
    for name in large[large > 0]:
        if solidity(regions.mask(int(name))) < _MAX_SOLIDITY:
            pieces = max(2, round(float(regions.area[name]) / (_CELL_SHARE * typical)))
            _cut(divided, regions, int(name), pieces, following)
            following += pieces
    return divided


def _cut(labels: Labels, regions: Regions, name: int, pieces: int, following: int) -> None:
    """Renumber a region's pixels in place, from `following` on, by the nearest of its pieces' centres."""
    rows, columns = regions.window(name)
    points = np.argwhere(regions.mask(name)).astype(np.float32)
    centres = _centres(points[::_SAMPLE], pieces)
    y, x = points.astype(np.int64).T
    labels[rows, columns][y, x] = _nearest(points, centres) + following


def _centres(points: _Points, pieces: int) -> _Points:
    """Lloyd's algorithm, begun with points far from each other, so that the same clump is always cut alike."""
    chosen = [points[np.argmax(_squares(points, points.mean(axis=0)))]]
    while len(chosen) < pieces:
        gap = np.min([_squares(points, one) for one in chosen], axis=0)
        chosen.append(points[np.argmax(gap)])
    centres = np.stack(chosen)
    for _ in range(_ROUNDS):
        nearest = _nearest(points, centres)
        own = [points[nearest == piece] for piece in range(pieces)]
        centres = np.stack([some.mean(axis=0) if len(some) else old for some, old in zip(own, centres, strict=True)])
    return centres


def _nearest(points: _Points, centres: _Points) -> npt.NDArray[np.int64]:
    return np.argmin(np.stack([_squares(points, centre) for centre in centres]), axis=0)


def _squares(points: _Points, centre: _Points) -> _Points:
    return np.asarray(((points - centre) ** 2).sum(axis=1), dtype=np.float32)
