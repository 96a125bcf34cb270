"""Golden preprocessing: what the card's pipeline made of drawn pictures when the model was trained.

Samples of its output travel in reference.npz. A device whose OpenCV, or whose copy of a step, does something else
shows the model pictures that it was not trained on; `medsdk check` finds that out. Samples are compared and not a
hash, because OpenCV rounds differently on different processors by a grey level here and there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core.images import Pixels
from medsdk.core.preprocessing import Pipeline

KEY = "golden"
# Mean difference in grey levels over all samples of a picture that rounding explains.
MAX_DIFFERENCE = 0.5

_SIZES = ((240, 320), (301, 199), (97, 131))
_GRID = 13


def samples(pipeline: Pipeline) -> npt.NDArray[np.uint8]:
    """(pictures, 13, 13, 3): the pipeline's output for each drawn picture, on a grid of pixels, not averaged."""
    return np.stack([_grid(pipeline.frame(drawn(*size)).pixels) for size in _SIZES])


def difference(pipeline: Pipeline, expected: npt.NDArray[Any]) -> float:
    """Mean difference in grey levels of the picture that differs most; infinite where the samples' shape does."""
    found = samples(pipeline).astype(np.float64)
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).mean(axis=(1, 2, 3)).max())


def drawn(height: int, width: int) -> Pixels:
    """A picture made of whole numbers only: fine stripes and a colour gradient in a disc on black, with a dark spot.

    The stripes tell one interpolation from another, the gradient the colour order, the disc and the spot give steps
    that look for shapes something to find.
    """
    y, x = np.mgrid[:height, :width]
    radius = min(height, width) * 9 // 20
    inside = (y - height // 2) ** 2 + (x - width // 2) ** 2 <= radius**2
    stripes = (x * 5 + y * 3) % 7 * 12
    red = 90 + x * 80 // width + stripes
    green = 60 + y * 80 // height + stripes
    blue = 40 + (x + y) * 40 // (height + width) + stripes
    picture = np.stack([red, green, blue], axis=-1)
    spot = (y - height * 2 // 5) ** 2 + (x - width * 3 // 5) ** 2 <= (radius // 4) ** 2
    picture[spot] //= 3
    picture[~inside] = 0
    return picture.astype(np.uint8)


def _grid(pixels: Pixels) -> Pixels:
    rows = np.linspace(0, pixels.shape[0] - 1, _GRID).round().astype(int)
    columns = np.linspace(0, pixels.shape[1] - 1, _GRID).round().astype(int)
    return pixels[np.ix_(rows, columns)]
