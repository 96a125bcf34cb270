"""What a page says of a picture, in a person's language: each figure with a plain sentence beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from medsdk.core import errors
from medsdk.core.attention import Mark
from medsdk.core.card import Card
from medsdk.core.errors import MedsdkError
from medsdk.core.prediction import Prediction
from medsdk.web import counts
from medsdk.web.catalogue import Entry
from medsdk.web.counts import CountRow
from medsdk.web.judging import Shown
from medsdk.web.languages import Language
from medsdk.web.problems import BusyError, NoPictureError, TooLargeError, TooSlowError, problem_of

# The core's reason, which holds no numbers; the other one does, and each language writes those in its own way.
_BLANK = "The picture is blank: it has no contrast."


@dataclass(frozen=True)
class ScoreRow:
    """A class: its name, its probability in 0..1 and as text, whether it counts as the disease."""

    name: str
    share: float
    text: str
    positive: bool


@dataclass(frozen=True)
class Box:
    """A judged object in pixels of the picture; `number` is what stands beside it, 0 for one without the disease."""

    left: int
    top: int
    width: int
    height: int
    number: int


@dataclass(frozen=True)
class Result:
    """Everything that the template `result.html` shows; `verdict` is also 'error' or 'choose'."""

    verdict: str
    title: str
    answer: str
    sentence: str
    remedy: str = ""
    needs: str = ""
    disease: str = ""
    probability: str = ""
    meaning: str = ""
    scores: tuple[ScoreRow, ...] = ()
    operating_point: str = ""
    original: str = ""
    attention: str = ""
    nowhere: bool = False
    width: int = 0
    height: int = 0
    full: tuple[int, int] = (0, 0)
    boxes: tuple[Box, ...] = ()
    legend: tuple[str, str] = ("", "")
    counted: tuple[CountRow, ...] = ()
    made_by: tuple[tuple[str, str], ...] = ()
    choices: tuple[tuple[str, str, str], ...] = ()


def of_prediction(shown: Shown, entry: Entry, language: Language) -> Result:
    """A picture that was read and put to a model."""
    prediction, card = shown.prediction, entry.card
    judged = prediction.probability is not None
    return Result(
        verdict=prediction.verdict or "error",
        title=language.text(card.name),
        answer=_answer(prediction, language),
        sentence=_sentence(shown, card, language),
        needs=card.picture if prediction.verdict == "rejected" else "",
        disease=card.disease,
        probability=language.numbers.share(prediction.probability or 0) if judged else "",
        meaning=_meaning(prediction.probability, language) if prediction.probability is not None else "",
        scores=_scores(prediction, card, language),
        operating_point=_operating_point(card, language) if judged else "",
        original=_data_uri(shown.images.original, shown.images.original_type),
        attention=_data_uri(shown.images.attention, "image/png") if shown.images.attention else "",
        nowhere=shown.images.nowhere,
        width=shown.images.width,
        height=shown.images.height,
        full=shown.images.full,
        boxes=_boxes(shown.images.marks),
        legend=_legend(shown.images.marks, language),
        counted=counts.rows(prediction.details, language),
        made_by=_made_by(prediction, language),
    )


def of_error(error: MedsdkError, language: Language, title: str = "") -> Result:
    """A picture that could not be read, or a request that was refused."""
    sentence, remedy = _explained(error, language)
    return Result("error", title or language.text("Not judged"), language.text("Not judged"), sentence, remedy)


def of_choices(entries: list[Entry], language: Language) -> Result:
    """Nobody chose a disease, and the picture fits several, or none."""
    if not entries:
        return Result(
            "rejected",
            language.text("Which disease?"),
            language.text("Not judged"),
            language.text("No installed disease knows this kind of picture."),
            language.text("Choose the disease yourself to see what kind of picture it needs."),
        )
    return Result(
        "choose",
        language.text("Which disease?"),
        language.text("Please choose"),
        language.count(
            "This kind of picture fits %(count)s disease.", "This kind of picture fits %(count)s diseases.", len(entries)
        ),
        language.text("Choose what to look for. Only you know the patient."),
        choices=tuple((one.id, language.text(one.card.name), one.card.picture) for one in entries),
    )


def _answer(prediction: Prediction, language: Language) -> str:
    return {
        "positive": language.text("Positive"),
        "negative": language.text("Negative"),
        "inconclusive": language.text("Inconclusive"),
    }.get(prediction.verdict or "", language.text("Not judged"))


def _sentence(shown: Shown, card: Card, language: Language) -> str:
    prediction = shown.prediction
    if card.status == "untrained" and prediction.verdict == "inconclusive":
        return language.text("The model is an untrained placeholder. Its numbers mean nothing.")
    if prediction.verdict == "rejected":
        return _refusal(prediction, card, language)
    if any(mark.positive for mark in shown.images.marks) and prediction.verdict == "inconclusive":
        return language.text("The signs are too few to be sure. Look at the marked places, and take more pictures.")
    if any(mark.positive for mark in shown.images.marks) and prediction.verdict == "negative":
        return language.text("The marked places may all be mistakes of the model. Look at them yourself.")
    sentences = {
        "positive": language.text("The picture shows signs that the model knows from this disease."),
        "negative": language.text("The model found no signs of this disease. That does not rule it out."),
        "inconclusive": language.text("Too close to call. Take another picture, or ask an expert."),
    }
    return sentences[prediction.verdict or "inconclusive"]


def _refusal(prediction: Prediction, card: Card, language: Language) -> str:
    limit = card.rejection.limit if card.rejection else None
    if prediction.reason == _BLANK:
        return language.text(_BLANK)
    if limit is not None and prediction.distance is not None and prediction.distance > limit:
        return language.text(
            "This is not the kind of picture that the model knows (distance %(distance)s, limit %(limit)s).",
            distance=language.numbers.decimal(prediction.distance, 2),
            limit=language.numbers.decimal(limit, 2),
        )
    return language.text(prediction.reason) if prediction.reason else ""


def _meaning(probability: float, language: Language) -> str:
    pictures = round(100 * probability)
    return language.count(
        "Of 100 such pictures with this score, about %(count)s shows the disease.",
        "Of 100 such pictures with this score, about %(count)s show the disease.",
        pictures,
    )


def _operating_point(card: Card, language: Language) -> str:
    low, high = card.decision.inconclusive
    share = language.numbers.share
    text = language.text("From %(threshold)s on, the answer is positive.", threshold=share(card.decision.threshold))
    if low < high:
        text += " " + language.text("Between %(low)s and %(high)s it is inconclusive.", low=share(low), high=share(high))
    return text


def _scores(prediction: Prediction, card: Card, language: Language) -> tuple[ScoreRow, ...]:
    positive = {label.id for label in card.labels if label.positive}
    return tuple(
        ScoreRow(
            language.text(score.name),
            round(score.probability, 4),
            language.numbers.share(score.probability),
            score.label in positive,
        )
        for score in prediction.scores
    )


def _boxes(marks: Sequence[Mark]) -> tuple[Box, ...]:
    """Those with the disease come last, so that they lie over the others."""
    without = [Box(*mark.box, 0) for mark in marks if not mark.positive]
    positive = [mark for mark in marks if mark.positive]
    return (*without, *(Box(*mark.box, number) for number, mark in enumerate(positive, 1)))


def _legend(marks: Sequence[Mark], language: Language) -> tuple[str, str]:
    """What the two kinds of frames are, with how many there are of each."""
    positive = sum(mark.positive for mark in marks)
    return (
        language.count("%(count)s place with signs of the disease", "%(count)s places with signs of the disease", positive),
        language.count("%(count)s place without", "%(count)s places without", len(marks) - positive),
    )


def _made_by(prediction: Prediction, language: Language) -> tuple[tuple[str, str], ...]:
    made = prediction.provenance
    if made is None:
        return ()
    ours = ((language.text("This site's own operating point"), made.site_sha256),) if made.site_sha256 else ()
    return (
        (language.text("Plugin"), f"{made.distribution} {made.version}".strip()),
        (language.text("Program"), f"medsdk {made.medsdk}, {made.runtime}"),
        (language.text("Model's fingerprint"), made.model_sha256),
        *ours,
    )


def _explained(error: MedsdkError, language: Language) -> tuple[str, str]:
    """What went wrong and what to do, for those who choose a wrong file; others read the English text."""
    whole = language.text("Get a whole copy of the picture, or take it again.")
    smaller = language.text("Make it smaller, or cut out a part.")
    if isinstance(error, errors.UnsupportedFormatError):
        remedy = language.text("Choose a JPEG, PNG, WebP, TIFF or BMP picture.")
        return language.text("This file is not a picture that can be read."), remedy
    if isinstance(error, errors.DamagedPictureError):
        return language.text("The file is damaged or cut short."), whole
    if isinstance(error, errors.PictureTooLargeError):
        return language.text("The picture has too many pixels, or none."), smaller
    if isinstance(error, TooLargeError):
        return language.text("The file is too large."), smaller
    if isinstance(error, TooSlowError):
        return language.text("The picture came too slowly."), language.text("Send it again over a better connection.")
    if isinstance(error, BusyError):
        return language.text("The server is busy."), language.text("Send the picture again in a moment.")
    if isinstance(error, NoPictureError):
        return language.text("No picture was chosen."), language.text("Choose a picture first.")
    problem = problem_of(error)
    return problem.detail, problem.remedy


def _data_uri(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
