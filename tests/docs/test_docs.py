"""The documentation is true: its Python runs, its hooks have their signatures, its links lead somewhere."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from medsdk.core import hookspecs

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Pages whose Python can run as it stands; in the others it is a part of a file that a test of its own builds.
RUN = [ROOT / "README.md", *ROOT.glob("docs/tutorial/first-steps.md")]


def blocks() -> list[pytest.ParameterSet]:
    return [
        pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")
        for page in RUN
        for number, code in enumerate(BLOCK.findall(page.read_text()))
    ]


@pytest.mark.parametrize("code", blocks())
def test_the_python_in_the_docs_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pytest.importorskip("skimage.data")
    import cv2

    monkeypatch.chdir(tmp_path)
    cv2.imwrite("fundus.png", data.retina()[..., ::-1])
    exec(compile(code, "docs", "exec"), {"__name__": "docs"})


def test_every_hook_is_documented_with_its_signature() -> None:
    text = (ROOT / "docs/reference/hooks.md").read_text()
    hooks = [f for name, f in vars(hookspecs).items() if name.startswith("medsdk_")]
    assert len(hooks) >= 2
    for hook in hooks:
        signature = str(inspect.signature(hook)).replace("'", "")
        assert f"`{hook.__name__}{signature}`" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
