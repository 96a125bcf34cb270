"""The shipped recipes can be read, and a recipe may build on another."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from medsdk_converters import recipes
from medsdk_converters.errors import RecipeError
from medsdk_converters.recipe import (
    Augmentation,
    CardText,
    DataSpec,
    Decide,
    Draw,
    EvaluationSpec,
    ExportSpec,
    Loss,
    ModelSpec,
    Phase,
    Recipe,
    Reject,
    Sampling,
    Schedule,
    read_recipe,
)

SHIPPED = sorted(Path(__file__).parent.parent.glob("recipes/*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_valid(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipes.locate(path.stem) == path
    assert recipes.shown(path) == path.stem
    assert recipe.card.limits


def test_the_report_is_compared_on_the_same_splits() -> None:
    ours, theirs = (read_recipe(recipes.locate(name)) for name in ("malaria", "report_malaria"))
    assert (theirs.data, theirs.evaluate, theirs.decide, theirs.labels) == (
        ours.data,
        ours.evaluate,
        ours.decide,
        ours.labels,
    )
    ours, theirs = (read_recipe(recipes.locate(name)) for name in ("tuberculosis", "report_tuberculosis"))
    assert theirs.evaluate == ours.evaluate


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(RecipeError, match=r"no recipe 'scurvy'.*malaria"):
        recipes.locate("scurvy")


def test_a_recipe_replaces_its_bases_keys(recipe_file: Callable[..., Path], tmp_path: Path) -> None:
    recipe_file()
    (tmp_path / "own.toml").write_text('base = "spots.toml"\nname = "own"\nseed = 9\n')
    own, base = read_recipe(tmp_path / "own.toml"), read_recipe(tmp_path / "spots.toml")
    assert (own.name, own.seed) == ("own", 9)
    assert own.model == base.model


def test_a_base_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('base = "nowhere.toml"\n')
    with pytest.raises(RecipeError, match=r"nowhere\.toml.*cannot be read"):
        read_recipe(tmp_path / "own.toml")


def test_no_toml(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("name = ")
    with pytest.raises(RecipeError, match="not TOML"):
        read_recipe(tmp_path / "own.toml")


def test_a_training_goes_on_under_another_text_but_not_under_another_seed(recipe_file: Callable[..., Path]) -> None:
    plain = read_recipe(recipe_file())
    told = read_recipe(
        recipe_file(('intended_use = "To show', 'intended_use = "To prove'), ("components = 4", "components = 5"))
    )
    assert told.training_key == plain.training_key
    changes = (
        ("seed = 3", "seed = 4"),
        ("learning_rate = 0.003", "learning_rate = 0.002"),
        ("learning_rate = 0.003", 'learning_rate = 0.003, draw = [{ where = { label = "plain" }, times = 2 }]'),
        ("[schedule]", '[decide]\nwhere = { sure = "1" }\n[schedule]'),
    )
    for change in changes:
        assert read_recipe(recipe_file(change)).training_key != plain.training_key


def test_a_phase_that_draws_nothing_is_the_phase_it_was_before_phases_drew() -> None:
    assert msgspec.json.encode(Phase(epochs=1, learning_rate=0.1)) == b'{"epochs":1,"learning_rate":0.1}'


@pytest.mark.parametrize("part", [ModelSpec, Augmentation, Sampling, Loss, Schedule])
def test_what_a_recipe_does_not_give_is_not_in_the_training_key(part: type[msgspec.Struct]) -> None:
    """So that a field that is added to it later leaves older keys as they are."""
    assert msgspec.json.encode(part()) == b"{}"


def test_a_recipe_says_which_checks_its_bundle_may_fail() -> None:
    assert read_recipe(recipes.locate("covid")).export == read_recipe(recipes.locate("chest")).export
    assert read_recipe(recipes.locate("covid")).export.accept == ("agreement",)
    assert read_recipe(recipes.locate("malaria")).export == ExportSpec()


def test_the_reference_names_every_field() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/recipe.md").read_text()
    parts = (Recipe, ModelSpec, DataSpec, Augmentation, Sampling, Loss, Draw, Phase, Schedule, EvaluationSpec, CardText)
    named = {*re.findall(r"`(?:\w+\.)?(\w+)`", page), *re.findall(r"\[+(\w+)\]", page)}
    for part in (*parts, Decide, Reject, ExportSpec):
        assert set(part.__struct_fields__) <= named, part


def test_an_evaluation_asks_for_a_label_that_there_is(recipe_file: Callable[..., Path]) -> None:
    change = ("[card]", '[[evaluate]]\nset = "blots"\nsplit = "test"\nlabel = "blotched"\n\n[card]')
    with pytest.raises(RecipeError, match="blotched"):
        read_recipe(recipe_file(change))
