"""The command, as the system runs it: a process, signals, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

RUN = [sys.executable, "-c", "from medsdk.cli.watch import command; command()"]


@pytest.fixture
def folder(tmp_path: Path, drawn: np.ndarray) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), drawn)
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_frame_in_hand(number: signal.Signals, folder: Path, tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    command = [*RUN, "malaria", str(folder), "--json", "--record", str(record)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "frame"
        process.send_signal(number)
        # Not communicate(): it passes over what readline has read ahead.
        assert process.stderr is not None
        rest, said = process.stdout.read(), process.stderr.read()
    assert process.returncode == 0, said
    assert "frames judged" in said
    events = [json.loads(line) for line in record.read_text().splitlines()]
    assert events[0]["event"] == "start"
    assert events[-1]["event"] == "stop"
    assert [event["number"] for event in events[1:-1]] == list(range(1, 2 + len(rest.splitlines())))


def test_a_number_of_frames_and_saved_ones(folder: Path, tmp_path: Path) -> None:
    command = [*RUN, "malaria", str(folder), "--json", "--frames", "2", "--save", str(tmp_path / "s"), "--save-when", "all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    saved = [json.loads(line)["saved"] for line in done.stdout.splitlines()]
    assert len(saved) == 2
    # A picture from a folder is kept as it is.
    assert Path(saved[0]).read_bytes() == (folder / "0.png").read_bytes()


def test_wrong_usage(folder: Path) -> None:
    done = subprocess.run([*RUN, "malaria", str(folder), "--steady", "1", "5"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "half" in done.stderr


def test_a_record_that_cannot_be_written_is_said_at_once(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "record.jsonl"
    done = subprocess.run(
        [*RUN, "malaria", str(folder), "--record", str(target)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "cannot be written" in done.stderr


def test_no_display_is_said_at_once(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [*RUN, "malaria", str(folder), "--preview"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode != 0
    assert "preview" in done.stderr
