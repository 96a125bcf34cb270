"""What the plugin says of a picture: well formed, honest, and the same every time."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from medsdk.core.analyzer import Analyzer
from medsdk.core.card import Card
from medsdk.core.images import Pixels
from medsdk.core.prediction import Prediction
from medsdk.testing import pictures
from medsdk.testing.probe import answers
from medsdk.testing.subject import ContractError, NotApplicableError, Subject

_THREADS = 4
_ROUNDS = 6
_VERDICTS = ("positive", "negative", "inconclusive", "rejected")


def predictions_are_well_formed(subject: Subject) -> None:
    """A prediction of this disease with a verdict; scores of the card's labels, falling, summing to 1; plain JSON."""
    for analyzer in (subject.analyzer, subject.lenient):
        for name, pixels in subject.samples().items():
            prediction = analyzer.predict(pixels)
            wrong = list(_wrong(prediction, subject.card))
            if wrong:
                raise ContractError(f"The prediction of the picture {name!r} is not well formed: {'; '.join(wrong)}.")
            try:
                json.loads(prediction.to_json())
            except (TypeError, ValueError) as error:
                raise ContractError(f"The prediction of {name!r} cannot be written as JSON: {error}.") from error


def untrained_says_so(subject: Subject) -> None:
    """A placeholder answers nothing but inconclusive (or rejected), and says why."""
    if subject.card.status != "untrained":
        raise NotApplicableError("The model is trained.")
    for name, pixels in (subject.samples() | {"noise": pictures.noise()}).items():
        prediction = subject.analyzer.predict(pixels)
        if prediction.verdict not in ("inconclusive", "rejected") or not prediction.reason:
            raise ContractError(
                f"The card says that the model is untrained, and it answers {prediction.verdict!r} to the picture {name!r}. "
                "Let DiseasePlugin.postprocess decide, or return its verdict and reason."
            )


def determinism(subject: Subject) -> None:
    """The same picture gives the same answer: again, from a new analyzer, and in another process."""
    first = answers(subject)
    if _difference(first, answers(subject)):
        raise ContractError(f"The same picture gets two answers: {_difference(first, answers(subject))}")
    if subject.report.error:
        raise ContractError(f"In a process of its own the plugin fails: {subject.report.error}")
    difference = _difference(json.loads(json.dumps(first)), subject.report.predictions)
    if difference:
        raise ContractError(f"Another process gives another answer to the same picture: {difference}")


def thread_safety(subject: Subject) -> None:
    """Four threads on one analyzer get the answers that one gets."""
    samples = subject.samples()
    with subject.open_lenient() as analyzer, _hasty_threads():
        alone = {name: analyzer.predict(pixels) for name, pixels in samples.items()}
        # All start at once, each with another picture, so that every one is judged beside a different one.
        barrier = Barrier(_THREADS)
        with ThreadPoolExecutor(_THREADS) as pool:
            crowds = [pool.submit(_in_turn, analyzer, samples, shift, barrier) for shift in range(_THREADS)]
            together = [pair for crowd in crowds for pair in crowd.result()]
    wrong = sorted({name for name, prediction in together if prediction != alone[name]})
    if wrong:
        raise ContractError(
            f"Judged by {_THREADS} threads at once, {', '.join(wrong)} get other answers than alone. "
            "The plugin keeps something of a picture in itself: pass it on instead."
        )


def _in_turn(analyzer: Analyzer, samples: dict[str, Pixels], shift: int, barrier: Barrier) -> list[tuple[str, Prediction]]:
    names = list(samples)
    barrier.wait(timeout=60)
    turns = [names[(shift + turn) % len(names)] for turn in range(_ROUNDS * len(names))]
    return [(name, analyzer.predict(samples[name])) for name in turns]


@contextmanager
def _hasty_threads() -> Iterator[None]:
    """Threads take turns a thousand times as often, so that a race shows at once."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _wrong(prediction: object, card: Card) -> Iterator[str]:
    if not isinstance(prediction, Prediction):
        yield f"postprocess returns {type(prediction).__name__}, not a medsdk.Prediction"
        return
    if prediction.disease != card.disease:
        yield f"it is of {prediction.disease!r}"
    if prediction.verdict not in _VERDICTS:
        yield f"its verdict is {prediction.verdict!r}"
    if prediction.verdict in ("inconclusive", "rejected") and not prediction.reason:
        yield f"it is {prediction.verdict} and gives no reason"
    if prediction.verdict == "rejected":
        if prediction.probability is not None or prediction.scores:
            yield "it is rejected and has numbers all the same"
        return
    yield from _wrong_scores(prediction, card)


def _wrong_scores(prediction: Prediction, card: Card) -> Iterator[str]:
    values = [score.probability for score in prediction.scores]
    if sorted(score.label for score in prediction.scores) != sorted(label.id for label in card.labels):
        yield "its scores are not one for each of the card's labels"
        return
    if not all(0 <= value <= 1 for value in values) or not math.isclose(sum(values), 1, abs_tol=1e-3):
        yield f"its scores {values} are not probabilities that sum to 1"
    if values != sorted(values, reverse=True):
        yield "its scores do not fall"
    if prediction.label != prediction.scores[0].label:
        yield "its label is not the most probable one"
    positive = {label.id for label in card.labels if label.positive}
    chance = sum(score.probability for score in prediction.scores if score.label in positive)
    if prediction.probability is None or not math.isclose(prediction.probability, chance, abs_tol=1e-3):
        yield f"its probability is {prediction.probability}, the positive labels' scores sum to {chance:.4f}"


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The first fields that differ, in words; empty where there are none."""
    for name, fields in one.items():
        for key, value in fields.items():
            if other.get(name, {}).get(key) != value:
                return f"{name}: {key} is {value!r}, then {other.get(name, {}).get(key)!r}"
    return ""
