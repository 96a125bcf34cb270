"""Every picture below a folder into one CSV, a row each; started again, it goes on where it was stopped.

python batch_job.py malaria slides results.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import medsdk

COLUMNS = ("source", "verdict", "label", "probability", "reason", "error", "version", "model_sha256")
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


def run(disease: str, folder: Path, table: Path, threads: int = 2) -> int:
    """Judge what has no row yet; how many of these could not be read."""
    pictures = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    done = finished(table)
    failed = 0
    with table.open("a", newline="", encoding="utf-8") as file, medsdk.load(disease) as analyzer:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        if not done:
            writer.writeheader()
        remaining = (path for path in pictures if str(path) not in done)
        for prediction in analyzer.predict_many(remaining, threads):
            writer.writerow(row(prediction))
            file.flush()  # what is written stays written, whatever happens next
            failed += prediction.error is not None
    return failed


def row(prediction: medsdk.Prediction) -> dict[str, object]:
    """The columns of one prediction; what made it stands in every row, because tables get separated from their notes."""
    made = prediction.provenance
    return {
        **prediction.to_dict(),
        "version": f"{made.distribution} {made.version}" if made else None,
        "model_sha256": made.model_sha256 if made else None,
    }


def finished(table: Path) -> set[str]:
    """The pictures that have a row."""
    if not table.exists():
        return set()
    with table.open(newline="", encoding="utf-8") as file:
        return {line["source"] for line in csv.DictReader(file)}


if __name__ == "__main__":
    sys.exit(1 if run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])) else 0)
