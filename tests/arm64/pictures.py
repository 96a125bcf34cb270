"""The pictures that both machines judge: drawn from a seed, so that nothing has to be fetched."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

COUNT = 6


def drawn(seed: int) -> npt.NDArray[np.uint8]:
    """A cell-like disc on a mottled ground, RGB uint8: (150, 170, 3)."""
    random = np.random.default_rng(seed)
    ground = cv2.resize(random.integers(150, 240, (6, 7, 3)).astype(np.uint8), (170, 150), interpolation=cv2.INTER_CUBIC)
    cv2.circle(ground, (85, 75), 55, tuple(int(x) for x in random.integers(120, 220, 3)), -1)
    for _ in range(seed):
        x, y = (int(v) for v in random.integers(50, 110, 2))
        cv2.circle(ground, (x, y), int(random.integers(3, 9)), (90, 40, 120), -1)
    return np.asarray(ground, np.uint8)
