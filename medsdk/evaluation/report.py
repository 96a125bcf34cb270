"""The evaluation as one HTML file that needs nothing else, and as JSON beside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from medsdk.core.card import Card, Estimate
from medsdk.core.errors import MedsdkError, WriteError
from medsdk.core.files import write_beside
from medsdk.core.images import decode
from medsdk.core.prediction import NOTICE
from medsdk.evaluation import plots
from medsdk.evaluation.curves import Curves
from medsdk.evaluation.data import LabelledPicture
from medsdk.evaluation.evaluate import Result, Section
from medsdk.evaluation.extra import need
from medsdk.evaluation.judging import Judged

HTML, JSON = "report.html", "report.json"

FIGURES = {
    "auc": "AUC (ROC)",
    "average_precision": "average precision",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "precision": "precision (PPV, at this set's prevalence)",
    "f1": "F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "label_accuracy": "accuracy of the most probable label",
    "quadratic_weighted_kappa": "quadratic weighted kappa",
    "ece": "expected calibration error",
}
_THUMBNAIL = 160
_WORST = 12


@dataclass(frozen=True)
class Mistake:
    """A picture that was called wrongly, shown only where pictures were asked for."""

    name: str
    truth: str
    probability: float
    picture: str


def write_report(result: Result, card: Card, folder: Path, judged: Judged | None = None) -> tuple[Path, Path]:
    """report.html and report.json in a folder, made if it is not there; each appears whole or not at all.

    With `judged` the report shows thumbnails and names of the worst mistakes: pictures of patients, so only where
    somebody asked for them. Raises WriteError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: it cannot be made ({error.strerror}).", "Choose another folder.") from None
    page = html(result, card, worst_mistakes(card, judged) if judged is not None else None)
    write_beside(folder / HTML, page.encode())
    write_beside(folder / JSON, msgspec.json.format(to_json(result), indent=1) + b"\n")
    return folder / HTML, folder / JSON


def to_json(result: Result) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(result)


def html(result: Result, card: Card, mistakes: dict[str, list[Mistake]] | None = None) -> str:
    """The page. Names from the data are escaped."""
    jinja2 = need("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("medsdk.evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=_figure, percent=_percent)
    shown = result.section("accepted") or result.section("all")
    page: str = environment.get_template("report.html.j2").render(
        result=result,
        card=card,
        names=FIGURES,
        shown=shown,
        drawings=_drawings(shown) if shown else {},
        mistakes=mistakes,
        notice=NOTICE,
    )
    return page


def text(result: Result) -> str:
    """The readable block for a terminal."""
    heading = f"{result.name} on {result.data}, split {result.split}: {result.pictures} pictures"
    lines = [
        heading,
        f"  rejected      {_percent(result.rejected)}",
        f"  inconclusive  {_percent(result.inconclusive)}",
    ]
    if result.unreadable:
        lines.append(f"  unreadable    {len(result.unreadable)}")
    for section in _different(result.sections):
        lines += _section_text(section)
    lines += [f"\n  Note: {note}" for note in result.notes]
    return "\n".join(lines)


def _different(sections: Sequence[Section]) -> list[Section]:
    """Where nothing was rejected, or nothing inconclusive, three sections would say the same."""
    pictures = [section.evaluation.pictures if section.name != "site" else -1 for section in sections]
    return [section for at, section in enumerate(sections) if pictures[at] not in pictures[:at]]


def _section_text(section: Section) -> list[str]:
    counts = section.evaluation
    figures = [(name, counts.figures[key]) for key, name in FIGURES.items() if key in counts.figures]
    return [
        "",
        f"  {section.name}: {counts.pictures} pictures, {counts.groups} groups, {counts.positives} positive",
        f"  ({section.meaning})",
        *(f"    {name:<42} {_figure(estimate)}" for name, estimate in figures),
    ]


def worst_mistakes(card: Card, judged: Judged) -> dict[str, list[Mistake]]:
    """The accepted pictures that were most surely called wrong: missed ones first, then false alarms."""
    accepted = judged.where(~judged.said("rejected"))
    positive, chance = accepted.positive(card), accepted.chance(card)
    called = chance >= card.decision.threshold
    kinds = {"missed": (positive & ~called, chance), "false alarms": (~positive & called, -chance)}
    return {
        kind: [
            Mistake(
                accepted.pictures[row].name,
                card.labels[int(accepted.truth[row])].name,
                float(chance[row]),
                _thumbnail(accepted.pictures[row]),
            )
            for row in _first(np.flatnonzero(wrong).tolist(), order.tolist())
        ]
        for kind, (wrong, order) in kinds.items()
    }


def _first(rows: Sequence[int], order: Sequence[float]) -> list[int]:
    return sorted(rows, key=lambda row: order[row])[:_WORST]


def _thumbnail(picture: LabelledPicture) -> str:
    try:
        pixels = decode(picture.read(), picture.name)
    except MedsdkError:
        return ""
    scale = _THUMBNAIL / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, 85))[1]
    return _data_uri("image/jpeg", encoded.tobytes())


def _drawings(section: Section) -> dict[str, str]:
    """Title to picture, as data URIs."""
    if section.curves is None:
        return {}
    found: Curves = section.curves
    counts = section.evaluation
    sensitivity, specificity = counts.figures["sensitivity"].value, counts.figures["specificity"].value
    drawn = {
        "ROC curve": plots.roc(found, (1 - specificity, sensitivity)),
        "Precision and recall": plots.precision_recall(found, counts.positives / counts.pictures),
        "Calibration": plots.calibration(found.calibration),
    }
    return {title: _data_uri("image/svg+xml", svg) for title, svg in drawn.items()}


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _figure(estimate: Any) -> str:
    """ ".934 (.928 to .942)" with three digits, or a dash."""
    if not isinstance(estimate, Estimate):
        return "–"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"
