"""Splits for sets that come without: by group, alike in every run with one seed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from medsdk_converters.data import Example

# The share of each label's pictures below which a group goes to this split.
SHARES = (("train", 0.70), ("val", 0.85), ("test", 1.0))
LEFT_OUT = "left out"


def complete(examples: Sequence[Example], seed: int) -> tuple[list[Example], frozenset[str]]:
    """The examples, each with a split, and the names of the sets that had none.

    70 % of a set's pictures go to train, 15 % to val, 15 % to test, label by label; a group stays whole. Which group
    goes where depends on its name and the seed alone, so that a picture more changes little.
    """
    unsplit = {example.data for example in examples} - {example.data for example in examples if example.picture.split}
    chosen = _by_share([example for example in examples if example.data in unsplit], seed)
    completed = [_moved(example, chosen[example.group]) if example.data in unsplit else example for example in examples]
    return completed, frozenset(unsplit)


def folds(examples: Sequence[Example], count: int, seed: int) -> list[int]:
    """The fold 0..count-1 of each example, groups whole, labels spread evenly."""
    place = {}
    for groups in _strata(examples).values():
        load = [0] * count
        for group, pictures in _shuffled(groups, seed):
            place[group] = min(range(count), key=lambda fold: load[fold])
            load[place[group]] += pictures
    return [place[example.group] for example in examples]


def in_fold(examples: Sequence[Example], fold_of: Sequence[int | None], fold: int, count: int) -> list[Example]:
    """The examples with the fold as test. What lies in no fold (None) keeps its split, and all of it is learnt from or
    chosen by; where everything lies in a fold, the next one is val. The rest is train."""
    val = (fold + 1) % count if None not in fold_of else None
    named = {fold: "test", val: "val"}
    return [
        example if at is None else _moved(example, named.get(at, "train"))
        for example, at in zip(examples, fold_of, strict=True)
    ]


def without(examples: Sequence[Example], left_out: Sequence[bool]) -> list[Example]:
    """The examples with those that are left out as 'left out', in whatever split they were."""
    return [_moved(example, LEFT_OUT) if out else example for example, out in zip(examples, left_out, strict=True)]


def _by_share(examples: Sequence[Example], seed: int) -> dict[str, str]:
    """The split of each group."""
    chosen = {}
    for groups in _strata(examples).values():
        total, before = sum(groups.values()), 0
        for group, pictures in _shuffled(groups, seed):
            middle = (before + pictures / 2) / total
            chosen[group] = next(split for split, until in SHARES if middle <= until)
            before += pictures
    return chosen


def _strata(examples: Iterable[Example]) -> dict[tuple[str, int], dict[str, int]]:
    """Groups with their number of pictures, by set and by the group's highest label: rare findings are spread too."""
    highest: dict[str, int] = {}
    pictures: dict[str, int] = defaultdict(int)
    sets: dict[str, str] = {}
    for example in examples:
        highest[example.group] = max(example.label, highest.get(example.group, 0))
        pictures[example.group] += 1
        sets[example.group] = example.data
    strata: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
    for group, label in highest.items():
        strata[sets[group], label][group] = pictures[group]
    return strata


def _shuffled(groups: dict[str, int], seed: int) -> list[tuple[str, int]]:
    return sorted(groups.items(), key=lambda item: hashlib.sha256(f"{seed}/{item[0]}".encode()).digest())


def _moved(example: Example, split: str) -> Example:
    return replace(example, picture=replace(example.picture, split=split))
