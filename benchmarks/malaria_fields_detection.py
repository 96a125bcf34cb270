"""How well the malaria plugin finds red cells in whole fields.

    python benchmarks/malaria_fields_detection.py --data FOLDER --split test

Reads the pack malaria_fields.tar and its boxes in place. The rule of counting:

- Every annotated kind is a cell, infected or not. Boxes are clipped at the picture's border. A detection is found when its
  tight box overlaps a box with IoU >= 0.5, one to one, best pairs first.
- Border: boxes and detections that touch the border (within 3 px) count neither for nor against.
- Boxes under a quarter or over 2.5 times the field's median box area (slips of the mouse, whole clumps) count neither way.
- Unannotated: many clumps, white cells and plain cells of this pack have no box. A detection without a partner, of which
  less than half lies inside annotated boxes, stands where nobody annotated, and counts neither way. The strict precision
  and F1 count those as false too.
- Count error: (found + false) against (found + missed), border and unannotated zones left out on both sides.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tarfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from medsdk_malaria.field import read_field

BORDER = 3
MIN_IOU = 0.5
BOX_AREAS = (0.25, 2.5)

Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Field:
    name: str
    image: npt.NDArray[np.uint8]
    boxes: Boxes
    infected: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tally:
    name: str
    found: int
    false: int
    missed: int
    unannotated: int
    infected: int
    infected_missed: int
    seconds: float
    reason: str

    @property
    def count_error(self) -> float:
        return (self.false - self.missed) / max(1, self.found + self.missed)


def fields(data: Path, split: str) -> Iterator[Field]:
    """The annotated fields of a split, boxes as left, top, right, bottom, clipped to the picture."""
    rows = defaultdict(list)
    with (data / "malaria_fields.boxes.csv").open(newline="") as text:
        for row in csv.DictReader(text):
            rows[row["file"]].append(row)
    with tarfile.open(data / "malaria_fields.tar") as pack:
        for name in _names(pack, split):
            encoded = np.frombuffer(_read(pack, f"images/{name}"), np.uint8)
            image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)
            yield Field(name, image, _clipped(rows[name], image.shape), _infected(rows[name]))


def _names(pack: tarfile.TarFile, split: str) -> list[str]:
    manifest = csv.DictReader(io.StringIO(_read(pack, "manifest.csv").decode()))
    return [row["file"] for row in manifest if row["split"] == split]


def _read(pack: tarfile.TarFile, name: str) -> bytes:
    member = pack.extractfile(name)
    if member is None:
        raise SystemExit(f"{pack.name!s} holds no file {name}")
    return member.read()


def _clipped(rows: list[dict[str, str]], shape: tuple[int, ...]) -> Boxes:
    boxes = np.array([[float(row[key]) for key in ("x", "y", "w", "h")] for row in rows]).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return np.clip(boxes, 0, [shape[1], shape[0], shape[1], shape[0]])


def _infected(rows: list[dict[str, str]]) -> npt.NDArray[np.bool_]:
    return np.array([row["type"] != "red blood cell" for row in rows], dtype=bool)


def tally(field: Field) -> Tally:
    """Segment one field, timed on the process's own clock, and compare."""
    start = time.process_time()
    reading = read_field(field.image)
    seconds = time.process_time() - start
    cells = reading.cells
    found = np.array([(x, y, x + w, y + h) for x, y, w, h in (cell.box for cell in cells)], dtype=float).reshape(-1, 4)
    partner = partners(found, field.boxes)
    ignored = _ignored(field.boxes, field.image.shape)
    matched = partner >= 0
    missed = ~ignored & ~np.isin(np.arange(len(field.boxes)), partner)
    alone = ~matched & ~on_border(found, field.image.shape)
    inside = _share_annotated(found, field) >= 0.5
    return Tally(
        name=field.name,
        found=int(np.count_nonzero(~ignored[partner[matched]])),
        false=int(np.count_nonzero(alone & inside)),
        missed=int(np.count_nonzero(missed)),
        unannotated=int(np.count_nonzero(alone & ~inside)),
        infected=int(np.count_nonzero(field.infected & ~ignored)),
        infected_missed=int(np.count_nonzero(field.infected & missed)),
        seconds=seconds,
        reason=reading.quality.reason.name,
    )


def partners(found: Boxes, boxes: Boxes) -> npt.NDArray[np.int64]:
    """For each detection the number of its box, -1 for none; greedy, the best pairs first."""
    overlap = _iou(found, boxes)
    partner = np.full(len(found), -1)
    for index in np.argsort(-overlap, axis=None, kind="stable"):
        one, other = np.unravel_index(index, overlap.shape)
        if overlap[one, other] < MIN_IOU:
            break
        if partner[one] < 0 and other not in partner:
            partner[one] = other
    return partner


def _iou(one: Boxes, other: Boxes) -> Boxes:
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    return np.asarray(common / np.maximum(areas[0][:, None] + areas[1] - common, 1e-9))


def on_border(boxes: Boxes, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    limit = np.array([shape[1], shape[0]]) - BORDER
    return np.asarray((boxes[:, :2] <= BORDER).any(axis=1) | (boxes[:, 2:] >= limit).any(axis=1))


def _ignored(boxes: Boxes, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    odd = (area < BOX_AREAS[0] * np.median(area)) | (area > BOX_AREAS[1] * np.median(area))
    return np.asarray(odd | on_border(boxes, shape))


def _share_annotated(found: Boxes, field: Field) -> npt.NDArray[np.float64]:
    covered = np.zeros(field.image.shape[:2])
    for left, top, right, bottom in field.boxes.astype(int):
        covered[top:bottom, left:right] = 1.0
    return np.array([covered[top:bottom, left:right].mean() for left, top, right, bottom in found.astype(int)])


def report(tallies: list[Tally]) -> str:
    found, false, missed = (sum(getattr(t, key) for t in tallies) for key in ("found", "false", "missed"))
    alone = sum(t.unannotated for t in tallies)
    infected = sum(t.infected for t in tallies)
    infected_found = 1.0 - sum(t.infected_missed for t in tallies) / max(1, infected)
    errors = np.abs([t.count_error for t in tallies])
    milliseconds = 1000.0 * np.array([t.seconds for t in tallies])
    refused = [f"{t.name} {t.reason}" for t in tallies if t.reason != "GOOD"]
    return "\n".join(
        [
            f"fields                      {len(tallies)}",
            f"precision                   {found / (found + false):.4f}   strict {found / (found + false + alone):.4f}",
            f"recall                      {found / (found + missed):.4f}   infected {infected_found:.4f} of {infected}",
            f"F1 at IoU 0.5               {2 * found / (2 * found + false + missed):.4f}"
            f"   strict {2 * found / (2 * found + false + alone + missed):.4f}",
            f"count error                 mean {errors.mean():.4f}   largest {errors.max():.4f}",
            f"fields within 10 %          {np.mean(errors <= 0.1):.4f}",
            f"ms a field, segmentation    median {np.median(milliseconds):.1f}   least {milliseconds.min():.1f}",
            f"refused by the field check  {len(refused)}   {', '.join(refused)}",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the packs")
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--each", action="store_true", help="one line a field as well")
    options = parser.parse_args()
    if not (options.data / "malaria_fields.tar").exists():
        print(f"no malaria_fields.tar in {options.data}; name its folder with --data", file=sys.stderr)
        return 2
    cv2.setNumThreads(1)
    tallies = [tally(field) for field in fields(options.data, options.split)]
    if options.each:
        for t in sorted(tallies, key=lambda t: -abs(t.count_error)):
            counts = f"found {t.found}  false {t.false}  missed {t.missed}  unannotated {t.unannotated}"
            print(f"{t.name}  {counts}  {t.count_error:+.3f}")
    print(report(tallies))
    return 0


if __name__ == "__main__":
    sys.exit(main())
