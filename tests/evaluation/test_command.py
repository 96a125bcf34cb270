from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

import medsdk
from medsdk.cli import main
from medsdk.evaluation import judging

pytest.importorskip("sklearn")

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, redness: medsdk.Analyzer, red_pack: Path) -> Run:
    monkeypatch.setattr(judging, "open_disease", lambda _: redness)

    def invoke(*arguments: str) -> Result:
        data = ["--data", str(red_pack), "--label-map", "sick=l1"]
        return CliRunner().invoke(main, ["evaluate", "redness", *data, *arguments])

    return invoke


def test_the_block_says_the_figures(run: Run) -> None:
    result = run("--threads", "2")
    assert result.exit_code == 0
    assert "split test: 80 pictures" in result.stdout
    assert "sensitivity" in result.stdout
    assert result.stderr == ""


def test_json_is_one_line(run: Run) -> None:
    result = run("--json", "--split", "val")
    assert msgspec.json.decode(result.stdout)["split"] == "val"
    assert result.stdout.count("\n") == 1


def test_report_and_site_are_written_where_they_are_told(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    site, out = tmp_path / "site.json", tmp_path / "out"
    result = run("--out", str(out), "--recalibrate", str(site), "--rule", "specificity>=0.9", "--pictures")
    assert result.exit_code == 0, result.stderr
    assert msgspec.json.decode(site.read_bytes())["decision"]["rule"] == "specificity>=0.9"
    assert (out / "report.html").is_file()
    assert str(site) in result.stderr


@pytest.mark.parametrize("arguments", [("--pictures",), ("--rule", "youden"), ("--threads", "0")])
def test_options_that_make_no_sense_are_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_an_error_is_one_line_with_the_remedy(run: Run) -> None:
    result = run("--split", "external")
    assert result.exit_code == 1
    assert "The splits are: test, val" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    result = run()
    assert result.exit_code == 1
    assert "[evaluate]'" in result.stderr


def test_a_bundles_folder_is_opened_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(medsdk.CardError, match=r"card\.json"):
        judging.open_disease(str(tmp_path))
    with pytest.raises(medsdk.UnknownDiseaseError):
        judging.open_disease("nosuchdisease")
