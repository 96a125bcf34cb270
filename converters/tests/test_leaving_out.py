"""Training without a source and judging it: who is among the negatives, what cannot be left out, and the whole way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from medsdk.evaluation.data import LabelledPicture, Place

pytest.importorskip("tensorflow")

from medsdk_converters import build, cli, held_out, leaving_out
from medsdk_converters.data import Example
from medsdk_converters.errors import DataError
from medsdk_converters.preparation import Prepared
from medsdk_converters.recipe import Recipe, read_recipe

Write = Callable[..., Path]
NOWHERE = Place(Path("nowhere"))


def example(place: int, label: int, source: str, split: str) -> Example:
    picture = LabelledPicture(f"{place}.png", "", f"g{place}", split, source, NOWHERE)
    return Example(picture, "spots", label, True)


def prepared_of(*counts: tuple[str, int, str, int]) -> Prepared:
    """(source, label, split, how many) each."""
    examples = [example(n, label, source, split) for source, label, split, count in counts for n in range(count)]
    blank = np.zeros((len(examples), 1, 1, 3), np.uint8)
    return Prepared(examples, blank, blank, ())


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of training: a model that is always right, and that must have something to learn from."""

    def judge(
        recipe: Recipe, prepared: Prepared, examples: list[Example], splits: tuple[str, ...], *_: object
    ) -> held_out.Judged:
        if {one.label for one in examples if one.picture.split == "train"} != {0, 1}:
            raise DataError("No training picture of spotted.", "Add some.")
        rows = np.array([i for i, one in enumerate(examples) if one.picture.split in splits])
        return held_out.Judged(rows, np.eye(2)[prepared.labels[rows]], build.shape_only(recipe))

    monkeypatch.setattr(held_out, "judge", judge)


def _nobody(text: str) -> None:
    assert "without source" in text


def leave_out(recipe: Path, prepared: Prepared, work: Path) -> dict[str, leaving_out.LeftOut]:
    result = leaving_out.leave_out(read_recipe(recipe), prepared, "source", work, _nobody)
    assert json.loads((work / leaving_out.FILE).read_text())["column"] == "source"
    assert "left out" in leaving_out.text(result)
    return {one.value: one for one in result.values}


@pytest.mark.usefixtures("oracle")
def test_a_source_with_both_kinds_is_judged_by_itself(recipe_file: Write, tmp_path: Path) -> None:
    both = [("north", label, "train", 12) for label in (0, 1)]
    others = [("south", label, split, 11) for label in (0, 1) for split in ("train", "val", "test")]
    found = leave_out(recipe_file(), prepared_of(*both, *others), tmp_path)["north"]
    (finding,) = found.findings
    assert (found.pictures, finding.positives, finding.negatives, finding.within) == (24, 12, 12, True)
    assert finding.auc.value == finding.sensitivity_at_90 == finding.sensitivity == finding.specificity == 1


@pytest.mark.usefixtures("oracle")
def test_what_a_source_lacks_is_taken_from_the_test_split_and_said(recipe_file: Write, tmp_path: Path) -> None:
    others = [("south", label, split, 11) for label in (0, 1) for split in ("train", "val", "test")]
    found = leave_out(recipe_file(), prepared_of(("north", 1, "train", 12), *others), tmp_path)
    (finding,) = found["north"].findings
    assert (finding.positives, finding.negatives, finding.within) == (12, 11, False)
    assert "1.000" in leaving_out.text(leaving_out.LeavingOut("r", 1, "source", (found["north"],)))


@pytest.mark.usefixtures("oracle")
def test_sources_are_left_out_together(recipe_file: Write, tmp_path: Path) -> None:
    places = [("south", label, split, 11) for label in (0, 1) for split in ("train", "val", "test")]
    prepared = prepared_of(("north", 1, "train", 12), ("east", 0, "val", 12), ("east", 1, "test", 13), *places)
    trained: list[str] = []
    recipe = read_recipe(recipe_file())
    result = leaving_out.leave_out(recipe, prepared, "source", tmp_path, trained.append, ("north", "east"), together=True)
    assert trained == ["without source north, east"]
    north, east = result.values
    assert (north.beside, east.beside) == (("east",), ("north",))
    # The east's well people are of its own; those beside the north's ill are of the south's test split alone.
    assert [(one.positives, one.negatives, one.within) for one in north.findings] == [(12, 11, False)]
    assert [(one.positives, one.negatives, one.within) for one in east.findings] == [(13, 12, True)]


@pytest.mark.usefixtures("oracle")
def test_who_stands_in_for_the_well_can_be_named(recipe_file: Write, tmp_path: Path) -> None:
    places = [
        (place, label, split, 11) for place in ("south", "west") for label in (0, 1) for split in ("train", "val", "test")
    ]
    recipe, prepared = read_recipe(recipe_file()), prepared_of(("north", 1, "train", 12), *places)
    only, against = ("north",), {"source": "west"}
    (left,) = leaving_out.leave_out(recipe, prepared, "source", tmp_path, _nobody, only, against=against).values
    assert [(one.positives, one.negatives) for one in left.findings] == [(12, 11)]
    (nobody,) = leaving_out.leave_out(
        recipe, prepared, "source", tmp_path, _nobody, only, against={"source": "nowhere"}
    ).values
    assert nobody.findings == ()


@pytest.mark.usefixtures("oracle")
def test_where_val_has_no_ill_no_point_is_chosen(recipe_file: Write, tmp_path: Path) -> None:
    both = [("north", label, "train", 12) for label in (0, 1)]
    others = [("south", label, "train", 11) for label in (0, 1)] + [("south", 0, "val", 11)]
    (finding,) = leave_out(recipe_file(), prepared_of(*both, *others), tmp_path)["north"].findings
    assert (finding.auc.value, finding.sensitivity, finding.specificity) == (1, None, None)


def test_a_value_that_nobody_has_is_an_error(recipe_file: Write, tmp_path: Path) -> None:
    prepared = prepared_of(("north", 0, "train", 1))
    with pytest.raises(DataError, match="source=west"):
        leaving_out.leave_out(read_recipe(recipe_file()), prepared, "source", tmp_path, print, ("west",))


@pytest.mark.usefixtures("oracle")
def test_a_source_of_all_the_ill_cannot_be_left_out_and_says_why(recipe_file: Write, tmp_path: Path) -> None:
    everything = [("south", 1, "train", 12), ("south", 0, "train", 12), ("north", 0, "train", 12)]
    found = leave_out(recipe_file(), prepared_of(*everything), tmp_path)
    assert "No training picture" in found["south"].reason
    assert found["north"].findings == ()


def test_a_column_that_nobody_has_is_an_error(recipe_file: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'scanner'"):
        leaving_out.leave_out(read_recipe(recipe_file()), prepared_of(), "scanner", tmp_path, print)


def test_pictures_are_named_by_column_and_value() -> None:
    result = CliRunner().invoke(cli.train, ["x", "--data", ".", "--out", "b", "--folds", "3", "--folds-of", "north"])
    assert result.exit_code == 2


@pytest.mark.slow
def test_the_whole_way(recipe_file: Write, two_hospitals: Path, tmp_path: Path) -> None:
    arguments = [str(recipe_file()), "--data", str(two_hospitals), "--out", str(tmp_path / "b"), "--leave-out", "source"]
    result = CliRunner().invoke(cli.train, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "b").exists()
    found = json.loads((tmp_path / "b.work" / leaving_out.FILE).read_text())
    assert [one["value"] for one in found["values"]] == ["north", "south"]
    assert all(one["findings"][0]["within"] and one["findings"][0]["positives"] == 72 for one in found["values"])
