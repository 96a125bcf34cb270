"""What `medsdk list --verbose` says of a plugin, and the allow files; none of it may import the plugin."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from medsdk.core import allowing, registry, trust
from medsdk.core.errors import MedsdkError


@pytest.fixture
def claim(publish: Any) -> registry.InstalledDisease:
    # Importing it would fail: that nothing here does is part of every test below.
    publish("fails_on_import")
    return next(claim for claim in registry.installed() if claim.id == "dots")


def _folder(claim: registry.InstalledDisease) -> Path:
    return Path(str(claim.entry_point.dist.locate_file("medsdk_dots_fails_on_import")))


def test_a_plugin_that_is_as_installed(claim: registry.InstalledDisease) -> None:
    standing = trust.examine(claim)
    assert standing.intact
    assert standing.files == 6
    assert (standing.licence, standing.status) == ("Apache-2.0", "trained")
    assert standing.intended_use is not None
    assert standing.intended_use.startswith("None: it shows")
    assert "medsdk_dots_fails_on_import" not in sys.modules


def test_a_changed_file_is_named(claim: registry.InstalledDisease) -> None:
    (_folder(claim) / "__init__.py").write_text("import medsdk\n")
    standing = trust.examine(claim)
    assert standing.intact is False
    assert standing.changed == ("medsdk_dots_fails_on_import/__init__.py",)
    assert "__init__.py" in standing.summary


def test_a_missing_file_is_named(claim: registry.InstalledDisease) -> None:
    (_folder(claim) / "reference.npz").unlink()
    assert trust.examine(claim).missing == ("medsdk_dots_fails_on_import/reference.npz",)


def test_an_added_file_is_named_but_not_what_python_compiled(claim: registry.InstalledDisease) -> None:
    (_folder(claim) / "__pycache__").mkdir()
    (_folder(claim) / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"")
    assert trust.examine(claim).intact
    (_folder(claim) / "extra.py").write_text("")
    assert trust.examine(claim).unlisted == ("medsdk_dots_fails_on_import/extra.py",)


def test_a_plugin_without_a_valid_card_has_no_status(claim: registry.InstalledDisease) -> None:
    (_folder(claim) / "card.json").write_text("{}")
    standing = trust.examine(claim)
    assert standing.status is None
    assert not standing.intact


def test_an_editable_plugin_cannot_be_checked_and_its_card_is_found(claim: registry.InstalledDisease) -> None:
    info = _folder(claim).parent / "medsdk_dots-1.0.dist-info"
    (info / "RECORD").write_text(f"{info.name}/METADATA,,\n")
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///somewhere", "dir_info": {"editable": True}}))
    standing = trust.examine(claim)
    assert standing.intact is None
    assert "editable" in standing.summary
    assert standing.status == "trained"
    assert "medsdk_dots_fails_on_import" not in sys.modules


def test_a_distribution_without_a_record_cannot_be_checked(claim: registry.InstalledDisease) -> None:
    (_folder(claim).parent / "medsdk_dots-1.0.dist-info" / "RECORD").unlink()
    standing = trust.examine(claim)
    assert standing.intact is None
    assert "without hashes" in standing.summary


def test_without_a_file_everything_is_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(allowing.ALLOW_FILE, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert allowing.allow_list().permits("anything", "1")


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def write(text: str) -> allowing.AllowList:
        (tmp_path / "allow.txt").write_text(text)
        monkeypatch.setenv(allowing.ALLOW_FILE, str(tmp_path / "allow.txt"))
        return allowing.allow_list()

    return write


def test_a_file_allows_what_it_names(allow: Any) -> None:
    allowed = allow("# our hospital\nmedsdk_malaria\nmedsdk-dots == 1.0  # looked at in May\n")
    assert allowed.permits("medsdk-malaria", "7")
    assert allowed.permits("Medsdk.Dots", "1.0")
    assert not allowed.permits("medsdk-dots", "1.1")
    assert not allowed.permits("medsdk-scabies", "1.0")


def test_an_empty_file_allows_nothing(allow: Any) -> None:
    assert not allow("").permits("medsdk-malaria", "1")


def test_the_environments_file_and_the_named_one_must_both_allow(
    allow: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "etc" / "medsdk").mkdir(parents=True)
    (tmp_path / "etc" / "medsdk" / "allow.txt").write_text("medsdk-dots\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    allowed = allow("medsdk-dots\nmedsdk-malaria\n")
    assert allowed.permits("medsdk-dots", "1")
    assert not allowed.permits("medsdk-malaria", "1")


@pytest.mark.parametrize("text", ["medsdk-dots>=1", "two words"])
def test_a_line_that_means_nothing_allows_nothing(allow: Any, text: str) -> None:
    with pytest.raises(MedsdkError, match="none may run"):
        allow(text)


def test_a_named_file_that_is_not_there_allows_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(allowing.ALLOW_FILE, str(tmp_path / "gone.txt"))
    with pytest.raises(MedsdkError, match="cannot be read"):
        allowing.allow_list()
