"""medsdk's contract, and what a tray adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from medsdk_tray import Tray

import medsdk
from medsdk.testing import Conformance

PICTURES = Path(__file__).parent / "pictures"


class TestTray(Conformance):
    disease = "tray"


@pytest.fixture(scope="module")
def tray() -> Iterator[medsdk.Analyzer]:
    with medsdk.load(Tray()) as analyzer:
        yield analyzer


def test_the_discs_are_found_where_they_are() -> None:
    pixels = cv2.cvtColor(cv2.imread(str(PICTURES / "some.png")), cv2.COLOR_BGR2RGB)
    found = Tray().regions(pixels)
    assert found is not None
    places = sorted((region.box[1] // 96, region.box[0] // 96) for region in found.items)
    assert places == [(row, column) for row in range(2) for column in range(3)]
    assert all(region.pixels.shape[0] > region.box[3] for region in found.items)


def test_a_tray_is_one_finding_with_its_counts(tray: medsdk.Analyzer) -> None:
    some, plain = tray.predict(PICTURES / "some.png"), tray.predict(PICTURES / "plain.png")
    assert (some.verdict, some.details["summary"]) == ("positive", "2 of 6 discs with dots: 33%")
    assert (plain.verdict, plain.details["dotted"]) == ("negative", 0)


def test_one_disc_is_judged_as_it_is(tray: medsdk.Analyzer) -> None:
    alone = tray.predict(PICTURES / "disc.png")
    assert (alone.verdict, alone.details) == ("positive", {})


def test_what_is_no_disc_is_not_counted(tray: medsdk.Analyzer) -> None:
    pixels = cv2.cvtColor(cv2.imread(str(PICTURES / "plain.png")), cv2.COLOR_BGR2RGB)
    cv2.rectangle(pixels, (0, 0), (90, 90), (220, 150, 160), -1)
    assert tray.predict(pixels).details["discs"] == 5


def test_trays_of_one_batch_add_up(tray: medsdk.Analyzer) -> None:
    findings = [tray.predict(PICTURES / name) for name in ("some.png", "plain.png")]
    total = tray.plugin.combine("batch", findings)
    assert total is not None
    assert (total.verdict, total.details["summary"]) == ("positive", "2 of 12 discs with dots: 17%")
    nothing = tray.plugin.combine("batch", [tray.predict(np.zeros((9, 9, 3), np.uint8))])
    assert nothing is not None
    assert nothing.verdict == "rejected"
