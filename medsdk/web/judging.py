"""One uploaded picture through the core: what a thread of the pool does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core import formats, images
from medsdk.core.analyzer import Match
from medsdk.core.attention import Mark
from medsdk.core.errors import PictureTooLargeError, SourceError
from medsdk.core.images import Pixels
from medsdk.core.prediction import Prediction
from medsdk.web.catalogue import Catalogue, Entry
from medsdk.web.problems import NoAttentionError
from medsdk.web.uploads import Upload

# A page shows a picture at most this large; the model has seen it whole.
SHOWN_SIDE = 1024

# A map over a large picture takes many times the picture's memory: one is made at a time.
_one_map = threading.Lock()


@dataclass(frozen=True)
class Images:
    """Encoded pictures for a page: the original as it was read, and the attention map, see-through where it is 0.

    `nowhere` is True for a map that is 0 everywhere: then there is nothing to lay over the original. A picture of many
    objects has `marks` instead of a map, in pixels of the picture, whose size is `full` (width, height).
    """

    original: bytes
    original_type: str
    attention: bytes | None
    nowhere: bool
    width: int
    height: int
    marks: tuple[Mark, ...] = ()
    full: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Shown:
    """A picture judged for a page."""

    prediction: Prediction
    images: Images


def judge(entry: Entry, upload: Upload, max_pixels: int) -> Prediction:
    """The prediction under the client's name for the picture. Raises a SourceError.

    The analyzer gets the file, not its pixels: it decodes a large one as the library and the command line do.
    """
    _check_size(upload.data, max_pixels)
    return replace(entry.analyzer.predict(upload.data), source=upload.name)


def judge_or_error(entry: Entry, upload: Upload, max_pixels: int) -> Prediction:
    """The same for one picture of many: a bad one must not cost the others."""
    try:
        return judge(entry, upload, max_pixels)
    except SourceError as error:
        named = type(error)(upload.name, unnamed(error), error.remedy)
        return Prediction(entry.id, upload.name, None, error=named)


def judge_for_page(entry: Entry, upload: Upload, max_pixels: int) -> Shown:
    """The prediction with the pictures that a page shows. Raises a SourceError."""
    prediction = judge(entry, upload, max_pixels)
    return Shown(prediction, _shown(images.read(upload.data, enough=SHOWN_SIDE).pixels, prediction))


def overlay(entry: Entry, upload: Upload, max_pixels: int) -> bytes:
    """The attention map painted over the whole picture, as PNG. Raises a SourceError or NoAttentionError."""
    prediction = judge(entry, upload, max_pixels)
    with _one_map:
        attention = prediction.attention
        if attention is None:
            raise NoAttentionError(
                prediction.reason or "The model offers no attention map.", "Send a picture of the kind in the card."
            )
        return _png(attention.overlay())


def identify(catalogue: Catalogue, upload: Upload, max_pixels: int) -> list[Match]:
    """The installed diseases that accept the picture, best first. Raises a SourceError."""
    return catalogue.identify(images.decode(upload.data, "picture", max_pixels))


def unnamed(error: SourceError) -> str:
    """What was wrong, without what the core calls a picture that came as bytes."""
    return error.problem.removeprefix(f"{error.source}: ")


def _check_size(data: bytes, max_pixels: int) -> None:
    """By the header, before anything is decoded; a header that cannot be read is the decoder's to complain of."""
    width, height = formats.dimensions(data) or (0, 0)
    if width * height > max_pixels:
        raise PictureTooLargeError(
            "picture",
            f"{width}×{height} pixels are more than this server's limit of {max_pixels:,}.",
            "Shrink it, or cut out the part in question.",
        )


def _shown(pixels: Pixels, prediction: Prediction) -> Images:
    small = _shrunk(pixels)
    height, width = small.shape[:2]
    # A cell of 140 pixels is shown enlarged: JPEG's blocks would be seen.
    lossless = max(height, width) <= SHOWN_SIDE // 2
    original = _png(small) if lossless else _encoded(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    kind = "image/png" if lossless else "image/jpeg"
    with _one_map:
        attention = prediction.attention
        if attention is not None and attention.marks:
            full = (attention.shape[1], attention.shape[0])
            return Images(original, kind, None, False, width, height, attention.marks, full)
        strength = None if attention is None else _shrunk(np.asarray(attention))
    nowhere = strength is not None and not strength.any()
    layer = None if strength is None or nowhere else _png(_layer(strength))
    return Images(original, kind, layer, nowhere, width, height)


def _layer(strength: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The colours of Attention.overlay as RGBA, so that the page can lay them over the original at any strength."""
    steps = (strength * 255).round().astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    return np.dstack([colours, steps])


def _shrunk(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    height, width = image.shape[:2]
    scale = SHOWN_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    return _encoded(".png", cv2.cvtColor(image, order))


def _encoded(ending: str, image: npt.NDArray[Any]) -> bytes:
    _, content = cv2.imencode(ending, image)
    return content.tobytes()
