"""The microscope's systemd unit: systemd knows every line of it, and medsdk every option that it gives."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from medsdk.cli import main

UNIT = Path(__file__).parents[2] / "examples" / "microscope" / "medsdk-microscope.service"


def test_systemd_finds_nothing_to_say(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze")
    # The one thing that this machine lacks is medsdk in its place.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/medsdk/bin/medsdk", "/bin/true"))
    done = subprocess.run([program, "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_its_command_is_one() -> None:
    text = UNIT.read_text()
    (given,) = re.findall(r"^Environment=(.*)$", text, re.M)
    values = dict(word.split("=") for word in given.split())
    (line,) = re.findall(r"^ExecStart=\S+/medsdk (.*)$", text, re.M)
    name, *arguments = shlex.split(re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], line))
    command = main.get_command(click.Context(main), name)
    assert command is not None
    with command.make_context(name, arguments) as context:
        assert (context.params["disease"], context.params["source"], context.params["rate"]) == ("malaria", "0", 1.0)
