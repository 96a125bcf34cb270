"""The first step of a picture's way: any source becomes RGB uint8 pixels, or a clear error.

A source is a path, encoded bytes, a binary file object, an RGB uint8 array or a PIL image.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, Union, cast

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core import formats
from medsdk.core.errors import (
    DamagedPictureError,
    InvalidArrayError,
    PictureTooLargeError,
    SourceError,
    SourceNotFoundError,
    UnsupportedFormatError,
)

if TYPE_CHECKING:
    import PIL.Image

Pixels: TypeAlias = npt.NDArray[np.uint8]
Source: TypeAlias = Union[str, "os.PathLike[str]", bytes, BinaryIO, npt.NDArray[Any], "PIL.Image.Image"]

# A slide scanner's overview or a 100-megapixel camera fits; a decompression bomb does not.
MAX_PIXELS = 120_000_000

# Only JPEGs above this many pixels are decoded at a reduced scale: below, every kind of source gives the same pixels.
REDUCE_ABOVE = 4_000_000
_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}

READABLE = "JPEG, PNG, WebP, TIFF or BMP"


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    `pixels` is RGB uint8 (h, w, 3), upright as its EXIF orientation says; `scale` is how many source pixels one of them
    stands for, 1 unless a large JPEG was decoded at a reduced scale. `name` is its file name, or what kind of object it
    came from. `reopen` decodes it again, whole: holding it keeps the source alive, never the pixels.
    """

    pixels: Pixels
    name: str
    reopen: Callable[[], Pixels]
    scale: int = 1


def read(source: Source, *, max_pixels: int = MAX_PIXELS, enough: int | None = None) -> Picture:
    """Decode a source.

    `enough` is the shorter side in pixels that the caller can use: a JPEG of more than REDUCE_ABOVE pixels is decoded at
    a half, a quarter or an eighth of its scale where that leaves so many.

    16-bit pictures are scaled by their full range (65535 becomes 255), grey ones become three equal channels, alpha is
    laid over black. The number of pixels is read from the header and checked before anything is decoded.

    Raises a subclass of SourceError that names the source and the remedy.
    """
    if isinstance(source, np.ndarray):
        pixels = _check_array(source, "array", max_pixels)
        return Picture(pixels, "array", lambda: pixels)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        pixels, scale = _decode(_read_path(path), str(path), max_pixels, enough)
        return Picture(pixels, str(path), lambda: decode(_read_path(path), str(path), max_pixels), scale)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), "bytes", max_pixels, enough)
    if hasattr(source, "read"):
        data = _read_file_object(cast(BinaryIO, source))
        return _from_bytes(data, _file_object_name(source), max_pixels, enough)
    if hasattr(source, "convert") and hasattr(source, "getbands"):
        return _from_pil(source, max_pixels)
    raise InvalidArrayError(
        type(source).__name__,
        "not a picture.",
        "Pass a path, bytes, a binary file object, an RGB uint8 array or a PIL image.",
    )


def source_name(source: object) -> str:
    """What messages call a source: its path, or the kind of object it is."""
    if isinstance(source, (str, os.PathLike)):
        return str(source)
    return "array" if isinstance(source, np.ndarray) else type(source).__name__


def _from_bytes(data: bytes, name: str, max_pixels: int, enough: int | None) -> Picture:
    pixels, scale = _decode(data, name, max_pixels, enough)
    return Picture(pixels, name, lambda: decode(data, name, max_pixels), scale)


def _read_path(path: Path) -> bytes:
    name = str(path)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SourceNotFoundError(name, "there is no such file.", "Check the path.") from None
    except (OSError, ValueError) as error:
        # Systems differ in what they raise for a folder.
        if path.is_dir():
            raise SourceNotFoundError(name, "this is a folder.", "Name one picture in it.") from None
        raise SourceNotFoundError(name, f"it cannot be read ({error}).", "Check the path and its permissions.") from None


def _read_file_object(file: BinaryIO) -> bytes:
    name = _file_object_name(file)
    try:
        data = file.read()
    except (OSError, ValueError) as error:
        raise SourceNotFoundError(name, f"it cannot be read ({error}).", "Pass an open binary file.") from None
    if not isinstance(data, bytes):
        raise InvalidArrayError(name, "the file is open as text.", "Open it in binary mode: open(path, 'rb').")
    return data


def _file_object_name(file: Any) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else type(file).__name__


def _from_pil(image: Any, max_pixels: int) -> Picture:
    # A PIL image is opened lazily: its size is known before its pixels are decoded.
    from PIL import ImageOps

    _check_size(image.width, image.height, "PIL image", max_pixels)

    def pixels() -> Pixels:
        try:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                return _over_black(np.asarray(upright.convert("RGBA"), dtype=np.uint8))
            if upright.mode.startswith("I;16"):
                return _three_channels(_eight_bits(np.asarray(upright, dtype=np.uint16), "PIL image"))
            if upright.mode in ("F", "I"):
                raise InvalidArrayError(
                    "PIL image",
                    f"mode {upright.mode!r} has no fixed range of values.",
                    "Convert it to 'RGB', 'L' or 'I;16' with the range that you mean.",
                )
            return np.array(upright.convert("RGB"), dtype=np.uint8)
        except (OSError, SyntaxError) as error:
            raise DamagedPictureError("PIL image", f"it cannot be decoded ({error}).", "Get a whole copy.") from None

    return Picture(pixels(), "PIL image", pixels)


def decode(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Encoded bytes to RGB uint8 (h, w, 3). `name` is what errors call the picture."""
    return _decode(data, name, max_pixels, None)[0]


def _decode(data: bytes, name: str, max_pixels: int, enough: int | None) -> tuple[Pixels, int]:
    """The pixels, and how many source pixels one of them stands for."""
    if not data:
        raise DamagedPictureError(name, "the file is empty.", "Get a whole copy of the picture.")
    kind = formats.sniff(data)
    if kind is None:
        raise UnsupportedFormatError(name, f"this is not a {READABLE} picture.", "Convert it to one of them.")
    size = formats.dimensions(data)
    if size is None or not formats.is_whole(data, kind):
        raise _damaged(name, kind)
    _check_size(*size, name, max_pixels)
    scale = _reduction(*size, enough) if kind == "JPEG" and enough else 1
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), _flags(data, kind, scale))
    except cv2.error:
        decoded = None
    if decoded is None:
        raise _damaged(name, kind)
    return _to_rgb(_eight_bits(decoded, name)), scale


def _flags(data: bytes, kind: formats.Format, scale: int) -> int:
    if scale > 1:
        return _REDUCED[scale]
    return cv2.IMREAD_UNCHANGED if formats.has_alpha(data, kind) else cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH


def _reduction(width: int, height: int, enough: int) -> int:
    if width * height <= REDUCE_ABOVE:
        return 1
    return next((scale for scale in _REDUCED if min(width, height) // scale >= enough), 1)


def _damaged(name: str, kind: formats.Format) -> SourceError:
    return DamagedPictureError(name, f"the {kind} file is damaged or cut short.", "Get a whole copy of the picture.")


def _check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    if width * height == 0:
        raise PictureTooLargeError(name, "the picture has no pixels.", "Get a whole copy of the picture.")
    if width * height > max_pixels:
        raise PictureTooLargeError(
            name,
            f"{width}×{height} pixels are more than the limit of {max_pixels:,}.",
            "Shrink it, or cut out the part in question.",
        )


def _check_array(array: npt.NDArray[Any], name: str, max_pixels: int) -> Pixels:
    if array.dtype != np.uint8:
        raise InvalidArrayError(
            name,
            f"its values are {array.dtype}, not uint8.",
            "Scale them to 0..255 yourself and convert: only you know their range.",
        )
    if array.ndim != 3 or array.shape[2] != 3:
        raise InvalidArrayError(
            name,
            f"its shape is {array.shape}, not (height, width, 3).",
            "Pass RGB; make grey into three equal channels with np.stack([grey] * 3, axis=-1).",
        )
    _check_size(array.shape[1], array.shape[0], name, max_pixels)
    return np.ascontiguousarray(array)


def _eight_bits(image: npt.NDArray[Any], name: str) -> Pixels:
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        # 257 = 65535 / 255, so that the full range maps onto the full range.
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise UnsupportedFormatError(
        name, f"its values are {image.dtype}.", "Convert the picture to 8 or 16 bits with the range that you mean."
    )


def _to_rgb(image: Pixels) -> Pixels:
    if image.ndim == 2 or image.shape[2] == 1:
        return _three_channels(image.reshape(image.shape[:2]))
    if image.shape[2] == 2:
        return _over_black(image[..., [0, 0, 0, 1]])
    if image.shape[2] == 4:
        return _over_black(image[..., [2, 1, 0, 3]])
    return cast(Pixels, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def _three_channels(grey: Pixels) -> Pixels:
    return cast(Pixels, cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2RGB))


def _over_black(rgba: Pixels) -> Pixels:
    alpha = rgba[..., 3:].astype(np.uint16)
    return ((rgba[..., :3] * alpha + 127) // 255).astype(np.uint8)
