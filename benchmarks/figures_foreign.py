"""How many pictures that are no medical ones at all does a plugin refuse?

Photographs are scikit-image's everyday ones, screenshots are the documentation's own; both come whole and in parts. Pages of
text and noise are drawn, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

import medsdk
from medsdk.core.images import Pixels, read
from medsdk.testing import pictures

SCREENSHOTS = Path(__file__).parent.parent / "docs" / "images"
PARTS = 6
DRAWN = 30


def refused(analyzer: medsdk.Analyzer) -> dict[str, float]:
    """The share that is rejected, by kind of picture."""
    return {kind: _share(analyzer, images) for kind, images in by_kind().items()}


@lru_cache(maxsize=1)
def by_kind() -> dict[str, tuple[Pixels, ...]]:
    """RGB uint8 pictures; where scikit-image is missing, without its photographs."""
    photographs = [image for name, image in pictures.foreign().items() if "." in name]
    # A part of the page that shows a field of red cells is a picture of red cells.
    screenshots = [read(path).pixels for path in sorted(SCREENSHOTS.glob("*.png")) if path.stem != "web-field"]
    kinds = {
        "photographs": tuple(_with_parts(photographs)),
        "screenshots": tuple(_with_parts(screenshots)),
        "pages of text": tuple(_page(seed) for seed in range(DRAWN)),
        "noise": tuple(_noise(seed) for seed in range(DRAWN)),
    }
    return {kind: images for kind, images in kinds.items() if images}


def _share(analyzer: medsdk.Analyzer, images: tuple[Pixels, ...]) -> float:
    verdicts = [prediction.verdict == "rejected" for prediction in analyzer.predict_many(images, threads=2)]
    return round(float(np.mean(verdicts)), 4)


def _with_parts(images: list[Pixels]) -> Iterator[Pixels]:
    """Each picture, and squares of a third to two thirds of its shorter side at places that a fixed seed draws."""
    random = np.random.default_rng(5)
    for image in images:
        yield image
        height, width = image.shape[:2]
        for _ in range(PARTS):
            side = int(random.uniform(1 / 3, 2 / 3) * min(height, width))
            top, left = int(random.integers(height - side + 1)), int(random.integers(width - side + 1))
            yield np.ascontiguousarray(image[top : top + side, left : left + side])


def _page(seed: int) -> Pixels:
    """Lines of letters in one size and ink on paper of one tone."""
    random = np.random.default_rng(seed)
    size, tone = float(random.uniform(0.4, 0.9)), int(random.integers(225, 256))
    image = np.full((640, 480, 3), tone, np.uint8)
    for y in range(40, 620, int(34 * size) + 4):
        words = " ".join("".join(chr(97 + int(c)) for c in random.integers(0, 26, random.integers(2, 9))) for _ in range(9))
        cv2.putText(image, words, (24, y), cv2.FONT_HERSHEY_SIMPLEX, size, (40, 40, 45), 1, cv2.LINE_AA)
    return image


def _noise(seed: int) -> Pixels:
    """Independent pixels, or the same made coarse; in colour or grey."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    if seed % 2:
        image = np.repeat(image[..., :1], 3, axis=2)
    coarse = (1, 4, 16)[seed % 3]
    small = cv2.resize(image, (320 // coarse, 240 // coarse), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.normalize(small, None, 0, 255, cv2.NORM_MINMAX), (320, 240)), np.uint8)
