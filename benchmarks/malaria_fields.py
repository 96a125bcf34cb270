"""How well the malaria plugin tells infected cells in whole fields.

    python benchmarks/malaria_fields.py --data FOLDER --split test

Reads the pack malaria_fields.tar and its boxes in place; each field goes the plugin's own way, from finding its cells to the
field's finding, but that the model is shown every cell, so that other choices can be tried on what it said. The rule of
counting:

- A detected cell is infected or plain as the annotated box says that it matches (IoU >= 0.5, see malaria_fields_detection).
  Cells without a box, boxes called difficult, and cells that the border cuts count neither for nor against.
- Parasitaemia, truth: infected boxes among all boxes, those that touch the border left out. Found: called cells among all
  cells counted, annotated or not. Compared over blocks of ten consecutive fields. A tenth of this pack's cells has no box,
  in some blocks a fifth; "where annotated" leaves cells without a box out of both numbers on both sides.
- Fields that the plugin refuses are left out of both, and named.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import malaria_fields_detection as detection
import numpy as np
import numpy.typing as npt
from medsdk_malaria.counting import CalledCells, Count, Tally
from medsdk_malaria.counting.head import FILE, FieldHead
from medsdk_malaria.field import cutout, read_field

import medsdk

BLOCK = 10
INFECTED = ("ring", "trophozoite", "schizont", "gametocyte")
PLAIN = "red blood cell"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SeenField:
    """One field: what the first look and the model say of each whole cell, what each is, and the annotated counts."""

    name: str
    spots: npt.NDArray[np.float32]
    contexts: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.str_]
    truth_infected: int
    truth_cells: int

    @property
    def infected(self) -> Flags:
        return np.isin(self.kinds, INFECTED)

    @property
    def plain(self) -> Flags:
        return np.asarray(self.kinds == PLAIN)

    @property
    def annotated(self) -> Flags:
        return np.asarray(self.kinds != "")


def look(analyzer: medsdk.Analyzer, data: Path, split: str) -> list[SeenField]:
    """Every field of a split that the plugin does not refuse."""
    kinds = kinds_by_field(data)
    seen = []
    for field in detection.fields(data, split):
        reading = read_field(field.image)
        if not reading.quality.usable:
            print(f"{field.name} refused: {reading.quality.reason.value}", file=sys.stderr)
            continue
        said = [analyzer.outputs(cutout(field.image, cell)).context for cell in reading.whole]
        boxes = np.array([cell.box for cell in reading.whole], dtype=float)
        contexts = np.stack([each for each in said if each is not None])
        seen.append(_seen(field, boxes, reading.spots(), contexts, np.array(kinds[field.name])))
    return seen


def judge(head: FieldHead, field: SeenField) -> CalledCells:
    """As the plugin does: only the chosen cells' outputs are used."""
    chosen = head.first_look(field.spots)
    return head(list(field.contexts[chosen.judged]), chosen)


def cached(analyzer: medsdk.Analyzer, data: Path, split: str, cache: Path | None) -> list[SeenField]:
    """The same, kept in a file between runs where one is named."""
    if cache is None or not cache.exists():
        seen = look(analyzer, data, split)
        if cache is not None:
            columns = {f"{index}_{key}": value for index, each in enumerate(seen) for key, value in vars(each).items()}
            np.savez(cache, fields=len(seen), **columns)
        return seen
    with np.load(cache, allow_pickle=False) as file:
        keys = tuple(SeenField.__dataclass_fields__)
        rows = [[file[f"{index}_{key}"] for key in keys] for index in range(int(file["fields"]))]
    return [SeenField(str(n), s, c, k, int(i), int(t)) for n, s, c, k, i, t in rows]


def kinds_by_field(data: Path) -> dict[str, list[str]]:
    kinds = defaultdict(list)
    with (data / "malaria_fields.boxes.csv").open(newline="") as text:
        for row in csv.DictReader(text):
            kinds[row["file"]].append(row["type"])
    return kinds


def _seen(
    field: detection.Field,
    boxes: Floats,
    spots: npt.NDArray[np.float32],
    contexts: npt.NDArray[np.float32],
    kinds: npt.NDArray[np.str_],
) -> SeenField:
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    partner = detection.partners(corners, field.boxes)
    whole = ~detection.on_border(field.boxes, field.image.shape)
    matched = np.where(partner >= 0, kinds[partner], "")
    infected = int(np.count_nonzero(np.isin(kinds, INFECTED) & whole))
    return SeenField(field.name, spots, contexts, matched, infected, int(np.count_nonzero(whole)))


def auc(positive: Floats, negative: Floats) -> float:
    """Chance that a positive scores above a negative, ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / 2.0 / len(negative))


def report(head: FieldHead, seen: list[SeenField]) -> str:
    judged = [judge(head, each) for each in seen]
    probability = np.concatenate([each.probability for each in judged])
    called = np.concatenate([each.called for each in judged])
    looked_at = np.concatenate([head.first_look(each.spots).judged for each in seen])
    infected, plain = (np.concatenate([getattr(each, key) for each in seen]) for key in ("infected", "plain"))
    kinds = np.concatenate([each.kinds for each in seen])
    limit = float(np.quantile(probability[plain], 0.99))
    tallies = [one.tally for one in judged]
    verdicts = [
        (each.truth_infected > 0, Count.of(one, head.mistakes).verdict) for each, one in zip(seen, tallies, strict=True)
    ]
    slides = [sum(tallies[start : start + BLOCK], Tally()) for start in range(0, len(seen) - BLOCK + 1, BLOCK)]
    lines = [
        f"fields                       {len(seen)}, cells {len(called)}, infected {infected.sum()}, plain {plain.sum()}",
        f"shown to the model           {looked_at.mean():.3f} of all cells, {looked_at[infected].mean():.4f} of infected",
        f"AUC infected against plain   {auc(probability[infected], probability[plain]):.4f}",
        *(f"    {kind:24} {auc(probability[kinds == kind], probability[plain]):.4f}" for kind in INFECTED if kind in kinds),
        f"sensitivity at 1 % false     {np.mean(probability[infected] > limit):.4f}",
        f"at the shipped threshold     sensitivity {called[infected].mean():.4f}   false calls {called[plain].mean():.5f}"
        f"   called without a box {called[kinds == ''].mean():.5f}",
        *(str(each) for each in parasitaemia(head, seen)),
        "verdict of single fields     " + "   ".join(_crossed(verdicts)),
        "verdict of blocks            " + ", ".join(Count.of(one, head.mistakes).verdict for one in slides),
    ]
    return "\n".join(lines)


@dataclass(frozen=True)
class Agreement:
    """Parasitaemia over blocks of consecutive fields, as shares: the truth and what was found."""

    name: str
    truth: Floats
    found: Floats

    @property
    def pearson(self) -> float:
        return float(np.corrcoef(self.truth, self.found)[0, 1])

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, by Fisher's transformation, in which the deviation is 1 / sqrt(n - 3)."""
        middle, reach = np.arctanh(self.pearson), 1.96 / np.sqrt(len(self.truth) - 3)
        return float(np.tanh(middle - reach)), float(np.tanh(middle + reach))

    def __str__(self) -> str:
        low, high = self.interval
        error = 100.0 * np.abs(self.found - self.truth)
        each = "  ".join(f"{100 * a:.1f}/{100 * b:.1f}" for a, b in zip(self.truth, self.found, strict=True))
        return (
            f"{self.name}, {len(self.truth)} blocks   Pearson {self.pearson:.4f} ({low:.2f} to {high:.2f})   "
            f"mean error {error.mean():.2f} points of {100 * self.truth.mean():.2f} %\n"
            f"    truth/found in %         {each}"
        )


def parasitaemia(head: FieldHead, seen: Sequence[SeenField]) -> tuple[Agreement, Agreement]:
    """See `agreements`."""
    return agreements(seen, [judge(head, each).called for each in seen])


def agreements(seen: Sequence[SeenField], called: Sequence[Flags]) -> tuple[Agreement, Agreement]:
    """All that was counted against all boxes, and where there are boxes only."""
    strict = Agreement(
        "parasitaemia",
        _shares([each.truth_infected for each in seen], [each.truth_cells for each in seen]),
        _shares([each.sum() for each in called], [len(each) for each in called]),
    )
    boxed = [int(each.annotated.sum()) for each in seen]
    annotated = Agreement(
        "where annotated",
        _shares([each.infected.sum() for each in seen], boxed),
        _shares([(one & each.annotated).sum() for one, each in zip(called, seen, strict=True)], boxed),
    )
    return strict, annotated


def _shares(some: Sequence[int], of: Sequence[int]) -> Floats:
    """Of each whole block of fields."""
    blocks = len(some) // BLOCK
    part, whole = (np.array(each[: blocks * BLOCK], float).reshape(blocks, BLOCK).sum(axis=1) for each in (some, of))
    return np.asarray(part / whole)


def _crossed(verdicts: Sequence[tuple[bool, str]]) -> list[str]:
    return [
        f"{'with' if ill else 'without'} parasites: "
        + ", ".join(f"{verdicts.count((ill, word))} {word}" for word in ("positive", "inconclusive", "negative"))
        for ill in (True, False)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the packs")
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--cache", type=Path, help="an .npz that keeps the model's outputs between trials")
    options = parser.parse_args()
    if not (options.data / "malaria_fields.tar").exists():
        print(f"no malaria_fields.tar in {options.data}; name its folder with --data", file=sys.stderr)
        return 2
    cv2.setNumThreads(1)
    with medsdk.load("malaria") as analyzer:
        head = FieldHead.decode(analyzer.plugin.bundle.read(FILE))
        print(report(head, cached(analyzer, options.data, options.split, options.cache)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
