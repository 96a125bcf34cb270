"""Draws pictures to train the example on, because no patient's picture belongs into a repository.

    python draw.py pictures 900

Skin of many colours; half of the pictures have burrows: short wavy lines with a small bump at one end. The others have
moles or nothing. A model trained on them knows drawings, not skin.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 160
SPLITS = (("train", 0.6), ("val", 0.2), ("test", 0.2))
# From light to dark, red-green-blue.
SKIN = np.array([(236, 200, 180), (214, 168, 140), (180, 130, 100), (132, 90, 68), (92, 62, 48)], float)


def skin(random: np.random.Generator) -> npt.NDArray[np.float32]:
    """An empty patch: a colour, uneven light, folds and grain."""
    patch = np.tile(SKIN[random.integers(len(SKIN))] + random.normal(0, 6, 3), (SIDE, SIDE, 1))
    slope = random.normal(0, 0.12, 2)
    rows, columns = np.mgrid[-0.5 : 0.5 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j]
    patch *= (1 + slope[0] * rows + slope[1] * columns)[..., np.newaxis]
    folds = cv2.GaussianBlur(random.normal(0, 1, (SIDE, SIDE)), (0, 0), 2.5, sigmaY=9.0)
    return (patch + 40 * folds[..., np.newaxis] + random.normal(0, 3, patch.shape)).astype(np.float32)


def with_burrows(random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Skin with two to five burrows."""
    patch = skin(random)
    for _ in range(int(random.integers(2, 6))):
        place, angle = random.uniform(25, SIDE - 25, 2), random.uniform(0, 2 * np.pi)
        along = np.linspace(-12, 12, 25)
        across = 2.5 * np.sin(along / 3 + random.uniform(0, 6))
        points = np.stack(
            [
                place[0] + along * np.cos(angle) - across * np.sin(angle),
                place[1] + along * np.sin(angle) + across * np.cos(angle),
            ],
            axis=1,
        ).astype(np.int32)
        colour = (patch.mean(axis=(0, 1)) * (0.72, 0.55, 0.55)).tolist()
        cv2.polylines(patch, [points], False, colour, 2, cv2.LINE_AA)
        cv2.circle(patch, points[0].tolist(), 3, (patch.mean(axis=(0, 1)) * (0.85, 0.5, 0.5)).tolist(), -1, cv2.LINE_AA)
    return finished(patch)


def without(random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Skin with up to three moles."""
    patch = skin(random)
    for _ in range(int(random.integers(0, 4))):
        place = random.integers(20, SIDE - 20, 2).tolist()
        colour = (patch.mean(axis=(0, 1)) * random.uniform(0.4, 0.65)).tolist()
        cv2.circle(patch, place, int(random.integers(3, 8)), colour, -1, cv2.LINE_AA)
    return finished(patch)


def finished(patch: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A little out of focus, in eight bits."""
    return np.clip(cv2.GaussianBlur(patch, (0, 0), 0.7), 0, 255).astype(np.uint8)


def draw(folder: Path, count: int, seed: int = 0) -> None:
    """`count` pictures into split/label folders."""
    random = np.random.default_rng(seed)
    for split, share in SPLITS:
        for label, make in (("scabies", with_burrows), ("other", without)):
            target = folder / split / label
            target.mkdir(parents=True, exist_ok=True)
            for number in range(round(count * share / 2)):
                picture = cv2.cvtColor(make(random), cv2.COLOR_RGB2BGR)
                cv2.imwrite(str(target / f"{number:04d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    draw(Path(sys.argv[1]), int(sys.argv[2]))
