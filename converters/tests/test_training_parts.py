"""Sampling, augmentation, leakage and losses: the parts of training that are functions of what they are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from medsdk_converters import leakage, recipes, sampling
from medsdk_converters.augmentation import augment
from medsdk_converters.data import Example, gather
from medsdk_converters.errors import DataError, RecipeError
from medsdk_converters.preparation import prepare
from medsdk_converters.recipe import (
    Augmentation,
    Draw,
    Loss,
    Phase,
    Recipe,
    Sampling,
    Schedule,
    Within,
    read_recipe,
    with_changes,
)

from medsdk.evaluation.data import LabelledPicture, Place

EVERYTHING = Augmentation(
    flip_horizontal=True,
    flip_vertical=True,
    quarter_turns=True,
    rotation=20,
    zoom=0.2,
    shift=0.1,
    aspect=0.1,
    brightness=0.2,
    contrast=0.2,
    gamma=0.5,
    saturation=0.3,
    hue=10,
    channel_gain=0.1,
    grey=0.5,
    blur=0.5,
    noise=0.5,
    jpeg=0.5,
    half_resolution=0.5,
    erase=0.5,
    border="reflect",
)


def picture(seed: int = 1) -> npt.NDArray[np.uint8]:
    import cv2

    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (64, 64), interpolation=cv2.INTER_CUBIC), np.uint8)


# Sampling


def film(source: str) -> Example:
    return Example(LabelledPicture("p.png", "a", "g", "train", source, Place(Path("p.png"))), "set", 0, True)


def test_balancing_gives_every_combination_the_same_chance() -> None:
    keys = [("a", "x")] * 90 + [("a", "y")] * 9 + [("b", "x")]
    chance = sampling.chances(keys, power=1)
    assert chance[:90].sum() == pytest.approx(1 / 3)
    assert chance[90:99].sum() == pytest.approx(1 / 3)
    assert sampling.chances(keys, power=0) == pytest.approx(np.full(100, 0.01))


def test_an_epoch_is_a_function_of_seed_and_number() -> None:
    chance = np.full(50, 0.02)
    first, again, next_one = (sampling.epoch(Sampling(), chance, 1, number) for number in (0, 0, 1))
    assert first.tolist() == again.tolist()
    assert first.tolist() != next_one.tolist()
    assert sorted(first) == list(range(50))


def two_phases(recipe: Path) -> Recipe:
    """The second draws the pictures from there three times as often."""
    plain = Phase(epochs=1, learning_rate=0.1)
    more = msgspec.structs.replace(plain, draw=(Draw({"source": "there"}, 3),))
    return with_changes(read_recipe(recipe), schedule=Schedule(phases=(plain, more)))


def test_a_phase_draws_some_pictures_more_often(recipe_file: Callable[..., Path]) -> None:
    even, more = sampling.by_phase(two_phases(recipe_file()), [film("here")] * 3 + [film("there")])
    assert even == pytest.approx([0.25] * 4)
    assert more == pytest.approx([1 / 6] * 3 + [1 / 2])


def test_a_phase_keeps_some_pictures_out(recipe_file: Callable[..., Path]) -> None:
    recipe = read_recipe(recipe_file())
    phase = Phase(epochs=1, learning_rate=0.1, draw=(Draw({"source": "there"}, 0),))
    recipe = with_changes(recipe, schedule=Schedule(phases=(phase,)))
    (chance,) = sampling.by_phase(recipe, [film("there"), film("here"), film("there"), film("here")])
    assert chance == pytest.approx([0, 0.5, 0, 0.5])
    drawn = {int(i) for number in range(50) for i in sampling.epoch(Sampling(), chance, 1, number)}
    assert drawn == {1, 3}


def test_each_phase_is_trained_by_its_own_chances_also_after_a_kill(
    recipe_file: Callable[..., Path], spots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    from medsdk_converters import build

    plain = Phase(epochs=1, learning_rate=0.003)
    more = Phase(epochs=2, learning_rate=0.003, draw=(Draw({"label": "spotted"}, 3),))
    recipe = with_changes(read_recipe(recipe_file()), schedule=Schedule(phases=(plain, more)))
    prepared = prepare(recipe, spots, tmp_path, lambda items, _: items)
    spotted = prepared.labels[prepared.indices("train")] == 1
    drawn, shares, kill_at = sampling.epoch, [], [2]

    def watched(how: Sampling, chance: npt.NDArray[np.float64], seed: int, number: int) -> npt.NDArray[np.int64]:
        if number in kill_at:
            raise KeyboardInterrupt
        shares.append(round(float(chance[spotted].sum()), 3))
        return drawn(how, chance, seed, number)

    monkeypatch.setattr(sampling, "epoch", watched)
    with pytest.raises(KeyboardInterrupt):
        build.train(recipe, prepared, tmp_path, lambda _: None)
    kill_at.clear()
    build.train(recipe, prepared, tmp_path, lambda _: None)
    assert shares == [0.5, 0.75, 0.75]


def test_a_picture_comes_as_often_as_its_chance_says() -> None:
    drawn = sampling.epoch(Sampling(pictures=1000), np.array([0.7, 0.2, 0.1]), 1, 0)
    assert np.abs(np.bincount(drawn) - [700, 200, 100]).max() <= 1


# Augmentation


def test_no_augmentation_changes_nothing() -> None:
    assert np.array_equal(augment(picture(), Augmentation(), np.random.default_rng(1)), picture())


def test_augmentation_is_a_function_of_its_generator() -> None:
    results = [augment(picture(), EVERYTHING, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert all(result.shape == (64, 64, 3) and result.dtype == np.uint8 for result in results)


@pytest.mark.parametrize("field", [name for name in Augmentation.__struct_fields__ if name != "border"])
def test_each_augmentation_does_something(field: str) -> None:
    how = Augmentation(**{field: getattr(EVERYTHING, field)})
    assert any(not np.array_equal(augment(picture(), how, np.random.default_rng(s)), picture()) for s in range(8))


def test_a_black_background_stays_black() -> None:
    masked = picture()
    masked[:20] = 0
    how = Augmentation(brightness=0.3, contrast=0.3, gamma=0.5, border="black")
    assert not augment(masked, how, np.random.default_rng(3))[:20].any()


# Leakage


def example(name: str, split: str, group: str = "") -> Example:
    return Example(LabelledPicture(name, "a", group or name, split, "", Place(Path(name))), "set", 0, True)


def test_a_group_in_two_splits_is_named() -> None:
    with pytest.raises(DataError, match="set/patient7"):
        leakage.check_groups([example("a", "train", "patient7"), example("b", "test", "patient7")])


def test_a_picture_saved_anew_is_found_in_another_split() -> None:
    import cv2

    def thumbnail(image: Any) -> Any:
        return cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA)

    large = cv2.resize(picture(), (256, 256), interpolation=cv2.INTER_CUBIC)
    saved = cv2.imdecode(cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], cv2.IMREAD_COLOR)
    thumbnails = np.stack([thumbnail(large), thumbnail(picture(2)), thumbnail(picture(3))])
    again = thumbnail(saved)
    assert not np.array_equal(again, thumbnails[0])
    examples = [example("a", "train"), example("b", "val"), example("c", "test"), example("copy", "val")]
    with pytest.raises(DataError, match=r"1 pairs.*a \(train\) and copy \(val\)"):
        leakage.check_pictures(examples, np.concatenate([thumbnails, [again]]))
    leakage.check_pictures([*examples[:3], example("copy", "train")], np.concatenate([thumbnails, [again]]))


# Losses


def losses_of(activation: str, how: Loss, targets: Any, logits: Any) -> npt.NDArray[np.float64]:
    pytest.importorskip("keras")
    from medsdk_converters import losses

    name = "retinopathy" if activation == "ordinal" else "chest" if how.within else "malaria"
    recipe = read_recipe(recipes.locate(name))
    model = msgspec.structs.replace(recipe.model, activation=activation)
    function = losses.build(msgspec.structs.replace(recipe, model=model, loss=how))
    return np.asarray(function(np.asarray(targets, np.float32), np.asarray(logits, np.float32)))


def test_cross_entropy_is_what_it_says() -> None:
    found = losses_of("softmax", Loss(), [[1, 0], [0, 1]], [[2, 0], [2, 0]])
    assert found == pytest.approx([np.log1p(np.exp(-2)), np.log1p(np.exp(2))], rel=1e-5)


def test_one_sigmoid_is_a_softmax_over_two() -> None:
    one = losses_of("sigmoid", Loss(), [[1, 0], [0, 1]], [[2], [2]])
    two = losses_of("softmax", Loss(), [[1, 0], [0, 1]], [[0, 2], [0, 2]])
    assert one == pytest.approx(two, rel=1e-5)


def test_focal_loss_counts_what_is_known_less() -> None:
    ratio = losses_of("softmax", Loss("focal"), [[1, 0]] * 2, [[4, 0], [-1, 0]]) / losses_of(
        "softmax", Loss(), [[1, 0]] * 2, [[4, 0], [-1, 0]]
    )
    assert ratio[0] < 0.01 < 0.4 < ratio[1] < 1


def test_ordinal_loss_rises_with_the_distance_of_the_grade() -> None:
    logits = [[5, 5, -5, -5]] * 5
    found = losses_of("ordinal", Loss("ordinal"), np.eye(5), logits)
    assert found.argmin() == 2
    assert found[0] > found[1] > found[2] < found[3] < found[4]


def test_a_picture_is_compared_with_the_labels_of_its_value() -> None:
    pytest.importorskip("keras")
    from medsdk_converters import losses

    found = losses.compared(["north", "north", "south", "north", ""], [0, 2, 1, 0, 1], 3)
    assert found.tolist() == [[1, 0, 1], [1, 0, 1], [1, 1, 1], [1, 0, 1], [1, 1, 1]]


def test_within_a_source_a_label_that_it_lacks_costs_nothing() -> None:
    targets, north = [1, 0, 0, 0], [1, 0, 1, 0]
    logits = [[2, 9, 0, 5], [2, -9, 0, 0]]
    wholly = losses_of("softmax", Loss(label_smoothing=0.1, within=Within("source", 1.0)), [targets + north] * 2, logits)
    smooth = np.log1p(np.exp(-2)) + 0.05 * 2  # of two labels, a twentieth of the target is the other's
    assert wholly == pytest.approx([smooth, smooth], rel=1e-5)


def test_the_rest_of_a_loss_within_compares_all_labels() -> None:
    row, logits = [1, 0, 0, 0, 1, 0, 1, 0], [[2, 1, 0, 0]]
    shares = [losses_of("softmax", Loss(within=Within("source", share)), [row], logits)[0] for share in (0.0, 0.25, 1.0)]
    assert shares[0] == pytest.approx(losses_of("softmax", Loss(), [row[:4]], logits)[0])
    assert shares[1] == pytest.approx(0.75 * shares[0] + 0.25 * shares[2])


def test_a_training_within_a_column_gets_who_is_compared(
    recipe_file: Callable[..., Path], two_hospitals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    from medsdk_converters import build, training

    def with_within(column: str) -> Recipe:
        recipe = read_recipe(recipe_file())
        return with_changes(recipe, loss=msgspec.structs.replace(recipe.loss, within=Within(column)))

    prepared = prepare(with_within("source"), two_hospitals, tmp_path, lambda items, _: items)
    seen: list[npt.NDArray[np.float32]] = []
    monkeypatch.setattr(training.Run, "to_end", lambda run: seen.append(run.examples.targets))
    build.train(with_within("source"), prepared, tmp_path, print)
    assert seen[0].shape == (len(prepared.indices("train")), 4)
    assert (seen[0].sum(axis=1) == 3).all()  # both labels occur in either hospital
    with pytest.raises(DataError, match="'nowhere'"):
        build.train(with_within("nowhere"), prepared, tmp_path, print)


def test_a_loss_within_wants_a_softmax_and_pictures_that_are_not_mixed(recipe_file: Callable[..., Path]) -> None:
    recipe = read_recipe(recipe_file())
    loss = Loss(within=Within("source"))
    with pytest.raises(ValueError, match="within"):
        with_changes(recipe, loss=loss, sampling=Sampling(mixup=0.2))
    with pytest.raises(ValueError, match="within"):
        with_changes(recipe, loss=loss, model=msgspec.structs.replace(recipe.model, activation="sigmoid"))
    assert with_changes(recipe, loss=loss).training_key != recipe.training_key


def test_the_epoch_is_chosen_on_the_rows_that_the_operating_point_is_chosen_on(
    recipe_file: Callable[..., Path], two_hospitals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    from medsdk_converters import build, training
    from medsdk_converters.preparation import prepare

    recipe = read_recipe(recipe_file(("[schedule]", '[decide]\nwhere = { source = "north" }\n[schedule]')))
    prepared = prepare(recipe, two_hospitals, tmp_path, lambda items, _: items)
    seen: list[npt.NDArray[np.uint8]] = []
    monkeypatch.setattr(training.Run, "to_end", lambda run: seen.append(run.val_pixels))
    build.train(recipe, prepared, tmp_path, print)
    north = [i for i in prepared.indices("val") if prepared.examples[i].value("source") == "north"]
    assert len(north) == 48
    assert np.array_equal(seen[0], prepared.pixels[north])


# Labels


def test_labels_may_stand_in_another_column(two_hospitals: Path, recipe_file: Callable[..., Path]) -> None:
    there = read_recipe(recipe_file())
    data = msgspec.structs.replace(there.data[0], column="source", labels={"north": "plain", "south": "spotted"})
    examples, _ = gather(msgspec.structs.replace(there, data=(data,)), two_hospitals.parent)
    assert {(example.picture.source, example.label) for example in examples} == {("north", 0), ("south", 1)}
    assert msgspec.structs.replace(there, data=(data,)).training_key != there.training_key


def test_where_the_column_is_empty_the_label_is_looked_up(two_hospitals: Path, recipe_file: Callable[..., Path]) -> None:
    there = read_recipe(recipe_file())
    data = msgspec.structs.replace(there.data[0], column="finer")
    examples, _ = gather(msgspec.structs.replace(there, data=(data,)), two_hospitals.parent)
    assert {(example.picture.label, example.label) for example in examples} == {("plain", 0), ("spotted", 1)}


# The head's bias


def test_the_heads_bias_is_fitted_to_how_often_labels_occur() -> None:
    keras = pytest.importorskip("keras")
    from medsdk_converters import head_bias

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="logits", kernel_initializer="identity")])
    logits = np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32)
    truth = (np.arange(2000) % 10 == 0).astype(np.int64)  # which the logits know nothing of
    head_bias.fit(model, logits, truth, "softmax")
    plain, spotted = np.asarray(model.get_layer("logits").bias)
    assert plain > spotted
    with pytest.raises(RecipeError, match="no layer"):
        head_bias.fit(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]), logits, truth, "softmax")
