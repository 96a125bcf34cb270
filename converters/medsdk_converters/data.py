"""The recipe's pictures: found under --data, mapped to its labels, split by group, preprocessed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medsdk.core.card import DataSet
from medsdk.core.errors import SourceError
from medsdk.core.images import Pixels, decode
from medsdk.evaluation.data import UNREADABLE_SHARE, LabelledPicture, read_labelled
from medsdk_converters.errors import DataError
from medsdk_converters.recipe import DataSpec, Recipe

_THREADS = 2


@dataclass(frozen=True)
class Example:
    """A picture with its place in the recipe: the index of its label, and whether training may see it."""

    picture: LabelledPicture
    data: str
    label: int
    trainable: bool

    @property
    def group(self) -> str:
        """Groups of different sets never mix: two hospitals may both have a patient 17."""
        return f"{self.data}/{self.picture.group}"

    def value(self, column: str) -> str:
        """The manifest's column, by name; `data` is the set's name."""
        known = {
            "data": self.data,
            "label": self.picture.label,
            "source": self.picture.source,
            "split": self.picture.split,
            "group": self.picture.group,
        }
        return known[column] if column in known else self.picture.extra.get(column, "")

    def matches(self, columns: dict[str, str]) -> bool:
        return all(self.value(column) in wanted.split("|") for column, wanted in columns.items())


def gather(recipe: Recipe, root: Path) -> tuple[list[Example], tuple[DataSet, ...]]:
    """Every picture that the recipe names, and what the card says of the sets. Raises DataError."""
    examples: list[Example] = []
    sets = []
    for spec in recipe.data:
        path = locate(spec, root, alone=len(recipe.data) == 1)
        pictures = read_labelled(path)
        found = list(_examples(recipe, spec, pictures))
        if not found:
            labels = sorted({_own_label(picture, spec) for picture in pictures})
            raise DataError(
                f"{path}: none of its labels {labels} is in the recipe's {sorted(spec.labels)}.",
                f"Correct data.labels of {spec.name!r} in the recipe.",
            )
        examples += found
        sets.append(DataSet(spec.name, len(found), spec.licence, spec.citation, fingerprint(path, pictures)))
    return examples, tuple(sets)


def locate(spec: DataSpec, root: Path, *, alone: bool) -> Path:
    """The set's tar, CSV or folder: under `root` by its name, or `root` itself where the recipe has one set."""
    for candidate in (root / f"{spec.name}.tar", root / f"{spec.name}.csv", root / spec.name):
        if candidate.exists():
            return candidate
    if alone and root.exists():
        return root
    raise DataError(
        f"{root}: the set {spec.name!r} is not there.",
        f"Put {spec.name}.tar, {spec.name}.csv or a folder {spec.name}/ into it, or name another folder.",
    )


def fingerprint(path: Path, pictures: Sequence[LabelledPicture]) -> str:
    """sha256 of the data: of the file itself, or of every name, label, split and content of a folder."""
    digest = hashlib.sha256()
    if path.suffix == ".tar":
        with path.open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        return digest.hexdigest()
    for picture in sorted(pictures, key=lambda picture: picture.name):
        digest.update("\0".join((picture.name, picture.label, picture.group, picture.split)).encode())
        digest.update(picture.read())
    return digest.hexdigest()


def prepare(
    examples: Sequence[Example],
    pipeline: Callable[[Pixels], Pixels],
    shape: tuple[int, int],
    progress: Callable[[Iterable[object], int], Iterable[object]],
) -> tuple[list[Example], npt.NDArray[np.uint8]]:
    """Decode and preprocess every picture: those that could be, and their pixels (n, height, width, 3).

    Raises DataError, naming the files, if more than UNREADABLE_SHARE of them cannot be decoded.
    """
    pixels = np.zeros((len(examples), *shape, 3), np.uint8)

    def one(index: int) -> str | None:
        picture = examples[index].picture
        try:
            pixels[index] = pipeline(decode(picture.read(), picture.name))
        except SourceError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_THREADS) as pool:
        errors = list(progress(pool.map(one, range(len(examples))), len(examples)))
    bad = [str(error) for error in errors if error is not None]
    if len(bad) > UNREADABLE_SHARE * len(examples):
        raise DataError(
            f"{len(bad)} of {len(examples)} pictures cannot be decoded: {'; '.join(bad[:5])}.",
            "Repair or remove them.",
        )
    good = [i for i, error in enumerate(errors) if error is None]
    return [examples[i] for i in good], pixels if len(good) == len(examples) else pixels[good]


def check_trainable(recipe: Recipe, examples: Sequence[Example]) -> None:
    """Every label in train, and what a phase draws; positives and others in val, also where `decide.where` holds.

    Raises DataError.
    """
    train = [example for example in examples if example.picture.split == "train"]
    val = [example for example in examples if example.picture.split == "val"]
    there = {example.label for example in train}
    missing = [label.id for i, label in enumerate(recipe.labels) if i not in there]
    if missing:
        raise DataError(f"No training picture of {', '.join(missing)}.", "Add some, or take the label out.")
    for draw in (draw for phase in recipe.schedule.phases for draw in phase.draw):
        if draw.times and not any(example.trainable and example.matches(draw.where) for example in train):
            raise DataError(f"A phase draws {draw.where}, which no training picture is.", "Correct its 'where'.")
    _check_both_kinds(recipe, train, "The split 'train' has", "Split the groups anew.")
    _check_both_kinds(recipe, val, "The split 'val' has", "Split the groups anew.")
    chosen = [example for example in val if example.matches(recipe.decide.where)]
    _check_both_kinds(recipe, chosen, "Of the split 'val', decide.where leaves", "Name values that leave both kinds.")


def _check_both_kinds(recipe: Recipe, examples: Sequence[Example], where: str, remedy: str) -> None:
    there = {recipe.labels[example.label].positive for example in examples}
    for kind, wanted in (("positive", True), ("other than positive", False)):
        if wanted not in there:
            raise DataError(f"{where} no picture that is {kind}.", remedy)


def _examples(recipe: Recipe, spec: DataSpec, pictures: Iterable[LabelledPicture]) -> Iterable[Example]:
    index = {label.id: i for i, label in enumerate(recipe.labels)}
    for picture in pictures:
        label = _own_label(picture, spec)
        if label not in spec.labels:
            continue
        example = Example(picture, spec.name, index[spec.labels[label]], True)
        if not example.matches(spec.only):
            continue
        held_out = bool(spec.train_without) and example.matches(spec.train_without)
        yield Example(picture, spec.name, example.label, not held_out)


def _own_label(picture: LabelledPicture, spec: DataSpec) -> str:
    """The set's own label: the recipe's column where that holds one."""
    return Example(picture, spec.name, -1, True).value(spec.column) or picture.label
