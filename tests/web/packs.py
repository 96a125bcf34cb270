"""Real pictures for the web tests: a few of each disease from the packs in the folder that MEDSDK_DATA names."""

from __future__ import annotations

import csv
import io
import os
import tarfile
from pathlib import Path

import pytest

# Disease: the pack, the label with the disease, the label without.
PACKS = {
    "covid": ("chest", "covid", "normal"),
    "malaria": ("malaria_cells", "parasitized", "uninfected"),
    "pneumonia": ("pneumonia", "pneumonia", "normal"),
    "retinopathy": ("retina_raw", "3", "0"),
    "skin": ("skin", "malignant", "benign"),
    "tuberculosis": ("chest", "tuberculosis", "normal"),
}
_OF_EACH = 2


def pictures(disease: str) -> dict[str, bytes]:
    """Two pictures with the disease, then two without, from the test split. Skips where there is no pack."""
    name, positive, negative = PACKS[disease]
    with _opened(name) as pack:
        manifest = csv.DictReader(io.TextIOWrapper(_member(pack, "manifest.csv"), "utf-8"))
        rows = [row for row in manifest if row["split"] == "test"]
        chosen = [
            f"images/{row['file']}"
            for label in (positive, negative)
            for row in [row for row in rows if row["label"] == label][:_OF_EACH]
        ]
        # The name must not tell the label.
        return {f"{number}.webp": _member(pack, file).read() for number, file in enumerate(chosen, 1)}


def field() -> bytes:
    """A whole field of a blood smear. Skips where there is no pack."""
    with _opened("malaria_fields") as pack:
        return _member(pack, next(name for name in pack.getnames() if name.endswith("PA171919.webp"))).read()


def _opened(name: str) -> tarfile.TarFile:
    path = Path(os.environ.get("MEDSDK_DATA", "")) / f"{name}.tar"
    if not path.is_file():
        pytest.skip(f"real pictures are wanted: set MEDSDK_DATA to the folder that holds {name}.tar")
    return tarfile.open(path)


def _member(pack: tarfile.TarFile, name: str) -> io.BufferedReader:
    member = pack.extractfile(name)
    assert isinstance(member, io.BufferedReader)
    return member
