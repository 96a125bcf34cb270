"""Running a disease over labelled pictures: what it said of each, beside what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from medsdk.core import analyzer as core
from medsdk.core.analyzer import Analyzer
from medsdk.core.bundle import Bundle
from medsdk.core.card import Card
from medsdk.core.decision import positive_probability, probabilities
from medsdk.core.errors import BrokenPluginError, SourceError
from medsdk.core.images import Source
from medsdk.core.prediction import Prediction
from medsdk.evaluation.data import LabelledPicture, check_unreadable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Labelled = Sequence[tuple[LabelledPicture, int]]
# Called after each picture with how many are judged, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Judged:
    """The readable pictures, and what was said of them.

    truth (n,) indices of the card's labels; probability (n, labels), for a rejected picture what the model would have
    said of it; verdicts (n,).
    """

    pictures: tuple[LabelledPicture, ...]
    truth: Ints
    probability: Floats
    verdicts: tuple[str, ...]

    @property
    def groups(self) -> list[str]:
        """(n,) what each picture was kept together with."""
        return [picture.group for picture in self.pictures]

    def said(self, verdict: str) -> Bools:
        """(n,) True where that was the verdict."""
        return np.array([said == verdict for said in self.verdicts], np.bool_)

    def positive(self, card: Card) -> Bools:
        """(n,) True where the true label is one of the positive ones."""
        return np.array([label.positive for label in card.labels])[self.truth]

    def chance(self, card: Card) -> Floats:
        """(n,) positive probability."""
        return positive_probability(self.probability, card)

    def where(self, kept: Bools) -> Judged:
        """Only the flagged pictures."""
        rows = np.flatnonzero(kept).tolist()
        return Judged(
            tuple(self.pictures[row] for row in rows),
            self.truth[kept],
            self.probability[kept],
            tuple(self.verdicts[row] for row in rows),
        )


def open_disease(disease: str) -> Analyzer:
    """An installed disease by its id, or a bundle's folder by its path ("./malaria", so that no id hides it)."""
    if disease.isidentifier():
        return core.load(disease)
    return core.load(Bundle(Path(disease)))


def judge(
    analyzer: Analyzer, labelled: Labelled, data: Path | str, *, threads: int = 1, progress: Progress | None = None
) -> tuple[Judged, tuple[str, ...]]:
    """Every readable picture with its verdict, and why each other one cannot be read. Raises DataError above 1 %,
    and whatever a plugin raises."""
    judged: list[tuple[LabelledPicture, int, Prediction]] = []
    unreadable: list[str] = []
    predictions = analyzer.predict_many((_source(picture) for picture, _ in labelled), threads)
    # Closed here: left to the collector, its threads may be told to wait for themselves.
    with closing(predictions):
        for (picture, truth), prediction in zip(labelled, predictions, strict=True):
            if isinstance(prediction.error, SourceError):
                unreadable.append(str(prediction.error))
            elif prediction.error is not None:
                # Not the picture's fault: the others will fail too.
                raise prediction.error
            else:
                # Without the attention map, which keeps the whole encoded picture alive.
                judged.append((picture, truth, replace(prediction, explain=None)))
            if progress is not None:
                progress(len(judged) + len(unreadable), len(labelled))
    check_unreadable(data, unreadable, len(labelled))
    return _gathered(analyzer, judged, threads), tuple(unreadable)


def logits_of(analyzer: Analyzer, pictures: Iterable[LabelledPicture], threads: int = 1) -> npt.NDArray[np.float32]:
    """The model's own words on each picture (n, k), rejected or not. Raises a SourceError for an unreadable one."""

    def logits(picture: LabelledPicture) -> npt.NDArray[np.float32]:
        return analyzer.outputs(_source(picture)).logits

    with ThreadPoolExecutor(threads, thread_name_prefix="medsdk") as pool:
        rows = list(pool.map(logits, pictures))
    return np.array(rows, np.float32).reshape(len(rows), analyzer.card.logits)


def _source(picture: LabelledPicture) -> Source:
    # It has `read` and `name` as a binary file has, which is all that a source is asked for; read by the worker.
    return cast(Source, picture)


def _gathered(analyzer: Analyzer, judged: Sequence[tuple[LabelledPicture, int, Prediction]], threads: int) -> Judged:
    card = analyzer.card
    index = {label.id: at for at, label in enumerate(card.labels)}
    probability = np.zeros((len(judged), len(index)))
    unscored = [row for row, (_, _, prediction) in enumerate(judged) if not prediction.scores]
    for row, (_, _, prediction) in enumerate(judged):
        for score in prediction.scores:
            probability[row, index[score.label]] = score.probability
    if unscored:
        logits = logits_of(analyzer, (judged[row][0] for row in unscored), threads)
        probability[unscored] = probabilities(logits, card)
    if not np.isfinite(probability).all():
        raise BrokenPluginError(
            card.disease,
            f"{card.disease}: the model's outputs are not finite numbers.",
            "The model is broken: convert it again, or update the plugin.",
        )
    return Judged(
        tuple(picture for picture, _, _ in judged),
        np.array([truth for _, truth, _ in judged], np.int64),
        probability,
        tuple(str(prediction.verdict) for _, _, prediction in judged),
    )
