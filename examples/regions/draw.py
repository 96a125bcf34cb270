"""Draws trays of discs, some of them with dark dots: the only pictures that this example knows.

python draw.py tests/pictures
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt


def tray(discs: int, dotted: int, seed: int = 0, columns: int = 3, side: int = 96) -> npt.NDArray[np.uint8]:
    """RGB uint8: `discs` pink discs in rows on black, the first `dotted` of them with dots."""
    random = np.random.default_rng(seed)
    rows = -(-discs // columns)
    image = np.zeros((rows * side, columns * side, 3), np.uint8)
    for number in range(discs):
        middle = np.array([number % columns, number // columns]) * side + side // 2 + random.integers(-3, 4, 2)
        _disc(image, random, middle, int(side * random.uniform(0.36, 0.42)), dots=number < dotted)
    return np.clip(image + random.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)


def _disc(
    image: npt.NDArray[np.uint8], random: np.random.Generator, middle: npt.NDArray[np.int64], radius: int, dots: bool
) -> None:
    colour = np.array([220, 150, 160]) + random.integers(-12, 13, 3)
    cv2.circle(image, middle.tolist(), radius, colour.tolist(), -1)
    for _ in range(int(random.integers(4, 9)) if dots else 0):
        angle, reach = random.uniform(0, 2 * np.pi), random.uniform(0, 0.7) * radius
        place = (middle + reach * np.array([np.cos(angle), np.sin(angle)])).astype(int)
        cv2.circle(image, place.tolist(), max(2, radius // 8), (90, 30, 90), -1)


if __name__ == "__main__":
    for name, (discs, dotted) in {"disc": (1, 1), "plain": (6, 0), "some": (6, 2)}.items():
        picture = tray(discs, dotted, columns=min(discs, 3))
        cv2.imwrite(str(Path(sys.argv[1]) / f"{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
