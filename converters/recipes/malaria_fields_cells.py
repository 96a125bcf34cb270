"""Cells of the pack malaria_fields as a training set: `python converters/recipes/malaria_fields_cells.py --out FOLDER`.

Writes FOLDER/malaria_fields_cells.tar with manifest.csv and images/*.png for a recipe's [[data]]: each red cell that the
malaria plugin finds in a train field and that matches an annotated box, on black as the cell model knows them. Every
infected cell, and PLAIN plain ones a field. The split is by blocks of consecutive fields, every fifth block being val.
Fields of test are left alone. The pack's licence does not allow redistribution: keep FOLDER outside the repository.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
from medsdk_malaria.field import cutout, read_field

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import malaria_fields  # noqa: E402  (the rule of matching is the benchmark's)
import malaria_fields_detection as detection  # noqa: E402

NAME = "malaria_fields_cells"
BLOCK = 8
PLAIN = 40


def cells_of(field: detection.Field, kinds: np.ndarray, random: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """Kind and cutout of the cells to learn from."""
    cells = [cell for cell in read_field(field.image).cells if not cell.touches_border]
    boxes = np.array([cell.box for cell in cells], dtype=float).reshape(-1, 4)
    partner = detection.partners(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]), field.boxes)
    found = np.where(partner >= 0, kinds[partner], "")
    plain = random.permutation(np.flatnonzero(found == malaria_fields.PLAIN))[:PLAIN]
    chosen = np.concatenate([np.flatnonzero(np.isin(found, malaria_fields.INFECTED)), plain])
    return [(str(found[index]), cutout(field.image, cells[index])) for index in sorted(chosen)]


def main() -> int:
    """Write the tar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the packs")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tar, outside the repository")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    random = np.random.default_rng(1)
    kinds = malaria_fields.kinds_by_field(options.data)
    rows = [["file", "label", "group", "source", "split", "kind"]]
    options.out.mkdir(parents=True, exist_ok=True)
    with tarfile.open(options.out / f"{NAME}.tar", "w") as tar:
        for number, field in enumerate(detection.fields(options.data, "train")):
            block = number // BLOCK
            for index, (kind, pixels) in enumerate(cells_of(field, np.array(kinds[field.name]), random)):
                name = f"{Path(field.name).stem}_{index:03}.png"
                _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
                _add(tar, f"images/{name}", encoded.tobytes())
                label = "uninfected" if kind == malaria_fields.PLAIN else "parasitized"
                rows.append([name, label, f"block{block}", "iml", "val" if block % 5 == 4 else "train", kind])
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        _add(tar, "manifest.csv", text.getvalue().encode())
    print(f"{len(rows) - 1} cells in {options.out / NAME}.tar")
    return 0


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
