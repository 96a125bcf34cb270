"""How well the malaria plugin tells infected cells in whole fields.

    python benchmarks/malaria_fields.py --data FOLDER --split test

Reads the pack malaria_fields.tar and its boxes in place; each field goes the plugin's own way, from finding its cells to the
field's finding. The rule of counting:

- A detected cell is infected or plain as the annotated box says that it matches (IoU >= 0.5, see malaria_fields_detection).
  Cells without a box, boxes called difficult, and cells that the border cuts count neither for nor against.
- Parasitaemia, truth: infected boxes among all boxes, those that touch the border left out. Found: called cells among all
  cells counted, annotated or not. Compared over blocks of ten consecutive fields.
- Fields that the plugin refuses are left out of both, and named.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import malaria_fields_detection as detection
import numpy as np
import numpy.typing as npt
from medsdk_malaria.counting import Count, Tally
from medsdk_malaria.counting.head import FILE, FieldHead

import medsdk

BLOCK = 10
INFECTED = ("ring", "trophozoite", "schizont", "gametocyte")
PLAIN = "red blood cell"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SeenField:
    """One field: what the model says of each counted cell, what each is, and the annotated counts of whole cells."""

    name: str
    contexts: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.str_]
    truth_infected: int
    truth_cells: int
    seconds: float = 0.0

    @property
    def infected(self) -> Flags:
        return np.isin(self.kinds, INFECTED)

    @property
    def plain(self) -> Flags:
        return np.asarray(self.kinds == PLAIN)


def look(analyzer: medsdk.Analyzer, data: Path, split: str) -> list[SeenField]:
    """Every field of a split that the plugin does not refuse."""
    kept: dict[str, Any] = {}

    def keeping(
        regions: medsdk.Regions, outputs: Sequence[medsdk.ModelOutputs], picture: medsdk.Picture
    ) -> medsdk.Prediction:
        kept["boxes"] = np.array([region.box for region in regions.items], dtype=float)
        kept["contexts"] = np.stack([each.context for each in outputs if each.context is not None])
        return medsdk.Prediction("malaria", picture.name, "negative")  # the head may not be fitted yet

    analyzer.plugin.fold = keeping  # type: ignore[method-assign]
    kinds = kinds_by_field(data)
    seen = []
    for field in detection.fields(data, split):
        start = time.process_time()
        finding = analyzer.predict(field.image, as_regions=True)
        seconds = time.process_time() - start
        if finding.verdict == "rejected":
            print(f"{field.name} refused: {finding.reason}", file=sys.stderr)
            continue
        seen.append(_seen(field, kept["boxes"], kept["contexts"], np.array(kinds[field.name]), seconds))
    return seen


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
    return [SeenField(str(n), c, k, int(i), int(t), float(s)) for n, c, k, i, t, s in rows]


def kinds_by_field(data: Path) -> dict[str, list[str]]:
    kinds = defaultdict(list)
    with (data / "malaria_fields.boxes.csv").open(newline="") as text:
        for row in csv.DictReader(text):
            kinds[row["file"]].append(row["type"])
    return kinds


def _seen(
    field: detection.Field, boxes: Floats, contexts: npt.NDArray[np.float32], kinds: npt.NDArray[np.str_], seconds: float
) -> SeenField:
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    partner = detection.partners(corners, field.boxes)
    whole = ~detection.on_border(field.boxes, field.image.shape)
    matched = np.where(partner >= 0, kinds[partner], "")
    infected = int(np.count_nonzero(np.isin(kinds, INFECTED) & whole))
    return SeenField(field.name, contexts, matched, infected, int(np.count_nonzero(whole)), seconds)


def auc(positive: Floats, negative: Floats) -> float:
    """Chance that a positive scores above a negative, ties counted half."""
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left") + np.searchsorted(order, positive, "right")
    return float(below.mean() / 2.0 / len(negative))


def report(analyzer: medsdk.Analyzer, seen: list[SeenField]) -> str:
    head = FieldHead.decode(analyzer.plugin.bundle.read(FILE))
    judged = [head(list(each.contexts)) for each in seen]
    probability = np.concatenate([each.probability for each in judged])
    called = np.concatenate([each.called for each in judged])
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
        f"AUC infected against plain   {auc(probability[infected], probability[plain]):.4f}",
        *(f"    {kind:24} {auc(probability[kinds == kind], probability[plain]):.4f}" for kind in INFECTED if kind in kinds),
        f"sensitivity at 1 % false     {np.mean(probability[infected] > limit):.4f}",
        f"at the shipped threshold     sensitivity {called[infected].mean():.4f}   false calls {called[plain].mean():.5f}",
        *_parasitaemia(seen, slides),
        "verdict of single fields     " + "   ".join(_crossed(verdicts)),
        "verdict of blocks            " + ", ".join(Count.of(one, head.mistakes).verdict for one in slides),
        f"ms a field, the whole way    median {1000 * np.median([each.seconds for each in seen]):.0f}",
    ]
    return "\n".join(lines)


def _parasitaemia(seen: list[SeenField], slides: Sequence[Tally]) -> list[str]:
    some = [seen[BLOCK * index : BLOCK * (index + 1)] for index in range(len(slides))]
    truth = [sum(field.truth_infected for field in block) / sum(field.truth_cells for field in block) for block in some]
    ours = [tally.infected / tally.red_cells for tally in slides]
    error = 100.0 * np.abs(np.array(ours) - truth)
    return [
        f"parasitaemia, {len(truth)} blocks      Pearson {np.corrcoef(truth, ours)[0, 1]:.4f}   "
        f"mean error {error.mean():.2f} points of {100 * np.mean(truth):.2f} %",
        "    truth, found in %        "
        + "  ".join(f"{100 * a:.1f}/{100 * b:.1f}" for a, b in zip(truth, ours, strict=True)),
    ]


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
        print(report(analyzer, cached(analyzer, options.data, options.split, options.cache)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
