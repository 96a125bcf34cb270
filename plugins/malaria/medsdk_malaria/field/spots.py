"""A first, cheap look into each cell: is anything in it stained that the field's other cells do not have?

A cell without a dark spot cannot hold a parasite. Most cells of a field are like that, and the network need not see them.
"""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Cell, Mask
from .foreground import Foreground
from .illumination import light_taken

Floats = npt.NDArray[np.float32]

DIMENSIONS = 50
"""Two of the shape, and six of each of eight planes."""

_SIDE = 24
"""Each cell is looked at on a grid of so many points a side: a ring-stage parasite is three of them across."""
_FINE, _COARSE = 0.125, 0.375
"""Diameters. The first is the size of the smallest parasite; what is darker than the second's mean is a spot, however thick
the cell is there."""
_RIM = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
"""Taken off the grid: the rim of every cell is dark on one side or other."""


def spots(field: Foreground, cells: Sequence[Cell]) -> Floats:
    """(n, DIMENSIONS): of each cell its size, and how the light that it takes is spread, by colour; see `_spread`."""
    if not cells:
        return np.empty((0, DIMENSIONS), np.float32)
    core = _cores(cells)
    fine, coarse = _blurred(field)
    seen = np.stack([_on_grid(fine, cell, field.ratio) for cell in cells])
    around = np.stack([_on_grid(coarse, cell, field.ratio) for cell in cells])
    red, green, blue = (seen[..., colour] for colour in range(3))
    rest = (seen[..., colour] - around[..., colour] for colour in range(3))
    planes = np.stack([red, green, blue, red - green, blue - green, *rest], axis=1).reshape(len(cells), 8, -1)
    typical = np.pi * (field.diameter * field.ratio) ** 2 / 4.0
    shape = [[cell.area / typical, cell.solidity] for cell in cells]
    return np.hstack([np.array(shape, np.float32), _spread(planes, core)])


def _blurred(field: Foreground) -> tuple[Floats, Floats]:
    """Share of light missing, float32 (h, w, 3), at both scales."""
    taken = cv2.merge([light_taken(field.picture[:, :, colour], field.mask) for colour in range(3)])
    sides = [max(1, round(scale * field.diameter)) | 1 for scale in (_FINE, _COARSE)]
    fine, coarse = (cv2.blur(taken, (side, side), borderType=cv2.BORDER_REFLECT) for side in sides)
    return cast(Floats, fine), cast(Floats, coarse)


def _on_grid(taken: Floats, cell: Cell, ratio: float) -> Floats:
    """The cell's box on the grid, (side * side, 3). Pixel centres lie at half numbers in source, working and grid pixels."""
    x, y, w, h = cell.box
    across, down = w / _SIDE / ratio, h / _SIDE / ratio
    to_picture = np.array([[across, 0.0, x / ratio + across / 2 - 0.5], [0.0, down, y / ratio + down / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grid = cv2.warpAffine(taken, to_picture, (_SIDE, _SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return cast(Floats, grid.reshape(-1, 3))


def _cores(cells: Sequence[Cell]) -> Mask:
    """The cells without their rims on the grid, (n, side * side); the whole cell where nothing else is left."""
    whole = np.zeros((len(cells), _SIDE + 2, _SIDE + 2), np.uint8)
    for frame, cell in zip(whole, cells, strict=True):
        frame[1:-1, 1:-1] = cv2.resize(cell.mask.view(np.uint8), (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST)
    # Framed in black and laid under each other, all are eroded at once.
    eroded = cv2.erode(whole.reshape(-1, _SIDE + 2), _RIM).reshape(whole.shape)
    core, outline = (each[:, 1:-1, 1:-1].reshape(len(cells), -1) > 0 for each in (eroded, whole))
    return np.asarray(np.where(core.any(axis=1, keepdims=True), core, outline))


def _spread(planes: Floats, core: Mask) -> Floats:
    """Mean, deviation, roots of the third and fourth moments, most and least of each plane (n, 8, p) in the core (n, p)."""
    inside = core[:, None, :].astype(np.float32)
    count = np.maximum(inside.sum(axis=2), 1.0)
    mean = (planes * inside).sum(axis=2) / count
    away = (planes - mean[..., None]) * inside
    square = away * away
    deviation = np.sqrt(square.sum(axis=2) / count)
    skew = np.cbrt((square * away).sum(axis=2) / count)
    tail = ((square * square).sum(axis=2) / count) ** 0.25
    # Outside the core `away` is 0, which lies between the least and the most.
    most, least = mean + away.max(axis=2), mean + away.min(axis=2)
    return np.hstack([mean, deviation, skew, tail, most, least]).astype(np.float32)
