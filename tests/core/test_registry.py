"""Listing reads no more of a distribution than it needs; tests/system installs whole plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

import medsdk
from medsdk.core import registry


def distribution(site: Path, folder: str, disease: str, about: str = "") -> None:
    info = site / folder
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(f"[medsdk]\n{disease} = medsdk_{disease}\n")
    if about:
        (info / ("PKG-INFO" if folder.endswith(".egg-info") else "METADATA")).write_text(about)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_name_and_version_stand_in_the_folders_name(site: Path) -> None:
    distribution(site, "medsdk_gout_feet-1.2.0+local.3.dist-info", "gout")
    found = registry.diseases()["gout"]
    assert (found.distribution, found.version) == ("medsdk-gout-feet", "1.2.0+local.3")


@pytest.mark.parametrize("folder", ["gout.egg-info", "medsdk-gout-2.dist-info"])
def test_where_the_folder_does_not_tell_the_metadata_does(site: Path, folder: str) -> None:
    distribution(site, folder, "gout", "Metadata-Version: 2.1\nName: medsdk-gout\nVersion: 2.0\n")
    found = registry.diseases()["gout"]
    assert (found.distribution, found.version) == ("medsdk-gout", "2.0")


def test_one_search_tells_the_diseases_and_the_problems(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution(site, "first-1.0.dist-info", "gout")
    distribution(site, "second-1.0.dist-info", "gout")
    distribution(site, "third-1.0.dist-info", "mumps")
    found, (problem,) = registry.survey()
    assert "mumps" in found
    assert "gout" not in found
    assert problem.distribution == "first and second"
    assert (found, [problem]) == (registry.diseases(), registry.problems())
    monkeypatch.setenv(registry.STRICT, "1")
    with pytest.raises(medsdk.BrokenPluginError):
        registry.diseases()
    assert registry.survey()[1] == [problem]
