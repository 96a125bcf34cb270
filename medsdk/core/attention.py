"""Where the model looked: class activation (Zhou et al. 2016) from the last feature map, no gradients."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core.errors import AttentionUnavailableError
from medsdk.core.files import write_beside
from medsdk.core.frame import View
from medsdk.core.images import Pixels

Floats = npt.NDArray[np.float32]

# The strongest colour covers this much of the picture, so that what lies under it can still be seen.
OVERLAY_OPACITY = 0.55

# Rows painted at once: in floats a large picture takes many times its own memory.
_BAND = 256


@dataclass(frozen=True)
class Mark:
    """An object that was judged in a picture of many: its box (left, top, width, height) in pixels of the picture, and
    whether it counts as the disease."""

    box: tuple[int, int, int, int]
    positive: bool


class Attention(np.ndarray[Any, np.dtype[np.float32]]):
    """float32 (h, w) in 0..1 over the source picture: how much more than the rest each place spoke for the disease.

    It says where, not whether: a negative picture has a strongest place too. 0 everywhere means that all places spoke
    alike. It is an ordinary array with `overlay` and `save` added.

    `marks` are the objects of a picture of many, in the order in which they were counted; () for any other picture.
    """

    marks: tuple[Mark, ...] = ()
    _reopen: Callable[[], Pixels] | None

    def __new__(cls, values: Floats, reopen: Callable[[], Pixels]) -> Attention:
        attention = np.asarray(values, np.float32).view(cls)
        attention._reopen = reopen
        return attention

    def __array_finalize__(self, parent: Any) -> None:
        self._reopen = getattr(parent, "_reopen", None)

    def overlay(self) -> Pixels:
        """RGB uint8 (h, w, 3): the source picture with the map painted over it."""
        if self._reopen is None:
            raise AttentionUnavailableError("This array has lost its picture.", "Call overlay on p.attention itself.")
        picture = self._reopen()
        if picture.shape[:2] != self.shape:
            raise AttentionUnavailableError(
                "The picture has changed since it was judged.", "Predict it again, then call overlay."
            )
        strength, painted = np.asarray(self), np.empty_like(picture)
        for top in range(0, len(painted), _BAND):
            rows = slice(top, top + _BAND)
            painted[rows] = _painted(picture[rows], strength[rows])
        return painted

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the overlay as PNG, JPEG or WebP, by the ending of the name."""
        target = Path(path)
        try:
            _, encoded = cv2.imencode(target.suffix, cv2.cvtColor(self.overlay(), cv2.COLOR_RGB2BGR))
        except cv2.error:
            raise AttentionUnavailableError(
                f"{target}: the ending {target.suffix!r} names no picture format.", "End the name in .png."
            ) from None
        write_beside(target, encoded.tobytes())


def evidence(features: Floats, weights: Floats, direction: Floats) -> Floats:
    """How much each place of a feature map (fh, fw, c) speaks for a direction among the logits, (fh, fw).

    `weights` (c, logits) are the head's.
    """
    return features @ (weights @ direction)


def class_activation(evidence: Floats) -> Floats:
    """The map (fh, fw) of such evidence (Zhou et al. 2016).

    Scaled so that the strongest place is 1; places that speak no more for it than the picture's mean does are 0. The mean
    is taken away because in a picture without the disease every place speaks against it, and the question is still where
    the evidence lies that there is.
    """
    heat = np.maximum(evidence - evidence.mean(), 0)
    strongest = float(heat.max())
    return (heat / strongest if strongest > 0 else heat).astype(np.float32)


def _painted(picture: Pixels, strength: Floats) -> Pixels:
    # Viridis ends in yellow and reads the same for colour-blind people.
    colours = cv2.applyColorMap((strength * 255).round().astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    opacity = (OVERLAY_OPACITY * strength)[..., np.newaxis]
    painted = picture * (1 - opacity) + cv2.cvtColor(colours, cv2.COLOR_BGR2RGB) * opacity
    return painted.round().astype(np.uint8)


def over_source(heat: Floats, view: View, height: int, width: int) -> Floats:
    """The map (fh, fw) of a view laid over the source picture (height, width); outside the view it is 0."""
    rows, columns = heat.shape
    # Source pixel centre -> feature cell centre, the convention of cv2.resize.
    x_scale, y_scale = columns / view.width, rows / view.height
    to_cell = np.array(
        [[x_scale, 0, (0.5 - view.left) * x_scale - 0.5], [0, y_scale, (0.5 - view.top) * y_scale - 0.5]], np.float64
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    full = cv2.warpAffine(heat, to_cell, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    left, right = _pixels_within(view.left, view.width, width)
    top, bottom = _pixels_within(view.top, view.height, height)
    full[:top], full[bottom:], full[:, :left], full[:, right:] = 0, 0, 0, 0
    return cast(Floats, np.clip(full, 0, 1, out=full))


def _pixels_within(start: float, length: float, size: int) -> tuple[int, int]:
    """The range of the pixels, of `size` in a row, whose centres lie in start … start + length."""
    first, behind = ceil(start - 0.5), floor(start + length - 0.5) + 1
    return min(max(first, 0), size), min(max(behind, 0), size)
