"""Pictures that are drawn: what the web tests upload and what the screenshots show."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def slide(spots: int, seed: int = 0, height: int = 240, width: int = 320) -> Pixels:
    """A pale pink slide with red spots, RGB: what the made-up disease of these tests knows."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), (238, 215, 222), np.uint8)
    for _ in range(spots):
        centre = int(random.integers(30, width - 30)), int(random.integers(30, height - 30))
        cv2.circle(image, centre, int(random.integers(14, 24)), (176, 32, 60), -1, cv2.LINE_AA)
    grain = random.normal(0, 4, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def meadow(height: int = 240, width: int = 320) -> Pixels:
    """Green and blue: nothing that the made-up disease knows."""
    image = np.full((height, width, 3), (60, 150, 50), np.uint8)
    image[: height // 2] = (110, 170, 240)
    return image


def encoded(image: npt.NDArray[Any], ending: str = ".png") -> bytes:
    """The file of a picture, grey, RGB or RGBA."""
    if image.ndim == 3:
        image = image[..., [2, 1, 0, *range(3, image.shape[2])]]
    written, content = cv2.imencode(ending, np.ascontiguousarray(image))
    assert written
    return cast(bytes, content.tobytes())
