"""Whatever file is sent, the answer is a verdict or a problem with its remedy: never a crash, a hang or a script."""

from __future__ import annotations

import logging

import mutations
import pytest
from serving import Running

PREDICT = "/api/v1/diseases/spots/predict"
VERDICTS = {"positive", "negative", "inconclusive", "rejected"}
REFUSALS = {413, 415, 422}


def send(running: Running, content: bytes) -> None:
    answer = running.client.post(PREDICT, content=content, timeout=20)
    if answer.status_code == 200:
        assert answer.json()["verdict"] in VERDICTS
    else:
        assert answer.status_code in REFUSALS
        assert answer.json()["remedy"]


@pytest.mark.parametrize("name", mutations.special())
def test_tricks(running: Running, name: str) -> None:
    content = mutations.special()[name]
    send(running, content)
    page = running.client.post(
        "/judge", files={"picture": (f"{name}.png", content, "text/html")}, data={"disease": "spots"}, timeout=20
    )
    assert page.status_code in (200, 422)
    assert page.text.count("<script") == 1  # our own
    assert "from the picture" not in page.text


@pytest.mark.parametrize(
    "name", ["16 bits", "16 bits tiff", "alpha", "grey", "sideways", "huge exif", "html behind a picture"]
)
def test_unusual_but_good_pictures_are_judged(running: Running, name: str) -> None:
    assert running.client.post(PREDICT, content=mutations.special()[name]).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [("bomb by its header", 413), ("bomb that decodes", 413), ("svg", 415), ("html", 415), ("html behind a signature", 422)],
)
def test_what_is_no_picture_is_refused(running: Running, name: str, status: int) -> None:
    assert running.client.post(PREDICT, content=mutations.special()[name]).status_code == status


def test_damaged_files(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for _, content in mutations.mutated(150):
            send(running, content)
    assert not caplog.records


@pytest.mark.slow
def test_a_thousand_damaged_files(running: Running) -> None:
    for _, content in mutations.mutated(1000):
        send(running, content)
    assert running.client.get("/api/v1/readiness").json() == {"state": "ok"}
