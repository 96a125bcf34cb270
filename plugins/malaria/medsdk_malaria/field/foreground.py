"""What is stained and what is empty slide, at the resolution that the splitting works at."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Mask, Plane, RGBImage
from .diameter import typical_diameter
from .illumination import absorption, otsu
from .regions import disc

_WORK_SIDE = 640
"""Long side in pixels of the first look: about 35 px a cell in a usual field, enough to part touching cells."""

_WORK_DIAMETER = 36.0
_DIAMETER_RANGE = (24.0, 50.0)
"""Pixels a cell at work; a field whose cells fall outside is looked at again at the scale that makes them 36 px."""

_MAX_SIDE = 1600
"""Long side in pixels of the second look: memory and time stay those of two megapixels, however large the picture is. Cells
of a 64th of the picture's width still have their 24 pixels."""

_EDGE_SHARE = 0.5
"""A cell's edge is where half of its typical absorption is reached: blur of any width leaves that place where it is."""

_LOCAL_SHARE = 0.9
_LOCAL_WINDOW = 1.6
"""Inside a clump the gaps are grey, not empty: a pixel must also reach this share of the mean over so many diameters."""

_STAIN_CAP = 1.2
"""Times the typical stain; a nucleus counts no more than that in the local mean, or it would erase its neighbours."""

_PALLOR_AREA = 0.2
"""Of the squared diameter. Cells are thin in the middle: round small holes are pallor, the rest is slide between cells."""
_PALLOR_ROUNDNESS = 0.6
_PALLOR_SOLIDITY = 0.85
_SPECK_AREA = 0.01
_RING_AREA = (0.3, 1.5)
"""Of the squared diameter, outlines within which every hole is closed: one cell, of which only the rim is stained."""

_PALE_LEVEL = 0.2
"""Share of light; a weakly stained film has nothing paler that is not haze, so there this level finds nothing new."""
_PALE_SHARE = (0.25, 0.8)
"""Of the typical stain, between which a cell is pale."""
_PALE_WINDOW = 0.25
_PALE_OPENING = 0.1
"""In diameters; takes the soft rims of healthy cells away, which pass through the same levels."""
_PALE_AREA = (0.2, 2.8)
"""Of the squared diameter; Plasmodium vivax swells its cell to more than twice the size."""
_PALE_SOLIDITY = 0.85
_PALE_RIM = 0.12
"""In diameters; what the opening took and the darker rim of the cell itself."""

_Contour = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Foreground:
    """The stained part of a field, at working resolution.

    Attributes:
        picture: the field, shrunk to the working resolution.
        taken: share of green light absorbed, about 0 on the empty slide.
        mask: True on cells, clumps, nuclei and debris.
        stain: the typical absorption inside the mask.
        diameter: the typical cell's diameter in working pixels, 0 when nothing resembles a cell.
        ratio: source pixels a working pixel, along a side.
    """

    picture: RGBImage
    taken: Plane
    mask: Mask
    stain: float
    diameter: float
    ratio: float


def find_foreground(image: RGBImage) -> Foreground:
    """Look once, and a second time at a better scale where the cells turned out small or large."""
    scale = min(1.0, _WORK_SIDE / max(image.shape[:2]))
    first = _look(image, scale)
    low, high = _DIAMETER_RANGE
    if first.diameter == 0.0 or low <= first.diameter <= high:
        return first
    better = min(1.0, scale * _WORK_DIAMETER / first.diameter, _MAX_SIDE / max(image.shape[:2]))
    return first if better == scale else _look(image, better)


def _look(image: RGBImage, scale: float) -> Foreground:
    height, width = image.shape[:2]
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    # AREA averages every source pixel: the copy of a field at half size and at double size are the same picture.
    small = image if scale == 1.0 else cast(RGBImage, cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    taken = absorption(small)
    some = taken[::3, ::3]
    stained = some[some > otsu(some, -0.1, 1.0)]
    stain = float(np.median(stained)) if stained.size else 0.0
    rough = np.asarray(taken > _EDGE_SHARE * stain)
    mask = _local_edges(taken, rough, stain, typical_diameter(rough))
    return Foreground(small, taken, mask, stain, typical_diameter(mask), 1.0 / scale)


def _local_edges(taken: Plane, rough: Mask, stain: float, diameter: float) -> Mask:
    """The mask without the grey gaps of clumps and the haze around them, with the pale middles of cells."""
    if diameter == 0.0:
        return rough
    around = _LOCAL_SHARE * _mean(np.minimum(taken, _STAIN_CAP * stain), _LOCAL_WINDOW * diameter)
    smooth = _mean(taken, _PALE_WINDOW * diameter)
    faint = np.asarray(taken > max(_PALE_LEVEL, _PALE_SHARE[0] * stain))
    pale = faint & _pale_cells(faint & (smooth < _PALE_SHARE[1] * stain), diameter)
    return _fill_pallor((rough & (taken > around)) | pale, diameter)


def _mean(taken: Plane, window: float) -> Plane:
    side = round(window) | 1
    return np.asarray(cv2.blur(taken, (side, side), borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def _pale_cells(thin: Mask, diameter: float) -> Mask:
    """Convex pieces of a cell's size that are paler than what surrounds them.

    Parasites eat the haemoglobin: in a strong stain an infected cell among healthy ones is as pale as the haze in a clump,
    but haze fills what the cells leave, so its sides are hollow.
    """
    solid = np.zeros(thin.shape, np.uint8)
    opened = cv2.morphologyEx(thin.astype(np.uint8), cv2.MORPH_OPEN, disc(_PALE_OPENING * diameter))
    for outline in cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        area, hull = cv2.contourArea(outline), cv2.contourArea(cv2.convexHull(outline))
        if _PALE_AREA[0] < area / diameter**2 < _PALE_AREA[1] and area > _PALE_SOLIDITY * hull:
            cv2.drawContours(solid, [outline], -1, 1, cv2.FILLED)
    return np.asarray(cv2.dilate(solid, disc(_PALE_RIM * diameter)) > 0)


def _fill_pallor(mask: Mask, diameter: float) -> Mask:
    """Close the holes of single cells, whatever their shape, and the round ones inside clumps."""
    filled = mask.astype(np.uint8)
    contours, tree = cv2.findContours(filled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outlines = [cast(_Contour, outline) for outline in contours]
    for outline, (_, _, child, parent) in zip(outlines, tree[0] if contours else (), strict=True):
        if (parent >= 0 and _is_pallor(outline, diameter)) or (child >= 0 and _is_ring(outline, diameter)):
            cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
    return filled.astype(bool)


def _is_ring(outline: _Contour, diameter: float) -> bool:
    """One pale cell, of which only the rim is stained."""
    area = cv2.contourArea(outline) / diameter**2
    if not _RING_AREA[0] < area < _RING_AREA[1]:
        return False
    return bool(area > _PALLOR_SOLIDITY * cv2.contourArea(cv2.convexHull(outline)) / diameter**2)


def _is_pallor(hole: _Contour, diameter: float) -> bool:
    """Pallor is round; the slide between touching cells is a triangle with hollow sides."""
    area = cv2.contourArea(hole) / diameter**2
    if area < _SPECK_AREA:
        return True
    if area > _PALLOR_AREA:
        return False
    around = cv2.arcLength(hole, True) / diameter
    hull = cv2.contourArea(cv2.convexHull(hole)) / diameter**2
    return bool(4.0 * np.pi * area / around**2 > _PALLOR_ROUNDNESS and area > _PALLOR_SOLIDITY * hull)
