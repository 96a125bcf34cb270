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


def smear(cells: int = 90, seed: int = 4, height: int = 960, width: int = 1280) -> Pixels:
    """A field of a blood smear: round cells side by side on a pale slide, in some of them the ring of a parasite."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), (232, 226, 230), np.uint8)
    places: list[tuple[int, int]] = []
    while len(places) < cells:
        place = int(random.integers(50, width - 50)), int(random.integers(50, height - 50))
        if all(np.hypot(place[0] - x, place[1] - y) > 88 for x, y in places):
            places.append(place)
        elif random.random() < 0.001:
            break
    for number, place in enumerate(places):
        axes = int(random.integers(34, 39)), int(random.integers(34, 39))
        cv2.ellipse(image, place, axes, 0, 0, 360, (205, 150, 165), -1, cv2.LINE_AA)
        cv2.ellipse(image, place, (axes[0] // 3, axes[1] // 3), 0, 0, 360, (216, 172, 184), -1, cv2.LINE_AA)
        if number % 11 == 7:
            inside = place[0] + 14, place[1] - 10
            cv2.circle(image, inside, 10, (95, 45, 130), 4, cv2.LINE_AA)
            cv2.circle(image, (inside[0] + 9, inside[1] - 7), 6, (70, 15, 80), -1, cv2.LINE_AA)
    image = cv2.GaussianBlur(image, (0, 0), 1.2)
    return np.clip(image + random.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
