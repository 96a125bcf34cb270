"""The preprocessing steps that a card may name, each a pure function from frame to frame.

Another distribution adds a step of its own through an entry point of the group `medsdk.steps`; it is imported only
when a card names it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core import entry_points
from medsdk.core.frame import Frame
from medsdk.core.images import Pixels
from medsdk.core.percentiles import percentiles

StepFunction: TypeAlias = Callable[..., Frame]

ENTRY_POINTS = "medsdk.steps"

# Shapes are searched on a copy of at most this many pixels a side: enough for an outline, and quick.
_OUTLINE_SIDE = 256


def crop_border(frame: Frame, *, fraction: float) -> Frame:
    """Cut `fraction` (0 to below .5) of the height and width away on each side."""
    if not 0 <= fraction < 0.5:
        raise ValueError("fraction must be at least 0 and below .5")
    x, y = int(frame.width * fraction), int(frame.height * fraction)
    return frame.cropped(x, y, frame.width - 2 * x, frame.height - 2 * y)


def circle_crop(frame: Frame, *, threshold: int) -> Frame:
    """Cut to the bounding box of the largest region brighter than `threshold` (0..255): the disc of a fundus camera.

    A frame with no such region, or one smaller than a tenth of each side, is left as it is: rejection deals with it.
    """
    outline, scale = _outline(frame.pixels)
    bright = (outline.max(axis=2) > threshold).astype(np.uint8)
    opened = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    box = _largest_region(cast(Pixels, opened))
    if box is None or box[2] < outline.shape[1] / 10 or box[3] < outline.shape[0] / 10:
        return frame
    left, top = int(box[0] / scale), int(box[1] / scale)
    width = min(round(box[2] / scale), frame.width - left)
    height = min(round(box[3] / scale), frame.height - top)
    return frame.cropped(left, top, width, height)


def mask_cell(frame: Frame, *, black: int, share: float) -> Frame:
    """Lay everything outside the one cell in the middle under black.

    A frame of whose border at least `share` is at most `black` (0..255) in every channel is masked already and left
    alone. Otherwise the cell is the largest region that Otsu's threshold on the green channel separates from the
    brighter plasma: haemoglobin absorbs green light.
    """
    border = _border(frame.pixels)
    if float((border.max(axis=1) <= black).mean()) >= share:
        return frame
    outline, _ = _outline(frame.pixels)
    green = cv2.GaussianBlur(np.ascontiguousarray(outline[..., 1]), (5, 5), 0)
    _, dark = cv2.threshold(green, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return frame
    mask = np.zeros(dark.shape, np.uint8)
    cv2.drawContours(mask, [max(contours, key=cv2.contourArea)], -1, 255, cv2.FILLED)
    mask = cv2.resize(mask, (frame.width, frame.height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    return frame.with_pixels(cast(Pixels, cv2.bitwise_and(frame.pixels, frame.pixels, mask=mask)))


def grey(frame: Frame) -> Frame:
    """Luminance (ITU-R BT.601) in three equal channels."""
    return frame.with_pixels(_grey_to_rgb(cast(Pixels, cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY))))


def stretch(frame: Frame, *, low: float, high: float, above: int = 0) -> Frame:
    """Stretch each channel so that its percentiles `low` and `high` (0..100) become 0 and 255.

    The percentiles are taken over the pixels whose brightest channel is above `above`; the others stay black where
    they were. A channel without contrast is left alone.
    """
    inside = frame.pixels.max(axis=2) > above if above > 0 else None
    channels = [_stretched(frame.pixels[..., c], inside, low, high) for c in range(3)]
    return frame.with_pixels(cast(Pixels, cv2.merge(channels)))


def clahe(frame: Frame, *, clip: float, tiles: int) -> Frame:
    """Contrast-limited adaptive histogram equalisation of the lightness (CIELAB) over tiles × tiles tiles."""
    lab = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=clip, tileGridSize=(tiles, tiles)).apply(lab[..., 0])
    return frame.with_pixels(cast(Pixels, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)))


def blur(frame: Frame, *, size: int) -> Frame:
    """Mean over size × size pixels."""
    return frame.with_pixels(cast(Pixels, cv2.blur(frame.pixels, (size, size))))


def equalise_luminance(frame: Frame) -> Frame:
    """Histogram equalisation of Y in YUV."""
    yuv = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2YUV)
    yuv[..., 0] = cv2.equalizeHist(yuv[..., 0])
    return frame.with_pixels(cast(Pixels, cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB)))


def local_contrast(frame: Frame, *, sigma: float, gain: float) -> Frame:
    """Subtract the Gaussian mean (sigma as a share of the width) and multiply what is left by `gain` around grey 128.

    The filter of B. Graham's report on the Kaggle competition on diabetic retinopathy (2015).
    """
    mean = cv2.GaussianBlur(frame.pixels, (0, 0), sigma * frame.width)
    return frame.with_pixels(cast(Pixels, cv2.addWeighted(frame.pixels, gain, mean, -gain, 128)))


_BUILT_IN: dict[str, StepFunction] = {
    function.__name__: function
    for function in (
        crop_border,
        circle_crop,
        mask_cell,
        grey,
        stretch,
        clahe,
        blur,
        equalise_luminance,
        local_contrast,
    )
}

# These say the same of a picture at half its scale; the others count pixels.
_SCALE_FREE = frozenset(_BUILT_IN) - {"blur"}


def is_scale_free(name: str) -> bool:
    """Whether a step may get a picture at a reduced scale: a distribution's own says so by an attribute `scale_free`."""
    return name in _SCALE_FREE if name in _BUILT_IN else bool(getattr(find(name), "scale_free", False))


def find(name: str) -> StepFunction:
    """The step of that name, built in or installed. Raises LookupError with the names there are."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for entry in entry_points.find(ENTRY_POINTS):
        if entry.name == name:
            return cast(StepFunction, entry.load())
    raise LookupError(f"no preprocessing step {name!r}; there are: {', '.join(sorted([*_BUILT_IN, 'resize']))}")


def _outline(pixels: Pixels) -> tuple[Pixels, float]:
    scale = min(1.0, _OUTLINE_SIDE / max(pixels.shape[:2]))
    if scale == 1.0:
        return pixels, scale
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return cast(Pixels, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)), scale


def _largest_region(mask: Pixels) -> tuple[int, int, int, int] | None:
    """Bounding box (left, top, width, height) of the largest connected region of ones."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None
    left, top, width, height = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), :4]
    return int(left), int(top), int(width), int(height)


def _border(pixels: Pixels) -> Pixels:
    """The outermost pixels, (n, 3)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _stretched(channel: Pixels, inside: npt.NDArray[np.bool_] | None, low: float, high: float) -> Pixels:
    values = channel if inside is None else channel[inside]
    if values.size == 0:
        return channel
    bottom, top = percentiles(values, low, high)
    if top - bottom < 1:
        return channel
    table = np.clip((np.arange(256) - bottom) * (255 / (top - bottom)), 0, 255).round().astype(np.uint8)
    stretched = cast(Pixels, cv2.LUT(np.ascontiguousarray(channel), table))
    return stretched if inside is None else np.where(inside, stretched, 0).astype(np.uint8)


def _grey_to_rgb(image: Pixels) -> Pixels:
    return cast(Pixels, cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
