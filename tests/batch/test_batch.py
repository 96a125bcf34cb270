from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from medsdk.batch import find_pictures, run
from medsdk.core.errors import DamagedPictureError, SourceNotFoundError, WriteError
from medsdk.core.prediction import Prediction


class Analyzer:
    """Says 'positive' of every picture but those whose name holds 'bad'; `stop_after` cuts the power."""

    disease = "demo"

    def __init__(self, sha256: str = "a" * 64, stop_after: int | None = None, site: str | None = None) -> None:
        self.site_sha256 = site
        self.card = SimpleNamespace(model=SimpleNamespace(sha256=sha256))
        self.seen: list[str] = []
        self._stop_after = stop_after

    def predict_many(self, sources: list[str], threads: int) -> Any:
        for source in sources:
            if len(self.seen) == self._stop_after:
                raise KeyboardInterrupt
            self.seen.append(source)
            error = DamagedPictureError(source, "cut short.", "Get a whole copy.") if "bad" in source else None
            yield Prediction("demo", source, None if error else "positive", probability=None if error else 0.9, error=error)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "b").mkdir(parents=True)
    for name in ("2.png", "1.JPG", "b/3.tiff", "b/bad.png", "notes.txt", ".4.png"):
        (folder / name).write_bytes(b"x")
    return folder


def judge(analyzer: Any, folder: Path, out: Path) -> Any:
    return run(analyzer, find_pictures([folder]), out)


def test_pictures_of_a_folder_in_order(folder: Path) -> None:
    names = [path.relative_to(folder).as_posix() for path in find_pictures([folder, folder / "2.png"])]
    assert names == ["1.JPG", "2.png", "b/3.tiff", "b/bad.png"]


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(SourceNotFoundError, match="no such file"):
        list(find_pictures(["nowhere"]))


def test_every_picture_is_a_line_and_failures_are_counted(folder: Path, tmp_path: Path) -> None:
    done = judge(Analyzer(), folder, tmp_path / "r.jsonl")
    assert (done.pictures, done.done, done.failed) == (4, 4, 1)
    rows = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [row["verdict"] for row in rows] == ["positive", "positive", "positive", None]
    assert "cut short" in rows[3]["error"]


def test_csv_has_a_header_and_the_same(folder: Path, tmp_path: Path) -> None:
    judge(Analyzer(), folder, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == ["positive", "positive", "positive", ""]
    assert rows[0]["model_sha256"] == "a" * 64


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv"])
@pytest.mark.parametrize("stop_after", range(5))
def test_interrupted_anywhere_it_goes_on_and_the_file_is_the_same(
    folder: Path, tmp_path: Path, name: str, stop_after: int
) -> None:
    judge(Analyzer(), folder, tmp_path / f"whole_{name}")
    first, second = Analyzer(stop_after=stop_after), Analyzer()
    try:
        judge(first, folder, tmp_path / name)
    except KeyboardInterrupt:
        # What a kill in the middle of a write would leave.
        with (tmp_path / name).open("ab") as file:
            file.write(b'{"source": "ha')
    done = judge(second, folder, tmp_path / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole_{name}").read_bytes()
    assert set(first.seen).isdisjoint(second.seen)
    assert done.failed == 1


def test_results_of_another_model_are_not_mixed(folder: Path, tmp_path: Path) -> None:
    judge(Analyzer("a" * 64), folder, tmp_path / "r.csv")
    with pytest.raises(WriteError, match="another model"):
        judge(Analyzer("b" * 64), folder, tmp_path / "r.csv")


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv"])
def test_results_by_another_operating_point_are_not_mixed(name: str, folder: Path, tmp_path: Path) -> None:
    judge(Analyzer(site="c" * 64), folder, tmp_path / name)
    assert judge(Analyzer(site="c" * 64), folder, tmp_path / name).done == 0
    for other in (None, "d" * 64):
        with pytest.raises(WriteError, match="another operating point"):
            judge(Analyzer(site=other), folder, tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"), [("r.jsonl", "a,b\n1,2\n"), ("r.csv", "a,b\n1,2\n"), ("r.jsonl", "[]\n"), ("r.csv", "mine")]
)
def test_a_file_of_something_else_is_left_alone(folder: Path, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(WriteError, match="not a file of medsdk's results"):
        judge(Analyzer(), folder, tmp_path / name)
    assert (tmp_path / name).read_text() == content


def test_other_endings_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"\.jsonl nor \.csv"):
        judge(Analyzer(), folder, tmp_path / "r.txt")
    assert not (tmp_path / "r.txt").exists()
