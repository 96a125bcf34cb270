"""Whether a picture is a thin-smear field at all, and one that counts can be trusted on.

Every limit stands between what the train split of malaria_fields shows and what other pictures show (histology, photographs,
retinas, skin, chest films, single cells, blurred and darkened fields); the measured values are beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Cell, RGBImage
from .foreground import Foreground, find_foreground
from .regions import disc
from .segmentation import MIN_STAIN, cells_of
from .spots import DIMENSIONS, spots

_MIN_SIDE = 160
"""Pixels; cells are then too coarse, or the picture is one cell. The crops of malaria_cells are at most 128."""
_MIN_CELLS_ACROSS = 4.0
"""Cell diameters in the shorter side: fields 12 to 16, single cells 1.2 to 3.6."""
_MIN_WHOLE_CELLS = 8
"""Below it is no field worth judging; other pictures leave 0 to 7."""
_FEW_CELLS = 25
"""Below it one cell is four percent of the count."""
_FIELD_CELLS_ACROSS = 8.0
"""Where the picture has room for more cells than that, it is a field with few cells; else one cell and its neighbours."""
_MAX_BLACK_SHARE = 0.1
_BLACK = 8
"""Grey levels. A cell cut out on black has 15 % black and more; a field has none but the scale bar."""
_MAX_TINT = 0.35
"""Of the empty slide, (max - min) / max of its colour: fields 0.08 to 0.2, skin 0.4, a retina and a wooden table 0.6."""
_MAX_UNREST = 0.08
"""Median absolute deviation of absorption outside the cells: fields up to 0.06, photographs 0.1 and more."""
_MIN_CELL_SHARE = 0.6
"""Of the stained area, in single cells: fields 0.69 to 1.0, photographs 0.3 to 0.6."""
_ROUND_SOLIDITY = 0.94
_MIN_ROUND_SHARE = 0.38
"""Of the cells, convex ones: fields 0.48 to 0.99 (0.26 in a film three cells deep), histology and photographs up to 0.27."""
_MIN_SHARPNESS = 5.5
"""Slope of the cells' edges, in stains a diameter: fields 6.9 to 11, blurred by a twentieth of a cell 4.8 to 6.2, by a
seventh 3 to 4.5. A ring-stage parasite is a tenth of a cell."""
_MIN_LIGHT = 70.0
"""Grey levels of the empty slide: fields 157 and more, darkened by a fifth 126."""
_PITCH_DARK = 10.0
"""Grey levels; no kind of picture can be told from another in that."""
_SATURATED = 254
_MAX_SATURATED_SHARE = 0.4
_MAX_OVERSIZED_SHARE = 0.12
_MAX_STAINED = 0.7
"""Of the picture; the train split's thickest films reach 0.73, cells three deep."""


class Reason(Enum):
    """Why a field is refused, or that it is not; the value is the sentence for people."""

    GOOD = "the field can be counted"
    TOO_SMALL = "the picture is too small for a field: at least 160 pixels and four cells across are needed"
    SINGLE_CELL = "the picture shows one cell or very few, not a field"
    BLANK = "the field is blank: nothing is stained; move to a part of the smear with cells"
    TOO_DARK = "the field is too dark; give it more light or a longer exposure"
    OVEREXPOSED = "the field is overexposed: the empty slide is pure white; give it less light or a shorter exposure"
    OUT_OF_FOCUS = "the field is out of focus"
    NOT_A_FIELD = "this does not look like a thin blood smear: no round single cells on an even, pale slide"
    TOO_FEW_CELLS = "the field holds too few whole cells to be counted"
    OVERLAPPING = "too many cells overlap; move to a thinner part of the smear, where cells lie side by side"


@dataclass(frozen=True)
class Quality:
    """The verdict on a field.

    Attributes:
        reason: GOOD, or the first thing that is wrong.
        whole_cells: cells that the border does not cut.
        diameter: of the typical cell, in source pixels.
        sharpness: see _MIN_SHARPNESS.
        light: grey level of the empty slide, 0 to 255.
    """

    reason: Reason
    whole_cells: int = 0
    diameter: float = 0.0
    sharpness: float = 0.0
    light: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether a count of this field may be reported."""
        return self.reason is Reason.GOOD

    @property
    def is_field(self) -> bool:
        """Whether this is a whole field at all, however bad, and not one cell or another kind of picture."""
        return self.reason not in (Reason.TOO_SMALL, Reason.SINGLE_CELL, Reason.NOT_A_FIELD)


@dataclass(frozen=True)
class FieldReading:
    """What one look at a field yields. `cells` is filled whatever the quality, for drawing; count it only when usable.

    `foreground` is what the cells were found in; None where the picture is too small to look at.
    """

    cells: tuple[Cell, ...]
    quality: Quality
    foreground: Foreground | None = None

    @property
    def whole(self) -> list[Cell]:
        """The cells that the picture's border does not cut. Of the others half was not seen: they count nowhere."""
        return [cell for cell in self.cells if not cell.touches_border]

    def spots(self) -> npt.NDArray[np.float32]:
        """(n, d) of the whole cells, see `spots.spots`."""
        return np.empty((0, DIMENSIONS), np.float32) if self.foreground is None else spots(self.foreground, self.whole)


def read_field(image: RGBImage) -> FieldReading:
    """Segment and judge an RGB uint8 (h, w, 3) picture in one pass."""
    if min(image.shape[:2]) < _MIN_SIDE:
        return FieldReading((), Quality(Reason.TOO_SMALL))
    field = find_foreground(image)
    cells = tuple(cells_of(field, image.shape[1], image.shape[0]))
    return FieldReading(cells, _judge(field, cells), field)


def judge_field(image: RGBImage) -> Quality:
    """The quality alone; costs as much as `read_field`."""
    return read_field(image).quality


def looks_like_field(image: RGBImage) -> bool:
    """True for a whole field, also a blank or blurred one; False for one cell, cut out or not, and for other pictures."""
    return judge_field(image).is_field


def _judge(field: Foreground, cells: Sequence[Cell]) -> Quality:
    slide = _slide(field)
    sharpness = _sharpness(field)
    reason = _first_fault(field, cells, slide, sharpness)
    return Quality(
        reason, sum(not cell.touches_border for cell in cells), field.diameter * field.ratio, sharpness, slide.light
    )


def _first_fault(field: Foreground, cells: Sequence[Cell], slide: "_Slide", sharpness: float) -> Reason:
    """Another kind of picture first, then light and focus, then the cells: each reason presupposes those before it."""
    if slide.light < _PITCH_DARK:
        return Reason.TOO_DARK
    if not slide.is_plain:
        return Reason.NOT_A_FIELD
    if field.stain < MIN_STAIN or (field.diameter == 0.0 and slide.share > 0.9):
        return _blank(slide)
    across = min(field.mask.shape) / max(1.0, field.diameter)
    if across < _MIN_CELLS_ACROSS or (slide.black > _MAX_BLACK_SHARE and slide.light >= _MIN_LIGHT):
        return Reason.SINGLE_CELL
    whole = [cell for cell in cells if not cell.touches_border]
    if len(whole) < _MIN_WHOLE_CELLS:
        return Reason.TOO_FEW_CELLS if across >= _FIELD_CELLS_ACROSS and _round_share(cells) > 0.5 else Reason.NOT_A_FIELD
    crowded = _count_fault(field, cells, whole)
    if crowded is Reason.NOT_A_FIELD:
        return crowded
    return _light_fault(slide) or (Reason.OUT_OF_FOCUS if sharpness < _MIN_SHARPNESS else crowded)


def _light_fault(slide: "_Slide") -> Reason | None:
    if slide.light < _MIN_LIGHT:
        return Reason.TOO_DARK
    return Reason.OVEREXPOSED if slide.saturated > _MAX_SATURATED_SHARE else None


def _round_share(cells: Sequence[Cell]) -> float:
    return float(np.mean([cell.solidity > _ROUND_SOLIDITY for cell in cells])) if cells else 0.0


def _blank(slide: "_Slide") -> Reason:
    if slide.light < _MIN_LIGHT:
        return Reason.TOO_DARK
    return Reason.OVEREXPOSED if slide.saturated > 0.99 else Reason.BLANK


def _count_fault(field: Foreground, cells: Sequence[Cell], whole: Sequence[Cell]) -> Reason:
    """What keeps a sharp, well lit picture of many things from being counted."""
    single = [cell for cell in cells if not cell.oversized]
    share = sum(cell.area for cell in single) / max(1.0, np.count_nonzero(field.mask) * field.ratio**2)
    round_share = _round_share(whole)
    stained = float(field.mask.mean())
    if stained > _MAX_STAINED and round_share > _MIN_ROUND_SHARE / 2:
        return Reason.OVERLAPPING
    if share < _MIN_CELL_SHARE or round_share < _MIN_ROUND_SHARE:
        return Reason.NOT_A_FIELD
    if np.mean([cell.oversized for cell in cells]) > _MAX_OVERSIZED_SHARE:
        return Reason.OVERLAPPING
    return Reason.TOO_FEW_CELLS if len(whole) < _FEW_CELLS else Reason.GOOD


@dataclass(frozen=True)
class _Slide:
    """The empty part of the picture: its light, its tint, how even it is, how much of the picture it is, what is black."""

    light: float
    tint: float
    unrest: float
    saturated: float
    share: float
    black: float

    @property
    def is_plain(self) -> bool:
        return self.tint <= _MAX_TINT and self.unrest <= _MAX_UNREST


def _slide(field: Foreground) -> _Slide:
    empty = (cv2.dilate(field.mask.view(np.uint8), disc(2)) == 0)[::2, ::2]
    # One plane a colour: NumPy's reductions over an axis of three are ten times slower.
    red, green, blue = cv2.split(np.ascontiguousarray(field.picture[::2, ::2]))
    saturated = float(np.mean(cv2.min(cv2.min(red, green), blue) >= _SATURATED))
    black = float(np.mean(cv2.max(cv2.max(red, green), blue) < _BLACK))
    if not empty.any():
        return _Slide(float(np.median(field.picture)), 0.0, 0.0, saturated, 0.0, black)
    colour = [float(np.median(plane[empty])) for plane in (red, green, blue)]
    taken = field.taken[::2, ::2][empty]
    unrest = float(np.median(np.abs(taken - np.median(taken))))
    tint = (max(colour) - min(colour)) / max(1.0, max(colour))
    return _Slide(max(colour), tint, unrest, saturated, float(empty.mean()), black)


def _sharpness(field: Foreground) -> float:
    """Median slope of absorption along the outlines, in typical stains a typical diameter; scale and stain fall out."""
    mask = field.mask.astype(np.uint8)
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    if not edge.any() or field.stain <= 0.0:
        return 0.0
    across = cv2.Sobel(field.taken, cv2.CV_32F, 1, 0, scale=1.0 / 8.0)[edge]
    down = cv2.Sobel(field.taken, cv2.CV_32F, 0, 1, scale=1.0 / 8.0)[edge]
    return float(np.median(np.hypot(across, down)) * field.diameter / field.stain)
