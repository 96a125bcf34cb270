"""What is stained but no red cell: white cells, platelets, dust, dye."""

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Mask
from .foreground import Foreground
from .illumination import light_taken
from .regions import Regions, disc, solidity

_MIN_AREA = 0.35
"""Of the typical cell; platelets are a tenth, fragments of red cells a third."""
_MIN_BORDER_AREA = 0.15
"""The same for what the border cuts: half a cell is still a cell."""
_MAX_AREA = 4.0
"""Of the typical cell; larger regions are sheets that nothing could be told apart in."""
_OVERSIZED = 1.7
"""Of the typical cell; between this and the limit above it is overlapping cells, kept and flagged."""
_MIN_SOLIDITY = 0.78
"""Red cells are convex, but for the bites that overlapping neighbours take; threads and clumps of platelets are not."""

_NUCLEUS_GREEN = (1.0, 2.2)
_NUCLEUS_RED = (0.6, 2.5)
"""Optical density (natural log) that a nucleus has at least, and its multiple of the red cells'. Methylene blue takes red
light, which red cells let through; where a stain is too weak for that, the nucleus still is far darker in green."""
_NUCLEUS_SMOOTHING = 0.15
_NUCLEUS_OPENING = 0.07
"""In diameters; the scale bar is as dark as a nucleus but thinner than this."""
_LOBES = 0.2
"""In diameters; a granulocyte's lobes lie closer together than twice this."""
_NUCLEUS_AREA = 0.7
"""Of the typical cell, all lobes together. The largest schizonts and gametocytes of malaria_fields' train split reach 0.64,
white cells 0.7 to 1.4."""
_SAMPLE = 4
"""Rows and columns of which one is looked at, where a median does not need them all."""
_COVERED = 0.5
"""A region that lies so far within a white cell's nucleus and its surroundings is a piece of that cell."""


def red_cells(regions: Regions, field: Foreground, touches_border: Mask) -> dict[int, float]:
    """The labels of the regions that are red cells, or overlapping red cells, each with its solidity."""
    typical = np.pi * field.diameter**2 / 4.0
    least = np.where(touches_border, _MIN_BORDER_AREA, _MIN_AREA) * typical
    right_size = (regions.area >= least) & (regions.area <= _MAX_AREA * typical)
    right_size[0] = False
    right_size &= ~_in_white_cell(regions, field)
    convexity = {int(name): solidity(regions.mask(int(name))) for name in np.flatnonzero(right_size)}
    return {name: value for name, value in convexity.items() if value >= _MIN_SOLIDITY}


def oversized(area: float, diameter: float) -> bool:
    """Whether a region is too large to be one cell."""
    return area > _OVERSIZED * np.pi * diameter**2 / 4.0


def _in_white_cell(regions: Regions, field: Foreground) -> Mask:
    """By label: whether the region is a piece of a white cell."""
    white = _white_cells(field)
    if not white.any():
        return np.zeros(len(regions.area), dtype=bool)
    covered = np.bincount(regions.labels[white], minlength=len(regions.area))
    return np.asarray(covered > _COVERED * regions.area)


def _white_cells(field: Foreground) -> Mask:
    """Nuclei too large for any parasite, with a seam around them."""
    dark = _nuclear(field)
    grown = cv2.dilate(dark, disc(_LOBES * field.diameter))
    count, names = cv2.connectedComponents(grown)
    area = np.bincount(names[dark > 0], minlength=count)
    large = area > _NUCLEUS_AREA * np.pi * field.diameter**2 / 4.0
    large[0] = False
    return np.asarray(large[names])


def _nuclear(field: Foreground) -> npt.NDArray[np.uint8]:
    """1 where a pixel is as dark as a nucleus."""
    dark = np.zeros(field.mask.shape, dtype=bool)
    red = light_taken(field.picture[:, :, 0], field.mask)
    for taken, (least, times) in ((field.taken, _NUCLEUS_GREEN), (red, _NUCLEUS_RED)):
        typical = float(np.median(taken[::_SAMPLE, ::_SAMPLE][field.mask[::_SAMPLE, ::_SAMPLE]]))
        density = max(least, -times * np.log(max(1.0 - typical, 0.02)))
        window = round(_NUCLEUS_SMOOTHING * field.diameter) | 1
        smooth = cv2.blur(taken, (window, window))
        dark |= smooth > 1.0 - np.exp(-density)
    opened = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, disc(_NUCLEUS_OPENING * field.diameter))
    return np.asarray(opened, dtype=np.uint8)
