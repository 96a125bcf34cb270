from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

import medsdk
from medsdk.core import images

FORMATS = (".jpg", ".png", ".webp", ".tiff", ".bmp")


def encoded(image: np.ndarray, ending: str) -> bytes:
    ok, data = cv2.imencode(ending, image)
    assert ok
    return data.tobytes()


def png_header(width: int, height: int) -> bytes:
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + body + struct.pack(">I", zlib.crc32(b"IHDR" + body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IEND\xaeB`\x82"


@pytest.mark.parametrize("ending", [".png", ".tiff", ".bmp"])
def test_lossless_formats_give_the_pixels_that_were_written(ending: str, drawn: np.ndarray) -> None:
    assert np.array_equal(images.read(encoded(drawn[..., ::-1], ending)).pixels, drawn)


@pytest.mark.parametrize("ending", FORMATS)
def test_every_kind_of_source_gives_the_same_pixels(ending: str, drawn: np.ndarray, tmp_path: Path) -> None:
    data = encoded(drawn[..., ::-1], ending)
    path = tmp_path / f"picture{ending}"
    path.write_bytes(data)
    expected = images.read(path).pixels
    with path.open("rb") as file:
        from_file = images.read(file).pixels
    for other in (images.read(str(path)).pixels, images.read(data).pixels, from_file, images.read(expected).pixels):
        assert np.array_equal(other, expected)


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_a_pil_image_gives_the_same_pixels_as_its_file(ending: str, drawn: np.ndarray) -> None:
    data = encoded(drawn[..., ::-1], ending)
    pil = PIL.Image.open(io.BytesIO(data))
    assert np.array_equal(images.read(pil).pixels, images.read(data).pixels)


def test_grey_becomes_three_equal_channels(drawn: np.ndarray) -> None:
    pixels = images.read(encoded(drawn[..., 0], ".png")).pixels
    assert pixels.shape == drawn.shape
    assert all(np.array_equal(pixels[..., c], drawn[..., 0]) for c in range(3))


def test_sixteen_bits_are_scaled_by_their_full_range() -> None:
    values = np.array([[0, 256, 32768, 65535]], np.uint16)
    assert images.read(encoded(values, ".png")).pixels[0, :, 0].tolist() == [0, 1, 128, 255]


def test_alpha_is_laid_over_black() -> None:
    bgra = np.zeros((2, 2, 4), np.uint8)
    bgra[...] = (10, 100, 200, 128)
    bgra[0, 0, 3] = 0
    pixels = images.read(encoded(bgra, ".png")).pixels
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[1, 1].tolist() == [100, 50, 5]
    assert np.array_equal(images.read(PIL.Image.fromarray(bgra[..., [2, 1, 0, 3]])).pixels, pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int, drawn: np.ndarray) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    PIL.Image.fromarray(drawn).save(buffer, "JPEG", exif=exif, quality=95)
    upright = images.read(PIL.Image.open(io.BytesIO(buffer.getvalue()))).pixels
    found = images.read(buffer.getvalue()).pixels
    assert found.shape == ((160, 120, 3) if orientation >= 5 else (120, 160, 3))
    assert np.array_equal(found, upright)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("tenths", range(10))
def test_a_file_cut_short_is_damaged(ending: str, tenths: int, drawn: np.ndarray, tmp_path: Path) -> None:
    data = encoded(drawn[..., ::-1], ending)
    path = tmp_path / f"cut{ending}"
    path.write_bytes(data[: len(data) * tenths // 10])
    with pytest.raises(medsdk.SourceError, match="cut") as caught:
        images.read(path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy


def test_a_thumbnails_end_mark_does_not_make_a_cut_jpeg_whole(drawn: np.ndarray) -> None:
    whole = encoded(drawn, ".jpg")
    thumbnail = encoded(cv2.resize(drawn, (16, 12)), ".jpg")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    with_thumbnail = whole[:2] + segment + whole[2:]
    assert images.read(with_thumbnail).pixels.shape[1] == 160
    with pytest.raises(medsdk.DamagedPictureError):
        images.read(with_thumbnail[:-40])


def test_a_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(medsdk.PictureTooLargeError, match="60000×60000"):
        images.read(png_header(60_000, 60_000))


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (b"", medsdk.DamagedPictureError),
        (b"this is text", medsdk.UnsupportedFormatError),
        (b"\x89PNG\r\n\x1a\n", medsdk.DamagedPictureError),
        (np.zeros((0, 5, 3), np.uint8), medsdk.PictureTooLargeError),
        (np.zeros((5, 5, 3), np.float32), medsdk.InvalidArrayError),
        (np.zeros((5, 5), np.uint8), medsdk.InvalidArrayError),
        (np.zeros((5, 5, 4), np.uint8), medsdk.InvalidArrayError),
        (io.StringIO("text"), medsdk.InvalidArrayError),
        (PIL.Image.new("F", (4, 4)), medsdk.InvalidArrayError),
        (42, medsdk.InvalidArrayError),
    ],
)
def test_a_bad_source_is_an_error_with_a_remedy(source: object, kind: type[medsdk.SourceError]) -> None:
    with pytest.raises(kind) as caught:
        images.read(source)
    assert caught.value.source
    assert caught.value.remedy


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(medsdk.SourceNotFoundError, match=r"tmp|none") as caught:
            images.read(path)
        assert str(path) in str(caught.value)


def test_text_named_png_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("hello")
    with pytest.raises(medsdk.UnsupportedFormatError, match=r"text\.png"):
        images.read(path)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_the_scale_that_is_enough(orientation: int, drawn: np.ndarray) -> None:
    large = cv2.resize(drawn, (2800, 2100), interpolation=cv2.INTER_CUBIC)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    PIL.Image.fromarray(large).save(buffer, "JPEG", exif=exif)
    picture = images.read(buffer.getvalue(), enough=400)
    shape = (525, 700, 3) if orientation == 1 else (700, 525, 3)
    assert (picture.scale, picture.pixels.shape) == (4, shape)
    assert picture.reopen().shape == (4 * shape[0], 4 * shape[1], 3)
    assert images.read(buffer.getvalue()).scale == 1
    assert images.read(buffer.getvalue(), enough=2000).scale == 1


def test_a_small_jpeg_is_never_reduced(drawn: np.ndarray) -> None:
    assert images.read(encoded(drawn, ".jpg"), enough=10).scale == 1


@pytest.mark.parametrize("rest", [b"", b"<html><body>", b"\x00\x00\x00\rIHDR\x00\x00"])
def test_a_png_without_a_whole_header_has_no_size(rest: bytes) -> None:
    from medsdk.core import formats

    assert formats.dimensions(b"\x89PNG\r\n\x1a\n" + rest) is None
    assert formats.dimensions(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x05\x00\x00\x00\x07") == (5, 7)
