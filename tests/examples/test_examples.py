"""Each example runs as its README says."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import EXAMPLES, Run


@pytest.mark.parametrize(("package", "skipped"), [("own_steps", 1), ("regions", 1), ("scabies", 2), ("tally", 0)])
def test_a_packages_own_tests_pass(package: str, skipped: int, run: Run) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLES / package)
    assert done.returncode == 0, done.stdout
    assert (f"{skipped} skipped" in done.stdout) == bool(skipped), done.stdout


def test_embedding_answers_every_picture(run: Run, discs: list[Path], tmp_path: Path) -> None:
    clear, stippled = discs[0], discs[-1]
    done = run(EXAMPLES / "embedding" / "embed.py", "stipple", clear, stippled, tmp_path / "gone.png")
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert "negative" in first
    assert second.endswith("→ refer")
    assert third.endswith("gone.png: Check the path.")


def test_the_batch_job_writes_a_row_for_each_picture(run: Run, discs: list[Path], tmp_path: Path) -> None:
    folder, table = tmp_path / "slides", tmp_path / "results.csv"
    folder.mkdir()
    for path in discs:
        shutil.copy(path, folder)
    (folder / "broken.png").write_bytes(b"no picture")
    done = run(EXAMPLES / "batch_job" / "batch_job.py", "stipple", folder, table)
    assert done.returncode == 1, done.stderr
    rows = _rows(table)
    assert [Path(row["source"]).name for row in rows] == sorted(path.name for path in folder.iterdir())
    assert {row["verdict"] for row in rows} == {"positive", "negative", ""}
    assert rows[0]["source"].endswith("broken.png")
    assert "not a JPEG" in rows[0]["error"]
    assert rows[1]["version"] == "medsdk-stipple 0.1.0"


def test_the_batch_job_goes_on_where_it_was_stopped(run: Run, discs: list[Path], tmp_path: Path) -> None:
    folder, table = tmp_path / "slides", tmp_path / "results.csv"
    folder.mkdir()
    shutil.copy(discs[0], folder)
    job = EXAMPLES / "batch_job" / "batch_job.py"
    assert run(job, "stipple", folder, table).returncode == 0
    shutil.copy(discs[1], folder)
    assert run(job, "stipple", folder, table).returncode == 0
    rows = _rows(table)
    assert [Path(row["source"]).name for row in rows] == [discs[0].name, discs[1].name]


def test_a_slide_of_an_examples_own_regions(run: Run, tmp_path: Path) -> None:
    trays = EXAMPLES / "regions" / "tests" / "pictures"
    printed = _program(run, "slide", trays, "--disease", "tray", "--session", tmp_path / "slide")
    assert printed.strip() == "positive: 2 of 12 discs with dots: 17%"


def test_the_microscope_says_when_the_verdict_changes(site: Path, discs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(5):
        shutil.copy(discs[-1], folder / f"{number}.png")
    command = [sys.executable, str(EXAMPLES / "microscope" / "microscope.py"), "stipple", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as microscope:
        assert microscope.stdout is not None
        line = microscope.stdout.readline()
        microscope.send_signal(signal.SIGTERM)
        assert microscope.wait(timeout=60) == 0
    assert line.split()[1:] == ["positive"]


def test_a_plugins_command_is_found_and_runs(run: Run, discs: list[Path]) -> None:
    assert "Count the verdicts" in _program(run, "--help")
    printed = _program(run, "tally", "stipple", *discs, "gone.png")
    counts = dict(line.split() for line in printed.splitlines())
    assert counts == {"positive": "3", "inconclusive": "0", "negative": "3", "rejected": "0", "unreadable": "1", "all": "7"}


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def _program(run: Run, *arguments: object) -> str:
    done = run("-c", "from medsdk.cli import main; main(prog_name='medsdk')", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout
