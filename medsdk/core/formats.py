"""What an encoded picture's bytes say before anything is decoded: its format, its size, whether it is whole."""

from __future__ import annotations

import io
import struct
from typing import Literal

Format = Literal["JPEG", "PNG", "WebP", "TIFF", "BMP"]

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
)

# What every PNG begins with: its signature, then the header's length and name. Width and height follow.
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
# Bytes 24 and 25 of a PNG are its bit depth and colour type; bit 2 of the colour type means alpha.
_PNG_COLOUR_TYPE = 25
_PNG_ALPHA_BIT = 4


def sniff(data: bytes) -> Format | None:
    """The format by content, never by name; None for anything that is not read here."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _SIGNATURES if data.startswith(magic)), None)


def dimensions(data: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels from the header alone, None if the header does not tell."""
    if sniff(data) == "PNG":
        return _png_dimensions(data)
    import imagesize  # it brings an XML parser along, which listing and arrays need not pay for

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except Exception:  # a header parser meets arbitrary bytes here: whatever it raises, the header is bad
        return None
    if width < 0 or height < 0:
        return None
    return int(width), int(height)


def _png_dimensions(data: bytes) -> tuple[int, int] | None:
    """By hand: small pictures are PNGs, of whose time imagesize takes a part that shows. It also reads sizes where there
    is no header, as before the format's first edition."""
    if not data.startswith(_PNG_HEAD) or len(data) < len(_PNG_HEAD) + 8:
        return None
    width, height = struct.unpack_from(">II", data, len(_PNG_HEAD))
    return width, height


def is_whole(data: bytes, kind: Format) -> bool:
    """False if the file ends before its format's own end mark.

    Decoders differ here: some fill the missing part of a cut JPEG with grey and say nothing.
    """
    if kind == "JPEG":
        return _jpeg_is_whole(data)
    if kind == "PNG":
        return b"IEND" in data[-64:] or b"IEND\xaeB`\x82" in data
    if kind == "WebP":
        return len(data) >= 8 + struct.unpack_from("<I", data, 4)[0]
    if kind == "BMP":
        return len(data) >= 6 and len(data) >= struct.unpack_from("<I", data, 2)[0]
    return True  # a TIFF has no end mark; the decoder checks each strip's offset


def has_alpha(data: bytes, kind: Format) -> bool:
    """True if the picture may hold transparency, so that it must be decoded with its alpha channel."""
    if kind == "PNG":
        return bool(data[_PNG_COLOUR_TYPE] & _PNG_ALPHA_BIT) or b"tRNS" in data[: data.find(b"IDAT")]
    if kind == "WebP":
        return data[12:16] == b"VP8L" or (data[12:16] == b"VP8X" and bool(data[20] & 0x10))
    return kind == "TIFF"


def _jpeg_is_whole(data: bytes) -> bool:
    """Walk the segments to the first scan, then look for the end mark behind it.

    A thumbnail in the metadata has an end mark of its own, so that the whole file cannot just be searched;
    inside a scan the two bytes cannot occur, because the encoder stuffs a zero behind every 0xFF.
    """
    position = 2
    while position + 4 <= len(data):
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == 0xFFDA:
            # From the end, where a whole file has it: to search a large file from the start takes milliseconds.
            return data.rfind(b"\xff\xd9", position) != -1
        position += 2 + length
    return False
