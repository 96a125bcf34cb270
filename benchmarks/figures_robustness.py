"""How often does a small change of the picture leave the verdict as it was?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import medsdk
from medsdk.core.card import Evaluation
from medsdk.evaluation.bootstrap import wilson

SET = "robustness"
NOTE = "Share of test pictures whose verdict a change of the picture leaves as it was; Wilson's interval."

Pixels = npt.NDArray[np.uint8]


def turned(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def jpeg(image: Pixels) -> Pixels:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def scaled(image: Pixels, share: float) -> Pixels:
    return np.clip(image * share, 0, 255).astype(np.uint8)


def halved(image: Pixels) -> Pixels:
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def blurred(image: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.8), np.uint8)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "unchanged_jpeg_50": jpeg,
    "unchanged_darker_20": lambda image: scaled(image, 0.8),
    "unchanged_brighter_20": lambda image: scaled(image, 1.2),
    "unchanged_turned_5": turned,
    "unchanged_half_resolution": halved,
    "unchanged_slight_blur": blurred,
}


def robustness(analyzer: medsdk.Analyzer, images: Sequence[Any], groups: int) -> Evaluation:
    """Of decoded test pictures; all verdicts count, rejected and inconclusive too."""
    before = _verdicts(analyzer, images)
    found = {}
    for name, change in CHANGES.items():
        after = _verdicts(analyzer, [change(image) for image in images])
        found[name] = wilson(sum(a == b for a, b in zip(before, after, strict=True)), len(images))
    return Evaluation(SET, len(images), groups, before.count("positive"), found, NOTE)


def _verdicts(analyzer: medsdk.Analyzer, images: Sequence[Any]) -> list[str | None]:
    return [prediction.verdict for prediction in analyzer.predict_many(images, threads=2)]
