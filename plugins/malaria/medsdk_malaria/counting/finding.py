"""The finding of one field, and of many fields of one slide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import medsdk

from ..field import Quality
from .counts import NEGATIVE_ABOVE, Count, Mistakes, Tally
from .first_look import Chosen
from .head import CalledCells, FieldHead

Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class FieldNotes:
    """What is remembered of a field while the network looks at its cells."""

    quality: Quality
    chosen: Chosen


def fold(
    source: str, boxes: Sequence[Box], cells: CalledCells, head: FieldHead, quality: Quality, pictured: Any
) -> medsdk.Prediction:
    """One field's finding. `details` holds the counts, the called cells with boxes and scores, and the field's quality."""
    count = Count.of(cells.tally, head.mistakes)
    details = _details(count)
    details["typical_cell_diameter_px"] = round(quality.diameter, 1)
    details["cells"] = [
        {"box": list(box), "probability": round(float(chance), 4)}
        for box, chance, called in zip(boxes, cells.probability, cells.called, strict=True)
        if called
    ]
    return _prediction(source, count, details, pictured)


def sum_up(source: str, findings: Sequence[medsdk.Prediction], mistakes: Mistakes) -> medsdk.Prediction:
    """Many fields of one slide as one finding. Fields that were refused, or could not be read, count for nothing."""
    counted = [each for each in findings if "red_cells" in each.details]
    if not counted:
        return medsdk.Prediction("malaria", source, "rejected", reason="No field of this slide could be counted.")
    tally = sum((_tally(each.details) for each in counted), Tally())
    count = Count.of(tally, mistakes)
    details = {"fields": len(counted), "fields_refused": len(findings) - len(counted), **_details(count)}
    return _prediction(source, count, details, None)


def _tally(details: dict[str, Any]) -> Tally:
    return Tally(details["red_cells"], details["infected_cells"], details["surely_infected_cells"])


def _details(count: Count) -> dict[str, Any]:
    return {
        "summary": summary(count),
        "red_cells": count.tally.red_cells,
        "infected_cells": count.tally.infected,
        "surely_infected_cells": count.tally.sure,
        "parasitaemia_percent": round(100 * count.share, 3),
        "parasitaemia_low": round(100 * count.low, 3),
        "parasitaemia_high": round(100 * count.high, 3),
        "expected_false_calls": round(count.expected_false, 2),
        "chance_of_false_calls": round(count.chance, 6),
        "chance_of_false_sure_calls": round(count.sure_chance, 6),
    }


def summary(count: Count) -> str:
    """One line for people."""
    tally = count.tally
    return (
        f"{tally.infected} of {tally.red_cells} red cells infected: {100 * count.share:.2f} % "
        f"(95 % interval {100 * count.low:.2f} to {100 * count.high:.2f} %)"
    )


def _doubt(count: Count) -> str:
    """Why neither: too few that are sure, or more calls than mistakes make, none of them sure enough."""
    tally = count.tally
    if count.sure_chance <= NEGATIVE_ABOVE:
        doubt = f"So few sure calls ({tally.sure} of {tally.red_cells} cells) may be mistakes of the classifier"
    else:
        doubt = f"More cells are called ({tally.infected} of {tally.red_cells}) than by mistake, but too few for sure"
    return f"{doubt}: look at the cells that it called, and count more fields."


def _prediction(source: str, count: Count, details: dict[str, Any], pictured: Any) -> medsdk.Prediction:
    reason = _doubt(count) if count.verdict == "inconclusive" else None
    label = {"positive": "parasitized", "negative": "uninfected"}.get(count.verdict)
    return medsdk.Prediction("malaria", source, count.verdict, label=label, reason=reason, details=details, explain=pictured)
