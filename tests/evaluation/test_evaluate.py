from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import medsdk
from medsdk.core.card import Card
from medsdk.core.errors import BrokenPluginError, MedsdkError
from medsdk.core.plugin import ModelOutputs
from medsdk.core.site import Site, write_site
from medsdk.evaluation.data import DataError, in_split, read_labelled
from medsdk.evaluation.evaluate import Plan, Result, evaluate
from medsdk.evaluation.judging import logits_of
from medsdk.evaluation.recalibrate import recalibrate

pytest.importorskip("sklearn")

WriteTar = Callable[..., Path]
Png = Callable[..., bytes]

SICK = {"sick": "l1"}


def plan(data: Path, **settings: object) -> Plan:
    return Plan(data, **{"label_map": SICK, "resamples": 50, **settings})  # type: ignore[arg-type]


def of(result: Result, section: str) -> dict[str, float]:
    found = result.section(section)
    assert found is not None
    return {name: estimate.value for name, estimate in found.evaluation.figures.items()}


@pytest.fixture(scope="module")
def result(redness: medsdk.Analyzer, red_pack: Path) -> Result:
    return evaluate(redness, plan(red_pack))[0]


def test_the_sections_hold_the_pictures_that_they_say(result: Result) -> None:
    counts = {section.name: section.evaluation.pictures for section in result.sections}
    assert result.split == "test"
    assert counts["all"] == result.pictures == 80
    assert counts["accepted"] == 72
    assert counts["decided"] == 72 - round(80 * result.inconclusive.value)
    assert result.rejected.value == 0.1
    assert 0 < result.inconclusive.value < 0.4
    # Every tenth picture is blue, and those are well.
    assert {name: share.value for name, share in result.rejected_by_label.items()} == {"l0": 0.2, "l1": 0}


def test_the_figures_are_those_of_the_predictions(redness: medsdk.Analyzer, red_pack: Path, result: Result) -> None:
    pictures = in_split(read_labelled(red_pack))
    predictions = list(redness.predict_many(picture.read() for picture in pictures))
    judged = [
        (picture.label == "sick", prediction.probability or 0.0, prediction.verdict)
        for picture, prediction in zip(pictures, predictions, strict=True)
        if prediction.verdict != "rejected"
    ]
    accepted = of(result, "accepted")
    assert accepted["sensitivity"] == np.mean([chance >= 0.5 for ill, chance, _ in judged if ill])
    assert accepted["specificity"] == np.mean([chance < 0.5 for ill, chance, _ in judged if not ill])
    decided = [verdict == "positive" for ill, _, verdict in judged if ill and verdict != "inconclusive"]
    assert of(result, "decided")["sensitivity"] == np.mean(decided)


def test_rejected_pictures_count_by_what_the_model_would_have_said(redness: medsdk.Analyzer, red_pack: Path) -> None:
    _, judged = evaluate(redness, plan(red_pack))
    logits = logits_of(redness, judged.pictures)
    assert judged.said("rejected").sum() == 8
    assert judged.probability[:, 1] == pytest.approx(1 / (1 + np.exp(-logits[:, 1])), abs=1e-6)


def test_sources_stand_by_themselves(result: Result) -> None:
    assert [source.name for source in result.sources] == ["east", "west"]
    pictures = [source.evaluation.pictures for source in result.sources if source.evaluation]
    assert pictures == [36, 36]
    assert all(source.rejected.value == 0.1 for source in result.sources)


def test_threads_change_nothing(redness: medsdk.Analyzer, red_pack: Path, result: Result) -> None:
    assert evaluate(redness, plan(red_pack, threads=4))[0] == result


def test_progress_is_told(redness: medsdk.Analyzer, red_pack: Path) -> None:
    told: list[tuple[int, int]] = []
    evaluate(redness, plan(red_pack), lambda done, of: told.append((done, of)))
    assert told == [(at, 80) for at in range(1, 81)]


def test_everything_is_json(result: Result) -> None:
    plain = msgspec.json.decode(msgspec.json.encode(result))
    assert plain["sections"][0]["evaluation"]["figures"]["auc"]["value"] == of(result, "accepted")["auc"]


def pack_of(write_tar: WriteTar, png: Png, rows: list[tuple[str, str, str, str]], broken: int = 0) -> Path:
    """Rows of label, group, source, split; the first `broken` pictures are no pictures."""
    lines = [f"{at}.png,{','.join(row)}" for at, row in enumerate(rows)]
    images = {f"{at}.png": b"broken" if at < broken else png(100 + at % 60) for at in range(len(rows))}
    return write_tar("\n".join(["file,label,group,source,split", *lines]), images)


def test_an_unreadable_picture_is_listed(redness: medsdk.Analyzer, write_tar: WriteTar, png: Png) -> None:
    rows = [("l0" if at % 2 else "l1", str(at // 2), "", "") for at in range(100)]
    result, judged = evaluate(redness, plan(pack_of(write_tar, png, rows, broken=1)))
    assert len(result.unreadable) == 1
    assert result.unreadable[0].startswith("0.png")
    assert result.pictures == len(judged.pictures) == 99


def test_many_unreadable_pictures_end_it(redness: medsdk.Analyzer, write_tar: WriteTar, png: Png) -> None:
    rows = [("l0" if at % 2 else "l1", str(at // 2), "", "") for at in range(100)]
    with pytest.raises(DataError, match=r"2 of 100 pictures cannot be read: 0\.png"):
        evaluate(redness, plan(pack_of(write_tar, png, rows, broken=2)))


def test_one_class_only_is_evaluated_as_far_as_it_goes(redness: medsdk.Analyzer, write_tar: WriteTar, png: Png) -> None:
    result, _ = evaluate(redness, plan(pack_of(write_tar, png, [("l0", str(at), "", "") for at in range(10)])))
    section = result.section("accepted")
    assert section is not None
    assert section.curves is None
    assert "auc" not in section.evaluation.figures
    assert "specificity" in section.evaluation.figures


def test_a_set_that_is_rejected_whole_has_no_accepted_figures(
    redness: medsdk.Analyzer, write_tar: WriteTar, png: Png
) -> None:
    manifest = "file,label,source\n" + "\n".join(f"{at}.png,l{at % 2},{'ab'[at // 2]}" for at in range(4))
    path = write_tar(manifest, {f"{at}.png": png(100, 200) for at in range(4)})
    result, _ = evaluate(redness, plan(path))
    assert [section.name for section in result.sections] == ["all"]
    assert result.rejected.value == 1
    assert [source.evaluation for source in result.sources] == [None, None]


def test_the_notes_say_what_flatters(redness: medsdk.Analyzer, write_tar: WriteTar, png: Png) -> None:
    rows = [("l0" if at % 2 else "l1", f"{at % 8}", "ill" if at % 2 else "well", "train") for at in range(20)]
    result, _ = evaluate(redness, plan(pack_of(write_tar, png, rows)))
    text = " ".join(result.notes)
    assert "only 8 groups" in text
    assert "'train'" in text
    assert "ill, well are of one kind" in text


def test_without_groups_the_reader_is_warned(redness: medsdk.Analyzer, write_tar: WriteTar, png: Png) -> None:
    path = write_tar("file,label\na.png,l0\nb.png,l1\n", {"a.png": png(100), "b.png": png(150)})
    assert "No groups are given" in evaluate(redness, plan(path))[0].notes[0]


def test_a_healthy_evaluation_has_no_notes(result: Result) -> None:
    assert result.notes == ()


def test_a_model_that_says_nan_is_broken_not_negative(
    redness: medsdk.Analyzer, red_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(tensors: list[Any], views: list[Any]) -> list[ModelOutputs]:
        nan, features = np.full(2, np.nan, np.float32), np.zeros((1, 1, 1), np.float32)
        return [ModelOutputs(nan, features, tensor, view) for tensor, view in zip(tensors, views, strict=True)]

    monkeypatch.setattr(redness, "_infer", broken)
    with pytest.raises(BrokenPluginError):
        evaluate(redness, plan(red_pack))


def test_a_plugin_that_breaks_is_not_a_picture_that_cannot_be_read(
    redness: medsdk.Analyzer, red_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(tensors: list[Any], views: list[Any]) -> list[ModelOutputs]:
        raise BrokenPluginError("redness", "It fell over.", "Update it.")

    monkeypatch.setattr(redness, "_infer", broken)
    with pytest.raises(BrokenPluginError, match="It fell over"):
        evaluate(redness, plan(red_pack))


def test_every_label_left_out(redness: medsdk.Analyzer, red_pack: Path) -> None:
    with pytest.raises(MedsdkError, match="left out"):
        evaluate(redness, plan(red_pack, label_map={"sick": "", "l0": ""}))


def test_recalibration_is_fitted_on_val_and_judged_on_test(redness: medsdk.Analyzer, red_pack: Path) -> None:
    result, _ = evaluate(redness, plan(red_pack, recalibrate=True, rule="sensitivity>=0.9"))
    site = result.site
    assert site is not None
    # Every tenth picture is rejected and tells nothing.
    assert (site.decision.split, site.pictures, site.positives) == ("val", 72, 40)
    assert site.decision.rule == "sensitivity>=0.9"
    assert 0.5 < site.calibration.temperature < 4
    low, high = site.decision.inconclusive
    assert low <= site.decision.threshold <= high
    assert of(result, "site")["sensitivity"] > of(result, "accepted")["sensitivity"]
    assert of(result, "site")["auc"] == of(result, "accepted")["auc"]
    assert result.notes == ()
    assert redness.card.decision.threshold == 0.5


def test_recalibration_on_what_it_is_judged_on_is_said(redness: medsdk.Analyzer, red_pack: Path) -> None:
    result, _ = evaluate(redness, plan(red_pack, split="val", recalibrate=True))
    assert result.site is not None
    assert result.site.decision.rule == redness.card.decision.rule
    assert "same pictures" in " ".join(result.notes)


def test_a_site_is_written_whole_and_read_back(make_card: Callable[..., Card], tmp_path: Path) -> None:
    card = make_card()
    random = np.random.default_rng(0)
    truth = np.array([0, 1] * 50)
    logits = np.stack([np.zeros(100), 2 * truth - 1 + random.normal(size=100)], axis=1).astype(np.float32)
    site = recalibrate(card, logits, truth, ["a", "b"] * 50, data="ours", split="all")
    write_site(site, tmp_path / "site.json")
    assert msgspec.json.decode((tmp_path / "site.json").read_bytes(), type=Site) == site
    assert [path.name for path in tmp_path.iterdir()] == ["site.json"]
    ours = site.applied_to(card)
    assert (ours.decision, ours.calibration) == (site.decision, site.calibration)
    assert ours.model == card.model


def test_too_few_pictures_to_recalibrate_by(make_card: Callable[..., Card]) -> None:
    truth = np.array([1] * 29 + [0] * 200)
    with pytest.raises(MedsdkError, match="29 positive and 200 other pictures are too few"):
        recalibrate(make_card(), np.zeros((229, 2), np.float32), truth, ["a"] * 229, data="ours", split="all")


def test_a_model_that_knows_nothing_here_is_not_recalibrated(make_card: Callable[..., Card]) -> None:
    truth = np.array([0, 1] * 100)
    logits = np.stack([np.zeros(200), 3.0 - 6 * truth], axis=1).astype(np.float32)
    with pytest.raises(MedsdkError, match="cannot tell the labels apart"):
        recalibrate(make_card(), logits, truth, ["a"] * 200, data="ours", split="all")
