"""What the segmentation of a field yields: one red cell, its place and its outline."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RGBImage = npt.NDArray[np.uint8]
"""A picture, uint8 (h, w, 3), red first."""

Mask = npt.NDArray[np.bool_]
"""A yes or no a pixel, bool (h, w)."""

Plane = npt.NDArray[np.float32]
"""One value a pixel, float32 (h, w)."""

Labels = npt.NDArray[np.int32]
"""The number of the region that a pixel belongs to, int32 (h, w), 0 for none."""


@dataclass(frozen=True, eq=False)
class Cell:
    """One red cell of a field.

    Attributes:
        box: x, y, width, height in pixels of the source picture; tight around the mask, inside the picture.
        mask: bool (height, width), True where the cell is, over the box.
        touches_border: the picture cuts the cell; laboratories count such a cell on two sides only, or not at all.
        touches_neighbour: the outline was partly drawn by the splitting, not by the stain's edge.
        oversized: much larger than the field's typical cell: overlapping cells that could not be told apart.
        solidity: area over the convex hull's, 1 for a convex outline.
    """

    box: tuple[int, int, int, int]
    mask: Mask
    touches_border: bool = False
    touches_neighbour: bool = False
    oversized: bool = False
    solidity: float = 1.0

    @property
    def area(self) -> int:
        """Pixels of the source picture inside the outline."""
        return int(np.count_nonzero(self.mask))
