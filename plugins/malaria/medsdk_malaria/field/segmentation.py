"""From a whole field to its red cells."""

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Cell, Mask, RGBImage
from .debris import oversized, red_cells
from .dividing import divide
from .foreground import Foreground, find_foreground
from .regions import Regions, measure, neighbours
from .rejoining import rejoin
from .splitting import split

MIN_STAIN = 0.06
"""Share of light; an empty slide's noise and dirt stay below, the palest films of malaria_fields are at 0.24."""


def segment(image: RGBImage) -> list[Cell]:
    """The red cells of a thin-smear field, RGB uint8 (h, w, 3), from top to bottom.

    Cells cut by the border are among them, flagged; white cells, platelets, debris and a burned-in scale bar are not. All
    lengths are shares of the typical cell's diameter, which is measured in the picture, so the magnification does not matter
    as long as a cell has some 15 pixels across. An empty list is an answer: see `quality` for its reason.
    """
    return cells_of(find_foreground(image), image.shape[1], image.shape[0])


def cells_of(field: Foreground, width: int, height: int) -> list[Cell]:
    """The cells of a foreground, in pixels of the source picture of this width and height."""
    if field.diameter == 0.0 or field.stain < MIN_STAIN:
        return []
    labels = divide(rejoin(split(field.mask, field.diameter), field.diameter), field.diameter)
    regions = measure(labels)
    border = _touches_border(regions)
    met = set(neighbours(labels).ravel().tolist())
    cells = []
    for name, convexity in red_cells(regions, field, border).items():
        box, mask = _outline(regions, name, width, height)
        large = oversized(float(regions.area[name]), field.diameter)
        cells.append(Cell(box, mask, bool(border[name]), name in met, large, convexity))
    return sorted(cells, key=lambda cell: (cell.box[1], cell.box[0]))


def _touches_border(regions: Regions) -> Mask:
    height, width = regions.labels.shape
    # One pixel of working resolution is given: the outline of a cell that just touches may end before the last row.
    near = (regions.left <= 1) | (regions.top <= 1) | (regions.right >= width - 1) | (regions.bottom >= height - 1)
    return np.asarray(near)


def _outline(regions: Regions, name: int, width: int, height: int) -> tuple[tuple[int, int, int, int], Mask]:
    """Box and mask in source pixels; the outline between working pixels is interpolated, not stepped."""
    rows, columns = regions.window(name)
    high, wide = regions.labels.shape
    framed = _framed(regions.mask(name), rows, columns, high, wide)
    left, right = _source_span(columns, width / wide, width)
    top, bottom = _source_span(rows, height / high, height)
    # Pixel centres: source u is working (u + 0.5) / ratio - 0.5, and the frame begins one working pixel earlier.
    across, down = wide / width, high / height
    to_frame = np.array([[across, 0.0, (left + 0.5) * across + 0.5 - columns.start],
                         [0.0, down, (top + 0.5) * down + 0.5 - rows.start]])  # fmt: skip
    size, how = (right - left, bottom - top), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    mask = cv2.warpAffine(framed, to_frame, size, flags=how, borderMode=cv2.BORDER_REPLICATE) >= 128
    x, y, w, h = cv2.boundingRect(mask.view(np.uint8))
    return (left + x, top + y, w, h), np.ascontiguousarray(mask[y : y + h, x : x + w])


def _framed(mask: Mask, rows: slice, columns: slice, high: int, wide: int) -> npt.NDArray[np.uint8]:
    """The mask as 0 and 255 in a frame one pixel wide: empty, or the cell itself where the picture's border cuts it."""
    framed = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    framed[1:-1, 1:-1][_largest_part(mask)] = 255
    if columns.start == 0:
        framed[:, 0] = framed[:, 1]
    if columns.stop == wide:
        framed[:, -1] = framed[:, -2]
    if rows.start == 0:
        framed[0] = framed[1]
    if rows.stop == high:
        framed[-1] = framed[-2]
    return framed


def _largest_part(mask: Mask) -> Mask:
    """The splitting may leave a cell a sliver beyond its neighbour; a sliver would only widen the box."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if len(outlines) <= 1:
        return mask
    largest = cv2.drawContours(np.zeros(mask.shape, np.uint8), [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return np.asarray(mask & (largest > 0))


def _source_span(span: slice, ratio: float, limit: int) -> tuple[int, int]:
    """The source pixels under a stretch of working pixels and one more on either side."""
    return max(0, int((span.start - 1) * ratio)), min(limit, int(np.ceil((span.stop + 1) * ratio)))
