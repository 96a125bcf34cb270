"""`medsdk new`: what it writes installs, passes the kit as it stands, and explains every field."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from click.testing import CliRunner

from medsdk.cli.new import command
from medsdk.core.card import Card, read_card
from medsdk.core.errors import MedsdkError, MissingExtraError
from medsdk.template.create import TEMPLATE, TemplateError, create

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("copier", reason="copier is in the extra medsdk[new]")
    target = tmp_path_factory.mktemp("new") / "medsdk-river-fever"
    create("river_fever", target, {"name": 'Crohn\'s "River" fever'})
    return target


def test_the_package_is_complete(package: Path) -> None:
    found = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert found == {
        ".github/workflows/test.yml",
        ".gitignore",
        "CARD.md",
        "README.md",
        "medsdk_river_fever/__init__.py",
        "medsdk_river_fever/card.json",
        "medsdk_river_fever/model.tflite",
        "medsdk_river_fever/reference.npz",
        "pyproject.toml",
        "recipe.toml",
        "tests/golden.json",
        "tests/test_river_fever.py",
    }
    plugin = (package / "medsdk_river_fever" / "__init__.py").read_text()
    assert "class RiverFever(medsdk.DiseasePlugin)" in plugin
    assert "{{" not in "".join(path.read_text() for path in package.rglob("*.toml"))


def test_the_placeholder_is_small_untrained_and_what_the_card_says(package: Path) -> None:
    card = read_card(package / "medsdk_river_fever" / "card.json")
    assert card.status == "untrained"
    assert card.name == 'Crohn\'s "River" fever'
    assert card.reference is not None
    for file in (card.model, card.reference):
        content = (package / "medsdk_river_fever" / file.file).read_bytes()
        assert (len(content), sha256(content).hexdigest()) == (file.bytes, file.sha256)
    assert card.model.bytes < 6_000


def test_the_recipe_is_valid_as_it_is_written(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "converters")
    from medsdk_converters.recipe import read_recipe

    recipe = read_recipe(package / "recipe.toml")
    card = read_card(package / "medsdk_river_fever" / "card.json")
    assert (recipe.disease, recipe.labels) == (card.disease, card.labels)
    assert set(recipe.data[0].labels.values()) == {label.id for label in recipe.labels}


def test_the_package_installs_and_its_tests_pass_as_written(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--target", str(tmp_path), str(package)], check=True, timeout=300, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package)]
    done = subprocess.run(pytest_, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    assert "19 passed, 2 skipped" in done.stdout


def test_every_field_of_the_card_is_explained() -> None:
    text = (TEMPLATE / "package" / "CARD.md").read_text()
    explained = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert explained == set(_fields(Card))


def test_the_reference_is_the_same_text() -> None:
    assert (ROOT / "docs" / "reference" / "card.md").read_bytes() == (TEMPLATE / "package" / "CARD.md").read_bytes()


def _fields(struct: Any, prefix: str = "") -> Iterator[str]:
    """Every field by its path; of a struct that may not be null, only the fields inside it."""
    for name, hint in get_type_hints(struct).items():
        inner = _struct_in(hint)
        whole = inner is None or inner is not hint
        if whole:
            yield f"{prefix}{name}"
        if inner is not None:
            yield from _fields(inner, f"{prefix}{name}.")


def _struct_in(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for part in get_args(hint) if (found := _struct_in(part)) is not None), None)


@pytest.mark.parametrize("disease", ["Scabies", "2fast", "river fever", "class", ""])
def test_a_bad_id_is_refused(disease: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot be a disease's id"):
        create(disease, tmp_path / "new", {})
    assert not (tmp_path / "new").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TemplateError, match="not empty"):
        create("scabies", tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_without_copier_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "copier.errors", None)
    with pytest.raises(MissingExtraError, match=r"\[new\]'"):
        create("scabies", tmp_path / "new", {})


def test_the_command_writes_beside_and_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("copier")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, ["scabies", "--icd10", "B86", "--snomed-ct", "128869009"])
    assert result.exit_code == 0
    assert "pip install -e './medsdk-scabies[test]'" in result.stderr
    card = read_card(tmp_path / "medsdk-scabies" / "medsdk_scabies" / "card.json")
    assert (card.codes.icd10, card.codes.snomed_ct, card.name) == ("B86", "128869009", "Scabies")


def test_the_command_passes_errors_on(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["Scabies", "--out", str(tmp_path / "new")])
    assert isinstance(result.exception, MedsdkError)
