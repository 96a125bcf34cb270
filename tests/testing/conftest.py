"""Distributions that exist for one test: a package, its bundle and what an installer would have written beside them."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

HERE = Path(__file__).parent
BUNDLE = HERE / "bundle"
BROKEN = HERE / "broken"

Publish = Callable[..., Path]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    """`publish("sleeps")` installs the plugin in broken/sleeps.py as medsdk-dots into a folder on sys.path."""
    before = set(sys.modules)
    yield lambda name, **changes: _publish(tmp_path / "site", monkeypatch, name, **changes)
    for name in set(sys.modules) - before:
        if name.startswith("medsdk_dots"):
            del sys.modules[name]


def _publish(
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    *,
    card: Mapping[str, Any] | None = None,
    requires: str = "medsdk>=0.1,<1",
    entry_points: str = "[medsdk]\ndots = {module}\n",
    damage: bool = False,
    unlisted: tuple[str, ...] = (),
) -> Path:
    module = f"medsdk_dots_{name}"
    package = site / module
    shutil.copytree(BUNDLE, package)
    shutil.copy(BROKEN / f"{name}.py", package / "__init__.py")
    content = json.loads((package / "card.json").read_bytes())
    (package / "card.json").write_text(json.dumps(content | dict(card or {})))
    if damage:
        model = package / "model.tflite"
        model.write_bytes(model.read_bytes()[:-4] + b"\0\0\0\1")
    info = site / "medsdk_dots-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: medsdk-dots\nVersion: 1.0\nLicense-Expression: Apache-2.0\n"
        f"Requires-Dist: {requires}\n"
    )
    (info / "entry_points.txt").write_text(entry_points.format(module=module))
    listed = [path for path in sorted(site.rglob("*")) if path.is_file() and path.name not in unlisted]
    (info / "RECORD").write_text("".join(_record(site, path) for path in listed) + f"{info.name}/RECORD,,\n")
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    return site


def _record(site: Path, path: Path) -> str:
    content = path.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path.relative_to(site).as_posix()},sha256={digest},{len(content)}\n"


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn discs, the only kind of picture that the tests' model judges."""
    folder = tmp_path_factory.mktemp("own")
    disc = runpy.run_path(str(HERE / "drawn.py"))["disc"]
    random = np.random.default_rng(7)
    for number in range(6):
        drawn = disc(random, dots=bool(number % 2))
        cv2.imwrite(str(folder / f"disc{number}.png"), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return folder
