"""What the browser tests do again and again: upload, wait, read the verdicts, check that a page is accessible."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import drawing
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESK, PHONE = {"width": 1100, "height": 800}, {"width": 360, "height": 740}

PICTURES = {
    "slide-1.png": drawing.encoded(drawing.slide(7, seed=107)),
    "slide-2.png": drawing.encoded(drawing.slide(0, seed=100)),
    "slide-3.jpg": drawing.encoded(drawing.slide(5, seed=105), ".jpg"),
    "meadow.webp": drawing.encoded(drawing.meadow(), ".webp"),
    "letter.png": b"<html><script>alert(1)</script>",
}

Page = Any
Open = Callable[..., Page]


@contextmanager
def started() -> Iterator[Any]:
    """A browser; skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def opening(browser: Any, own: str) -> Iterator[Open]:
    """`opened("/path", address=..., viewport=..., locale=...)`: a page; what its console complains of fails the test."""
    contexts, complaints = [], []

    def open_page(path: str, address: str = own, **options: Any) -> Page:
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


def expect(locator: Any) -> Any:
    return playwright.expect(locator)


def files(*names: str, pictures: dict[str, bytes] = PICTURES) -> list[dict[str, object]]:
    return [{"name": name, "mimeType": "image/png", "buffer": pictures[name]} for name in names]


def upload(page: Page, *names: str, disease: str | None = "spots", pictures: dict[str, bytes] = PICTURES) -> None:
    expect(page.locator("#judge .script-only").first).to_be_visible()  # the script is there; without it the form works too
    if disease is not None:
        page.locator(f'input[name=disease][value="{disease}"]').check()
    page.set_input_files("#files", files(*names, pictures=pictures))
    page.locator("#judge button[type=submit]").click()
    done(page, len(names))


def done(page: Page, count: int) -> None:
    expect(page.locator(".item .state[hidden]")).to_have_count(count, timeout=60_000)


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


def as_printed(page: Page) -> None:
    """The first result as the button "Print a report" gives it to the printer."""
    page.locator(".item").first.evaluate(
        "item => { document.body.classList.add('print-one'); item.classList.add('print-this');"
        " for (const details of item.querySelectorAll('details')) details.open = true; }"
    )
    page.emulate_media(media="print")


def printed_pages(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4")))
