"""Preprocessing is data: the card's steps make the model's input, in training, in calibration and on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core import steps
from medsdk.core.card import Input, Step
from medsdk.core.errors import CardError
from medsdk.core.frame import Frame, View
from medsdk.core.images import Pixels


@dataclass(frozen=True)
class Tensor:
    """What the model is fed.

    `values` is (1, height, width, 3), uint8 in 0..255, or float32 in the card's value range. `view` is the part of
    the source picture that it shows, so that an attention map finds its way back.
    """

    values: npt.NDArray[Any]
    view: View

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)


class Pipeline:
    """The card's `input`, ready to run. Thread-safe: it holds no state."""

    def __init__(self, spec: Input, card_path: str) -> None:
        self._spec = spec
        self._steps = tuple(_bind(step, spec, card_path) for step in spec.steps)
        before = takewhile(lambda name: name != "resize", (step.name for step in spec.steps))
        # Whether every step before the resize says the same of a picture at a reduced scale.
        self.scale_free = all(map(steps.is_scale_free, before))

    def __call__(self, image: Pixels) -> Tensor:
        """RGB uint8 (h, w, 3) to the model's input."""
        frame = self.frame(image)
        return Tensor(self._values(frame.pixels), frame.view)

    def frame(self, image: Pixels) -> Frame:
        """RGB uint8 (h, w, 3) to RGB uint8 (height, width, 3): what training augments and caches."""
        frame = Frame.whole(image)
        for step in self._steps:
            frame = step(frame)
        return frame if frame.pixels.shape[:2] == (self._spec.height, self._spec.width) else frame.resized(self._spec)

    def _values(self, pixels: Pixels) -> npt.NDArray[Any]:
        batch = np.ascontiguousarray(pixels)[np.newaxis]
        return batch if self._spec.dtype == "uint8" else scale(batch, self._spec.value_range)


def scale(pixels: Pixels, value_range: tuple[float, float]) -> npt.NDArray[np.float32]:
    """uint8 0..255 to float32 so that 0 and 255 become the ends of the range."""
    low, high = value_range
    return pixels.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)


def _bind(step: Step, spec: Input, card_path: str) -> Callable[[Frame], Frame]:
    """The step with its parameters, tried once on a small frame so that a wrong one is found at loading."""
    if step.name == "resize":
        return lambda frame: frame.resized(spec)
    try:
        function = steps.find(step.name)
        function(Frame.whole(np.full((32, 32, 3), 128, np.uint8)), **step.parameters)
    except (LookupError, TypeError, ValueError) as error:
        raise CardError(
            card_path,
            f"input.steps: {step.name!r} cannot be used: {error}.",
            "Correct the step, or install the package that brings it.",
        ) from None
    return lambda frame: function(frame, **step.parameters)
