"""The program as pip installs it, which ends `predict` sooner than Python would."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from medsdk.cli import main

LAST_WORD = "import atexit; atexit.register(print, 'the last word'); from medsdk.cli.program import program; program()"


def run(*arguments: object, code: str = "from medsdk.cli.program import program; program()") -> tuple[int, str, str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def picture(drawn: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "drawn.png"
    cv2.imwrite(str(path), drawn[..., ::-1])
    return path


def test_everything_is_written_before_the_end(picture: Path) -> None:
    code, out, _ = run("predict", "retinopathy", "--json", *[picture] * 40)
    assert code == 0
    assert [json.loads(line)["source"] for line in out.splitlines()] == [str(picture)] * 40


def test_exit_codes_are_those_of_main(picture: Path, tmp_path: Path) -> None:
    assert run("predict", "retinopathy", tmp_path / "none.png")[0] == 3
    assert run("predict", "no-such-disease", picture)[0] == 4
    assert run("predict", "retinopathy")[0] == 2
    assert run("predict", "retinopathy", picture, tmp_path / "none.png")[0] == 6
    assert run("list")[0] == 0


def test_what_others_want_at_the_end_is_done(picture: Path) -> None:
    assert run("predict", "retinopathy", picture, code=LAST_WORD)[1].endswith("the last word\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_no_success(picture: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "medsdk", "predict", "retinopathy", str(picture)]
        assert subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False).returncode != 0


def test_garbage_is_looked_for_again_behind_the_first_picture(picture: Path) -> None:
    gc.disable()
    try:
        CliRunner().invoke(main, ["predict", "retinopathy", str(picture)])
        assert gc.isenabled()
    finally:
        gc.enable()
