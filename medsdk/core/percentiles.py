"""Percentiles of 8-bit values from their histogram: NumPy sorts for them, which takes longer than a small model does."""

from __future__ import annotations

from math import floor

import cv2
import numpy as np
import numpy.typing as npt

# OpenCV counts in float32, which holds every whole number up to 2²⁴: more values are counted in pieces.
_PIECE = 1 << 24


def percentiles(values: npt.NDArray[np.uint8], low: float, high: float) -> tuple[float, float]:
    """The percentiles `low` and `high` (0..100) of uint8 values of any shape, at least one.

    The numbers are np.percentile's to the last bit.
    """
    up_to = _counts(np.ascontiguousarray(values).reshape(-1, 1)).cumsum()
    return _percentile(up_to, low), _percentile(up_to, high)


def _counts(column: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """How often each of the 256 values occurs among (n, 1)."""
    total = np.zeros(256, np.int64)
    for start in range(0, len(column), _PIECE):
        total += cv2.calcHist([column[start : start + _PIECE]], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    return total


def _percentile(up_to: npt.NDArray[np.int64], percent: float) -> float:
    last = int(up_to[-1]) - 1
    position = percent / 100 * last
    index = floor(position)
    first, second = (float(value) for value in up_to.searchsorted((index, min(index + 1, last)), side="right"))
    part = position - index
    # From the nearer end, as NumPy interpolates.
    return second - (second - first) * (1 - part) if part >= 0.5 else first + (second - first) * part
