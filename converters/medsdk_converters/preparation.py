"""The pictures of a recipe, checked and preprocessed once, in memory."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core.card import DataSet
from medsdk.core.files import write_beside
from medsdk.core.images import Pixels
from medsdk.core.preprocessing import Pipeline
from medsdk_converters import data, leakage, splitting
from medsdk_converters.data import Example
from medsdk_converters.recipe import Recipe

Indices: TypeAlias = npt.NDArray[np.int64]
Progress: TypeAlias = Callable[[Iterable[Any], int], Iterable[Any]]

THUMBNAIL = 32


@dataclass(frozen=True)
class Prepared:
    """Pictures that are ready: examples, preprocessed pixels (n, h, w, 3), thumbnails (n, 32, 32, 3).

    `left_out` names the pictures that could not be decoded, or were near-duplicates that the recipe leaves out.
    """

    examples: Sequence[Example]
    pixels: npt.NDArray[np.uint8]
    thumbnails: npt.NDArray[np.uint8]
    sets: tuple[DataSet, ...]
    left_out: tuple[str, ...] = ()

    def indices(self, split: str, *, trainable: bool = False) -> Indices:
        return np.array(
            [
                i
                for i, example in enumerate(self.examples)
                if example.picture.split == split and (example.trainable or not trainable)
            ],
            np.int64,
        )

    def places(self, rows: Indices, columns: dict[str, str]) -> Indices:
        """Where among `rows` those pictures stand whose columns hold these values."""
        return np.array([place for place, i in enumerate(rows) if self.examples[i].matches(columns)], np.int64)

    @cached_property
    def labels(self) -> Indices:
        return np.array([example.label for example in self.examples], np.int64)

    @property
    def groups(self) -> list[str]:
        return [example.group for example in self.examples]


def prepare(recipe: Recipe, root: Path, work: Path, progress: Progress) -> Prepared:
    """Gather, split, check and preprocess the pictures; what was preprocessed is kept in `work` for the next run.

    Raises DataError, CardError for an unknown step, or SourceError.
    """
    pipeline = Pipeline(recipe.input, recipe.name)
    gathered, sets = data.gather(recipe, root)
    examples, split_here = splitting.complete(gathered, recipe.seed)
    data.check_trainable(recipe, examples)
    leakage.check_groups(examples)
    # The pictures of a set that is split here were checked for leaks under this seed only.
    seeds = (recipe.seed,) if split_here else ()
    key = hashlib.sha256(repr((recipe.input, sets, recipe.data, recipe.near_duplicates, *seeds)).encode()).hexdigest()[:16]
    cached = work / f"pictures-{key}.pickle"
    if cached.exists():
        good, pixels, thumbnails = pickle.loads(cached.read_bytes())  # our own file, in the user's work folder
        kept = [examples[i] for i in good]
        return Prepared(kept, pixels, thumbnails, sets, _left_out(examples, kept))
    shape = (recipe.input.height, recipe.input.width)
    kept, pixels = data.prepare(examples, lambda image: pipeline.frame(image).pixels, shape, progress)
    _, thumbnails = data.prepare(kept, _thumbnail, (THUMBNAIL, THUMBNAIL), progress)
    data.check_trainable(recipe, kept)
    if recipe.near_duplicates == "leave_out":
        rows = leakage.without_twins(kept, thumbnails)
        kept, pixels, thumbnails = [kept[i] for i in rows], pixels[rows], thumbnails[rows]
    leakage.check_pictures(kept, thumbnails)
    place = {id(example): i for i, example in enumerate(examples)}
    write_beside(cached, pickle.dumps(([place[id(example)] for example in kept], pixels, thumbnails), protocol=4))
    return Prepared(kept, pixels, thumbnails, sets, _left_out(examples, kept))


def _left_out(examples: Sequence[Example], kept: Sequence[Example]) -> tuple[str, ...]:
    there = {id(example) for example in kept}
    return tuple(example.picture.name for example in examples if id(example) not in there)


def _thumbnail(image: Pixels) -> Pixels:
    return cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
