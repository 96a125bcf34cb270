"""The lung finder on a drawn film, where the truth is known, and on real films where the pack is at hand."""

from __future__ import annotations

import csv
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import medsdk_lungs
import numpy as np
import numpy.typing as npt
import pytest
from medsdk_lungs import finder

import medsdk
from medsdk.core.images import decode
from medsdk.testing.labelled import locate
from medsdk.testing.pictures import noise

Image = npt.NDArray[np.uint8]


def film(left: int = 0, top: int = 0, scale: float = 1.0) -> Image:
    """Two dark lungs in a grey chest on a black ground; the chest may be moved and shrunk."""
    grey = np.zeros((400, 400), np.uint8)

    def at(x: int, y: int) -> tuple[int, int]:
        return round(left + x * scale), round(top + y * scale)

    cv2.rectangle(grey, at(20, 20), at(380, 380), 190, -1)
    for x in (125, 275):
        cv2.ellipse(grey, at(x, 190), (round(62 * scale), round(125 * scale)), 0, 0, 360, 60, -1)
    return np.repeat(cv2.GaussianBlur(grey, (0, 0), 5)[..., np.newaxis], 3, axis=2)


def overlap(found: medsdk_lungs.Lungs, box: tuple[int, int, int, int]) -> float:
    """Intersection over union of the box that was found with left, top, right, bottom."""
    left, top = max(found.left, box[0]), max(found.top, box[1])
    right, bottom = min(found.left + found.width, box[2]), min(found.top + found.height, box[3])
    shared = max(0, right - left) * max(0, bottom - top)
    return shared / (found.width * found.height + (box[2] - box[0]) * (box[3] - box[1]) - shared)


def test_the_box_lies_around_both_lungs_wherever_they_are() -> None:
    for left, top, scale in ((0, 0, 1.0), (80, 40, 0.75)):
        found = medsdk_lungs.find(film(left, top, scale))
        assert found is not None
        x0, y0, x1, y1 = (round(scale * v) for v in (63, 65, 337, 315))
        assert overlap(found, (left + x0, top + y0, left + x1, top + y1)) > 0.75
        assert found.outline.shape == (32, 32)
        assert found.outline.dtype == np.float32
        assert 0 <= found.outline.min() <= found.outline.max() <= 1


def test_the_box_is_in_pixels_of_the_film() -> None:
    small, large = medsdk_lungs.find(film()), medsdk_lungs.find(cv2.resize(film(), (1200, 800)).astype(np.uint8))
    assert small is not None
    assert large is not None
    assert abs(large.left - 3 * small.left) <= 1200 / 32
    assert abs(large.height - 2 * small.height) <= 800 / 32


def test_the_crop_is_the_box_and_its_margin() -> None:
    found = medsdk_lungs.find(film())
    assert found is not None
    cut = medsdk_lungs.lung_crop(medsdk.Frame.whole(film()), margin=0.1)
    assert cut.width == found.width + 2 * round(0.1 * found.width)
    assert cut.height == found.height + 2 * round(0.1 * found.height)


def test_a_margin_ends_at_the_films_edge() -> None:
    cut = medsdk_lungs.lung_crop(medsdk.Frame.whole(film()), margin=5.0)
    assert (cut.width, cut.height) == (400, 400)


def test_without_lungs_a_thin_border_is_cut_away() -> None:
    picture = np.full((200, 300, 3), 90, np.uint8)
    assert medsdk_lungs.find(picture) is None
    cut = medsdk_lungs.lung_crop(medsdk.Frame.whole(picture), margin=0.04)
    assert (cut.width, cut.height) == (300 - 2 * 18, 200 - 2 * 12)


def test_the_step_is_found_by_its_name() -> None:
    from medsdk.core import steps

    assert steps.find("lung_crop") is medsdk_lungs.lung_crop


def test_regions_that_are_no_lung_are_left_out() -> None:
    mask = np.zeros((32, 32), bool)
    mask[8:24, 6:12] = mask[8:24, 18:24] = True
    mask[30, 30] = True
    assert finder._box(mask) == (6, 8, 24, 24)
    assert finder._box(np.zeros((32, 32), bool)) is None
    few = np.zeros((32, 32), bool)
    few[0:5, 0:5] = True
    assert finder._box(few) is None


def test_threads_have_their_own_network_and_say_the_same() -> None:
    said: list[medsdk_lungs.Lungs | None] = []
    threads = [threading.Thread(target=lambda: said.append(medsdk_lungs.find(film()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = medsdk_lungs.find(film())
    assert first is not None
    assert len(said) == 4
    assert all(one is not None and np.array_equal(one.outline, first.outline) for one in said)


def test_a_damaged_network_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("model.json", "model.tflite"):
        shutil.copy(Path(finder.__file__).parent / name, tmp_path)
    content = bytearray((tmp_path / "model.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model.tflite").write_bytes(content)
    monkeypatch.setattr(finder, "_FOLDER", tmp_path)
    monkeypatch.setattr(finder, "_per_thread", threading.local())
    with pytest.raises(medsdk.ModelDamagedError, match="Reinstall medsdk-lungs"):
        medsdk_lungs.find(film())


def test_noise_is_no_error() -> None:
    medsdk_lungs.lung_crop(medsdk.Frame.whole(noise()), margin=0.04)


def real(split: str) -> Iterator[tuple[Image, npt.NDArray[np.bool_]]]:
    """Films and masks of the pack `lungs`."""
    with tarfile.open(locate("lungs")) as tar:

        def member(name: str) -> bytes:
            opened = tar.extractfile(name)
            assert opened is not None
            return opened.read()

        for row in csv.DictReader(io.StringIO(member("manifest.csv").decode())):
            if row["split"] == split:
                name = Path(row["file"])
                mask = decode(member(f"masks/{name.with_suffix('.png')}"), name.name)[..., 0] > 127
                yield decode(member(f"images/{name}"), name.name), mask


@pytest.mark.data
def test_real_lungs_are_found_and_boxed() -> None:
    boxes = []
    for picture, mask in real("test"):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        found = medsdk_lungs.find(picture)
        truth = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        boxes.append(overlap(found, truth) if found is not None else 0.0)
    assert np.median(boxes) > 0.85
    assert np.mean(np.array(boxes) > 0.6) > 0.95
