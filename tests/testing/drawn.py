"""Drawn pictures that the tests' tiny model knows: a pink disc on black, with dark dots or without."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def disc(random: np.random.Generator, dots: bool, side: int = 96) -> npt.NDArray[np.uint8]:
    """RGB (side, side, 3): a disc of slightly varying place, size and colour."""
    image = np.zeros((side, side, 3), np.uint8)
    middle = (side // 2 + int(random.integers(-3, 4)), side // 2 + int(random.integers(-3, 4)))
    radius = int(side * random.uniform(0.36, 0.42))
    colour = np.array([220, 150, 160]) + random.integers(-12, 13, 3)
    cv2.circle(image, middle, radius, colour.tolist(), -1)
    for _ in range(int(random.integers(4, 9)) if dots else 0):
        angle, reach = random.uniform(0, 2 * np.pi), random.uniform(0, 0.7) * radius
        place = (int(middle[0] + reach * np.cos(angle)), int(middle[1] + reach * np.sin(angle)))
        cv2.circle(image, place, max(2, side // 20), (90, 30, 90), -1)
    grain = random.integers(-6, 7, image.shape)
    return np.clip(image.astype(np.int16) + grain, 0, 255).astype(np.uint8)
