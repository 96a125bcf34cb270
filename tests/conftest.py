"""Pictures and packs that the tests share."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import medsdk

ROOT = Path(__file__).parent.parent
PACKS = ROOT.parent / "shared" / "data"

Pixels = np.ndarray


@pytest.fixture(scope="session")
def fundus() -> Pixels:
    """A real fundus photograph, 1411×1411, that scikit-image ships."""
    data = pytest.importorskip("skimage.data", reason="scikit-image >= 0.26 carries the photographs")
    return np.asarray(data.retina())


@pytest.fixture(scope="session")
def drawn() -> Pixels:
    """A small picture with a shape, colours and grain: (120, 160, 3)."""
    random = np.random.default_rng(0)
    image = np.full((120, 160, 3), (30, 60, 120), np.uint8)
    cv2.circle(image, (70, 50), 30, (200, 120, 90), -1)
    cv2.rectangle(image, (100, 70), (150, 110), (240, 240, 60), -1)
    return np.clip(image + random.integers(-10, 10, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def retinopathy() -> Iterator[medsdk.Analyzer]:
    with medsdk.load("retinopathy") as analyzer:
        yield analyzer


@pytest.fixture(scope="session")
def malaria() -> Iterator[medsdk.Analyzer]:
    with medsdk.load("malaria") as analyzer:
        yield analyzer


@pytest.fixture(scope="session")
def pack() -> Callable[[str, str, int], list[tuple[dict[str, str], bytes]]]:
    """`pack(name, split, n)`: n evenly spaced pictures of a split with their manifest rows; skips without the packs."""

    def read(name: str, split: str, count: int) -> list[tuple[dict[str, str], bytes]]:
        path = PACKS / f"{name}.tar"
        if not path.exists():
            pytest.skip(f"the pack {name} is not there: {path.name} in ../shared/data")
        with tarfile.open(path) as tar:
            manifest = tar.extractfile("manifest.csv")
            assert manifest is not None
            rows = [row for row in csv.DictReader(io.TextIOWrapper(manifest, "utf-8")) if row["split"] == split]
            chosen = [rows[i] for i in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
            return [(row, _content(tar, f"images/{row['file']}")) for row in chosen]

    return read


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member is not None
    return member.read()
