"""The segmentation of whole fields: drawn ones, where the truth is known, and real ones where the packs are at hand."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from medsdk_malaria.field import Cell, Reason, cutout, judge_field, looks_like_field, read_field, segment
from medsdk_malaria.field.splitting import _near_pairs, _Summits

from medsdk.core.images import decode
from medsdk.testing.labelled import spread

Image = npt.NDArray[np.uint8]

SLIDE = (205, 220, 195)
STAINS = {"grey": (120, 100, 108), "pink": (222, 140, 142), "magenta": (150, 35, 105)}


def draw_field(stain: str = "grey", radius: int = 33, seed: int = 0) -> tuple[Image, int]:
    """A field of 1280x960 with whole cells on a loose grid, some with pallor, in uneven light; and how many."""
    random = np.random.default_rng(seed)
    picture = np.full((960, 1280, 3), SLIDE, np.uint8)
    count = 0
    for y in range(60, 910, 95):
        for x in range(60, 1230, 95):
            if random.random() < 0.15:
                continue
            centre = (x + int(random.integers(-8, 9)), y + int(random.integers(-8, 9)))
            axes = (radius + int(random.integers(-3, 4)), radius + int(random.integers(-3, 4)))
            cv2.ellipse(picture, centre, axes, float(random.integers(180)), 0, 360, STAINS[stain], -1)
            if random.random() < 0.3:
                cv2.circle(picture, centre, radius // 4, SLIDE, -1)
            count += 1
    return finish(picture, random), count


def finish(picture: Image, random: np.random.Generator) -> Image:
    """The microscope's blur, a lamp that is not in the middle, and the sensor's noise."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    lamp = 1.0 - 0.25 * ((x / width - 0.4) ** 2 + (y / height - 0.6) ** 2)
    lit = cv2.GaussianBlur(picture, (0, 0), 1.5) * lamp[:, :, None] + random.normal(0, 2, picture.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


def whole(cells: list[Cell]) -> int:
    return sum(not cell.touches_border for cell in cells)


@pytest.mark.parametrize("stain", STAINS)
def test_counts_drawn_cells_in_every_stain(stain: str) -> None:
    picture, count = draw_field(stain)
    assert whole(segment(picture)) == count


def test_boxes_are_tight_and_masks_fit_them() -> None:
    picture = np.full((600, 800, 3), SLIDE, np.uint8)
    centres = [(x, y) for y in range(80, 560, 100) for x in range(80, 760, 100)]
    for centre in centres:
        cv2.circle(picture, centre, 30, STAINS["grey"], -1)
    for cell in segment(finish(picture, np.random.default_rng(0))):
        x, y, w, h = cell.box
        assert cell.mask.shape == (h, w)
        assert cell.mask.dtype == np.bool_
        assert cell.mask[0].any()
        assert cell.mask[-1].any()
        assert cell.mask[:, 0].any()
        assert cell.mask[:, -1].any()
        assert abs(w - 61) <= 4
        assert abs(h - 61) <= 4
        assert min(np.hypot(x + w / 2 - a, y + h / 2 - b) for a, b in centres) < 2.5


def test_touching_cells_are_parted_and_flagged() -> None:
    picture, _ = draw_field()
    picture[400:560, 500:760] = picture[10, 10]
    before = whole(segment(picture))
    cv2.circle(picture, (600, 480), 33, STAINS["grey"], -1)
    cv2.circle(picture, (654, 480), 33, STAINS["grey"], -1)
    cells = segment(picture)
    assert whole(cells) == before + 2
    middles = [(cell, x + w / 2, y + h / 2) for cell in cells for x, y, w, h in [cell.box]]
    pair = [cell for cell, x, y in middles if 560 < x < 700 and 460 < y < 500]
    assert [cell.touches_neighbour for cell in pair] == [True, True]


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_near_summits_are_the_same_as_among_all_pairs(count: int) -> None:
    random = np.random.default_rng(count)
    x, y = random.integers(0, 300, (2, count))
    component = random.integers(1, 4, count).astype(np.int32)
    near = np.hypot(x[:, None] - x, y[:, None] - y) < 37.3
    expected = np.nonzero(np.triu(near & (component[:, None] == component), 1))
    found = _near_pairs(_Summits(x, y, np.ones(count, np.float32), component), 37.3)
    assert [pair.tolist() for pair in found] == [pair.tolist() for pair in expected]


def test_cells_cut_by_the_border_are_flagged() -> None:
    picture, count = draw_field()
    cut = np.ascontiguousarray(picture[60:, 60:])
    cells = segment(cut)
    at_border = [cell for cell in cells if cell.touches_border]
    assert at_border
    assert all(min(cell.box[:2]) <= 2 for cell in at_border)
    assert whole(cells) < count


def test_platelets_scale_bar_and_white_cells_are_no_red_cells() -> None:
    picture, _ = draw_field()
    picture[420:640, 420:760] = picture[10, 10]
    before = len(segment(picture))
    cv2.circle(picture, (460, 460), 8, (150, 90, 150), -1)
    cv2.line(picture, (450, 620), (560, 620), (0, 0, 0), 3)
    cv2.putText(picture, "50um", (470, 605), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    cv2.circle(picture, (650, 530), 62, (170, 170, 185), -1)
    for lobe in ((630, 510), (665, 520), (645, 555)):
        cv2.circle(picture, lobe, 24, (75, 10, 85), -1)
    assert len(segment(picture)) == before


@pytest.mark.parametrize("name", ["turned", "mirrored", "darker", "half", "double"])
def test_count_survives_what_does_not_change_the_cells(name: str) -> None:
    picture, count = draw_field("magenta", seed=3)
    assert abs(whole(segment(changed(picture, name))) - count) <= 0.05 * count


def changed(picture: Image, name: str) -> Image:
    if name == "turned":
        return np.ascontiguousarray(np.rot90(picture))
    if name == "mirrored":
        return np.ascontiguousarray(picture[:, ::-1])
    if name == "darker":
        return (picture * 0.8).astype(np.uint8)
    scale = {"half": 0.5, "double": 2.0}[name]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how), dtype=np.uint8)


def test_cutout_is_the_cell_on_black() -> None:
    picture, _ = draw_field("pink")
    cell = next(cell for cell in segment(picture) if not cell.touches_border)
    out = cutout(picture, cell, margin=5)
    assert out.dtype == np.uint8
    assert not out[:5].any()
    assert not out[:, -5:].any()
    assert not out[5, 5].any(), "the corner of the box is outside the cell"
    assert out[out.shape[0] // 2, out.shape[1] // 2].any()
    tight = cutout(picture, cell)
    assert tight[0].any()
    assert tight[-1].any()
    assert tight[:, 0].any()
    assert tight[:, -1].any()


def test_cutout_at_the_border_stays_inside_the_picture() -> None:
    picture = np.ascontiguousarray(draw_field()[0][60:-55, 60:-50])
    for cell in segment(picture):
        x, y, w, h = cell.box
        assert x >= 0
        assert y >= 0
        assert x + w <= picture.shape[1]
        assert y + h <= picture.shape[0]
        assert cutout(picture, cell).any()


def test_a_good_field_is_good() -> None:
    reading = read_field(draw_field()[0])
    assert reading.quality.reason is Reason.GOOD
    assert reading.quality.usable
    assert reading.quality.whole_cells == whole(list(reading.cells))
    assert 60 < reading.quality.diameter < 72


FAULTS = [Reason.BLANK, Reason.OUT_OF_FOCUS, Reason.TOO_DARK, Reason.OVEREXPOSED, Reason.TOO_FEW_CELLS]


@pytest.mark.parametrize("reason", FAULTS)
def test_a_bad_field_is_refused_with_its_reason_and_still_is_a_field(reason: Reason) -> None:
    quality = judge_field(spoilt(reason))
    assert quality.reason is reason
    assert not quality.usable
    assert quality.is_field


def spoilt(reason: Reason) -> Image:
    picture, _ = draw_field()
    if reason is Reason.BLANK:
        return finish(np.full((960, 1280, 3), SLIDE, np.uint8), np.random.default_rng(0))
    if reason is Reason.OUT_OF_FOCUS:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), 9), dtype=np.uint8)
    if reason is Reason.TOO_DARK:
        return (picture * 0.2).astype(np.uint8)
    if reason is Reason.OVEREXPOSED:
        return np.clip(picture * 1.45, 0, 255).astype(np.uint8)
    few = np.full((960, 1280, 3), SLIDE, np.uint8)
    for x in range(150, 1200, 120):
        cv2.circle(few, (x, 300 + x % 200), 33, STAINS["grey"], -1)
    return finish(few, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["immunohistochemistry", "astronaut", "coffee", "chelsea", "retina", "rocket", "coins"])
def test_other_pictures_are_no_field(name: str) -> None:
    data = pytest.importorskip("skimage.data", reason="needs scikit-image's pictures")
    picture = getattr(data, name)()
    picture = picture if picture.ndim == 3 else np.dstack([picture] * 3)
    assert not looks_like_field(np.ascontiguousarray(picture[:, :, :3]))


def test_a_single_cell_is_no_field() -> None:
    picture, _ = draw_field()
    cell = next(cell for cell in segment(picture) if not cell.touches_border)
    masked = cutout(picture, cell)
    x, y, w, h = cell.box
    plain = np.ascontiguousarray(picture[y - 5 : y + h + 5, x - 5 : x + w + 5])
    for single in (masked, plain):
        assert not looks_like_field(single)
        assert not looks_like_field(np.asarray(cv2.resize(single, (400, 400)), dtype=np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (160, 160), (200, 1000)])
@pytest.mark.parametrize("value", [0, 127, 255])
def test_degenerate_pictures_hold_no_cell(shape: tuple[int, int], value: int) -> None:
    picture = np.full((*shape, 3), value, np.uint8)
    assert segment(picture) == []
    assert not read_field(picture).quality.usable


def real(pack: str, split: str, count: int) -> list[Image]:
    """Evenly spaced pictures of a pack's split; skips where the pack is absent."""
    return [decode(picture.read(), picture.name) for picture in spread(pack, split, count)]


@pytest.mark.data
@pytest.mark.parametrize("name", ["turned", "mirrored", "darker", "half", "double"])
def test_real_counts_survive_what_does_not_change_the_cells(name: str) -> None:
    for picture in real("malaria_fields", "train", 5):
        before, after = read_field(picture).quality, read_field(changed(picture, name)).quality
        assert before.usable
        assert after.usable
        assert abs(after.whole_cells - before.whole_cells) <= 0.05 * before.whole_cells


@pytest.mark.data
def test_real_fields_are_fields_and_real_cells_are_not() -> None:
    assert all(looks_like_field(picture) for picture in real("malaria_fields", "train", 5))
    assert not any(looks_like_field(picture) for picture in real("malaria_cells", "train", 18))
