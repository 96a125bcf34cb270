"""The lungs' outline, the box around it, and the preprocessing step that cuts to it."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

import medsdk

SIDE = 128
_FOLDER = Path(__file__).parent

# Less than this share of the film cannot be two lungs: the finder has failed, or this is no chest film.
_SMALLEST = 0.04
# A region smaller than this share of the largest one is a mistake, not the other lung.
_SMALLEST_REGION = 0.12
# What is cut away on each side where no lungs were found: there stand markers and collimator edges.
_BLIND_BORDER = 0.06

_per_thread = threading.local()


@dataclass(frozen=True)
class Lungs:
    """Box around both lungs in pixels of the film, and their outline: float32 (32, 32), 0..1, over the whole film."""

    left: int
    top: int
    width: int
    height: int
    outline: npt.NDArray[np.float32]


def find(film: npt.NDArray[np.uint8]) -> Lungs | None:
    """RGB uint8 (h, w, 3) to the lungs, or None where they are not found."""
    logits = _model().run(prepare(film))["lungs"][..., 0]
    outline = (0.5 * (1 + np.tanh(logits / 2))).astype(np.float32)
    box = _box(outline > 0.5)
    if box is None:
        return None
    rows, columns = outline.shape
    height, width = film.shape[:2]
    left, top, right, bottom = box
    x0, x1 = round(left * width / columns), round(right * width / columns)
    y0, y1 = round(top * height / rows), round(bottom * height / rows)
    return Lungs(x0, y0, x1 - x0, y1 - y0, outline)


def lung_crop(frame: medsdk.Frame, *, margin: float) -> medsdk.Frame:
    """Cut to the box around the lungs, widened by `margin` (share of its sides) on each side.

    Where no lungs are found a thin border is cut away instead: rejection deals with what is no chest film.
    """
    lungs = find(frame.pixels)
    if lungs is None:
        x, y = int(frame.width * _BLIND_BORDER), int(frame.height * _BLIND_BORDER)
        return frame.cropped(x, y, frame.width - 2 * x, frame.height - 2 * y)
    x, y = round(lungs.width * margin), round(lungs.height * margin)
    left, top = max(0, lungs.left - x), max(0, lungs.top - y)
    right = min(frame.width, lungs.left + lungs.width + x)
    bottom = min(frame.height, lungs.top + lungs.height + y)
    return frame.cropped(left, top, right - left, bottom - top)


# The finder sees every film at its own size: a large one may be decoded at a reduced scale.
lung_crop.scale_free = True  # type: ignore[attr-defined]


def prepare(film: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """RGB uint8 (h, w, 3) to what the network is fed: grey (1, 128, 128, 1) from its 1st to its 99th percentile."""
    # Shrunk before it is made grey: a film may have ten million pixels.
    small = cv2.resize(film, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    low, high = np.percentile(grey, (1, 99))
    stretched = np.clip((grey.astype(np.float32) - low) * (255 / max(float(high - low), 1.0)), 0, 255)
    return stretched.round().astype(np.uint8)[np.newaxis, ..., np.newaxis]


def _box(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom around the regions that may be lungs, in cells of the mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count < 2 or areas.sum() < _SMALLEST * mask.size:
        return None
    lungs = np.isin(labels, 1 + np.flatnonzero(areas >= _SMALLEST_REGION * areas.max()))
    rows, columns = np.flatnonzero(lungs.any(axis=1)), np.flatnonzero(lungs.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _model() -> medsdk.Model:
    """One interpreter a thread; the file is opened only if its sha256 is the one in model.json."""
    if not hasattr(_per_thread, "model"):
        about = cast(dict[str, Any], json.loads((_FOLDER / "model.json").read_bytes()))
        path = _FOLDER / about["file"]
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != about["sha256"]:
            raise medsdk.ModelDamagedError(str(path), "its sha256 is not the one in model.json.", "Reinstall medsdk-lungs.")
        _per_thread.model = medsdk.Model(content, "the lung finder")
    return cast(medsdk.Model, _per_thread.model)
