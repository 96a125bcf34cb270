"""medsdk's contract, and what this plugin does differently."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from medsdk_stipple import Stipple

import medsdk
from medsdk.testing import Conformance

PICTURES = sorted((Path(__file__).parent / "pictures").glob("*.png"))


class TestStipple(Conformance):
    disease = "stipple"


def _under(lamp: tuple[float, float, float], path: Path) -> npt.NDArray[np.uint8]:
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return np.clip(pixels * lamp, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("lamp", [(1, 1, 1), (1, 0.8, 0.55), (0.6, 0.8, 1)], ids=["white", "warm", "cold"])
def test_the_lamp_does_not_change_the_verdict(path: Path, lamp: tuple[float, float, float]) -> None:
    with medsdk.load(Stipple()) as analyzer:
        wanted = "positive" if path.stem.startswith("stippled") else "negative"
        assert analyzer.predict(_under(lamp, path)).verdict == wanted


def test_without_its_own_step_a_cold_lamp_is_too_much() -> None:
    with medsdk.load(Stipple.bundle) as plain:
        verdicts = {plain.predict(_under((0.6, 0.8, 1), path)).verdict for path in PICTURES}
    assert "rejected" in verdicts


def test_the_extent_stands_in_the_details() -> None:
    with medsdk.load(Stipple()) as analyzer:
        found = {path.stem: analyzer.predict(path) for path in PICTURES}
        rejected = analyzer.predict(np.zeros((9, 9, 3), np.uint8))
    assert all(0 <= prediction.details["extent"] <= 1 for prediction in found.values())
    assert rejected.details == {}
