"""Each distribution as a wheel: complete, and working outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    target = tmp_path_factory.mktemp("wheels")
    projects = [str(ROOT), *(str(ROOT / "plugins" / name) for name in PLUGINS)]
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", str(target), *projects], check=True)
    return {path.name.split("-")[0]: path for path in target.glob("*.whl")}


def test_the_core_wheel_holds_the_core_alone(wheels: dict[str, Path]) -> None:
    names = zipfile.ZipFile(wheels["medsdk"]).namelist()
    assert "medsdk/py.typed" in names
    assert "medsdk/core/analyzer.py" in names
    assert all(name.startswith(("medsdk/", "medsdk-")) for name in names)
    assert not any("tests" in name for name in names if "template" not in name)


@pytest.mark.parametrize("plugin", [name for name in PLUGINS if name != "lungs"])
def test_a_plugins_wheel_holds_its_bundle(plugin: str, wheels: dict[str, Path]) -> None:
    names = zipfile.ZipFile(wheels[f"medsdk_{plugin}"]).namelist()
    for file in ("__init__.py", "card.json", "model.tflite", "reference.npz", "py.typed"):
        assert f"medsdk_{plugin}/{file}" in names


def test_the_wheels_work_outside_the_checkout(wheels: dict[str, Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(site), *map(str, wheels.values())], check=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import medsdk, numpy\n"
        "assert medsdk.__file__.startswith(sys.argv[1]), medsdk.__file__\n"
        "print(medsdk.load('malaria').predict(numpy.zeros((9, 9, 3), 'uint8')).verdict)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(site)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "rejected", run.stderr
