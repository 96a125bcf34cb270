"""Telling touching cells apart: the summits of the distance transform are cells, a neck between two summits parts them.

The lines between the summits are those of a power diagram: the chord through the two points where two overlapping discs
cross, which is where a watershed over the distance transform runs too. OpenCV's own watershed floods by colour difference,
not by height, so it cannot be used on a distance transform.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Labels, Mask, Plane
from .regions import disc

_OPENING = 0.10
"""Radius, in diameters, of what is too thin to be a cell: the scale bar, its letters, threads of fibrin."""

_SMOOTHING = 0.03
"""Sigma in diameters; the outline's steps would otherwise make summits of their own."""

_SUMMIT_WINDOW = 0.18
"""Half the side, in diameters, of the square in which a summit is the highest point."""

_MIN_SUMMIT = 0.4
"""Of the typical radius; lower summits are corners of debris."""

_NECK = 0.97
"""Two summits are one cell when the ridge between them stays above this share of the lower one."""

_REACH = 1.35
"""Diameters; summits further apart are never one cell."""

_RADIUS_REACH = 1.0
"""Diameters around a summit within which its cell may have pixels."""

_RIDGE_STEPS = np.linspace(0.0, 1.0, 21)

_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Summits:
    x: _Index
    y: _Index
    radius: npt.NDArray[np.float32]
    component: npt.NDArray[np.int32]


def split(mask: Mask, diameter: float) -> Labels:
    """Number the cells of a mask, int32 (h, w), 0 outside; every summit of a clump becomes a region."""
    solid = _without_threads(mask, diameter)
    _, components = cv2.connectedComponents(solid, connectivity=4, ltype=cv2.CV_32S)
    distance = _distance(solid, diameter)
    summits = _find_summits(distance, np.asarray(components, dtype=np.int32), diameter)
    return _power_diagram(np.asarray(components, dtype=np.int32), summits, _join(distance, summits, diameter), diameter)


def _without_threads(mask: Mask, diameter: float) -> npt.NDArray[np.uint8]:
    radius = max(1, round(_OPENING * diameter))
    # Replicated, so that cells cut by the picture's border keep their straight side.
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc(radius))
    return np.ascontiguousarray(opened[radius:-radius, radius:-radius], dtype=np.uint8)


def _distance(solid: npt.NDArray[np.uint8], diameter: float) -> Plane:
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(cv2.GaussianBlur(distance, (0, 0), _SMOOTHING * diameter), dtype=np.float32)


def _find_summits(distance: Plane, components: Labels, diameter: float) -> _Summits:
    side = 2 * round(_SUMMIT_WINDOW * diameter) + 1
    around = cv2.dilate(distance, np.ones((side, side), np.uint8))  # A square, because only squares are fast.
    top = (distance >= around - 1e-4) & (distance > _MIN_SUMMIT * diameter / 2.0)
    # A flat top is several pixels: its middle stands for it.
    _, _, _, middles = cv2.connectedComponentsWithStats(top.astype(np.uint8))
    x, y = np.rint(middles[1:]).astype(np.int64).T
    inside = components[y, x] > 0
    x, y = x[inside], y[inside]
    return _Summits(x, y, distance[y, x], components[y, x])


def _join(distance: Plane, summits: _Summits, diameter: float) -> _Index:
    """The number, from 1, of the cell that each summit belongs to."""
    x, y = summits.x, summits.y
    first, second = _near_pairs(summits, _REACH * diameter)
    along = np.rint(x[first, None] + (x[second] - x[first])[:, None] * _RIDGE_STEPS).astype(np.int64)
    down = np.rint(y[first, None] + (y[second] - y[first])[:, None] * _RIDGE_STEPS).astype(np.int64)
    neck = distance[down, along].min(axis=1, initial=np.inf)
    one_cell = neck > _NECK * np.minimum(summits.radius[first], summits.radius[second])
    cell = np.arange(len(x))
    for a, b in zip(first[one_cell], second[one_cell], strict=True):
        cell[cell == cell[b]] = cell[a]
    return np.unique(cell, return_inverse=True)[1].astype(np.int64) + 1


def _near_pairs(summits: _Summits, reach: float) -> tuple[_Index, _Index]:
    """Summits of one component nearer to each other than `reach`, the lower number first.

    Compared only within a strip as wide as the reach: a picture that is no field has ten thousand summits, and all pairs of
    them take a gigabyte.
    """
    order = np.argsort(summits.x, kind="stable")
    x, y = summits.x[order], summits.y[order]
    following = np.searchsorted(x, x + reach, "left") - np.arange(len(x)) - 1
    one = np.repeat(np.arange(len(x)), following)
    begin = np.cumsum(following) - following
    other = one + 1 + np.arange(len(one)) - np.repeat(begin, following)
    near = np.hypot(x[one] - x[other], y[one] - y[other]) < reach
    one, other = order[one[near]], order[other[near]]
    same = summits.component[one] == summits.component[other]
    low, high = np.minimum(one, other)[same], np.maximum(one, other)[same]
    sorting = np.lexsort((high, low))
    return low[sorting], high[sorting]


def _power_diagram(components: Labels, summits: _Summits, cell: _Index, diameter: float) -> Labels:
    """Give each pixel to the summit whose disc it lies deepest in, of the summits of its own component."""
    lowest = np.full(components.shape, np.inf, np.float32)
    labels = np.zeros(components.shape, np.int32)
    reach = round(_RADIUS_REACH * diameter)
    steps = np.arange(-reach, reach + 1, dtype=np.float32) ** 2
    squares = steps[:, None] + steps
    for x, y, radius, component, name in zip(summits.x, summits.y, summits.radius, summits.component, cell, strict=True):
        above, before = max(0, y - reach), max(0, x - reach)
        window = slice(above, y + reach + 1), slice(before, x + reach + 1)
        near = components[window] == component
        power = squares[above - y + reach :, before - x + reach :][: near.shape[0], : near.shape[1]] - radius * radius
        near &= power < lowest[window]
        np.copyto(lowest[window], power, where=near)
        np.copyto(labels[window], name, where=near, casting="unsafe")
    return labels
