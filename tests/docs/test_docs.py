"""The documentation is true: its Python runs, its reference is complete, its links lead somewhere."""

from __future__ import annotations

import inspect
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import medsdk
import medsdk.testing
from medsdk.cli.exit_codes import exit_code_of
from medsdk.core import errors, hookspecs, steps

from .conftest import STAND_IN

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("plugins/*/README.md"),
        *ROOT.glob("examples/*/README.md"),
        ROOT / "converters" / "README.md",
    ]
)
# A name behind `python` is a file: of the tutorial (converters/tests/test_tutorial.py) or of embed.md (test_embed.py).
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```python (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES_RUN_BY = {"docs/tutorial/first-plugin.md": "test_tutorial.py", "docs/how-to/embed.md": "test_embed.py"}


def blocks() -> list[Any]:
    return [
        pytest.param(page, code, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, code in enumerate(BLOCK.findall(page.read_text()))
    ]


@pytest.mark.parametrize(("page", "code"), blocks())
def test_the_python_in_the_docs_runs(page: Path, code: str, desk: Path, request: pytest.FixtureRequest) -> None:
    if str(page.relative_to(ROOT)) in STAND_IN:
        request.getfixturevalue("stand_in")
    if "medsdk.evaluation" in code:
        pytest.importorskip("sklearn")
        pytest.importorskip("matplotlib")
    # What the text around a block has named.
    given = {"__name__": "docs", "medsdk": medsdk, "pictures": ["field.jpg"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a page that shows one call need not close what it opened
        exec(compile(code, str(page), "exec", dont_inherit=True), given)


def test_every_named_file_belongs_to_a_page_whose_files_are_run() -> None:
    assert {str(page.relative_to(ROOT)) for page in PAGES if FILE.search(page.read_text())} == set(FILES_RUN_BY)


def test_every_hook_is_documented_with_its_signature() -> None:
    text = (ROOT / "docs/reference/hooks.md").read_text()
    hooks = [f for name, f in vars(hookspecs).items() if name.startswith("medsdk_")]
    assert len(hooks) >= 2
    for hook in hooks:
        signature = str(inspect.signature(hook)).replace("'", "")
        assert f"`{hook.__name__}{signature}`" in text


def test_every_environment_variable_is_documented() -> None:
    text = (ROOT / "docs/reference/hooks.md").read_text()
    used = {name for file in ROOT.glob("medsdk/**/*.py") for name in re.findall(r"MEDSDK_[A-Z_]+", file.read_text())}
    assert set(re.findall(r"^\| `(MEDSDK_[A-Z_]+)=", text, re.M)) == used


def test_every_step_is_documented_with_its_parameters() -> None:
    text = (ROOT / "docs/reference/steps.md").read_text()
    wanted = {"resize"}
    for name, step in steps._BUILT_IN.items():
        parameters = list(inspect.signature(step).parameters.values())[1:]
        wanted.add(f"{name}({', '.join(map(str, parameters))})".replace("'", ""))
    assert set(re.findall(r"^\| `([^`]+)` \|", text, re.M)) == wanted


def test_every_error_is_documented_with_its_exit_code() -> None:
    table = re.findall(r"^\| (?:– )?`(\w+Error)` \|.*\| (\d+) \|$", (ROOT / "docs/reference/errors.md").read_text(), re.M)
    kinds = {name: kind for name, kind in vars(errors).items() if name.endswith("Error")}
    assert {name: int(code) for name, code in table} == {
        name: exit_code_of(kind.__new__(kind)) for name, kind in kinds.items()
    }
    assert set(kinds) <= set(medsdk.__all__)


def test_every_public_name_is_in_the_reference() -> None:
    named = set(re.findall(r"^::: (\S+)$", (ROOT / "docs/reference/api.md").read_text(), re.M))
    public = {f"{medsdk._MODULE_OF[name]}.{name}" for name in medsdk.__all__ if not name.endswith("Error")}
    testing = {f"medsdk.testing.{medsdk.testing._MODULE_OF[name]}.{name}" for name in medsdk.testing.__all__}
    assert named == public | testing


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in ROOT.glob("docs/**/*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
