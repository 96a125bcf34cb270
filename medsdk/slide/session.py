"""A slide under the microscope: fields are added until enough objects are counted."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2

from medsdk.core import images
from medsdk.core.analyzer import Analyzer, load
from medsdk.core.attention import Attention
from medsdk.core.errors import MedsdkError
from medsdk.core.files import write_beside
from medsdk.core.images import Source
from medsdk.core.prediction import Prediction, Provenance
from medsdk.slide.journal import Journal

ENOUGH = 2000
"""Red cells: about twenty fields at 100×. Parasites in one of a hundred cells are then known to within half a point."""

JOURNAL = "slide.jsonl"
PICTURES = "fields"
VERSION = 1

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 88]


@dataclass(frozen=True)
class Field:
    """One field of the slide, as the journal knows it.

    `picture` is the annotated picture's name in the session's folder, None where it was not asked for; `sha256` is of
    the field's pixels, so that a field is not counted twice.
    """

    finding: Prediction
    sha256: str
    added: str
    picture: str | None = None


class Slide:
    """What `open_slide` returns; a context manager. Fields are judged and saved one by one, by one thread."""

    def __init__(self, folder: Path, analyzer: Analyzer, enough: int, pictures: bool) -> None:
        if analyzer.plugin.counts is None:
            raise MedsdkError(
                f"{analyzer.disease} does not count anything in a picture.", "Slides are for diseases that do: malaria."
            )
        self.folder, self.enough = folder, enough
        self.analyzer = analyzer
        self._pictures = pictures
        self._journal = Journal(folder / JOURNAL)
        try:
            self._fields = self._resumed()
        except BaseException:
            self._journal.close()
            raise

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every field so far, those that were refused too."""
        return tuple(self._fields)

    @property
    def counted(self) -> int:
        """How many objects were counted so far."""
        return sum(self._count_of(field.finding) for field in self._fields)

    @property
    def is_enough(self) -> bool:
        return self.counted >= self.enough

    @property
    def total(self) -> Prediction:
        """All fields so far as one finding; rejected while there is none that could be counted."""
        total = self.analyzer.plugin.combine(self.folder.name, [field.finding for field in self._fields])
        if total is None:
            raise MedsdkError(f"{self.analyzer.disease}: its fields do not add up.", "Update the plugin.")
        return replace(total, provenance=self._provenance)

    def add(self, source: Source, *, name: str | None = None) -> Prediction:
        """Judge one field and save it; it is on the disk when this returns. `name` is what the finding calls its source.

        A field that the slide holds already is not counted again: its first finding comes back. Raises a SourceError if
        the picture cannot be read, and WriteError if the field cannot be saved.
        """
        picture = images.read(source)
        digest = hashlib.sha256(picture.pixels.tobytes()).hexdigest()
        for known in self._fields:
            if known.sha256 == digest:
                return known.finding
        finding = replace(self.analyzer.predict(picture.pixels, as_regions=True), source=name or picture.name)
        field = Field(finding, digest, _now(), self._draw(finding.attention))
        self._journal.append(_line(field))
        # Drawn and written: the pixels need not be held any longer.
        self._fields.append(replace(field, finding=replace(finding, explain=None)))
        return finding

    def close(self) -> None:
        self._journal.close()
        self.analyzer.close()

    def __enter__(self) -> Slide:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def _provenance(self) -> Provenance | None:
        return next((field.finding.provenance for field in self._fields if field.finding.provenance), None)

    def _count_of(self, finding: Prediction) -> int:
        return int(finding.details.get(self.analyzer.plugin.counts or "", 0))

    def _draw(self, attention: Attention | None) -> str | None:
        if not self._pictures or attention is None:
            return None
        name = f"{PICTURES}/{len(self._fields) + 1:04}.jpg"
        (self.folder / PICTURES).mkdir(exist_ok=True)
        _, encoded = cv2.imencode(".jpg", cv2.cvtColor(attention.overlay(), cv2.COLOR_RGB2BGR), _JPEG)
        write_beside(self.folder / name, encoded.tobytes())
        return name

    def _resumed(self) -> list[Field]:
        """The journal's fields; a new journal gets its first line."""
        head = {
            "medsdk_slide": VERSION,
            "disease": self.analyzer.disease,
            "model_sha256": self.analyzer.card.model.sha256,
            "site_sha256": self.analyzer.site_sha256,
        }
        lines = self._journal.lines
        if not lines:
            self._journal.append(head)
            return []
        if lines[0] != head:
            raise MedsdkError(
                f"{self._journal.path}: this slide was begun with another disease, model or operating point (--site).",
                "Go on with those, or begin the slide anew in another folder.",
            )
        return [_field(line) for line in lines[1:]]


def open_slide(
    folder: str | os.PathLike[str],
    disease: str | Analyzer = "malaria",
    *,
    enough: int = ENOUGH,
    pictures: bool = False,
) -> Slide:
    """Begin a slide in a folder, or go on with the one that is there.

    `enough` is how many objects (red cells) are to be counted: the slide says when, and takes more. `pictures` keeps
    the annotated fields in the folder; without it no picture is kept. Raises what `medsdk.load` raises, and WriteError.
    """
    if enough < 1:
        raise ValueError("enough must be at least 1")
    return Slide(Path(folder), disease if isinstance(disease, Analyzer) else load(disease), enough, pictures)


def _line(field: Field) -> dict[str, Any]:
    return {
        "added": field.added,
        "pixels_sha256": field.sha256,
        "picture": field.picture,
        "finding": field.finding.to_dict(),
    }


def _field(line: dict[str, Any]) -> Field:
    said = line["finding"]
    made = said["provenance"]
    finding = Prediction(
        said["disease"],
        said["source"],
        said["verdict"],
        label=said["label"],
        reason=said["reason"],
        details=said["details"],
        provenance=Provenance(**made) if made else None,
    )
    return Field(finding, line["pixels_sha256"], line["added"], line["picture"])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
