"""The same picture, or the same patient, must not stand in two splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from medsdk_converters.data import Example
from medsdk_converters.errors import DataError

# Difference hashes of one picture, saved twice with other settings, differ in a few of their 256 bits.
_HASH_SIDE = 16
_NEAR_BITS = 6
_SHOWN = 5


def check_groups(examples: Sequence[Example]) -> None:
    """Raises DataError naming the groups that stand in more than one split."""
    splits: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        splits[example.group].add(example.picture.split)
    torn = sorted(group for group, where in splits.items() if len(where) > 1)
    if torn:
        raise DataError(
            f"{len(torn)} groups stand in more than one split: {', '.join(torn[:_SHOWN])}.",
            "Give each patient to one split.",
        )


def check_pictures(examples: Sequence[Example], thumbnails: npt.NDArray[np.uint8]) -> None:
    """Raises DataError naming pairs of pictures that are the same, or nearly, and stand in different splits.

    `thumbnails` is (n, side, side, 3) uint8, one for each example.
    """
    pairs = [
        f"{examples[i].picture.name} ({examples[i].picture.split}) and {examples[j].picture.name} "
        f"({examples[j].picture.split})"
        for i, j in _across_splits(examples, thumbnails)
    ]
    if pairs:
        raise DataError(
            f"{len(pairs)} pairs of pictures are the same, or nearly, in two splits: {'; '.join(pairs[:_SHOWN])}.",
            "Give them one group, or remove one of each.",
        )


def without_twins(examples: Sequence[Example], thumbnails: npt.NDArray[np.uint8]) -> list[int]:
    """The rows that are left where of each such pair the one in train, else the one in val, is left out."""
    rank = {"train": 0, "val": 1}
    left_out = {
        min(pair, key=lambda i: rank.get(examples[i].picture.split, 2)) for pair in _across_splits(examples, thumbnails)
    }
    return [i for i in range(len(examples)) if i not in left_out]


def _across_splits(examples: Sequence[Example], thumbnails: npt.NDArray[np.uint8]) -> list[tuple[int, int]]:
    hashes = np.stack([_difference_hash(thumbnail) for thumbnail in thumbnails])
    contents = [thumbnail.tobytes() for thumbnail in thumbnails]
    return [(i, j) for i, j in _near(hashes, contents) if examples[i].picture.split != examples[j].picture.split]


def _near(hashes: npt.NDArray[np.uint8], contents: Sequence[bytes]) -> Iterable[tuple[int, int]]:
    """Pairs whose hashes agree in one of seven bands and differ in at most six bits: pigeon-hole, nothing missed."""
    seen: set[tuple[int, int]] = set()
    for band in np.array_split(np.arange(hashes.shape[1]), _NEAR_BITS + 1):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for i, row in enumerate(hashes[:, band]):
            buckets[row.tobytes()].append(i)
        for bucket in buckets.values():
            yield from _pairs_within(bucket, hashes, contents, seen)


def _pairs_within(
    bucket: Sequence[int], hashes: npt.NDArray[np.uint8], contents: Sequence[bytes], seen: set[tuple[int, int]]
) -> Iterable[tuple[int, int]]:
    rows = hashes[list(bucket)]
    for place, i in enumerate(bucket[:-1]):
        distances = (rows[place + 1 :] != rows[place]).sum(axis=1)
        for offset in np.flatnonzero(distances <= _NEAR_BITS):
            pair = (i, bucket[place + 1 + int(offset)])
            if pair not in seen and _alike(contents[pair[0]], contents[pair[1]]):
                seen.add(pair)
                yield pair


def _alike(a: bytes, b: bytes) -> bool:
    """The hash alone takes two smooth pictures for one: their grey levels must agree too."""
    difference = np.abs(np.frombuffer(a, np.uint8).astype(np.int16) - np.frombuffer(b, np.uint8))
    return float(difference.mean()) < 3.0


def _difference_hash(thumbnail: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """256 bits: is a pixel brighter than its left neighbour? (N. Krawetz's dHash)"""
    grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_HASH_SIDE + 1, _HASH_SIDE), interpolation=cv2.INTER_AREA)
    return (small[:, 1:] > small[:, :-1]).astype(np.uint8).ravel()
