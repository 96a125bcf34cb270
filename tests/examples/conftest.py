"""The example packages, built and installed into a folder outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGES = ("scabies", "own_steps", "regions", "tally")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example packages as their wheels install."""
    pytest.importorskip("hatchling", reason="the examples are built with hatchling")
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    projects = [str(EXAMPLES / name) for name in PACKAGES]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(target), *projects], check=True, timeout=300)
    return target


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Run:
    """`run("embed.py", "stipple", ...)`: Python with the example packages installed, in an empty folder."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(site)}
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    return call


@pytest.fixture(scope="session")
def discs() -> list[Path]:
    """The drawn pictures that the example's model knows: three clear, three stippled."""
    return sorted((EXAMPLES / "own_steps" / "tests" / "pictures").glob("*.png"))
