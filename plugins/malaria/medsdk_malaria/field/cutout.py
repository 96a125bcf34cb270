"""One cell of a field, looking as the pictures look that the cell model was trained on."""

import cv2
import numpy as np

from .cell import Cell, Mask, RGBImage
from .regions import disc

_SEAM = 0.03
"""Of the box's longer side. The contours of malaria_cells run just outside the cell and keep a thin seam of slide."""


def cutout(image: RGBImage, cell: Cell, margin: int = 0) -> RGBImage:
    """The cell on black, RGB uint8, `margin` black pixels wider on every side than the cell with its seam.

    malaria_cells has a margin of 0: its pictures end where the cell ends. Where the picture's border cuts the cell, the
    cutout ends there too.
    """
    mask, x, y = _with_seam(cell, image.shape[1], image.shape[0])
    height, width = mask.shape
    out = np.zeros((height + 2 * margin, width + 2 * margin, 3), np.uint8)
    inside = out[margin : margin + height, margin : margin + width]
    cv2.copyTo(image[y : y + height, x : x + width], mask.view(np.uint8), inside)
    return out


def _with_seam(cell: Cell, width: int, height: int) -> tuple[Mask, int, int]:
    """The mask grown by the seam, cut at the picture's border, and where its first column and row lie."""
    x, y, w, h = cell.box
    seam = max(1, round(_SEAM * max(w, h)))
    frame = cv2.copyMakeBorder(cell.mask.astype(np.uint8), seam, seam, seam, seam, cv2.BORDER_CONSTANT, value=0)
    grown = cv2.dilate(frame, disc(seam)) > 0
    left, top = max(0, seam - x), max(0, seam - y)
    right, bottom = min(w + 2 * seam, width - x + seam), min(h + 2 * seam, height - y + seam)
    return np.asarray(grown[top:bottom, left:right]), max(0, x - seam), max(0, y - seam)
