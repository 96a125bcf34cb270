"""What is handed on of a slide: JSON, CSV, and one printable page that needs nothing beside it."""

from __future__ import annotations

import base64
import csv
import io
import os
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import msgspec

from medsdk.core.files import write_beside
from medsdk.core.prediction import NOTICE, Provenance
from medsdk.slide.session import Field, Slide

_PAGE = Path(__file__).with_name("report.html")

Scalar = str | int | float


def write_json(slide: Slide, target: str | os.PathLike[str]) -> None:
    """The total and every field. Raises WriteError."""
    content = {
        "total": slide.total.to_dict(),
        "enough": slide.enough,
        "fields": [{"added": field.added, **field.finding.to_dict()} for field in slide.fields],
    }
    write_beside(target, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def write_csv(slide: Slide, target: str | os.PathLike[str]) -> None:
    """A row for each field; the columns after `reason` are the numbers of its details. Raises WriteError."""
    numbers = list(dict.fromkeys(name for field in slide.fields for name in _numbers(field.finding.details)))
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["field", "added", "source", "verdict", "reason", *numbers])
    for number, field in enumerate(slide.fields, 1):
        finding = field.finding
        values = [finding.details.get(name, "") for name in numbers]
        rows.writerow([number, field.added, finding.source, finding.verdict, finding.reason or "", *values])
    write_beside(target, text.getvalue().encode())


def write_html(slide: Slide, target: str | os.PathLike[str], *, pictures: bool = False) -> None:
    """One page; with `pictures` also the annotated fields that the session kept, behind it. Raises WriteError."""
    total, card = slide.total, slide.analyzer.card
    made = total.provenance
    content = Template(_PAGE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{card.name}: slide {total.source}"),
        verdict=escape(total.verdict or ""),
        summary=escape(str(total.details.get("summary", ""))),
        reason=escape(total.reason or ""),
        when=escape(" to ".join(sorted({slide.fields[0].added, slide.fields[-1].added})) if slide.fields else ""),
        enough=escape(
            f"{slide.counted} of {slide.enough} objects counted" + ("" if slide.is_enough else ": not yet enough")
        ),
        numbers="".join(
            f"<tr><th>{_words(name)}</th><td>{value}</td></tr>" for name, value in _numbers(total.details).items()
        ),
        fields="".join(_row(number, field) for number, field in enumerate(slide.fields, 1)),
        pictures="".join(_figure(slide.folder, number, field) for number, field in enumerate(slide.fields, 1))
        if pictures
        else "",
        made=escape(_made_by(made)) if made else "",
        use=escape(card.intended_use),
        limits="".join(f"<li>{escape(limit)}</li>" for limit in card.limits),
        notice=escape(NOTICE),
    )
    write_beside(target, content.encode())


def _made_by(made: Provenance) -> str:
    by_whom = f", operating point of this site {made.site_sha256[:16]}" if made.site_sha256 else ""
    return f"{made.distribution} {made.version}, medsdk {made.medsdk}, model {made.model_sha256[:16]}{by_whom}"


def _numbers(details: dict[str, Any]) -> dict[str, Scalar]:
    return {
        name: value for name, value in details.items() if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _row(number: int, field: Field) -> str:
    said = field.finding.details.get("summary") or field.finding.reason or ""
    source = Path(field.finding.source).name
    return f"<li><b>{number}</b> {escape(source)} <i>{escape(field.finding.verdict or '')}</i> {escape(str(said))}</li>"


def _figure(folder: Path, number: int, field: Field) -> str:
    """The picture is inside the page: a report that is sent on must not lose half of itself."""
    if field.picture is None or not (folder / field.picture).is_file():
        return ""
    data = base64.b64encode((folder / field.picture).read_bytes()).decode()
    caption = escape(f"Field {number}: {Path(field.finding.source).name}")
    return f'<figure><img alt="{caption}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _words(name: str) -> str:
    return escape(name.replace("_", " "))
