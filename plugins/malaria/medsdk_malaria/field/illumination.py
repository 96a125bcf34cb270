"""From light to stain: which share of the light each pixel takes away, whatever the lamp does."""

import cv2
import numpy as np
import numpy.typing as npt

from .cell import Mask, Plane, RGBImage

_FIT_SIDE = 96
"""Long side, in pixels, of the copy that the lamp's light is fitted on: light is smooth, so a thumbnail tells all of it."""

_FIT_ROUNDS = 3
"""Fit, choose the empty pixels anew, fit again: a dark corner joins the background in the second round."""

_MIN_LIGHT = 4.0
"""Grey levels; below, the division would only amplify the sensor's noise."""


def absorption(image: RGBImage) -> Plane:
    """Share of green light that is missing against the empty slide, float32 (h, w), about 0 on the slide, 1 for black.

    Green, because haemoglobin and eosin absorb there, so that red cells stand out in every Giemsa variant. The empty slide's
    light is a quadratic surface fitted to the bright pixels: a vignette and a tilted lamp are both of that shape.
    """
    green = np.ascontiguousarray(image[:, :, 1], dtype=np.float32)
    lamp = np.maximum(_lamp(green), _MIN_LIGHT)
    return np.asarray(1.0 - cv2.divide(green, lamp), dtype=np.float32)


def otsu(values: Plane, low: float, high: float) -> float:
    """Otsu's threshold of float values, taken on 256 steps between low and high; values beyond are clipped there."""
    step = (high - low) / 255.0
    steps = np.asarray(cv2.convertScaleAbs(np.maximum(values, low) - low, alpha=1.0 / step))
    level, _ = cv2.threshold(steps, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(low + (level + 0.5) * step)


def _lamp(green: Plane) -> Plane:
    """The green light that would arrive with no cell in the way, over the whole picture."""
    height, width = green.shape
    shrink = min(1.0, _FIT_SIDE / max(height, width))
    size = (max(4, round(width * shrink)), max(4, round(height * shrink)))
    small = np.asarray(cv2.resize(green, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    surface = np.full_like(small, np.percentile(small, 90))
    for _ in range(_FIT_ROUNDS):
        surface = _fit_quadratic(small, _is_empty(np.float32(1.0) - small / np.maximum(surface, np.float32(_MIN_LIGHT))))
    return np.asarray(cv2.resize(surface, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _is_empty(taken: Plane) -> Mask:
    """The bright side of Otsu's threshold, without specks of glare and the soft edges of cells."""
    bright = taken < otsu(taken, -0.2, 1.0)
    if not bright.any():
        return bright
    middle = float(np.median(taken[bright]))
    spread = float(np.median(np.abs(taken[bright] - middle)))
    return np.asarray(np.abs(taken - middle) < max(0.02, 3.0 * spread))


def _fit_quadratic(small: Plane, chosen: Mask) -> Plane:
    """Least squares of a second-degree surface through the chosen pixels, by its six normal equations."""
    height, width = small.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    known = terms[chosen]
    if len(known) < 10 * terms.shape[-1]:
        return np.full_like(small, np.percentile(small, 90))
    # The small ridge keeps the equations solvable where the empty slide shows in one corner only.
    square = known.T @ known + 1e-3 * len(known) * np.diag([0.0, 1, 1, 1, 1, 1])
    factors = np.linalg.solve(square, known.T @ small[chosen])
    return np.asarray(terms @ factors, dtype=np.float32)


def light_taken(plane: npt.NDArray[np.uint8], stained: Mask) -> Plane:
    """Share of one colour's light that is missing against its median outside the stained mask, float32 (h, w)."""
    empty = plane[::4, ::4][~stained[::4, ::4]]
    lamp = float(np.median(empty)) if empty.size else 255.0
    return np.asarray(1.0 - plane.astype(np.float32) / max(lamp, _MIN_LIGHT), dtype=np.float32)
