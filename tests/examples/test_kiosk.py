"""examples/kiosk: a picture appears in the folder, the page says what to do, and forgets it again."""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import medsdk

from .conftest import EXAMPLES

KIOSK = EXAMPLES / "kiosk" / "kiosk.py"
CARD = medsdk.Bundle(EXAMPLES / "own_steps" / "medsdk_stipple").card


def test_a_picture_in_the_folder_comes_up_on_the_page(site: Path, discs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "scanner"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, str(KIOSK), "stipple", str(folder), "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as kiosk:
        try:
            assert kiosk.stdout is not None
            address = kiosk.stdout.readline().strip()
            assert "Scan a drawn pink disc" in _page(address)
            shutil.copy(discs[-1], folder)
            assert "member of staff" in _wait_for(address, "!</b>")
            (folder / "broken.png").write_bytes(b"no picture")
        finally:
            kiosk.send_signal(signal.SIGTERM)
        assert kiosk.wait(timeout=60) == 0


@pytest.fixture
def kiosk() -> dict[str, Any]:
    return runpy.run_path(str(KIOSK))


@pytest.mark.parametrize("verdict", ["positive", "negative", "inconclusive", "rejected"])
def test_every_verdict_has_its_words_and_is_forgotten(kiosk: dict[str, Any], verdict: Any) -> None:
    now = [0.0]
    screen = kiosk["Screen"](CARD, seconds=20, clock=lambda: now[0])
    invitation = screen.page()
    screen.show(medsdk.Prediction("stipple", "Mrs <Miller>.png", verdict))
    shown = screen.page().decode()
    sign, text, _ = kiosk["ANSWERS"][verdict]
    assert f"<b>{sign}</b>" in shown
    assert text in shown
    assert "Miller" not in shown
    now[0] = 20.0
    assert screen.page() == invitation


def test_an_unreadable_picture_says_what_to_do(kiosk: dict[str, Any]) -> None:
    screen = kiosk["Screen"](CARD)
    error = medsdk.DamagedPictureError("x.png", "it is cut short.", "Save it <again>.")
    screen.show(medsdk.Prediction("stipple", "x.png", None, error=error))
    assert "Save it &lt;again&gt;." in screen.page().decode()


def _page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return str(answer.read().decode())


def _wait_for(address: str, text: str) -> str:
    """The page as soon as it says so; pytest's own patience is the limit of a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        page = _page(address)
        if text in page:
            return page
        time.sleep(0.1)  # a browser asks once a second
    raise AssertionError(f"{text!r} never came up")
