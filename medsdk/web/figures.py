"""A model card's figures in plain sentences: who reads them need not know what AUC means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medsdk.core.card import Estimate, Evaluation
from medsdk.web.languages import Language


@dataclass(frozen=True)
class Row:
    """A figure: its name, its value with the 95 % interval, and what that means."""

    name: str
    value: str
    interval: str
    meaning: str


def rows(evaluation: Evaluation, language: Language) -> list[Row]:
    """Those that a person asks for come first; the others follow as the card has them."""
    known = [name for name in _SENTENCES if name in evaluation.figures]
    others = [name for name in evaluation.figures if name not in _SENTENCES]
    return [_row(name, evaluation.figures[name], language) for name in [*known, *others]]


def _row(name: str, figure: Estimate, language: Language) -> Row:
    decimal = language.numbers.decimal
    sentence = _SENTENCES.get(name, _other)(language, round(100 * figure.value))
    return Row(
        language.text(_NAMES.get(name, name.replace("_", " "))),
        decimal(figure.value, 3),
        language.text("%(low)s to %(high)s", low=decimal(figure.low, 3), high=decimal(figure.high, 3)),
        sentence,
    )


def _mark(text: str) -> str:
    """Marks a text for the catalogue (gettext's N_); it is translated where the language is known."""
    return text


_NAMES = {
    "sensitivity": _mark("Sensitivity"),
    "specificity": _mark("Specificity"),
    "auc": _mark("AUC"),
    "accuracy": _mark("Accuracy"),
    "precision": _mark("Precision"),
    "ece": _mark("Calibration error"),
}


def _sensitivity(language: Language, share: int) -> str:
    return language.count(
        "Of 100 pictures with the disease it finds about %(count)s.",
        "Of 100 pictures with the disease it finds about %(count)s.",
        share,
    )


def _specificity(language: Language, share: int) -> str:
    return language.count(
        "Of 100 pictures without the disease it clears about %(count)s.",
        "Of 100 pictures without the disease it clears about %(count)s.",
        share,
    )


def _auc(language: Language, share: int) -> str:
    return language.count(
        "Of one picture with the disease and one without, it picks the right one about %(count)s time in 100.",
        "Of one picture with the disease and one without, it picks the right one about %(count)s times in 100.",
        share,
    )


def _accuracy(language: Language, share: int) -> str:
    return language.count("Of 100 answers about %(count)s is right.", "Of 100 answers about %(count)s are right.", share)


def _precision(language: Language, share: int) -> str:
    return language.count(
        "Of 100 positive answers on this set about %(count)s is right.",
        "Of 100 positive answers on this set about %(count)s are right.",
        share,
    )


def _calibration_error(language: Language, share: int) -> str:
    return language.count(
        "Its percentages are about %(count)s point off on average.",
        "Its percentages are about %(count)s points off on average.",
        share,
    )


def _other(language: Language, share: int) -> str:  # noqa: ARG001
    return language.text("A figure for specialists; 1 would be perfect.")


def _floor(language: Language, share: int) -> str:  # noqa: ARG001
    return language.text("What a cheap trick without a model would reach; the model must be well above it.")


_SENTENCES: dict[str, Callable[[Language, int], str]] = {
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "auc": _auc,
    "accuracy": _accuracy,
    "precision": _precision,
    "ece": _calibration_error,
    "floor_border_auc": _floor,
    "floor_colour_auc": _floor,
}
