"""Bad plugins, each built and installed for real into a folder of its own; the good ones must work on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

GOOD = """
import medsdk
class Disease(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)
@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Disease())
"""
SOURCES = {
    "raises": "raise RuntimeError('out of order')",
    "exits": "import sys; sys.exit(3)",
    "misspelt": GOOD.replace("medsdk_register_diseases", "medsdk_register_disease"),
    "future": 'medsdk_api = "999"\n' + GOOD,
    "cut": GOOD,
    "flipped": GOOD,
    "mute": "import medsdk",
    "twin_a": GOOD,
    "twin_b": GOOD,
}


def write_plugin(folder: Path, name: str) -> Path:
    disease = "twin" if name.startswith("twin") else name
    package = folder / name / f"bad_{name}"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(SOURCES[name])
    (folder / name / "pyproject.toml").write_text(
        f"""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "bad-{name.replace("_", "-")}"
version = "1.2.3"
[project.entry-points.medsdk]
{disease} = "bad_{name}"
[tool.hatch.build.targets.wheel]
packages = ["bad_{name}"]
"""
    )
    write_bundle(package, disease)
    model = package / "model.tflite"
    content = bytearray(model.read_bytes())
    if name == "cut":
        model.write_bytes(content[: len(content) // 2])
    if name == "flipped":
        content[len(content) // 2] ^= 1
        model.write_bytes(content)
    return folder / name


def write_bundle(package: Path, disease: str) -> None:
    """The shipped malaria bundle under another name."""
    import medsdk

    source = medsdk.load("malaria").plugin.bundle.folder
    for file in ("model.tflite", "reference.npz"):
        shutil.copy(source / file, package / file)
    card = json.loads((source / "card.json").read_text())
    (package / "card.json").write_text(json.dumps({**card, "disease": disease}))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    target = tmp_path_factory.mktemp("site")
    projects = [str(write_plugin(folder, name)) for name in SOURCES]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--disable-pip-version-check", "--target", str(target), *projects], check=True)
    return target


def medsdk_program(site: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medsdk", *arguments],
        env={**os.environ, "PYTHONPATH": str(site), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("disease", "code", "cause"),
    [
        ("raises", 4, "out of order"),
        ("exits", 4, "SystemExit"),
        ("misspelt", 4, "medsdk_register_disease"),
        ("future", 4, "999"),
        ("mute", 4, "registers nothing"),
        ("twin", 4, "bad-twin-a 1.2.3 and bad-twin-b 1.2.3"),
        ("cut", 5, "bytes, the card says"),
        ("flipped", 5, "sha256"),
    ],
)
def test_a_broken_plugin_is_reported_with_its_remedy(site: Path, disease: str, code: int, cause: str) -> None:
    result = medsdk_program(site, "info" if code == 4 else "predict", disease, *(["x.png"] if code == 5 else []))
    assert result.returncode == code, result.stderr
    assert cause in result.stderr
    assert "Traceback" not in result.stderr
    assert "uninstall" in result.stderr or "Reinstall" in result.stderr


def test_doctor_reports_them_all_and_the_good_ones_work_on(site: Path) -> None:
    result = medsdk_program(site, "doctor", "--json")
    checks = {line["part"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert result.returncode == 4
    for disease in ("raises", "exits", "misspelt", "future", "cut", "flipped", "mute", "twin"):
        assert checks[disease]["state"] == "broken"
        assert "1.2.3" in checks[disease]["message"]
        assert "bad-" in checks[disease]["message"]
    for disease in ("malaria", "retinopathy"):
        assert checks[disease]["state"] == "ok"


def test_identify_works_on_without_them(site: Path, fundus: object, tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "eye.png"
    cv2.imwrite(str(path), fundus[..., ::-1])
    result = medsdk_program(site, "identify", str(path), "--json")
    assert [match["disease"] for match in json.loads(result.stdout)["diseases"]] == ["retinopathy"]
    assert "bad-raises 1.2.3" in result.stderr
    strict = medsdk_program(site, "identify", str(path), MEDSDK_STRICT="1")
    assert strict.returncode == 4


def test_the_list_shows_duplicates_as_a_problem(site: Path) -> None:
    result = medsdk_program(site, "list")
    assert "twin" not in result.stdout
    assert "bad-twin-a" in result.stderr
    assert result.returncode == 0
    assert medsdk_program(site, "list", MEDSDK_STRICT="1").returncode == 4


def test_the_allow_list_acts_before_anything_is_imported(site: Path) -> None:
    def listed(allowed: str) -> set[str]:
        lines = medsdk_program(site, "list", "--json", MEDSDK_PLUGINS=allowed).stdout.splitlines()
        return {json.loads(line)["id"] for line in lines}

    assert listed("medsdk-malaria") == {"malaria"}
    assert listed("medsdk_malaria, retinopathy") == {"malaria", "retinopathy"}
    assert listed("bad-twin-b") == {"twin"}
    assert listed("") == set()
    result = medsdk_program(site, "info", "raises", MEDSDK_PLUGINS="malaria")
    assert result.returncode == 4
    assert "out of order" not in result.stderr


def test_the_shipped_distributions_know_their_versions() -> None:
    for name in ("medsdk", "medsdk-malaria", "medsdk-retinopathy"):
        assert metadata.version(name).count(".") == 2
