"""Real labelled pictures, which no package may carry: where they are, and whether a card's promise holds on them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

import medsdk
from medsdk.evaluation.data import LabelledPicture, read_labelled
from medsdk.evaluation.extra import need
from medsdk.testing.subject import ContractError

FOLDER = "MEDSDK_DATA"
"""The environment variable that names the folder of labelled sets: NAME.tar, NAME.csv or NAME/."""

_PICTURES = 200
# 200 pictures of a whole split: so far below the card's interval is still no contradiction.
_SLACK = 0.05
_MOST_REJECTED = 0.07


def locate(name: str) -> Path:
    """The labelled set of that name; the test that asks is skipped, and says why, where it is not there."""
    import pytest

    folder = os.environ.get(FOLDER)
    if not folder:
        pytest.skip(f"needs labelled pictures: set {FOLDER} to the folder that holds {name}.tar")
    candidates = (Path(folder) / f"{name}.tar", Path(folder) / f"{name}.csv", Path(folder) / name)
    found = next((candidate for candidate in candidates if candidate.exists()), None)
    if found is None:
        pytest.skip(f"the set {name} is not in the folder that {FOLDER} names")
    return found


def spread(name: str, split: str, count: int, **columns: str) -> list[LabelledPicture]:
    """`count` evenly spaced pictures of a split, of those whose manifest has these values."""
    pictures = [
        picture
        for picture in read_labelled(locate(name))
        if picture.split == split and all(_column(picture, key) == value for key, value in columns.items())
    ]
    return [pictures[i] for i in np.linspace(0, len(pictures) - 1, min(count, len(pictures))).astype(int)]


class LabelledPictures:
    """Subclass it beside `Conformance`: pictures of the set's test split are told apart as the card's first set promises.

    `pack` is the set's name, `ill` the labels in its manifest that count as positive, `columns` values that its rows must
    have. The figures extra of medsdk (`evaluate`) must be installed.
    """

    disease: ClassVar[str]
    pack: ClassVar[str]
    ill: ClassVar[frozenset[str]]
    columns: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def test_real_pictures_are_told_apart_as_the_card_says(self) -> None:
        """The AUC over the accepted pictures, against the lower end of the card's interval."""
        pictures = spread(self.pack, "test", _PICTURES, **self.columns)
        with medsdk.load(self.disease) as analyzer:
            chances = [p.probability for p in analyzer.predict_many((p.read() for p in pictures), threads=2)]
            promised = analyzer.card.evaluations[0].figures["auc"].low
        check([picture.label in self.ill for picture in pictures], chances, promised)


def check(ill: Sequence[bool], chances: Sequence[float | None], promised: float) -> None:
    """Raises ContractError if too many pictures were rejected (None), or the others are told apart too badly."""
    judged = [(truth, chance) for truth, chance in zip(ill, chances, strict=True) if chance is not None]
    rejected = 1 - len(judged) / len(ill)
    if rejected > _MOST_REJECTED:
        raise ContractError(f"{rejected:.0%} of the model's own test pictures are rejected.")
    auc = float(need("sklearn.metrics").roc_auc_score(*zip(*judged, strict=True)))
    if auc < promised - _SLACK:
        raise ContractError(f"AUC {auc:.3f}, where the card's interval begins at {promised:.3f}.")


def _column(picture: LabelledPicture, name: str) -> str | None:
    return picture.source if name == "source" else picture.extra.get(name)
