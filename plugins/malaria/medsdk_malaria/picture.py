"""The annotated field: what was counted, what was called, and how large it all is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import numpy.typing as npt

import medsdk

from .counting import CalledCells

if TYPE_CHECKING:
    from collections.abc import Callable

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

# Okabe and Ito's blue and yellow: apart for every kind of colour blindness, and neither is a stain. Called cells also
# have a thicker line and a number, so that nothing hangs on the colour.
COUNTED = (0, 114, 178)
CALLED = (240, 228, 66)
INK = (0, 0, 0)
PAPER = (255, 255, 255)

RED_CELL_UM = 7.5
"""Micrometres across, dried and stained (7.2 to 8): the picture's own measure, for want of the microscope's."""
SCALE_UM = 10

_STRIP = 0.055
"""Of the height: the band of text below the picture. At 960 rows its letters are 19 pixels high."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_HEIGHT = 22
"""Pixels of a capital letter at font scale 1."""


class FieldMap(medsdk.Attention):
    """float32 (h, w) in 0..1: each called cell's box at its probability. `overlay` draws instead of colouring."""

    _field: FieldPicture | None

    def __array_finalize__(self, parent: object) -> None:
        super().__array_finalize__(parent)
        self._field = getattr(parent, "_field", None)

    def overlay(self) -> Pixels:
        """RGB uint8, as wide as the picture and a band of text higher: boxes, counts, scale."""
        if self._field is None:
            raise medsdk.AttentionUnavailableError("This array has lost its field.", "Call overlay on p.attention itself.")
        return self._field.drawn()


class FieldPicture:
    """Draws when it is asked to; until then it holds boxes and no pixels."""

    def __init__(self, boxes: Sequence[Box], cells: CalledCells, diameter: float, source: medsdk.Picture) -> None:
        self._boxes, self._cells, self._diameter = list(boxes), cells, diameter
        self._shape = cast("tuple[int, int]", source.pixels.shape[:2])
        self._reopen: Callable[[], Pixels] = source.reopen

    def __call__(self) -> FieldMap:
        heat = np.zeros(self._shape, np.float32)
        for (x, y, w, h), chance in self._called():
            heat[y : y + h, x : x + w] = chance
        made = cast(FieldMap, FieldMap(heat, self._reopen))
        made._field = self
        made.marks = tuple(
            medsdk.Mark(box, bool(called)) for box, called in zip(self._boxes, self._cells.called, strict=True)
        )
        return made

    def drawn(self) -> Pixels:
        """The annotated picture, RGB uint8."""
        pixels = self._reopen()
        if pixels.shape[:2] != self._shape:
            raise medsdk.AttentionUnavailableError(
                "The picture has changed since it was judged.", "Predict it again, then call overlay."
            )
        canvas = np.ascontiguousarray(pixels).copy()
        line = max(1, round(self._shape[0] / 640))
        for box, called in zip(self._boxes, self._cells.called, strict=True):
            if not called:
                _rectangle(canvas, box, COUNTED, line)
        for number, (box, _) in enumerate(self._called(), 1):
            self._mark(canvas, box, number, line)
        return np.vstack([canvas, self._strip(line)])

    def _called(self) -> list[tuple[Box, float]]:
        marked = zip(self._boxes, self._cells.probability, self._cells.called, strict=True)
        return [(box, float(chance)) for box, chance, called in marked if called]

    def _mark(self, canvas: Pixels, box: Box, number: int, line: int) -> None:
        """A yellow frame with black edges, and its number above the corner, or below where the border is near."""
        x, y, w, h = box
        gap = 2 * line
        framed = (x - gap, y - gap, w + 2 * gap, h + 2 * gap)
        _rectangle(canvas, framed, INK, 5 * line)
        _rectangle(canvas, framed, CALLED, 3 * line)
        height = max(12, round(0.018 * self._shape[0]))
        wide = _text_width(str(number), height) + height
        left = min(max(0, x), self._shape[1] - wide)
        top = y - gap - 2 * height if y > 3 * height else min(y + h + gap, self._shape[0] - 2 * height)
        cv2.rectangle(canvas, (left, top), (left + wide, top + 2 * height - line), CALLED, -1)
        cv2.rectangle(canvas, (left, top), (left + wide, top + 2 * height - line), INK, line)
        _text(canvas, str(number), left + height // 2, top + round(1.5 * height), height)

    def _strip(self, line: int) -> Pixels:
        """Counts on the left, the scale on the right."""
        high, wide = max(30, round(_STRIP * self._shape[0])), self._shape[1]
        strip = np.full((high, wide, 3), PAPER, np.uint8)
        scale = round(SCALE_UM * self._diameter / RED_CELL_UM)
        height = min(round(0.36 * high), _fitting(self._caption(), wide - scale - 12 * high // 2))
        base = round(high / 2 + height / 2)
        left = _swatch(strip, high // 3, base, height, CALLED, line)
        called, counted = self._caption()
        _text(strip, called, left, base, height)
        left = _swatch(strip, left + _text_width(called, height) + high // 2, base, height, COUNTED, line)
        _text(strip, counted, left, base, height)
        start = wide - high // 3 - scale
        cv2.rectangle(strip, (start, base - 3 * line), (start + scale, base), INK, -1)
        label = f"about {SCALE_UM} um"
        _text(strip, label, start - _text_width(label, height) - high // 4, base, height)
        return strip

    def _caption(self) -> tuple[str, str]:
        infected = len(self._called())
        share = 100 * infected / max(1, len(self._boxes))
        return f"{infected} infected ({share:.2f} %)", f"{len(self._boxes)} red cells counted"


def _rectangle(canvas: Pixels, box: Box, colour: tuple[int, int, int], line: int) -> None:
    x, y, w, h = box
    cv2.rectangle(canvas, (x, y), (x + w - 1, y + h - 1), colour, line, cv2.LINE_AA)


def _swatch(strip: Pixels, left: int, base: int, height: int, colour: tuple[int, int, int], line: int) -> int:
    """A small filled square as the legend's key; returns where its text begins."""
    cv2.rectangle(strip, (left, base - height), (left + height, base), colour, -1)
    cv2.rectangle(strip, (left, base - height), (left + height, base), INK, line)
    return left + round(1.6 * height)


def _fitting(captions: tuple[str, str], room: int) -> int:
    """The height of letters at which both captions fit into so many pixels."""
    at_20 = sum(_text_width(caption, 20) for caption in captions) + 80
    return max(8, 20 * room // at_20)


def _text(canvas: Pixels, text: str, x: int, base: int, height: int) -> None:
    cv2.putText(canvas, text, (x, base), _FONT, height / _FONT_HEIGHT, INK, max(1, round(height / 9)), cv2.LINE_AA)


def _text_width(text: str, height: int) -> int:
    return int(cv2.getTextSize(text, _FONT, height / _FONT_HEIGHT, max(1, round(height / 9)))[0][0])
