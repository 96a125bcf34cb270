from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core.attention import Attention, class_activation, evidence, over_source
from medsdk.core.frame import View


def test_class_activation_is_the_weighted_sum_scaled_to_one() -> None:
    features = np.zeros((2, 2, 3), np.float32)
    features[0, 1] = (1, 2, 0)
    features[1, 0] = (0, 0, 5)
    weights = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    heat = class_activation(evidence(features, weights, np.array([1, -1], np.float32)))
    # Evidence [[0, 3], [-5, 0]] with mean -0.5.
    assert np.allclose(heat, [[0.5 / 3.5, 1], [0, 0.5 / 3.5]])


def test_places_that_speak_alike_are_zero() -> None:
    heat = class_activation(evidence(np.ones((2, 2, 1), np.float32), -np.ones((1, 1), np.float32), np.ones(1, np.float32)))
    assert heat.max() == 0


def test_the_map_lies_where_the_view_lies() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[1, 2] = 1
    full = over_source(heat, View(left=100, top=40, width=80, height=80), height=200, width=300)
    row, column = np.unravel_index(int(full.argmax()), full.shape)
    assert (abs(row - 70) <= 1, abs(column - 150) <= 1) == (True, True)
    assert full[:39].max() == 0
    assert full[:, 181:].max() == 0


@pytest.mark.parametrize("view", [View(0, 0, 90, 70), View(-10.5, 5.25, 140, 33), View(30, 40, 20.5, 500)])
def test_the_map_is_the_bilinear_one(view: View) -> None:
    heat = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    full = over_source(heat, view, height=70, width=90)
    x, y = np.arange(90) + 0.5, np.arange(70) + 0.5
    columns = np.array([np.interp((x - view.left) / view.width * 7 - 0.5, np.arange(7), row) for row in heat])
    expected = np.array([np.interp((y - view.top) / view.height * 5 - 0.5, np.arange(5), column) for column in columns.T]).T
    inside_x = (x >= view.left) & (x <= view.left + view.width)
    inside_y = (y >= view.top) & (y <= view.top + view.height)
    # OpenCV 4 knows 32 places between two cells, OpenCV 5 all of them.
    assert np.abs(full - expected * (inside_y[:, np.newaxis] & inside_x)).max() < 2 / 32


def test_a_map_over_a_large_picture_takes_little_more_than_itself() -> None:
    picture = np.zeros((2000, 3000, 3), np.uint8)
    heat = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    tracemalloc.start()
    try:
        full = over_source(heat, View(0, 0, 3000, 2000), 2000, 3000)
        of_map = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        Attention(full, lambda: picture).overlay()
        of_overlay = tracemalloc.get_traced_memory()[1] - full.nbytes
    finally:
        tracemalloc.stop()
    assert of_map < 1.2 * full.nbytes
    assert of_overlay < 3 * picture.nbytes


def test_attention_is_an_array_over_the_picture(drawn: np.ndarray, tmp_path: Path) -> None:
    values = np.zeros(drawn.shape[:2], np.float32)
    values[:60] = 1
    attention = Attention(values, lambda: drawn)
    overlay = attention.overlay()
    assert overlay.dtype == np.uint8
    assert np.array_equal(overlay[60:], drawn[60:])
    assert not np.array_equal(overlay[:60], drawn[:60])
    attention.save(tmp_path / "overlay.png")
    assert np.array_equal(cv2.imread(str(tmp_path / "overlay.png"))[..., ::-1], overlay)


def test_an_overlay_that_cannot_be_written_says_so(drawn: np.ndarray, tmp_path: Path) -> None:
    attention = Attention(np.zeros(drawn.shape[:2], np.float32), lambda: drawn)
    with pytest.raises(medsdk.MedsdkError, match=r"\.xyz"):
        attention.save(tmp_path / "overlay.xyz")
    with pytest.raises(medsdk.WriteError):
        attention.save(tmp_path / "no" / "overlay.png")
    assert list(tmp_path.iterdir()) == []
