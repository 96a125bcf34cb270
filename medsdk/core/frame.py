"""A picture on its way to the model: its pixels now, and where they lie in the source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from medsdk.core.card import Input
from medsdk.core.images import Pixels

_INTERPOLATION = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class View:
    """The part of the source picture that a frame shows, in source pixels.

    It may reach beyond the source where a frame was padded.
    """

    left: float
    top: float
    width: float
    height: float

    def scaled(self, x: float, y: float) -> View:
        """The same part of a picture that is `x` times as wide and `y` times as high."""
        return View(self.left * x, self.top * y, self.width * x, self.height * y)


@dataclass(frozen=True)
class Frame:
    """RGB uint8 pixels (h, w, 3) and the view of the source that they show."""

    pixels: Pixels
    view: View

    @classmethod
    def whole(cls, pixels: Pixels) -> Frame:
        height, width = pixels.shape[:2]
        return cls(pixels, View(0, 0, width, height))

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def with_pixels(self, pixels: Pixels) -> Frame:
        """The same view with other pixels of the same size."""
        return replace(self, pixels=pixels)

    def cropped(self, left: int, top: int, width: int, height: int) -> Frame:
        """The box, given in this frame's pixels; it must lie inside."""
        pixels = self.pixels[top : top + height, left : left + width]
        return Frame(pixels, self._view_of(left, top, width, height))

    def resized(self, spec: Input) -> Frame:
        """The one resize, to the size that the model wants.

        `stretch` fills the size and may change the proportions, `fit` shows the whole frame and pads with black,
        `cover` fills the size and cuts the longer side evenly.
        """
        if spec.resize == "stretch":
            return self._scaled(spec.height, spec.width, spec.interpolation)
        if spec.resize == "cover":
            return self._cut_to_proportion(spec.width / spec.height)._scaled(spec.height, spec.width, spec.interpolation)
        scale = min(spec.width / self.width, spec.height / self.height)
        width, height = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        return self._scaled(height, width, spec.interpolation)._padded(spec.height, spec.width)

    def _view_of(self, left: float, top: float, width: float, height: float) -> View:
        x_scale, y_scale = self.view.width / self.width, self.view.height / self.height
        return View(self.view.left + left * x_scale, self.view.top + top * y_scale, width * x_scale, height * y_scale)

    def _scaled(self, height: int, width: int, interpolation: str) -> Frame:
        if (self.height, self.width) == (height, width):
            return self
        pixels = cv2.resize(self.pixels, (width, height), interpolation=_INTERPOLATION[interpolation])
        return replace(self, pixels=pixels.astype(np.uint8, copy=False))

    def _cut_to_proportion(self, proportion: float) -> Frame:
        width = min(self.width, max(1, round(self.height * proportion)))
        height = min(self.height, max(1, round(self.width / proportion)))
        return self.cropped((self.width - width) // 2, (self.height - height) // 2, width, height)

    def _padded(self, height: int, width: int) -> Frame:
        left, top = (width - self.width) // 2, (height - self.height) // 2
        right, bottom = width - self.width - left, height - self.height - top
        pixels = cv2.copyMakeBorder(self.pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        return Frame(cast(Pixels, pixels), self._view_of(-left, -top, width, height))
