"""What was counted in a picture of many objects, in words: each number with its plain sentence, likely ranges beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medsdk.web.languages import Language


@dataclass(frozen=True)
class CountRow:
    """A number that a plugin adds: its name, its value as text, and what it means (empty where nobody knows)."""

    name: str
    value: str
    meaning: str = ""


def _mark(text: str) -> str:
    """Marks a text for the catalogue (gettext's N_); it is translated where the language is known."""
    return text


# By the name in `details`. A name that does not stand here is shown as the plugin spells it.
_NAMES = {
    "red_cells": _mark("Red cells counted"),
    "infected_cells": _mark("Red cells that look infected"),
    "surely_infected_cells": _mark("Of these, clear beyond doubt"),
    "parasitaemia": _mark("Parasitaemia"),
    "expected_false_calls": _mark("Healthy cells marked by mistake, on average"),
    "chance_of_false_calls": _mark("Chance that mistakes alone mark as many"),
    "chance_of_false_sure_calls": _mark("Chance that mistakes alone look as clear"),
    "typical_cell_diameter_px": _mark("Width of a cell in pixels"),
    "regions": _mark("Places looked at"),
    "rejected": _mark("Places that could not be judged"),
}
_DIGITS = {"expected_false_calls": 1, "typical_cell_diameter_px": 1}
_SHARES = frozenset({"chance_of_false_calls", "chance_of_false_sure_calls"})
_LOW, _HIGH, _PERCENT = "_low", "_high", "_percent"


def rows(details: dict[str, Any], language: Language) -> tuple[CountRow, ...]:
    """Numbers and texts of a prediction's details, in their order. A percentage with its bounds is one row.

    The summary is left out where the rows say the same.
    """
    shares = [name.removesuffix(_PERCENT) for name in details if name.endswith(_PERCENT)]
    ranged = {name for name in shares if name + _LOW in details and name + _HIGH in details}
    found = []
    for name, value in details.items():
        share = name.removesuffix(_PERCENT)
        if share in ranged and name != share:
            found.append(_share(share, details, language))
        elif name.removesuffix(_LOW) in ranged or name.removesuffix(_HIGH) in ranged or (name == "summary" and ranged):
            continue
        elif not isinstance(value, bool) and isinstance(value, (int, float, str)):
            found.append(CountRow(_name(name, language), _value(name, value, language)))
    return tuple(found)


def _share(name: str, details: dict[str, Any], language: Language) -> CountRow:
    share = language.numbers.share
    value, low, high = (details[name + ending] / 100 for ending in (_PERCENT, _LOW, _HIGH))
    text = language.text(
        "%(share)s (likely between %(low)s and %(high)s)", share=share(value, 2), low=share(low, 2), high=share(high, 2)
    )
    meaning = language.count(
        "Of 1,000 cells about %(count)s is infected; the true number lies very likely between %(low)s and %(high)s.",
        "Of 1,000 cells about %(count)s are infected; the true number lies very likely between %(low)s and %(high)s.",
        round(1000 * value),
        low=language.numbers.decimal(1000 * low, 0),
        high=language.numbers.decimal(1000 * high, 0),
    )
    return CountRow(_name(name, language), text, meaning if name == "parasitaemia" else "")


def _name(name: str, language: Language) -> str:
    return language.text(_NAMES[name]) if name in _NAMES else name.replace("_", " ")


def _value(name: str, value: float | str, language: Language) -> str:
    if isinstance(value, str):
        return value
    if name in _SHARES:
        return language.numbers.share(value)
    if isinstance(value, int):
        return language.numbers.decimal(value, 0)
    return language.numbers.decimal(value, _DIGITS.get(name, 3))
