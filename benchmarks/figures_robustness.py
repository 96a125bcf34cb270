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
NOTE = (
    "Share of test pictures whose verdict a change of the picture leaves as it was; rejected and inconclusive are verdicts "
    "too. Reversed: positive became negative, or negative positive. Wilson's interval."
)
SIZES = "the same photograph at another size"
SIZES_NOTE = (
    "Share of test photographs that get the same label (grade) 4000 pixels wide and 400; the wide ones are enlarged, "
    "since the set holds none of that size. Wilson's interval."
)

OPPOSITE = {"positive", "negative"}

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
    found, most_reversed = {}, 0
    for name, change in CHANGES.items():
        after = _verdicts(analyzer, [change(image) for image in images])
        found[name] = wilson(sum(a == b for a, b in zip(before, after, strict=True)), len(images))
        most_reversed = max(most_reversed, sum({a, b} == OPPOSITE for a, b in zip(before, after, strict=True)))
    found["reversed_at_worst"] = wilson(most_reversed, len(images))
    return Evaluation(SET, len(images), groups, before.count("positive"), found, NOTE)


def same_at_another_size(analyzer: medsdk.Analyzer, images: Sequence[Any], groups: int) -> Evaluation:
    """Does a camera's 12-megapixel JPEG get the label of its 400 px copy? The large one is enlarged from what there is."""
    large, small = (analyzer.predict_many([_as_jpeg(image, side) for image in images], threads=2) for side in (4000, 400))
    same = sum(a.label == b.label for a, b in zip(large, small, strict=True))
    return Evaluation(SIZES, len(images), groups, 0, {"same_at_12_megapixels": wilson(same, len(images))}, SIZES_NOTE)


def _as_jpeg(image: Pixels, side: int) -> bytes:
    """JPEG of quality 92 whose longer side is `side`."""
    share = side / max(image.shape[:2])
    interpolation = cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(image, None, fx=share, fy=share, interpolation=interpolation)
    return cv2.imencode(".jpg", cv2.cvtColor(sized, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def _verdicts(analyzer: medsdk.Analyzer, images: Sequence[Any]) -> list[str | None]:
    return [prediction.verdict for prediction in analyzer.predict_many(images, threads=2)]
