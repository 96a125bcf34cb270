from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from medsdk.core.errors import WriteError
from medsdk.core.record import Record, read_lines

from .conftest import FastClock

LINE = {"event": "frame", "text": "x" * 100}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond 1000 bytes: the kernel then writes a part of a line and refuses the rest, as a full disk.

    Entered inside a test and left before it ends, because pytest's own log may be a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_a_cut_left_of_a_line_is_removed(path: Path, clock: FastClock) -> None:
    path.write_bytes(b'{"event":"frame","number":1}\n{"event":"fra')
    record = Record(path, clock)
    record.append({"event": "frame", "number": 2})
    record.close()
    assert [line["number"] for line in read_lines(path)] == [1, 2]


def test_a_torn_line_longer_than_a_piece_is_removed(path: Path, clock: FastClock) -> None:
    path.write_bytes(b'{"event":"frame"}\n' + b"x" * 200_000)
    Record(path, clock).close()
    assert path.read_bytes() == b'{"event":"frame"}\n'


def test_a_full_disk_never_tears_a_line_and_is_waited_for(path: Path, clock: FastClock) -> None:
    told: list[str] = []

    def make_room() -> None:
        # While the disk is full, the file holds whole lines only.
        assert path.read_bytes().endswith(b"\n")
        if clock.seconds > 60:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    clock.on_wait = make_room
    record = Record(path, clock, waiting=told.append)
    with full_disk():
        for _ in range(20):
            record.append(LINE)
        record.close()
    assert len(list(read_lines(path))) == 20
    assert len(told) == 1
    assert "waiting" in told[0]


def test_asked_to_stop_on_a_full_disk_it_says_so(path: Path, clock: FastClock) -> None:
    stopping = False

    def stop() -> None:
        nonlocal stopping
        stopping = clock.seconds > 10

    clock.on_wait = stop
    record = Record(path, clock, stopped=lambda: stopping)

    def fill() -> None:
        for _ in range(20):
            record.append(LINE)

    with full_disk(), pytest.raises(WriteError, match="cannot be written"):
        fill()
    assert all(line == LINE for line in read_lines(path))


def test_a_card_that_is_pulled_and_put_in_again(path: Path, clock: FastClock, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failing = os.write, True

    def write(file: int, data: bytes) -> int:
        if failing:
            real(file, data[:7])
            raise OSError(errno.EIO, "Input/output error")
        return real(file, data)

    def put_in() -> None:
        nonlocal failing
        failing = clock.seconds < 100

    record = Record(path, clock)
    monkeypatch.setattr(os, "write", write)
    clock.on_wait = put_in
    record.append(LINE)
    record.close()
    assert list(read_lines(path)) == [LINE]


def test_a_line_that_does_not_reach_the_disk_is_taken_back(
    path: Path, clock: FastClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    record = Record(path, clock, stopped=lambda: True, flush_s=0)
    record.append({"number": 1})
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(WriteError, match="Input/output"):
        record.append({"number": 2})
    monkeypatch.undo()
    record.append({"number": 3})
    record.close()
    assert [line["number"] for line in read_lines(path)] == [1, 3]


def test_what_a_power_cut_left_of_the_last_line_is_passed_over(path: Path) -> None:
    # A file system may have made room for a line that was never written to.
    path.write_bytes(b'{"number":1}\n' + bytes(50))
    assert list(read_lines(path)) == [{"number": 1}]


def test_a_folder_that_may_not_be_written_to_is_an_error_at_once(tmp_path: Path, clock: FastClock) -> None:
    with pytest.raises(WriteError, match="cannot be written"):
        Record(tmp_path / "nowhere" / "record.jsonl", clock)
    with pytest.raises(WriteError, match="cannot be written"):
        Record(Path("/proc/record.jsonl"), clock)


def test_two_processes_cannot_write_one_record(path: Path, clock: FastClock) -> None:
    record = Record(path, clock)
    with pytest.raises(WriteError, match="another process"):
        Record(path, clock)
    record.close()
    Record(path, clock).close()


def test_a_file_that_is_no_record_is_not_continued(path: Path) -> None:
    path.write_text("a,b\n1,2\n")
    with pytest.raises(WriteError, match="not a record"):
        list(read_lines(path))


WATCH = """
import itertools, sys
sys.path.insert(0, {folder!r})
from camera.conftest import FastClock, Judge, ScriptedFeed
from medsdk.camera import watch
clock = FastClock()
for seen in watch(Judge([]), ScriptedFeed(clock, itertools.repeat(0)), record={record!r}, clock=clock):
    print(seen.number, flush=True)
"""


@pytest.mark.parametrize("frames", [1, 2, 7, 40, 150])
def test_finished_frames_survive_a_kill_at_any_moment(path: Path, frames: int) -> None:
    code = WATCH.format(folder=str(Path(__file__).parents[1]), record=str(path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(frames):
            announced = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    whole = path.read_bytes().split(b"\n")[:-1]
    numbers = [event["number"] for event in map(json.loads, whole) if event["event"] == "frame"]
    # Every frame that was announced is there, in order, once.
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= announced
