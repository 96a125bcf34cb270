"""The pages in a real browser: Debian's chromium, driven by Playwright, against a real server.

apt-get install chromium        (without it, or without Playwright, these are skipped)
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    PHONE,
    PICTURES,
    Open,
    as_printed,
    check_accessible,
    check_fits,
    done,
    expect,
    files,
    printed_pages,
    upload,
    verdicts,
)
from serving import serving


def test_several_pictures_each_with_its_progress_and_result(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    upload(page, *PICTURES, disease=None)
    assert verdicts(page) == ["positive", "negative", "inconclusive", "rejected", "error"]
    assert [one.inner_text() for one in page.locator(".item .name").all()] == list(PICTURES)


def test_each_of_many_pictures_has_its_own_progress(opened: Open) -> None:
    page = opened("/judge?disease=spots")
    held: list[Any] = []
    freed: list[Any] = []
    page.route("**/judge?part=1", lambda route: route.continue_() if freed else held.append(route))
    page.set_input_files("#files", files(*["slide-1.png"] * 9))
    page.locator("#judge button[type=submit]").click()
    expect(page.locator(".item progress:visible")).to_have_count(9)
    page.wait_for_timeout(300)
    assert len(held) == 2  # the server is not flooded
    freed.extend(held)
    for route in freed:
        route.continue_()
    done(page, 9)
    expect(page.locator(".item progress:visible")).to_have_count(0)
    assert verdicts(page) == ["positive"] * 9


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
    expect(page.locator(".result.positive")).to_have_count(1)


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
    # Choosers are caught from here on: a browser that is told so only at the key press may be late, and shows its own.
    page.on("filechooser", lambda _: None)
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
    as_printed(page)
    assert page.locator(".report-only").first.is_visible()
    assert not page.locator(".item").nth(1).is_visible()
    assert not page.locator("#judge").is_visible()
    assert printed_pages(page) == 1


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
