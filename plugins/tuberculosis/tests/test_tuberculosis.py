"""The plugin keeps the contract, and real pictures of its test split are judged as its card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import medsdk
from medsdk.evaluation.data import read_labelled
from medsdk.testing import Conformance

PACK = Path(__file__).parents[4] / "shared" / "data" / "chest.tar"


class TestTuberculosis(Conformance):
    disease = "tuberculosis"


@pytest.mark.data
@pytest.mark.skipif(not PACK.exists(), reason="the pack chest is not in ../shared/data")
def test_real_pictures_are_told_apart_as_the_card_says() -> None:
    pictures = [picture for picture in read_labelled(PACK) if picture.split == "test"]
    chosen = [pictures[i] for i in np.linspace(0, len(pictures) - 1, 200).astype(int)]
    with medsdk.load("tuberculosis") as analyzer:
        predictions = list(analyzer.predict_many((picture.read() for picture in chosen), threads=2))
        promised = analyzer.card.evaluations[0].figures["auc"]
    pairs = [(picture.label == "tuberculosis", p.probability) for picture, p in zip(chosen, predictions, strict=True)]
    judged = [(positive, chance) for positive, chance in pairs if chance is not None]
    assert len(judged) >= 0.93 * len(chosen)
    ill = np.array([chance for positive, chance in judged if positive])
    well = np.array([chance for positive, chance in judged if not positive])
    auc = float((ill[:, None] > well).mean() + (ill[:, None] == well).mean() / 2)
    # 200 pictures of the whole split: some way below the card's interval is still no contradiction.
    assert auc >= promised.low - 0.05
