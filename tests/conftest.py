"""Pictures and analyzers that the tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core.card import Calibration, Decision
from medsdk.core.site import Site, write_site

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


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Path]:
    """`make_site(card)`: a site's settings for the card's model, by which nearly everything is positive."""

    def call(card: medsdk.Card, name: str = "site.json") -> Path:
        decision = Decision(0.001, (0.0005, 0.002), "sensitivity>=0.99", "val")
        site = Site(
            disease=card.disease,
            model_sha256=card.model.sha256,
            calibration=Calibration(3.0, split="val"),
            decision=decision,
            data="ours.csv",
            pictures=100,
            groups=50,
            positives=40,
            made="2026-01-01",
            tool="medsdk 0.1.0",
        )
        write_site(site, tmp_path / name)
        return tmp_path / name

    return call
