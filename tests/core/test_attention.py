from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core.attention import Attention, class_activation, over_source
from medsdk.core.frame import View


def test_class_activation_is_the_weighted_sum_scaled_to_one() -> None:
    features = np.zeros((2, 2, 3), np.float32)
    features[0, 1] = (1, 2, 0)
    features[1, 0] = (0, 0, 5)
    weights = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    heat = class_activation(features, weights, np.array([1, -1], np.float32))
    # Evidence [[0, 3], [-5, 0]] with mean -0.5.
    assert np.allclose(heat, [[0.5 / 3.5, 1], [0, 0.5 / 3.5]])


def test_places_that_speak_alike_are_zero() -> None:
    heat = class_activation(np.ones((2, 2, 1), np.float32), -np.ones((1, 1), np.float32), np.ones(1, np.float32))
    assert heat.max() == 0


def test_the_map_lies_where_the_view_lies() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[1, 2] = 1
    full = over_source(heat, View(left=100, top=40, width=80, height=80), height=200, width=300)
    row, column = np.unravel_index(int(full.argmax()), full.shape)
    assert (abs(row - 70) <= 1, abs(column - 150) <= 1) == (True, True)
    assert full[:39].max() == 0
    assert full[:, 181:].max() == 0


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
