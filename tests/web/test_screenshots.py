"""The docs' pictures of the pages: `make screenshots`. Of drawings only: no patient's picture may get into the docs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import drawing
import pytest
from browsing import PHONE, Open, as_printed, upload
from serving import Running, serving

pytestmark = pytest.mark.skipif(
    "MEDSDK_SCREENSHOTS" not in os.environ, reason="MEDSDK_SCREENSHOTS names no folder: make screenshots"
)

SMEAR = {"smear.png": drawing.encoded(drawing.smear())}
SLIDE = "slide-1.png"


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(os.environ["MEDSDK_SCREENSHOTS"])


@pytest.fixture(scope="module")
def installed() -> Iterator[Running]:
    with serving(None) as server:
        yield server


def test_home(opened: Open, installed: Running, folder: Path) -> None:
    opened("/", address=installed.address).screenshot(path=folder / "web-home.png")


def test_result(opened: Open, few: Running, folder: Path) -> None:
    page = opened("/judge?disease=spots", address=few.address)
    upload(page, SLIDE, disease=None)
    page.locator(".item").screenshot(path=folder / "web-result.png")


def test_report(opened: Open, few: Running, folder: Path) -> None:
    page = opened("/judge?disease=spots", address=few.address)
    upload(page, SLIDE, disease=None)
    as_printed(page)
    page.set_viewport_size({"width": 800, "height": 1000})
    page.screenshot(path=folder / "web-report.png", full_page=True)


def test_field(opened: Open, installed: Running, folder: Path) -> None:
    page = opened("/judge?disease=malaria", address=installed.address)
    upload(page, "smear.png", disease=None, pictures=SMEAR)
    page.locator(".item").screenshot(path=folder / "web-field.png")


def test_phone(opened: Open, few: Running, folder: Path) -> None:
    page = opened("/judge?disease=spots", address=few.address, viewport=PHONE, color_scheme="dark", locale="hi-IN")
    upload(page, SLIDE, disease=None)
    page.locator(".item").evaluate("item => item.scrollIntoView()")
    page.screenshot(path=folder / "web-phone.png")
