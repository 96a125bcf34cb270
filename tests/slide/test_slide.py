"""A slide's fields are counted once, survive a cut, and come out as JSON, CSV and a page."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import medsdk
from medsdk.cli.slide import command
from medsdk.core import analyzer as analyzers
from medsdk.core.attention import Attention
from medsdk.core.images import Picture, Pixels
from medsdk.core.prediction import Prediction
from medsdk.core.regions import Region, Regions
from medsdk.slide import open_slide, write_csv, write_html, write_json
from medsdk.slide.session import JOURNAL


class Bright(medsdk.DiseasePlugin):
    """Counts 100 things in every picture, as many of them ill as its first pixel says; refuses black ones."""

    counts = "things"

    def regions(self, image: Pixels) -> Regions:
        if not image.any():
            return Regions(refusal="The field is dark.")
        return Regions((Region((0, 0, 4, 4), image[:4, :4]),))

    def fold(self, regions: Regions, outputs: Sequence[medsdk.ModelOutputs], picture: Picture) -> Prediction:
        ill = int(picture.pixels[0, 0, 0])
        heat = np.zeros(picture.pixels.shape[:2], np.float32)
        return Prediction(
            self.card.disease,
            picture.name,
            "positive",
            details={"things": 100, "ill": ill, "summary": f"{ill} of 100", "cells": [{"box": [0, 0, 4, 4]}]},
            explain=lambda: Attention(heat, lambda: picture.pixels),
        )

    def combine(self, source: str, findings: Sequence[Prediction]) -> Prediction:
        counted = [each.details for each in findings if each.verdict != "rejected"]
        if not counted:
            return Prediction(self.card.disease, source, "rejected", reason="Nothing was counted.")
        ill, things = (sum(details[name] for details in counted) for name in ("ill", "things"))
        details: dict[str, Any] = {"things": things, "ill": ill, "summary": f"{ill} of {things} <in all>"}
        return Prediction(self.card.disease, source, "positive", details=details)


@pytest.fixture
def bright(malaria: medsdk.Analyzer) -> medsdk.Analyzer:
    plugin = Bright()
    plugin.bundle = malaria.plugin.bundle
    return medsdk.load(plugin)


def field(ill: int) -> Pixels:
    return np.full((40, 40, 3), ill, np.uint8)


def fields(folder: Path, *ills: int) -> Path:
    folder.mkdir()
    for number, ill in enumerate(ills):
        cv2.imwrite(str(folder / f"{number}.png"), field(ill))
    return folder


@pytest.fixture
def command_counts(bright: medsdk.Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's disease is the drawn one."""
    monkeypatch.setattr(medsdk, "load", lambda _, site=None: analyzers.load(bright.plugin, site=site))


def test_fields_add_up_until_there_are_enough(bright: medsdk.Analyzer, tmp_path: Path) -> None:
    with open_slide(tmp_path / "slide", bright, enough=250) as slide:
        assert slide.total.verdict == "rejected"
        for ill, enough in ((3, False), (4, False), (5, True)):
            assert slide.add(field(ill)).details["ill"] == ill
            assert slide.is_enough is enough
        assert slide.counted == 300
        assert slide.total.details["ill"] == 12
        assert slide.total.source == "slide"
        assert slide.total.provenance is not None


def test_a_field_counts_once_and_a_refused_one_for_nothing(bright: medsdk.Analyzer, tmp_path: Path) -> None:
    with open_slide(tmp_path, bright) as slide:
        first = slide.add(field(3))
        assert slide.add(field(3)).details == first.details
        assert slide.add(field(0)).reason == "The field is dark."
        assert (slide.counted, len(slide.fields)) == (100, 2)


def test_a_cut_at_any_byte_loses_no_finished_field(bright: medsdk.Analyzer, tmp_path: Path) -> None:
    with open_slide(tmp_path / "whole", bright) as slide:
        for ill in (3, 4, 5):
            slide.add(field(ill))
        content = (tmp_path / "whole" / JOURNAL).read_bytes()
    ends = [index + 1 for index, byte in enumerate(content) if byte == ord("\n")]
    for number, end in enumerate([0, ends[0] - 1, ends[1] - 1, ends[1], ends[2] - 1, ends[2] + 1, ends[3]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / JOURNAL).write_bytes(content[:end])
        with open_slide(folder, medsdk.load(bright.plugin)) as slide:
            finished = sum(end >= line_end for line_end in ends[1:])
            assert [each.finding.details["ill"] for each in slide.fields] == [3, 4, 5][:finished]
            slide.add(field(5))
            assert slide.total.details["things"] == 100 * (finished + (finished < 3))
        assert (folder / JOURNAL).read_bytes().endswith(b"}\n")


def test_each_field_is_on_the_disk_before_add_returns(
    bright: medsdk.Analyzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    with open_slide(tmp_path, bright) as slide:
        monkeypatch.setattr("os.fsync", lambda _: sizes.append((tmp_path / JOURNAL).stat().st_size))
        slide.add(field(3))
        assert sizes == [(tmp_path / JOURNAL).stat().st_size]


def test_another_model_or_a_damaged_journal_is_refused(bright: medsdk.Analyzer, tmp_path: Path) -> None:
    open_slide(tmp_path, bright).close()
    head = json.loads((tmp_path / JOURNAL).read_text())
    (tmp_path / JOURNAL).write_text(json.dumps({**head, "model_sha256": "0"}) + "\n")
    with pytest.raises(medsdk.MedsdkError, match="another disease, model or operating point"):
        open_slide(tmp_path, medsdk.load(bright.plugin))
    (tmp_path / JOURNAL).write_text("{broken\n")
    with pytest.raises(medsdk.WriteError, match="damaged"):
        open_slide(tmp_path, medsdk.load(bright.plugin))


def test_a_disease_that_counts_nothing_has_no_slides(malaria: medsdk.Analyzer, tmp_path: Path) -> None:
    class Single(medsdk.DiseasePlugin):
        bundle = malaria.plugin.bundle

    with pytest.raises(medsdk.MedsdkError, match="does not count"):
        open_slide(tmp_path, medsdk.load(Single()))


def test_json_csv_and_one_page_that_stands_alone(bright: medsdk.Analyzer, tmp_path: Path) -> None:
    with open_slide(tmp_path / "s", bright, pictures=True) as slide:
        for ill in (3, 0, 5):
            slide.add(field(ill))
        write_json(slide, tmp_path / "total.json")
        write_csv(slide, tmp_path / "fields.csv")
        write_html(slide, tmp_path / "plain.html")
        write_html(slide, tmp_path / "pictures.html", pictures=True)
    total = json.loads((tmp_path / "total.json").read_text())
    assert total["total"]["details"]["ill"] == 8
    assert len(total["fields"]) == 3
    with (tmp_path / "fields.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ill"] for row in rows] == ["3", "", "5"]
    assert rows[1]["reason"] == "The field is dark."
    plain, pictured = ((tmp_path / name).read_text() for name in ("plain.html", "pictures.html"))
    assert "8 of 200 &lt;in all&gt;" in plain
    assert "200 of 2000 objects counted: not yet enough" in plain
    assert "not a diagnosis" in plain
    assert "<img" not in plain
    assert pictured.count("data:image/jpeg;base64,") == 2
    assert all(word not in pictured for word in ("http:", "https:", 'src="/', "<script", "<link"))


def test_no_picture_is_kept_unless_asked_for(bright: medsdk.Analyzer, tmp_path: Path) -> None:
    with open_slide(tmp_path, bright) as slide:
        slide.add(field(3))
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]


@pytest.mark.usefixtures("command_counts")
def test_the_command_counts_a_folder_and_goes_on(tmp_path: Path) -> None:
    folder = fields(tmp_path / "slide7", 3, 4, 5, 6)
    first = CliRunner().invoke(command, [str(folder), "--enough", "150"], catch_exceptions=False)
    assert first.exit_code == 0
    assert first.stdout == "positive: 7 of 200 <in all>\n"
    assert {path.name for path in (tmp_path / "slide7-slide").iterdir()} == {
        JOURNAL,
        "total.json",
        "fields.csv",
        "report.html",
    }
    (folder / "9.png").write_bytes(b"no picture")
    again = CliRunner().invoke(command, [str(folder), "--all", "--json"], catch_exceptions=False)
    assert again.exit_code == 6
    assert json.loads(again.stdout)["details"]["ill"] == 18
    assert "more fields are needed" in again.stderr


@pytest.mark.usefixtures("command_counts")
def test_the_command_judges_by_a_sites_operating_point_and_goes_on_by_no_other(
    bright: medsdk.Analyzer, make_site: Callable[..., Path], tmp_path: Path
) -> None:
    folder, site = fields(tmp_path / "slide8", 3), make_site(bright.card)
    arguments = [str(folder), "--json"]
    done = CliRunner().invoke(command, [*arguments, "--site", str(site)], catch_exceptions=False)
    digest = hashlib.sha256(site.read_bytes()).hexdigest()
    assert json.loads(done.stdout)["provenance"]["site_sha256"] == digest
    assert digest[:16] in (tmp_path / "slide8-slide/report.html").read_text()
    without = CliRunner().invoke(command, arguments)
    assert "another disease, model or operating point" in str(without.exception)
