"""What goes away says so for one minor version, to whoever calls it; and then it does go."""

from __future__ import annotations

import warnings

import pytest

import medsdk
from medsdk.core.deprecation import GIVEN, Deprecation, deprecated


def test_a_deprecated_function_works_on_and_every_call_warns() -> None:
    before = list(GIVEN)

    @deprecated(since="0.4", until="0.5", instead="medsdk.load")
    def open_disease(name: str, *, site: str = "") -> str:
        """Opens."""
        return name + site

    GIVEN[:] = before
    assert open_disease.__doc__ == "Opens."
    for _ in range(2):
        with pytest.warns(DeprecationWarning, match=r"open_disease\(\) .* since medsdk 0\.4 and goes in 0\.5") as told:
            assert open_disease("a", site="b") == "ab"
        assert "use medsdk.load" in str(told[0].message)
        assert told[0].filename == __file__


def test_a_renamed_public_name_is_the_new_one_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(medsdk._RENAMED, "open_disease", ("load", "0.4", "0.6"))
    with pytest.warns(DeprecationWarning, match=r"medsdk\.open_disease .* use medsdk\.load") as told:
        found = medsdk.open_disease
    assert found is medsdk.load
    assert told[0].filename == __file__
    assert "open_disease" not in medsdk.__all__


def test_public_names_that_stay_do_not_warn() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        _ = [getattr(medsdk, name) for name in medsdk.__all__]
    assert [warning for warning in told if warning.category is DeprecationWarning and "medsdk" in str(warning.message)] == []


@pytest.mark.parametrize(("since", "until"), [("0.4", "0.4"), ("0.5", "0.4"), ("1.0", "0.9"), ("0.10", "0.9")])
def test_without_a_minor_version_in_between_it_is_refused(since: str, until: str) -> None:
    with pytest.raises(ValueError, match="at least one minor version"):
        Deprecation("x", since, until, "y")


@pytest.mark.parametrize(("version", "due"), [("0.4.9", False), ("0.5.0", True), ("0.10.0", True), ("1.0.0", True)])
def test_it_ends_in_the_version_that_it_named(version: str, due: bool) -> None:
    assert Deprecation("x", "0.4", "0.5", "y").is_due(version) == due


def test_nothing_is_overdue() -> None:
    renamed = [Deprecation(old, since, until, new) for old, (new, since, until) in medsdk._RENAMED.items()]
    assert [str(each) for each in (*GIVEN, *renamed) if each.is_due(medsdk.__version__)] == []
