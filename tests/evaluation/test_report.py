from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

import medsdk
from medsdk.core.card import Decision
from medsdk.core.errors import WriteError
from medsdk.evaluation import report
from medsdk.evaluation.evaluate import Plan, Result, evaluate
from medsdk.evaluation.judging import Judged

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def evaluated(redness: medsdk.Analyzer, red_pack: Path) -> tuple[Result, Judged]:
    return evaluate(redness, Plan(red_pack, label_map={"sick": "l1"}, resamples=20, recalibrate=True))


class _Page(HTMLParser):
    """What a browser would fetch, and whether every tag is closed."""

    VOID = ("meta", "img", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else(evaluated: tuple[Result, Judged], redness: medsdk.Analyzer, tmp_path: Path) -> None:
    written, beside = report.write_report(evaluated[0], redness.card, tmp_path / "new" / "out")
    page = _Page(written.read_text(encoding="utf-8"))
    assert page.open == []
    assert len(page.fetched) == 3
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.fetched)
    assert all(b"<svg" in base64.b64decode(source.partition(",")[2]) for source in page.fetched)
    assert "Redness <of> pictures" in page.text
    assert msgspec.json.decode(beside.read_bytes())["disease"] == "redness"
    assert sorted(path.name for path in written.parent.iterdir()) == ["report.html", "report.json"]


def test_every_figure_is_on_the_page(evaluated: tuple[Result, Judged], redness: medsdk.Analyzer) -> None:
    text = _Page(report.html(evaluated[0], redness.card)).text
    for section in evaluated[0].sections:
        assert section.meaning in text
        for estimate in section.evaluation.figures.values():
            assert f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})" in text
    assert set(evaluated[0].sections[0].evaluation.figures) <= set(report.FIGURES)


def test_pictures_of_patients_are_in_it_only_when_asked(
    evaluated: tuple[Result, Judged], redness: medsdk.Analyzer, tmp_path: Path
) -> None:
    result, judged = evaluated
    plain, _ = report.write_report(result, redness.card, tmp_path / "plain")
    shown, _ = report.write_report(result, redness.card, tmp_path / "shown", judged)
    names = re.compile(r"test\d+\.png")
    assert "image/jpeg" not in plain.read_text()
    assert not names.search(plain.read_text())
    assert "image/jpeg" in shown.read_text()
    assert names.search(shown.read_text())


def test_the_worst_mistakes_come_first(evaluated: tuple[Result, Judged], redness: medsdk.Analyzer) -> None:
    # At this threshold there are several of either kind.
    card = msgspec.structs.replace(redness.card, decision=Decision(0.35, (0.35, 0.35), "youden", "val"))
    found = report.worst_mistakes(card, evaluated[1])
    missed = [mistake.probability for mistake in found["missed"]]
    alarms = [mistake.probability for mistake in found["false alarms"]]
    assert min(len(set(missed)), len(set(alarms))) > 1
    assert missed == sorted(missed)
    assert max(missed) < 0.35 <= min(alarms)
    assert alarms == sorted(alarms, reverse=True)
    assert {mistake.truth for mistake in found["missed"]} == {"Label 1"}


def test_names_in_the_data_cannot_inject(evaluated: tuple[Result, Judged], redness: medsdk.Analyzer) -> None:
    result = evaluated[0]
    hostile = Result(**{**vars(result), "data": "<script>alert(1)</script>", "unreadable": ("<b>x</b>",)})
    page = report.html(hostile, redness.card)
    assert "<script" not in page
    assert "<b>x" not in page


def test_one_run_and_the_next_give_one_page(evaluated: tuple[Result, Judged], redness: medsdk.Analyzer) -> None:
    assert report.html(evaluated[0], redness.card) == report.html(evaluated[0], redness.card)


def test_a_set_of_one_kind_has_a_page_without_curves(redness: medsdk.Analyzer, red_pack: Path) -> None:
    result, _ = evaluate(redness, Plan(red_pack, label_map={"sick": ""}, resamples=20))
    page = _Page(report.html(result, redness.card))
    assert page.fetched == []
    assert "AUC (ROC)" not in report.text(result)
    assert "nan" not in page.text


def test_the_text_does_not_say_one_thing_thrice(evaluated: tuple[Result, Judged]) -> None:
    result = evaluated[0]
    assert all(f"\n  {name}: " in report.text(result) for name in ("accepted", "all", "decided", "site"))
    same = tuple(section for section in result.sections if section.name == "accepted")
    again = Result(**{**vars(result), "sections": same * 3})
    assert report.text(again).count("\n  accepted: ") == 1


def test_a_folder_that_cannot_be_made(evaluated: tuple[Result, Judged], redness: medsdk.Analyzer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be made"):
        report.write_report(evaluated[0], redness.card, tmp_path / "file" / "out")
