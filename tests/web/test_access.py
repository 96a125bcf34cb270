"""Who may ask, what a browser is told, and what the log holds."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import drawing
import httpx
import pytest
from serving import Running, serving

from medsdk.web import access

SLIDE = drawing.encoded(drawing.slide(7, seed=107))
TOKEN = "a-token-that-is-long-enough"
PREDICT = "/api/v1/diseases/spots/predict"


@pytest.fixture(scope="module")
def guarded(plugins: Path) -> Iterator[Running]:
    with serving(plugins, "medsdk-spots", token=TOKEN) as server:
        yield server


def test_every_answer_carries_the_headers(running: Running) -> None:
    for path in ("/", "/judge", "/static/judge.js", "/api/v1/diseases", "/nothing", "/api/v1/nothing"):
        headers = running.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_pages_hold_no_inline_script_style_or_foreign_address(running: Running) -> None:
    for path in ("/", "/judge", "/diseases/spots", "/diseases/marks", "/sign-in", "/nothing"):
        html = running.client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\bstyle=|\son\w+=|javascript:", html), path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", html), path


def test_a_cards_text_is_escaped(running: Running) -> None:
    for path in ("/", "/judge", "/diseases/marks"):
        html = running.client.get(path).text
        assert "&lt;script&gt;" in html
        assert "<script>alert" not in html


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost.evil.example:80"])
def test_a_foreign_host_name_is_refused(running: Running, host: str) -> None:
    assert running.client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9999", "[::1]:8000", "192.168.1.20:8000", "LOCALHOST:80"])
def test_addresses_and_localhost_are_ours(running: Running, host: str) -> None:
    assert running.client.get("/", headers={"host": host}).status_code == 200


def test_names_that_were_given_are_ours(plugins: Path) -> None:
    with serving(plugins, "", names=("clinic.example",)) as server:
        assert server.client.get("/", headers={"host": "clinic.example:8000"}).status_code == 200
        assert server.client.get("/", headers={"host": "other.example"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_request_from_another_sites_page_is_refused(running: Running, headers: dict[str, str]) -> None:
    for path in (PREDICT, "/judge", "/sign-in"):
        assert running.client.post(path, content=SLIDE, headers=headers).status_code == 403


def test_our_own_pages_and_programs_are_served(running: Running) -> None:
    own = running.address
    for headers in ({}, {"sec-fetch-site": "same-origin"}, {"origin": own}, {"sec-fetch-site": "none"}):
        assert running.client.post(PREDICT, content=SLIDE, headers=headers).status_code == 200


def test_without_the_token_nothing_is_told(guarded: Running) -> None:
    client = guarded.client
    for path in ("/api/v1/diseases", "/api/v1/metrics", "/api/v1/openapi.json"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert client.post(PREDICT, content=SLIDE).status_code == 401
    assert client.post("/judge", files={"picture": SLIDE}).status_code == 401
    for path in ("/", "/judge", "/diseases/spots"):
        assert client.get(path).headers["location"] == "/sign-in"
    assert client.get("/api/v1/health").status_code == 200


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer ÿ".encode("latin-1")])
def test_a_wrong_token_is_refused(guarded: Running, header: str | bytes) -> None:
    assert guarded.client.get("/api/v1/diseases", headers={"authorization": header}).status_code == 401


def test_programs_send_the_token(guarded: Running) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert guarded.client.post(PREDICT, content=SLIDE, headers=headers).json()["verdict"] == "positive"


def test_people_sign_in_once_and_the_cookie_does_not_hold_the_token(guarded: Running) -> None:
    with httpx.Client(base_url=guarded.address) as client:
        wrong = client.post("/sign-in", files={"token": (None, "wrong")})
        assert wrong.status_code == 401
        assert "not the token" in wrong.text
        right = client.post("/sign-in", files={"token": (None, TOKEN)})
        assert right.status_code == 303
        cookie = right.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert client.get("/").status_code == 200
        client.cookies.set(access.COOKIE, "0" * 64)
    with httpx.Client(base_url=guarded.address, cookies={access.COOKIE: "0" * 64}) as forged:
        assert forged.get("/").status_code == 303


def test_the_log_holds_no_name_no_picture_and_no_address(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "medsdk"), caplog.at_level(logging.DEBUG, "uvicorn"):
        running.client.post(PREDICT, files={"picture": ("ward-7-mrs-doe.png", SLIDE)})
        running.client.post("/judge", files={"picture": ("ward-7-mrs-doe.png", b"broken")})
        running.client.get("/ward-7-mrs-doe?ward-7-mrs-doe")
        running.client.get("/api/v1/diseases/ward-7-mrs-doe/card")
    assert "/api/v1/diseases/{disease}/predict 200" in caplog.text
    assert "mrs-doe" not in caplog.text


def test_an_error_that_nobody_expected_is_told_of_without_its_text(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from medsdk.web import judging

    def fail(*_: object) -> None:
        raise ValueError("ward-7-mrs-doe.png")

    monkeypatch.setattr(judging, "judge", fail)
    answer = running.client.post(PREDICT, content=SLIDE)
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:medsdk:problem:unexpected"
    page = running.client.post("/judge", files={"picture": SLIDE}, data={"disease": "spots"})
    assert page.status_code == 500
    assert "mrs-doe" not in answer.text + page.text + caplog.text
    assert "ValueError" in caplog.text


def test_loopback_is_told_from_the_network() -> None:
    assert all(map(access.is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(access.is_loopback, ("0.0.0.0", "::", "192.168.1.2", "clinic.example", "")))


def test_tokens_cannot_be_guessed() -> None:
    tokens = {access.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32
