"""Pictures that no disease is in: drawn here, the same on every machine, and some that scikit-image ships."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from medsdk.core.images import Pixels, read

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}

# Everyday pictures in scikit-image's wheel. Its medical and microscopic ones are left out: some plugin knows them.
_EVERYDAY = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "page.png", "rocket.jpg", "motorcycle_left.png")


def noise(height: int = 240, width: int = 320) -> Pixels:
    """Every pixel by chance."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def blank(value: int, height: int = 200, width: int = 200) -> Pixels:
    """One grey level everywhere."""
    return np.full((height, width, 3), value, np.uint8)


def gradient(height: int = 240, width: int = 320) -> Pixels:
    """From black on the left to white on the right."""
    row = np.linspace(0, 255, width).astype(np.uint8)
    return np.repeat(np.tile(row, (height, 1))[..., np.newaxis], 3, axis=2)


def chessboard(square: int = 40) -> Pixels:
    """Black and white squares."""
    rows, columns = np.indices((8 * square, 8 * square)) // square
    return np.repeat((((rows + columns) % 2) * 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)


def landscape() -> Pixels:
    """A sky, a meadow, a sun and a house."""
    image = np.empty((240, 320, 3), np.uint8)
    image[:140], image[140:] = (120, 180, 240), (60, 150, 50)
    cv2.circle(image, (260, 50), 26, (250, 230, 90), -1)
    cv2.rectangle(image, (70, 90), (170, 180), (200, 170, 140), -1)
    cv2.fillPoly(image, [np.array([(60, 90), (180, 90), (120, 45)], np.int32)], (150, 50, 40))
    cv2.rectangle(image, (110, 130), (135, 180), (90, 60, 40), -1)
    return _grained(image, 1)


def letter() -> Pixels:
    """A white page with dark lines of words."""
    random = np.random.default_rng(2)
    image = blank(250, 320, 240)
    for top in range(24, 300, 12):
        left = 20
        while left < 200:
            width = int(random.integers(6, 34))
            cv2.rectangle(image, (left, top), (min(left + width, 220), top + 5), (30, 30, 35), -1)
            left += width + 5
    return image


def street() -> Pixels:
    """Towers with lit windows at night, a road with a broken line."""
    random = np.random.default_rng(3)
    image = np.full((240, 320, 3), (20, 24, 48), np.uint8)
    for left in range(0, 320, 40):
        top = int(random.integers(30, 120))
        cv2.rectangle(image, (left, top), (left + 34, 190), (55, 60, 70), -1)
        for y in range(top + 6, 180, 14):
            for x in range(left + 4, left + 30, 9):
                if random.random() < 0.5:
                    cv2.rectangle(image, (x, y), (x + 4, y + 7), (250, 220, 130), -1)
    for x in range(0, 320, 40):
        cv2.rectangle(image, (x, 212), (x + 20, 216), (230, 230, 230), -1)
    return _grained(image, 3)


@lru_cache(maxsize=1)
def foreign() -> dict[str, Pixels]:
    """Pictures that no medical model may judge, by name."""
    drawn = {
        "noise": noise(),
        "black": blank(0),
        "grey": blank(128),
        "white": blank(255),
        "gradient": gradient(),
        "chessboard": chessboard(),
        "landscape": landscape(),
        "letter": letter(),
        "street": street(),
    }
    return drawn | dict(_everyday())


def samples() -> dict[str, Pixels]:
    """A few pictures of different shapes, none of them blank."""
    return {"landscape": landscape(), "letter": letter(), "street": street(), "chessboard": chessboard(25)}


def _everyday() -> Iterator[tuple[str, Pixels]]:
    """By file and not through skimage.data, which would download what its wheel lacks."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return
    for name in _EVERYDAY:
        path = Path(spec.origin).parent / "data" / name
        if path.is_file():
            yield name, read(path).pixels


def _grained(image: Pixels, seed: int) -> Pixels:
    grain = np.random.default_rng(seed).integers(-8, 9, image.shape)
    return np.clip(image.astype(np.int16) + grain, 0, 255).astype(np.uint8)
