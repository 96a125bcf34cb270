"""Clients that hold a connection and do nothing with it, over both of uvicorn's protocols."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import drawing
import pytest
from serving import Running, serving

from medsdk.web import connection, judging, server

PROTOCOLS = [connection.PlainProtocol, getattr(connection, "FastProtocol", None)]
WAIT = 0.4
T = TypeVar("T")
SLIDE = drawing.encoded(drawing.slide(7, seed=107))
HEALTH = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module", params=PROTOCOLS)
def watched(plugins: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A server that waits for nobody."""
    if request.param is None:
        pytest.skip("httptools is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "PROTOCOL", request.param)
        for name in ("SILENT_SECONDS", "REFUSED_SECONDS", "UNREAD_SECONDS"):
            patch.setattr(connection, name, WAIT)
        with serving(plugins, "medsdk-spots") as running:
            yield running


def connected(running: Running, buffer: int | None = None) -> socket.socket:
    made = socket.socket()
    if buffer is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    made.settimeout(20)
    made.connect(("127.0.0.1", int(running.address.rpartition(":")[2])))
    return made


def whole_answer(client: socket.socket) -> bytes:
    """Head and body of the answer to HEALTH, which may come one after the other."""
    said = b""
    while not said.endswith(b"}") and (piece := client.recv(65536)):
        said += piece
    return said


def is_dropped(client: socket.socket) -> bool:
    """True as soon as the server hangs up; what it still says is read and thrown away."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: local", b"\r\n"])
def test_a_connection_that_says_nothing_whole_is_dropped(watched: Running, said: bytes) -> None:
    with connected(watched) as silent:
        silent.sendall(said)
        assert is_dropped(silent)


def test_a_head_that_dribbles_in_after_an_answer_is_dropped(watched: Running) -> None:
    with connected(watched) as slow:
        for _ in range(8):  # longer than the wait: who asks again in time is served
            slow.sendall(HEALTH)
            assert b" 200 " in whole_answer(slow)
            time.sleep(WAIT / 4)
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert goes_on(slow, b"X: y\r\n", pieces=20 * 10, pause=WAIT / 10) < 20 * 10


def test_a_head_without_an_end_is_refused(watched: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SILENT_SECONDS", 60)
    with connected(watched) as endless:
        endless.sendall(HEALTH[:-2] + b"X: ")
        assert goes_on(endless, b"x" * 65536, pieces=1000) < 400
    assert watched.client.get("/api/v1/health").status_code == 200


def test_an_answer_that_nobody_reads_is_given_up(watched: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "overlay", lambda *_: bytes(20_000_000))  # more than the sockets between the two hold
    ask = f"POST /api/v1/diseases/spots/attention HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(SLIDE)}\r\n\r\n"
    connections = watched.server.server_state.connections
    before = set(connections)
    with connected(watched, buffer=4096) as deaf:
        deaf.sendall(ask.encode() + SLIDE)
        (mine,) = until(lambda: connections - before)
        until(lambda: mine.flow.write_paused)
        until(lambda: mine not in connections)


def goes_on(client: socket.socket, piece: bytes, pieces: int, pause: float = 0) -> int:
    """How many pieces go out before the server hangs up."""
    for sent in range(pieces):
        try:
            client.sendall(piece)
        except ConnectionError:
            return sent
        time.sleep(pause)
    return pieces


def until(found: Callable[[], T]) -> T:
    deadline = time.monotonic() + 20
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result
