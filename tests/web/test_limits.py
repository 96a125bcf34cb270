"""What is refused before it costs anything: too large, too slow, too many."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import drawing
import httpx
import numpy as np
import pytest
from serving import Running, serving

from medsdk.web import judging
from medsdk.web.pool import Pool
from medsdk.web.problems import BusyError

SLIDE = drawing.encoded(drawing.slide(7, seed=107))
PREDICT = "/api/v1/diseases/spots/predict"


@pytest.fixture(scope="module")
def small(plugins: Path):  # type: ignore[no-untyped-def]
    limits = {"max_bytes": 400_000, "max_pixels": 200_000, "max_files": 2, "workers": 1, "queue": 1}
    with serving(plugins, "medsdk-spots", **limits, patience=0.5, slowest=1024) as running:
        yield running


def test_a_body_over_the_limit_is_refused_by_its_declared_size(small: Running) -> None:
    answer = small.client.post(PREDICT, content=b"x" * 400_001)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:medsdk:problem:body-too-large")


def test_a_body_without_a_declared_size_is_cut_off_while_it_is_read(small: Running) -> None:
    sent = 0

    def endless():  # type: ignore[no-untyped-def]
        nonlocal sent
        while sent < 100_000_000:
            sent += 50_000
            yield b"x" * 50_000

    with contextlib.suppress(httpx.WriteError):  # the server has hung up
        assert small.client.post(PREDICT, content=endless()).status_code == 413
    assert sent < 50_000_000


def test_a_form_is_bounded_in_bytes_and_files(small: Running) -> None:
    large = {"picture": ("a.png", b"x" * 400_001)}
    assert small.client.post(PREDICT, files=large).status_code == 413
    assert small.client.post("/judge", files=large).status_code == 413
    many = [("picture", ("a.png", SLIDE[:10]))] * 3
    answer = small.client.post(PREDICT, files=many)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:medsdk:problem:no-picture")


def test_pixels_are_counted_before_they_are_decoded(small: Running) -> None:
    bomb = drawing.encoded(np.zeros((4000, 4000), np.uint8))
    assert len(bomb) < 100_000
    answer = small.client.post(PREDICT, content=bomb)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:medsdk:problem:picture-too-large")


def test_a_client_that_dawdles_is_sent_away_and_holds_nobody_up(small: Running) -> None:
    port = int(small.address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx".encode())
        assert small.client.post(PREDICT, content=SLIDE).status_code == 200
        slow.settimeout(10)
        assert b" 408 " in slow.recv(4096)


def test_beyond_the_queue_the_answer_is_503_with_retry_after(small: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    judge = judging.judge

    def held(*arguments: object) -> object:
        go.wait(30)
        return judge(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "judge", held)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        first = [threads.submit(httpx.post, small.address + PREDICT, content=SLIDE, timeout=30) for _ in range(2)]
        refused = _until_busy(small)
        go.set()
        assert [one.result().status_code for one in first] == [200, 200]
    assert refused.json()["type"] == "urn:medsdk:problem:busy"
    assert int(refused.headers["retry-after"]) >= 1
    assert small.client.post(PREDICT, content=SLIDE).status_code == 200


def _until_busy(small: Running) -> httpx.Response:
    """The two requests take their places a moment after they are sent; an empty body is refused without one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if small.client.get("/api/v1/readiness").status_code == 503:
            return small.client.post(PREDICT, content=SLIDE)
    raise AssertionError("the queue never filled")


def test_stopping_finishes_what_has_begun(plugins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()
    judge = judging.judge

    def held(*arguments: object) -> object:
        begun.set()
        go.wait(30)
        return judge(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "judge", held)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        with serving(plugins, "medsdk-spots") as running:
            answer = threads.submit(httpx.post, running.address + PREDICT, content=SLIDE, timeout=30)
            assert begun.wait(20)
            running.server.should_exit = True
            go.set()
        assert answer.result().json()["verdict"] == "positive"
    with pytest.raises(httpx.TransportError):
        httpx.get(running.address)


def test_nothing_is_written_to_a_disk(small: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    noise = np.random.default_rng(0).integers(0, 255, (350, 350, 3)).astype(np.uint8)
    files = {"picture": ("a.png", drawing.encoded(noise))}
    assert len(files["picture"][1]) > 300_000
    assert small.client.post(PREDICT, files=files).status_code == 200


def apart(job: Callable[[], object]) -> object:
    """In a thread of its own: a browser's driver, where one is running, keeps an event loop in this one."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(job).result()


def test_the_pool_refuses_the_next_and_takes_it_when_there_is_room() -> None:
    pool = Pool(workers=1, queue=1)
    with pool.place(), pool.place():
        with pytest.raises(BusyError) as refused, pool.place():
            pass
        assert refused.value.headers["Retry-After"] == "1"
    with pool.place():
        assert apart(lambda: asyncio.run(pool.run(lambda: 7))) == 7
    pool.close()


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    pool = Pool(workers=1, queue=0, answer_seconds=0.05)
    go = threading.Event()
    with pytest.raises(BusyError), pool.place():
        apart(lambda: asyncio.run(pool.run(lambda: go.wait(20))))
    assert pool.inside == 0
    go.set()
    pool.close()


def test_a_large_picture_is_shown_small(small: Running) -> None:
    slide = drawing.slide(3, height=390, width=500)
    html = small.client.post("/judge?part=1", files={"picture": drawing.encoded(slide)}, data={"disease": "spots"}).text
    assert 'width="500" height="390"' in html
    shown = judging._shrunk(np.zeros((3000, 2000, 3), np.uint8))
    assert shown.shape == (1024, 683, 3)
    assert cv2.imdecode(np.frombuffer(judging._png(shown), np.uint8), 1).shape == shown.shape


@pytest.mark.parametrize(("limit", "retry_after"), [("readers", "30"), ("requests", "1")])
def test_clients_that_hold_all_places_get_the_next_refused_not_queued(plugins: Path, limit: str, retry_after: str) -> None:
    with serving(plugins, "medsdk-spots", patience=30, **{limit: 1}) as running:
        port = int(running.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nx".encode())
            refused = _until_refused(running)
            assert refused.headers["retry-after"] == retry_after
        assert _until_served(running).json()["verdict"] == "positive"


def _until_refused(running: Running) -> httpx.Response:
    """The slow request takes its place a moment after it is sent."""
    for _ in range(200):
        if (answer := running.client.post(PREDICT, content=SLIDE)).status_code == 503:
            return answer
    raise AssertionError("nobody was refused")


def _until_served(running: Running) -> httpx.Response:
    """The slow client's going away is noticed a moment after it went."""
    deadline = time.monotonic() + 20
    while (answer := running.client.post(PREDICT, content=SLIDE)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer
