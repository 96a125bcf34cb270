"""Every wrong input is an error that says what to do. None of these needs TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from medsdk_converters import preparation
from medsdk_converters.errors import DataError, RecipeError
from medsdk_converters.recipe import read_recipe

from medsdk import evaluation
from medsdk.core.errors import CardError, MedsdkError

Write = Callable[..., Path]


def quietly(items: Any, total: int) -> Any:
    return items


def prepare(recipe: Path, data: Path, work: Path) -> Any:
    work.mkdir(exist_ok=True)
    return preparation.prepare(read_recipe(recipe), data, work, quietly)


def set_of(folder: Path, **counts: int) -> Path:
    """Pictures by split_label, such as train_plain=3, drawn at random."""
    import cv2

    random = np.random.default_rng(1)
    for place, count in counts.items():
        target = folder / place.replace("_", "/")
        target.mkdir(parents=True)
        for i in range(count):
            cv2.imwrite(str(target / f"{i}.png"), random.integers(0, 255, (40, 40, 3)).astype(np.uint8))
    return folder


def test_an_unknown_step_names_those_there_are(recipe_file: Write, spots: Path, tmp_path: Path) -> None:
    recipe = recipe_file(('{ name = "resize" }', '{ name = "sharpen" }, { name = "resize" }'))
    with pytest.raises(CardError, match=r"sharpen.*there are: blur"):
        prepare(recipe, spots, tmp_path / "w")


def test_a_step_with_a_wrong_parameter(recipe_file: Write, spots: Path, tmp_path: Path) -> None:
    recipe = recipe_file(('{ name = "resize" }', '{ name = "blur", parameters = { radius = 3 } }, { name = "resize" }'))
    with pytest.raises(CardError, match="radius"):
        prepare(recipe, spots, tmp_path / "w")


def test_labels_that_the_set_does_not_have(recipe_file: Write, spots: Path, tmp_path: Path) -> None:
    recipe = recipe_file(('{ plain = "plain", spotted = "spotted" }', '{ ill = "spotted", well = "plain" }'))
    with pytest.raises(DataError, match=r"none of its labels \['plain', 'spotted'\]"):
        prepare(recipe, spots, tmp_path / "w")


def test_a_mapping_to_no_label_of_the_recipe(recipe_file: Write) -> None:
    recipe = recipe_file(('{ plain = "plain", spotted = "spotted" }', '{ plain = "plain", spotted = "ill" }'))
    with pytest.raises(RecipeError, match="ill"):
        read_recipe(recipe)


def test_a_field_that_there_is_not(recipe_file: Write) -> None:
    with pytest.raises(RecipeError, match="drop_out"):
        read_recipe(recipe_file(("dropout = 0.1", "drop_out = 0.1")))


def test_an_empty_class(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=0, val_plain=2, val_spotted=2)
    with pytest.raises(DataError, match="No training picture of spotted"):
        prepare(recipe_file(), data, tmp_path / "w")


def test_one_class_only(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, val_plain=3)
    with pytest.raises(DataError, match="No training picture of spotted"):
        prepare(recipe_file(), data, tmp_path / "w")


@pytest.mark.parametrize(
    ("label", "kind"), [("nowhere", "positive"), ("plain", "positive"), ("spotted", "other than positive")]
)
def test_decide_where_that_leaves_one_kind(recipe_file: Write, tmp_path: Path, label: str, kind: str) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=3, val_plain=3, val_spotted=3)
    recipe = recipe_file(("[schedule]", f'[decide]\nwhere = {{ label = "{label}" }}\n[schedule]'))
    with pytest.raises(DataError, match=f"decide.where leaves no picture that is {kind}"):
        prepare(recipe, data, tmp_path / "w")


DRAWN = "phases = [{ epochs = 3, learning_rate = 0.003 }]"


def drawing(what: str) -> tuple[str, str]:
    return DRAWN, f"phases = [{{ epochs = 3, learning_rate = 0.003, draw = [{what}] }}]"


def test_a_phase_that_draws_what_no_training_picture_is(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=3, val_plain=3, val_spotted=3)
    recipe = recipe_file(drawing('{ where = { split = "val" }, times = 2 }'))
    with pytest.raises(DataError, match="no training picture is"):
        prepare(recipe, data, tmp_path / "w")


def test_a_phase_may_keep_out_what_is_not_there(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=3, val_plain=3, val_spotted=3)
    prepare(recipe_file(drawing('{ where = { split = "val" }, times = 0 }')), data, tmp_path / "w")


@pytest.mark.parametrize("what", ["where = {}, times = 2", 'where = { label = "plain" }, times = inf'])
def test_a_draw_that_says_nothing(recipe_file: Write, what: str) -> None:
    with pytest.raises(RecipeError, match="draw"):
        read_recipe(recipe_file(drawing(f"{{ {what} }}")))


def test_val_without_positives(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=3, val_plain=3)
    with pytest.raises(DataError, match=r"'val' has no picture that is positive"):
        prepare(recipe_file(), data, tmp_path / "w")


def test_no_val_at_all(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=3)
    with pytest.raises(DataError, match="'val' has no picture"):
        prepare(recipe_file(), data, tmp_path / "w")


def test_the_same_picture_in_two_splits(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=3, train_spotted=3, val_plain=3, val_spotted=3)
    (data / "val/plain/copy.png").write_bytes((data / "train/plain/1.png").read_bytes())
    with pytest.raises(DataError, match=r"train/plain/1.png \(train\) and val/plain/copy.png \(val\)"):
        prepare(recipe_file(), data, tmp_path / "w")


def test_a_leak_is_found_under_another_seed_too(recipe_file: Write, tmp_path: Path) -> None:
    """What was prepared under one seed's splits says nothing of another's."""
    data = set_of(tmp_path / "d", plain=30, spotted=30)
    prepare(recipe_file(), data, tmp_path / "w")
    (data / "plain/copy.png").write_bytes((data / "plain/1.png").read_bytes())
    failures = 0
    for seed in range(6):
        try:
            prepare(recipe_file(("seed = 3", f"seed = {seed}")), data, tmp_path / "w")
        except DataError:
            failures += 1
    assert 0 < failures < 6


def test_undecodable_pictures_are_left_out_up_to_one_in_a_hundred(recipe_file: Write, tmp_path: Path) -> None:
    data = set_of(tmp_path / "d", train_plain=60, train_spotted=60, val_plain=10, val_spotted=10)
    (data / "train/plain/7.png").write_bytes(b"no picture")
    for _ in ("prepared", "from the cache"):
        prepared = prepare(recipe_file(), data, tmp_path / "w")
        assert len(prepared.examples) == 139
        assert prepared.left_out == ("train/plain/7.png",)
    (data / "train/plain/8.png").write_bytes(b"no picture")
    with pytest.raises(evaluation.DataError, match="2 of 140 pictures cannot be decoded"):
        prepare(recipe_file(), data, tmp_path / "w")


def test_an_unsplit_set_is_split_by_group(recipe_file: Write, unsplit: Path, tmp_path: Path) -> None:
    prepared = prepare(recipe_file(), unsplit, tmp_path / "w")
    by_group: dict[str, set[str]] = {}
    for example in prepared.examples:
        by_group.setdefault(example.group, set()).add(example.picture.split)
    assert all(len(splits) == 1 for splits in by_group.values())
    assert {split for splits in by_group.values() for split in splits} == {"train", "val", "test"}


def test_a_set_that_is_not_there(recipe_file: Write, tmp_path: Path) -> None:
    with pytest.raises(MedsdkError, match="not there"):
        prepare(recipe_file(), tmp_path / "nowhere", tmp_path / "w")
