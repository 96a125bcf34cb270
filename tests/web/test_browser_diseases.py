"""The whole way for each of the six diseases, in a real browser, with the models that are installed here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import drawing
import packs
import pytest
from browsing import (
    PHONE,
    Open,
    Page,
    as_printed,
    check_accessible,
    check_fits,
    expect,
    printed_pages,
    upload,
    verdicts,
)
from serving import Running, serving

import medsdk

JUDGED = ("positive", "negative", "inconclusive")


@pytest.fixture(scope="module")
def installed() -> Iterator[Running]:
    with serving(None) as server:
        yield server


def need(installed: Running, disease: str) -> None:
    if disease not in {one["id"] for one in installed.client.get("/api/v1/diseases").json()["diseases"]}:
        pytest.skip(f"medsdk-{disease} is not installed here")


@pytest.mark.data
@pytest.mark.parametrize("disease", packs.PACKS)
def test_from_a_real_picture_to_the_report(opened: Open, installed: Running, disease: str) -> None:
    need(installed, disease)
    pictures = packs.pictures(disease)
    page = opened("/", address=installed.address)
    page.locator(f'.card a[href="/judge?disease={disease}"]').click()
    upload(page, *pictures, disease=None, pictures=pictures)
    judged = [place for place, verdict in enumerate(verdicts(page)) if verdict in JUDGED]
    assert judged, "the model knows none of four pictures of its own kind"
    _keep_screenshot(page, disease)
    check_accessible(page)
    item = page.locator(".item").nth(judged[0])
    check_result(item, installed, disease)
    item.evaluate("item => { for (const other of [...item.parentElement.children]) if (other !== item) other.remove(); }")
    check_report(page)
    item.locator(f'.actions a[href="/diseases/{disease}"]').evaluate("link => link.click()")
    page.wait_for_url(f"**/diseases/{disease}")
    check_accessible(page)


def _keep_screenshot(page: Page, name: str) -> None:
    """For a look with one's own eyes: of patients' pictures, so never for the docs."""
    if folder := os.environ.get("MEDSDK_LOOK"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def offers_map(disease: str) -> bool:
    """A plugin whose map does not point at the disease offers none, and its card says why."""
    with medsdk.load(disease) as analyzer:
        return "head_weights" in analyzer.plugin.bundle.reference


def check_result(item: Page, installed: Running, disease: str) -> None:
    """Verdict, every class, operating point, overlay or why there is none, and what made the answer."""
    labels = installed.client.get(f"/api/v1/diseases/{disease}/card").json()["card"]["labels"]
    assert item.locator(".probability strong").inner_text().endswith("%")
    assert item.locator(".scores tbody tr").count() == len(labels)
    assert "the answer is positive" in item.inner_text()
    if item.locator(".heat").count():
        slider = item.locator(".opacity")
        slider.fill("30")
        assert item.locator(".heat").evaluate("heat => getComputedStyle(heat).opacity") == "0.3"
    else:
        assert ("No place in it spoke for the disease." in item.inner_text()) == offers_map(disease)
    assert item.locator(".made-by code").count() == 3


def check_report(page: Page) -> None:
    as_printed(page)
    assert page.locator(".report-only").is_visible()
    assert printed_pages(page) == 1
    page.emulate_media(media="screen")


@pytest.mark.data
def test_a_whole_field_shows_its_cells_and_their_count(opened: Open, installed: Running) -> None:
    need(installed, "malaria")
    page = opened("/judge?disease=malaria", address=installed.address, viewport=PHONE)
    upload(page, "field.webp", disease=None, pictures={"field.webp": packs.field()})
    assert verdicts(page)[0] in JUDGED
    assert page.locator(".boxes .well").count() > 40
    _keep_screenshot(page, "field")
    assert "Parasitaemia" in page.locator(".counts").inner_text()
    check_accessible(page)
    check_fits(page)
    check_report(page)


@pytest.mark.parametrize("disease", packs.PACKS)
def test_a_drawing_is_no_medical_picture(opened: Open, installed: Running, disease: str) -> None:
    need(installed, disease)
    page = opened(f"/judge?disease={disease}", address=installed.address, viewport=PHONE)
    meadow = {"meadow.webp": drawing.encoded(drawing.meadow(), ".webp")}
    upload(page, "meadow.webp", disease=None, pictures=meadow)
    assert verdicts(page) == ["rejected"]
    page.locator(".result .actions a").click()
    page.wait_for_url(f"**/diseases/{disease}")
    check_accessible(page)
    check_fits(page)


def test_a_real_eye_that_a_package_ships(opened: Open, installed: Running) -> None:
    """For machines without the packs: scikit-image's photograph of a retina."""
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    need(installed, "retinopathy")
    try:
        eye = drawing.encoded(data.retina(), ".jpg")
    except (OSError, ModuleNotFoundError):
        pytest.skip("this scikit-image would have to download its picture")
    page = opened("/judge", address=installed.address)
    upload(page, "eye.jpg", disease="", pictures={"eye.jpg": eye})
    expect(page.locator(".result h3")).to_have_text("Diabetic retinopathy")
    assert verdicts(page)[0] in JUDGED
    check_report(page)
