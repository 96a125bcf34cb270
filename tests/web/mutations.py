"""Picture files as nobody should send them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import drawing
import numpy as np

SCRIPT = b"<html><body><script>alert('from the picture')</script></body></html>"


def good() -> dict[str, bytes]:
    """One small picture in each format that is read."""
    slide = drawing.slide(5, seed=5, height=72, width=96)
    return {ending: drawing.encoded(slide, ending) for ending in (".png", ".jpg", ".webp", ".tiff", ".bmp")}


def special() -> dict[str, bytes]:
    """Each a trick of its own."""
    slide = drawing.slide(5, seed=5, height=72, width=96)
    files = good()
    png, jpeg = files[".png"], files[".jpg"]
    deep = (slide.astype(np.uint16) * 257)[..., 0]
    return {
        "empty": b"",
        "html": SCRIPT,
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + SCRIPT + b"</svg>",
        "signature only": png[:8],
        "html behind a picture": png + SCRIPT,
        "html behind a signature": png[:8] + SCRIPT,
        "zip behind a picture": jpeg + b"PK\x03\x04" + bytes(200),
        "script in a text chunk": png[:33] + _chunk(b"tEXt", b"Comment\0" + SCRIPT) + png[33:],
        "bomb by its header": png[:16] + struct.pack(">II", 60_000, 60_000) + png[24:],
        "bomb that decodes": drawing.encoded(np.zeros((5200, 5200), np.uint8)),
        "no width": png[:16] + struct.pack(">II", 0, 72) + png[24:],
        "huge exif": jpeg[:2] + b"".join(_exif(bytes(65_000)) for _ in range(40)) + jpeg[2:],
        "broken exif": jpeg[:2] + _exif(b"Exif\0\0II*\0\xff\xff\xff\xff") + jpeg[2:],
        "sideways": jpeg[:2] + _exif(_orientation(6)) + jpeg[2:],
        "orientation that there is not": jpeg[:2] + _exif(_orientation(200)) + jpeg[2:],
        "16 bits": drawing.encoded(deep),
        "16 bits tiff": drawing.encoded(deep, ".tiff"),
        "float tiff": drawing.encoded(slide.astype(np.float32), ".tiff"),
        "alpha": drawing.encoded(np.dstack([slide, slide[..., :1]])),
        "grey": drawing.encoded(slide[..., 0]),
        "one pixel": drawing.encoded(slide[:1, :1]),
        "one row": drawing.encoded(slide[:1]),
        "cut tiff": files[".tiff"][:200],
        **_of_pillow(slide),
    }


def mutated(count: int) -> Iterator[tuple[str, bytes]]:
    """So many damaged files, always the same: cut short, bytes changed, left out, doubled or mixed."""
    random = np.random.default_rng(7)
    files = list(good().items())
    for number in range(count):
        ending, content = files[number % len(files)]
        how = number // len(files) % len(_WAYS)
        yield f"{number}{ending}", _WAYS[how](content, random, files[(number + 1) % len(files)][1])


def _cut(content: bytes, random: np.random.Generator, _: bytes) -> bytes:
    return content[: int(random.integers(1, len(content)))]


def _changed(content: bytes, random: np.random.Generator, _: bytes) -> bytes:
    changed = bytearray(content)
    for place in random.integers(0, len(content), int(random.integers(1, 30))):
        changed[place] = int(random.integers(0, 256))
    return bytes(changed)


def _changed_head(content: bytes, random: np.random.Generator, other: bytes) -> bytes:
    """Sizes, depths and offsets stand in the first bytes: most that can go wrong does so there."""
    return content[:4] + _changed(content[4:64], random, other) + content[64:]


def _left_out(content: bytes, random: np.random.Generator, _: bytes) -> bytes:
    begin = int(random.integers(8, len(content) - 1))
    return content[:begin] + content[begin + int(random.integers(1, 200)) :]


def _doubled(content: bytes, random: np.random.Generator, _: bytes) -> bytes:
    begin = int(random.integers(8, len(content) - 1))
    return content[:begin] + content[max(0, begin - 300) :]


def _mixed(content: bytes, random: np.random.Generator, other: bytes) -> bytes:
    return content[: int(random.integers(8, len(content)))] + other


_WAYS = (_cut, _changed, _changed_head, _left_out, _doubled, _mixed)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _exif(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _orientation(value: int) -> bytes:
    return b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x112, 3, 1, value) + bytes(4)


def _of_pillow(slide: drawing.Pixels) -> dict[str, bytes]:
    """What only Pillow writes; without it the rest is tried."""
    try:
        from PIL import Image
    except ImportError:
        return {}
    picture = Image.fromarray(slide)

    def saved(image: Image.Image, kind: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)  # type: ignore[arg-type]
        return buffer.getvalue()

    more = [picture.rotate(90), picture.rotate(180)]
    return {
        "cmyk": saved(picture.convert("CMYK"), "JPEG"),
        "progressive": saved(picture, "JPEG", progressive=True),
        "animated gif": saved(picture, "GIF", save_all=True, append_images=more),
        "animated webp": saved(picture, "WEBP", save_all=True, append_images=more),
        "animated png": saved(picture, "PNG", save_all=True, append_images=more),
        "tiff of several pages": saved(picture, "TIFF", save_all=True, append_images=more),
        "palette": saved(picture.convert("P"), "PNG"),
        "one bit": saved(picture.convert("1"), "PNG"),
    }
