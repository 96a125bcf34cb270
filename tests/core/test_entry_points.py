"""What is read from the folders is what importlib.metadata says; where a folder does not tell, it is asked itself."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from medsdk.core import entry_points

GROUP = "medsdk.try"
Fill = Callable[[Path], object]


def distribution(site: Path, folder: str, text: str, about: str = "") -> None:
    info = site / folder
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(text)
    (info / "METADATA").write_text(about or f"Metadata-Version: 2.1\nName: {folder.partition('-')[0]}\nVersion: 1\n")


def asked() -> set[tuple[str, str, str]]:
    return {
        (entry.name, entry.value, str(entry.dist and entry.dist.version)) for entry in metadata.entry_points(group=GROUP)
    }


def read() -> set[tuple[str, str, str]]:
    return {(entry.name, entry.value, entry.dist.version) for entry in entry_points.find(GROUP)}


def nothing(site: Path) -> None:
    pass


def sections(site: Path) -> None:
    text = f"# some\n[console_scripts]\nother = pip:main\n\n[{GROUP}]\n one=json\n#three=json\nfour = json : loads [extra]\n"
    distribution(site, "one-1.dist-info", text)


def egg_info(site: Path) -> None:
    distribution(site, "old.egg-info", f"[{GROUP}]\nold = json\n")
    (site / "old.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: old\nVersion: 3\n")


def hidden_by_an_earlier_one(site: Path) -> None:
    distribution(site / "later", "Some_Name-2.dist-info", f"[{GROUP}]\nlater = json\n")
    distribution(site, "some.name-1.dist-info", f"[{GROUP}]\nearlier = json\n")
    sys.path.append(str(site / "later"))


def hidden_by_one_without_entry_points(site: Path) -> None:
    distribution(site / "later", "name-2.dist-info", f"[{GROUP}]\nlater = json\n")
    (site / "name-1.dist-info").mkdir()
    sys.path.append(str(site / "later"))


def a_zip(site: Path) -> None:
    with zipfile.ZipFile(site / "packed.zip", "w") as archive:
        archive.writestr("packed-4.dist-info/entry_points.txt", f"[{GROUP}]\npacked = json\n")
        archive.writestr("packed-4.dist-info/METADATA", "Metadata-Version: 2.1\nName: packed\nVersion: 4\n")
    sys.path.append(str(site / "packed.zip"))


def a_finder_of_its_own(site: Path) -> None:
    distribution(site / "elsewhere", "found-5.dist-info", f"[{GROUP}]\nfound = json\n")

    class Finder:
        find_spec = staticmethod(lambda *_: None)

        @staticmethod
        def find_distributions(_: metadata.DistributionFinder.Context) -> object:
            return PathFinder.find_distributions(metadata.DistributionFinder.Context(path=[str(site / "elsewhere")]))

    sys.meta_path.append(Finder)  # type: ignore[arg-type]


def not_text(site: Path) -> None:
    sections(site)
    (site / "bad-1.dist-info").mkdir()
    (site / "missing-1.dist-info").write_text("a file")


def a_path_that_is_not_there(site: Path) -> None:
    sections(site)
    sys.path.append(str(site / "nowhere"))


@pytest.mark.parametrize(
    ("fill", "names"),
    [
        (nothing, set()),
        (sections, {"one", "four"}),
        (egg_info, {"old"}),
        (hidden_by_an_earlier_one, {"earlier"}),
        (hidden_by_one_without_entry_points, set()),
        (a_zip, {"packed"}),
        (a_finder_of_its_own, {"found"}),
        (not_text, {"one", "four"}),
        (a_path_that_is_not_there, {"one", "four"}),
    ],
)
def test_it_finds_what_importlib_metadata_finds(
    fill: Fill, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    fill(tmp_path)
    assert read() == asked()
    assert {name for name, *_ in read()} == names
    assert {name for name, *_ in asked()} == names


@pytest.mark.parametrize("group", ["console_scripts", "medsdk", "pytest11"])
def test_it_finds_what_is_installed_here(group: str) -> None:
    expected = sorted((entry.name, entry.value) for entry in metadata.entry_points(group=group))
    assert sorted((entry.name, entry.value) for entry in entry_points.find(group)) == expected


def test_it_loads_a_module_or_an_object_in_it() -> None:
    assert entry_points.EntryPoint("one", "json", GROUP).load() is json
    assert entry_points.EntryPoint("two", "json : JSONDecoder.decode [extra]", GROUP).load() is json.JSONDecoder.decode
    assert entry_points.EntryPoint("three", "json.decoder", GROUP).module == "json.decoder"


def test_a_cold_prediction_does_not_import_what_costs_most() -> None:
    code = """
import sys, numpy, medsdk, medsdk.cli.predict
analyzer = medsdk.load("retinopathy")
verdict = analyzer.predict(numpy.zeros((64, 64, 3), numpy.uint8)).verdict
print(verdict, {"email", "importlib.metadata"} & set(sys.modules))
"""
    if "retinopathy" not in {entry.name for entry in entry_points.find("medsdk")}:
        pytest.skip("medsdk-retinopathy is not installed here")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "rejected set()"
