"""The typical cell's diameter, from the picture itself: every length of the segmentation is a share of it."""

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Mask

_MIN_AREA = 30
"""Working pixels; smaller spots are noise and say nothing about cells."""

_MIN_ROUND = 4
"""So many single round cells, holding this share of all stained area, are believed; a clumped field has fewer."""
_MIN_ROUND_SHARE = 0.05

_MAX_ASPECT = 1.35
_DISC_EXTENT = np.pi / 4
"""A disc's or an upright ellipse's share of its bounding box."""
_EXTENT_TOLERANCE = 0.06


def typical_diameter(mask: Mask) -> float:
    """Diameter in pixels of the disc as large as the typical cell in the mask; 0 where nothing resembles one."""
    single = _single_cell_areas(mask)
    if single.size:
        return float(2.0 * np.sqrt(_weighted_median(single, single) / np.pi))
    return _diameter_of_clumps(mask)


def _single_cell_areas(mask: Mask) -> npt.NDArray[np.float64]:
    """Areas of the components that look like one whole round cell; empty when they are too few to be believed."""
    height, width = mask.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    x, y, w, h, area = stats[1:].astype(np.float64).T
    whole = (x > 0) & (y > 0) & (x + w < width) & (y + h < height) & (area > _MIN_AREA)
    round_ = (np.maximum(w, h) <= _MAX_ASPECT * np.minimum(w, h)) & (abs(area / (w * h) - _DISC_EXTENT) < _EXTENT_TOLERANCE)
    single = area[whole & round_]
    if len(single) < _MIN_ROUND or single.sum() < _MIN_ROUND_SHARE * area.sum():
        return np.empty(0)
    return single


def _diameter_of_clumps(mask: Mask) -> float:
    """Twice the typical height of the distance transform's summits: a clump's lobes are as wide as its cells."""
    if mask.all():
        return 0.0
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    summit = (distance >= cv2.dilate(distance, np.ones((5, 5), np.uint8))) & (distance > 3.0)
    heights = distance[summit].astype(np.float64)
    if not heights.size:
        return 0.0
    return 2.0 * _weighted_median(heights, heights**2)


def _weighted_median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """Weighted by area, so that a hundred specks of dust do not outvote twenty cells."""
    order = np.argsort(values)
    passed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(passed, passed[-1] / 2.0)])
