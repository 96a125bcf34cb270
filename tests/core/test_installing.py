"""Remedies name a command that works: from the checkout that medsdk came from, or from a package index."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import medsdk
from medsdk.core import installing
from medsdk.core.errors import MissingExtraError

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def came_from(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`came_from(direct_url)`: what pip wrote of medsdk's origin; None is what it writes for an index: nothing."""

    def call(said: dict[str, Any] | None) -> None:
        text = None if said is None else json.dumps(said)
        monkeypatch.setattr(metadata, "distribution", lambda _: SimpleNamespace(read_text=lambda _: text))

    return call


def checkout(folder: Path) -> dict[str, Any]:
    return {"url": folder.as_uri(), "dir_info": {"editable": True}}


def test_from_a_checkout(came_from: Any) -> None:
    came_from(checkout(REPOSITORY))
    assert installing.extra("web") == f"pip install '{REPOSITORY}[web]'"
    assert installing.plugin("malaria") == f"pip install '{REPOSITORY}/plugins/malaria'"


def test_a_plugin_comes_with_the_one_that_it_requires(came_from: Any) -> None:
    came_from(checkout(REPOSITORY))
    assert installing.plugin("covid") == f"pip install '{REPOSITORY}/plugins/lungs' '{REPOSITORY}/plugins/covid'"


@pytest.mark.parametrize("disease", ["scabies", "..", ""])
def test_what_the_checkout_does_not_hold_is_its_authors(disease: str, came_from: Any) -> None:
    came_from(checkout(REPOSITORY))
    assert "that its author gives" in installing.plugin(disease)


@pytest.mark.parametrize(
    "said",
    [
        None,
        {"url": "file:///nowhere/medsdk", "dir_info": {}},
        {"url": (REPOSITORY / "README.md").as_uri(), "archive_info": {}},
        {"url": "https://example.org/medsdk.git", "vcs_info": {"vcs": "git", "commit_id": "0"}},
    ],
    ids=["an index", "a checkout that is gone", "a wheel", "git"],
)
def test_from_elsewhere(said: dict[str, Any] | None, came_from: Any) -> None:
    came_from(said)
    assert installing.extra("web") == "pip install 'medsdk[web]'"
    assert installing.plugin("skin_rash") == "pip install medsdk-skin-rash"


def test_errors_end_with_the_command(came_from: Any) -> None:
    came_from(checkout(REPOSITORY))
    assert f"pip install '{REPOSITORY}[web]'" in MissingExtraError("web", "The web server").remedy
    with pytest.raises(medsdk.UnknownDiseaseError) as caught:
        medsdk.load("plague")
    assert "that its author gives" in caught.value.remedy


def test_a_distribution_that_pip_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", unknown)
    assert installing.extra("new") == "pip install 'medsdk[new]'"
