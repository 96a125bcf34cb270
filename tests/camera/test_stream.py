"""A stream served on loopback that stalls, dies, comes back, sends garbage and changes its resolution."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from medsdk.camera.watch import Callbacks, watch
from medsdk.core.clock import Clock
from medsdk.core.record import read_lines

from .conftest import Judge

SPEED = 20.0
SIZES = ((64, 48), (160, 120))


class QuickClock(Clock):
    """Time runs SPEED times as fast: ten seconds' patience are half a second."""

    def elapsed(self) -> float:
        return time.monotonic() * SPEED

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        super().wait(seconds, stopped)


class Server(ThreadingHTTPServer):
    """Each connection behaves as the next word of the script says, the last for ever."""

    daemon_threads = True

    def __init__(self, script: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), Camera)
        self.script = iter(script)
        self.released = threading.Event()
        self.lock = threading.Lock()
        self.connections: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/live"

    def behaviour(self) -> str:
        with self.lock:
            self.connections.append(next(self.script, "small for ever"))
            return self.connections[-1]


class Camera(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        behaviour = self.server.behaviour()
        if behaviour == "not there":
            return self.send_error(503)
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            self._serve(behaviour)
        except OSError:  # the watch has hung up
            return None

    def _serve(self, behaviour: str) -> None:
        if behaviour == "garbage":
            self.wfile.write(np.random.default_rng(0).bytes(200_000))
            return
        size = SIZES["large" in behaviour]
        endless = "for ever" in behaviour
        for number in itertools.count() if endless else range(30):
            self._frame(size, number)
            if self.server.released.wait(0.005):
                return
        if "stalls" in behaviour:
            self.server.released.wait(60)
        if "dies" in behaviour:
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 9999\r\n\r\n\xff\xd8\xff")
        if "changes" in behaviour:
            for number in range(30):
                self._frame(SIZES[1], number)

    def _frame(self, size: tuple[int, int], number: int) -> None:
        pixels = np.full((size[1], size[0], 3), number % 200 + 20, np.uint8)
        data = cv2.imencode(".jpg", pixels)[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        self.wfile.write(head + data + b"\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def serve() -> Iterator[Callable[[list[str]], Server]]:
    servers: list[Server] = []

    def start(script: list[str]) -> Server:
        servers.append(Server(script))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.released.set()
        server.shutdown()
        server.server_close()


TROUBLE = ["small", "not there", "small, then dies", "garbage", "small, then stalls", "small, then changes", "large"]


def watch_trouble(server: Server, record: Path, recoveries: int) -> tuple[Any, Judge]:
    """Watch until the script is over and ten frames of what follows have been judged."""
    judge = Judge([])
    watching = watch(
        judge, server.address, record=record, patience=10.0, clock=QuickClock(), callbacks=Callbacks(), rate=50 * SPEED
    )
    late, end = 0, time.monotonic() + 20 * recoveries
    for _ in watching:
        late += len(server.connections) > recoveries
        if late >= 10 or time.monotonic() > end:
            watching.stop()
    assert late >= 10, server.connections
    return watching, judge


@pytest.mark.slow
def test_a_stream_in_trouble_is_taken_up_again_each_time(serve: Callable[[list[str]], Server], tmp_path: Path) -> None:
    server = serve(TROUBLE)
    watching, judge = watch_trouble(server, tmp_path / "r.jsonl", len(TROUBLE))
    assert server.connections[: len(TROUBLE)] == TROUBLE
    assert {frame.shape for frame in judge.seen} >= {(48, 64, 3), (120, 160, 3)}
    events = list(read_lines(tmp_path / "r.jsonl"))
    frames = [event["number"] for event in events if event["event"] == "frame"]
    assert frames == list(range(1, watching.judged + 1))
    outages = [event["event"] for event in events if event["event"] in ("outage", "gap")]
    # Every outage has its end, and none is told twice.
    assert outages == ["outage", "gap"] * watching.gaps
    assert watching.gaps >= 3
    assert events[-1]["event"] == "stop"


@pytest.mark.slow
def test_an_hour_of_trouble_leaves_the_memory_flat(serve: Callable[[list[str]], Server], tmp_path: Path) -> None:
    server = serve(TROUBLE)
    watch_trouble(server, tmp_path / "warm.jsonl", len(TROUBLE))
    before = resident()
    again = serve(TROUBLE * 4)
    watch_trouble(again, tmp_path / "r.jsonl", 4 * len(TROUBLE))
    assert resident() - before < 20_000_000


def resident() -> int:
    """Bytes of memory that the process holds."""
    pages = Path("/proc/self/statm").read_text().split()[1] if Path("/proc/self/statm").exists() else pytest.skip("no /proc")
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
