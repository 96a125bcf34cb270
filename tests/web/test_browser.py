"""The pages in a real browser: Debian's chromium, driven by Playwright, against a real server.

    apt-get install chromium        (without it, or without Playwright, these are skipped)

With MEDSDK_SCREENSHOTS=folder the pictures of the docs are written there.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import drawing
import pytest
from serving import Running, serving

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: apt-get install chromium")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESK, PHONE = {"width": 1100, "height": 800}, {"width": 360, "height": 740}
SIX = ("covid", "malaria", "pneumonia", "retinopathy", "skin", "tuberculosis")

PICTURES = {
    "slide-1.png": drawing.encoded(drawing.slide(7, seed=107)),
    "slide-2.png": drawing.encoded(drawing.slide(0, seed=100)),
    "slide-3.jpg": drawing.encoded(drawing.slide(5, seed=105), ".jpg"),
    "meadow.webp": drawing.encoded(drawing.meadow(), ".webp"),
    "letter.png": b"<html><script>alert(1)</script>",
}

Page = Any
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any, running: Running) -> Iterator[Open]:
    """`opened("/path", viewport=..., locale=...)`: a page; what its console complains of fails the test."""
    contexts, complaints = [], []

    def open_page(path: str, address: str = running.address, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _check_address(request.url, address, complaints))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not [text for text in complaints if not re.search(r"status of (4\d\d|502|503)", text)]


def _check_address(url: str, address: str, complaints: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        complaints.append(f"asked for {url}")


def files(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "mimeType": "image/png", "buffer": PICTURES[name]} for name in names]


def upload(page: Page, *names: str, disease: str | None = "spots") -> None:
    if disease is not None:
        page.locator(f'input[name=disease][value="{disease}"]').check()
    page.set_input_files("#files", files(*names))
    page.locator("#judge button[type=submit]").click()
    done(page, len(names))


def done(page: Page, count: int) -> None:
    playwright.expect(page.locator(".item .state[hidden]")).to_have_count(count, timeout=30_000)


def verdicts(page: Page) -> list[str]:
    return [one.get_attribute("data-verdict") for one in page.locator(".result").all()]


def check_accessible(page: Page) -> None:
    """axe-core's rules for WCAG 2.0, 2.1 and 2.2, A and AA."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()


def check_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_several_pictures_each_with_its_progress_and_result(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    upload(page, *PICTURES, disease=None)
    assert verdicts(page) == ["positive", "negative", "inconclusive", "rejected", "error"]
    assert [one.inner_text() for one in page.locator(".item .name").all()] == list(PICTURES)


def test_the_overlay_lies_over_the_original_and_its_strength_can_be_set(opened: Open) -> None:
    page = opened("/judge")
    upload(page, "slide-1.png")
    heat, slider = page.locator(".heat"), page.locator(".opacity")
    assert heat.bounding_box() == page.locator(".stack img").first.bounding_box()
    for value, opacity in (("0", "0"), ("100", "1")):
        slider.fill(value)
        assert heat.evaluate("element => getComputedStyle(element).opacity") == opacity
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert heat.evaluate("element => getComputedStyle(element).opacity") == "0.05"


def test_a_suggestion_is_taken_without_sending_the_picture_by_hand_again(opened: Open) -> None:
    page = opened("/judge")
    upload(page, "slide-1.png", disease="")
    assert verdicts(page) == ["choose"]
    page.locator(".choice[data-disease=spots]").click()
    playwright.expect(page.locator(".result.positive")).to_have_count(1)


def test_pictures_can_be_dropped_and_pasted(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    transfer = page.evaluate_handle(
        """content => {
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
            return transfer;
        }""",
        base64.b64encode(PICTURES["slide-1.png"]).decode(),
    )
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": transfer})
    done(page, 1)
    page.evaluate("data => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data}))", transfer)
    done(page, 2)
    assert verdicts(page) == ["positive", "positive"]


def test_the_camera_sends_at_once(opened: Open) -> None:
    page = opened("/judge?disease=spots", viewport=PHONE)
    assert page.locator("#camera").get_attribute("capture") == "environment"
    page.set_input_files("#camera", files("slide-1.png"))
    done(page, 1)
    assert verdicts(page) == ["positive"]


def test_the_whole_way_by_keyboard(opened: Open) -> None:
    page = opened("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/judge")
    page.locator("input[name=disease]").first.focus()
    page.keyboard.press("ArrowUp")  # a group of radio buttons goes round: the last one
    assert page.locator("input[name=disease]:checked").get_attribute("value") == "spots"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(files("slide-1.png"))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    done(page, 1)
    assert page.locator("#said").inner_text() == "slide-1.png: Red spots, Positive"


def test_nothing_chosen_is_said_and_sends_nothing(opened: Open) -> None:
    page = opened("/judge")
    page.locator("#judge button[type=submit]").click()
    assert page.evaluate("document.activeElement.id") == "files"
    assert page.locator(".item").count() == 0


def test_a_busy_server_is_asked_again(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    answers = iter([{"status": 503, "headers": {"Retry-After": "1"}, "body": "busy"}])

    def route(request: Any) -> None:
        refused = next(answers, None)
        if refused:
            request.fulfill(**refused)
        else:
            request.continue_()

    page.route("**/judge?part=1", route)
    upload(page, "slide-1.png", disease=None)
    assert verdicts(page) == ["positive"]


def test_a_lost_server_is_told_of(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    page.route("**/judge?part=1", lambda route: route.fulfill(status=502, body="gateway"))
    upload(page, "slide-1.png", disease=None)
    assert "could not be reached" in page.locator(".item .warning").inner_text()


def test_without_javascript_it_works_all_the_same(opened: Open) -> None:
    page = opened("/judge", java_script_enabled=False)
    page.locator('input[value="spots"]').check()
    page.set_input_files("#files", files("slide-1.png", "meadow.webp"))
    page.locator("#judge button[type=submit]").click()
    assert verdicts(page) == ["positive", "rejected"]
    assert page.locator(".heat").is_visible()
    assert not page.locator(".opacity").is_visible()


def test_a_report_is_one_page_of_one_picture(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    upload(page, "slide-1.png", "slide-2.png", disease=None)
    page.evaluate("window.print = () => { window.printed = document.body.className; }")
    page.locator(".print").first.click()
    assert page.evaluate("window.printed") == "print-one"
    assert not page.evaluate("document.body.className")
    page.evaluate("document.body.classList.add('print-one')")
    page.locator(".item").first.evaluate("item => item.classList.add('print-this')")
    page.locator("details").first.evaluate("details => { details.open = true; }")
    page.emulate_media(media="print")
    assert page.locator(".report-only").first.is_visible()
    assert not page.locator(".item").nth(1).is_visible()
    assert not page.locator("#judge").is_visible()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4"))) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/judge", "/diseases/spots", "/sign-in", "/nothing"])
def test_pages_are_accessible_and_fit_a_phone(opened: Open, path: str, scheme: str) -> None:
    page = opened(path, color_scheme=scheme, viewport=PHONE)
    check_accessible(page)
    check_fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_results_are_accessible_and_fit_a_phone(opened: Open, scheme: str) -> None:
    page = opened("/judge", color_scheme=scheme, viewport=PHONE)
    upload(page, *PICTURES)
    page.locator("summary").first.click()
    check_accessible(page)
    check_fits(page)
    upload_count = len(PICTURES)
    page.locator('input[name=disease][value=""]').check()
    page.set_input_files("#files", files("slide-1.png"))
    page.locator("#judge button[type=submit]").click()
    done(page, upload_count + 1)
    check_accessible(page)


@pytest.mark.parametrize("locale", ["hi-IN", "fr-FR", "es-ES"])
def test_the_whole_way_in_another_language(opened: Open, locale: str) -> None:
    page = opened("/", locale=locale, viewport=PHONE)
    check_fits(page)
    check_accessible(page)
    page.locator(".hero .button").click()
    upload(page, "slide-1.png")
    check_fits(page)
    assert page.locator("html").get_attribute("lang") == locale[:2]
    assert "Positive" not in page.locator(".result").inner_text()


def test_targets_are_large_enough_for_a_thumb(opened: Open) -> None:
    page = opened("/judge", viewport=PHONE)
    upload(page, "slide-1.png")
    for element in page.locator("a:not(.skip), button, input:not([type=radio]), summary").all():
        box = element.bounding_box()
        assert box is None or (box["height"] >= 24 and box["width"] >= 24), element.evaluate("e => e.outerHTML")


def test_the_printed_link_signs_in(opened: Open, plugins: Path) -> None:
    with serving(plugins, "medsdk-spots", token="a-token-that-is-long-enough") as guarded:
        page = opened("/sign-in#a-token-that-is-long-enough", address=guarded.address)
        page.wait_for_url(guarded.address + "/")
        assert page.locator(".card").count() == 1
        assert "token" not in page.evaluate("document.cookie")


@pytest.fixture(scope="module")
def installed() -> Iterator[Running]:
    """A server with the diseases that are really installed here."""
    with serving(None) as server:
        yield server


@pytest.mark.parametrize("disease", SIX)
def test_the_whole_way_for_each_of_the_six(opened: Open, installed: Running, disease: str) -> None:
    """A drawing is no medical picture: each must take it the whole way, and none may call it positive."""
    names = {one["id"] for one in installed.client.get("/api/v1/diseases").json()["diseases"]}
    if disease not in names:
        pytest.skip(f"medsdk-{disease} is not installed here")
    page = opened(f"/judge?disease={disease}", address=installed.address)
    upload(page, "meadow.webp", disease=None)
    assert verdicts(page) == ["rejected"]
    page.locator(".result .actions a").click()
    page.wait_for_url(f"**/diseases/{disease}")
    check_accessible(page)
    check_fits(page)


@pytest.mark.skipif("MEDSDK_SCREENSHOTS" not in os.environ, reason="MEDSDK_SCREENSHOTS names no folder")
def test_screenshots_for_the_docs(opened: Open, few: Running) -> None:
    """Of drawings only: no patient's picture may get into the docs."""
    folder = Path(os.environ["MEDSDK_SCREENSHOTS"])
    opened("/", address=few.address).screenshot(path=folder / "web-home.png")
    page = opened("/judge?disease=spots", address=few.address)
    upload(page, "slide-1.png", disease=None)
    page.locator(".item").screenshot(path=folder / "web-result.png")
    page.locator(".item").evaluate("item => { document.body.className = 'print-one'; item.classList.add('print-this'); }")
    page.locator("details").evaluate("details => { details.open = true; }")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 800, "height": 1000})
    page.screenshot(path=folder / "web-report.png", full_page=True)
    page = opened("/judge?disease=spots", address=few.address, viewport=PHONE, color_scheme="dark", locale="hi-IN")
    upload(page, "slide-1.png", disease=None)
    page.locator(".item").evaluate("item => item.scrollIntoView()")
    page.screenshot(path=folder / "web-phone.png")
