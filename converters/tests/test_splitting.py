"""Splits and folds by group: whole, alike in every run, labels spread evenly."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from medsdk_converters import splitting
from medsdk_converters.data import Example

from medsdk.evaluation.data import LabelledPicture, Place


def example(name: str, label: int, group: str, split: str = "", data: str = "set") -> Example:
    return Example(LabelledPicture(name, str(label), group, split, "", Place(Path(name))), data, label, True)


def many(groups: int = 200, each: int = 3) -> list[Example]:
    return [example(f"{g}-{i}", g % 2, f"g{g}") for g in range(groups) for i in range(each)]


def splits_of(examples: list[Example]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for one in examples:
        found[one.group].add(one.picture.split)
    return found


def test_groups_stay_whole() -> None:
    completed, unsplit = splitting.complete(many(), seed=1)
    assert unsplit == {"set"}
    assert all(len(where) == 1 for where in splits_of(completed).values())


def test_shares_hold_for_each_label() -> None:
    completed, _ = splitting.complete(many(), seed=1)
    counts = Counter((one.label, one.picture.split) for one in completed)
    for label in (0, 1):
        assert abs(counts[label, "train"] - 210) <= 3
        assert abs(counts[label, "val"] - 45) <= 3
        assert abs(counts[label, "test"] - 45) <= 3


def test_the_seed_alone_decides() -> None:
    def chosen(examples: list[Example], seed: int) -> dict[str, str]:
        return {one.picture.name: one.picture.split for one in splitting.complete(examples, seed)[0]}

    assert chosen(many(), 1) == chosen(many()[::-1], 1)
    assert chosen(many(), 1) != chosen(many(), 2)


def test_a_set_that_has_splits_keeps_them() -> None:
    given = [example("a", 0, "x", "train", "one"), example("b", 1, "y", "", "one"), example("c", 0, "z", "", "two")]
    completed, unsplit = splitting.complete(given, seed=1)
    assert unsplit == {"two"}
    assert [one.picture.split for one in completed[:2]] == ["train", ""]
    assert completed[2].picture.split


def test_a_group_of_many_labels_goes_one_way() -> None:
    mixed = [example(f"{g}-{i}", i % 2, f"g{g}") for g in range(30) for i in range(4)]
    completed, _ = splitting.complete(mixed, seed=1)
    assert all(len(where) == 1 for where in splits_of(completed).values())


def test_three_groups_of_a_label_reach_all_splits() -> None:
    completed, _ = splitting.complete([example(str(g), 1, f"g{g}") for g in range(7)], seed=1)
    assert {one.picture.split for one in completed} == {"train", "val", "test"}


def test_folds_hold_each_group_once_and_evenly() -> None:
    examples = many(50)
    fold_of = splitting.folds(examples, 5, seed=1)
    by_group = defaultdict(set)
    for one, fold in zip(examples, fold_of, strict=True):
        by_group[one.group].add(fold)
    assert all(len(where) == 1 for where in by_group.values())
    assert set(Counter((one.label, f) for one, f in zip(examples, fold_of, strict=True)).values()) == {15}
    assert set(Counter(fold_of).values()) == {30}


def test_a_fold_is_test_the_next_one_val_and_the_rest_train() -> None:
    examples = many(10, 1)
    fold_of = splitting.folds(examples, 3, seed=1)
    moved = splitting.in_fold(examples, fold_of, 2, 3)
    wanted = {0: "val", 1: "train", 2: "test"}
    assert [one.picture.split for one in moved] == [wanted[fold] for fold in fold_of]


def test_where_some_pictures_are_folded_the_others_keep_their_split() -> None:
    examples = many(8, 1)
    fold_of = [0, 1, 2, *[None] * (len(examples) - 3)]
    moved = splitting.in_fold(examples, fold_of, 0, 3)
    assert [one.picture.split for one in moved[:3]] == ["test", "train", "train"]
    assert moved[3:] == examples[3:]


def test_what_is_left_out_is_in_no_split() -> None:
    examples = many(2, 1)
    moved = splitting.without(examples, [i == 0 for i in range(len(examples))])
    assert moved[0].picture.split == splitting.LEFT_OUT
    assert moved[1:] == examples[1:]
