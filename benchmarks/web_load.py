"""How much `medsdk serve` does on this machine, against the library itself: throughput, latency, refusals, memory.

    python benchmarks/web_load.py --disease malaria [--seconds 20] [--rounds 5] [--requests 20000] [--workers 2]

The server runs in a process of its own on loopback, the clients in this one, on the same cores: what the clients spend, the
server lacks. So the CPU milliseconds of each picture are printed too, the server's own and the library's. Pictures are
drawn. Prints one JSON object and exits with 1 where a bound does not hold. Quiet machines only: the figures are times.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np

import medsdk

MIN_RATIO = 0.85
MAX_TAIL = 3.0
PICTURES_IN_A_FORM = 16
MAX_GROWTH = 1.10

SERVE = "from medsdk.cli.serve import command; command()"


def main() -> None:
    options = _options()
    picture = drawn()
    with medsdk.load(options.disease) as analyzer, server(options.workers) as (pid, port):
        path = f"/api/v1/diseases/{options.disease}/predict"
        ask, ask_in_forms = Client(port, path, picture), Client(port, path, *form(picture))
        ask.count(options.workers * 2, 50)  # warm: interpreters are opened by the first requests
        rounds = [_round(analyzer, ask, ask_in_forms, picture, pid, options) for _ in range(options.rounds)]
        rate = 0.8 * median(rounds, "served_per_second")
        steady = [ask.paced(rate, options.seconds / options.rounds) for _ in range(options.rounds)]
        over = ask.burst(options.workers + 16 + 40)
        before = memory(pid)
        lasting = ask.count(options.workers, options.requests)
        after = memory(pid)
    # One moment in which the machine does something else delays hundreds of requests: the middle round is this server's.
    tail = statistics.median(one.quantile(0.99) / one.quantile(0.5) for one in steady)
    middle = {name: round(median(rounds, name), 3) for name in rounds[0]}
    result = {
        "disease": options.disease,
        "workers": options.workers,
        "load_average": os.getloadavg()[0],
        "rounds": rounds,
        "medians": middle,
        "p50_ms": [round(1000 * one.quantile(0.5), 2) for one in steady],
        "p99_ms": [round(1000 * one.quantile(0.99), 2) for one in steady],
        "tail": round(tail, 2),
        "statuses_at_80_percent": dict(sum((one.statuses for one in steady), Counter())),
        "statuses_over_the_limit": dict(over.statuses),
        "refusals_with_retry_after": over.with_retry_after,
        "requests_for_memory": lasting.total,
        "statuses_for_memory": dict(lasting.statuses),
        "memory_before_mib": before,
        "memory_after_mib": after,
    }
    bounds = {
        "ratio": middle["ratio"] >= MIN_RATIO,
        "ratio in forms": middle["ratio_in_forms"] >= MIN_RATIO,
        "tail": tail <= MAX_TAIL,
        "no error below the limit": {status for one in (*steady, lasting) for status in one.statuses} == {200},
        "clean 503 above it": set(over.statuses) == {200, 503} and over.with_retry_after == over.statuses[503],
        "memory is flat": after <= MAX_GROWTH * before,
    }
    print(json.dumps({**result, "holds": bounds}, indent=2))
    sys.exit(0 if all(bounds.values()) else 1)


def _round(
    analyzer: medsdk.Analyzer, ask: Client, ask_in_forms: Client, picture: bytes, pid: int, options: argparse.Namespace
) -> dict[str, float]:
    """The library and the server in turn, a few seconds each, so that a busy moment of the machine hits both."""
    share = options.seconds / options.rounds
    alone, own = library(analyzer, picture, options.workers, share)
    begin = cpu_seconds(pid)
    full = ask.run(options.workers * 2, time.monotonic() + share)
    spent = cpu_seconds(pid) - begin
    forms = ask_in_forms.run(options.workers * 2, time.monotonic() + share)
    return {
        "predict_many_per_second": round(alone, 1),
        "served_per_second": round(full.rate, 1),
        "served_per_second_in_forms": round(PICTURES_IN_A_FORM * forms.rate, 1),
        "ratio": round(full.rate / alone, 3),
        "ratio_in_forms": round(PICTURES_IN_A_FORM * forms.rate / alone, 3),
        "predict_many_cpu_ms": round(1000 * own, 3),
        "served_cpu_ms": round(1000 * spent / full.total, 3),
    }


def median(rounds: list[dict[str, float]], name: str) -> float:
    return statistics.median(one[name] for one in rounds)


def drawn() -> bytes:
    """A PNG the size of a malaria cell; models judge it, or reject it after the same work."""
    image = np.full((142, 142, 3), (190, 170, 220), np.uint8)
    cv2.circle(image, (70, 70), 55, (150, 110, 200), -1)
    noise = np.random.default_rng(0).normal(0, 6, image.shape)
    _, content = cv2.imencode(".png", np.clip(image + noise, 0, 255).astype(np.uint8))
    return content.tobytes()


def form(picture: bytes) -> tuple[bytes, str]:
    """The body and type of a form with many pictures: HTTP's own cost, about 1 ms of Python, is then shared by them."""
    part = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n' + picture + b"\r\n"
    return part * PICTURES_IN_A_FORM + b"--x--\r\n", "multipart/form-data; boundary=x"


def library(analyzer: medsdk.Analyzer, picture: bytes, threads: int, seconds: float) -> tuple[float, float]:
    """Pictures a second through predict_many, and the CPU seconds that each took."""
    predictions = analyzer.predict_many(repeat(picture), threads)
    for _ in range(20):
        next(predictions)
    begin, cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < seconds:
        next(predictions)
        count += 1
    rate, spent = count / (time.perf_counter() - begin), time.process_time() - cpu
    predictions.close()
    return rate, spent / count


class Answers:
    """Statuses and times of many requests; filled by several threads."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.with_retry_after = 0
        self._begin = time.perf_counter()
        self._lock = threading.Lock()
        self.took = 0.0

    def add(self, status: int, retry_after: bool, seconds: float) -> None:
        with self._lock:
            self.statuses[status] += 1
            self.with_retry_after += retry_after
            self.seconds.append(seconds)
            self.took = time.perf_counter() - self._begin

    @property
    def total(self) -> int:
        return sum(self.statuses.values())

    @property
    def rate(self) -> float:
        return self.total / self.took

    def quantile(self, share: float) -> float:
        return statistics.quantiles(self.seconds, n=1000)[round(share * 1000) - 1]


class Client:
    """Threads that send one body over kept connections. Bare sockets, because what a client costs the server lacks."""

    def __init__(self, port: int, path: str, body: bytes, kind: str = "image/png") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._port, self._request = port, head.encode() + body

    def run(self, threads: int, until: float) -> Answers:
        """As fast as the answers come."""
        return self._each(threads, lambda: (time.monotonic() < until and time.perf_counter()) or None)

    def count(self, threads: int, requests: int) -> Answers:
        """So many requests in all."""
        left = iter(range(requests))
        lock = threading.Lock()

        def take() -> float | None:
            with lock:
                return time.perf_counter() if next(left, None) is not None else None

        return self._each(threads, take)

    def paced(self, rate: float, seconds: float) -> Answers:
        """At even distances whatever the answers do; times count from when a request was due."""
        begin = time.perf_counter()
        dues = iter([begin + number / rate for number in range(int(rate * seconds))])
        lock = threading.Lock()

        def take() -> float | None:
            with lock:
                due = next(dues, None)
            if due is not None:
                time.sleep(max(0.0, due - time.perf_counter()))
            return due

        return self._each(16, take)

    def burst(self, requests: int) -> Answers:
        """All at the same moment, over connections that are open already."""
        ready = threading.Barrier(requests)
        taken = threading.local()

        def take() -> float | None:
            if getattr(taken, "done", False):
                return None
            taken.done = True
            ready.wait()
            return time.perf_counter()

        return self._each(requests, take)

    def _each(self, threads: int, take: Callable[[], float | None]) -> Answers:
        answers = Answers()
        with ThreadPoolExecutor(threads) as pool:
            for future in [pool.submit(self._work, take, answers) for _ in range(threads)]:
                future.result()
        return answers

    def _work(self, take: Callable[[], float | None], answers: Answers) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (begin := take()) is not None:
                connection.sendall(self._request)
                status, head = _answer(connection)
                answers.add(status, b"\r\nretry-after:" in head, time.perf_counter() - begin)


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and head of an answer that has been read whole."""
    received = connection.recv(65536)
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head = received[: received.index(b"\r\n\r\n")].lower()
    length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    left = length - (len(received) - len(head) - 4)
    while left > 0:
        left -= len(connection.recv(65536))
    return int(head[9:12]), head


@contextmanager
def server(workers: int) -> Iterator[tuple[int, int]]:
    """Process id and port of a server that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [sys.executable, "-c", SERVE, "--port", str(port), "--workers", str(workers), "--quiet"]
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/v1/readiness")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("the server did not start")


def cpu_seconds(pid: int) -> float:
    """What a process has spent of all cores."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident memory in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmRSS")]
    return round(int(line.split()[1]) / 1024, 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disease", default=next(iter(medsdk.diseases()), "malaria"))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
