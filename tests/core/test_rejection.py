"""What is no such picture is refused, what is one is not."""

from __future__ import annotations

import numpy as np
import pytest

import medsdk
from medsdk.testing.labelled import spread

DISEASES = {"malaria": ("malaria_cells",), "retinopathy": ("retina", "retina_raw")}


def nonsense() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 300).astype(np.uint8)
    return {
        "noise": random.integers(0, 256, (300, 300, 3), dtype=np.uint8),
        "black": np.zeros((300, 300, 3), np.uint8),
        "white": np.full((300, 300, 3), 255, np.uint8),
        "gradient": np.repeat(np.repeat(ramp[None, :, None], 300, axis=0), 3, axis=2),
    }


@pytest.mark.parametrize("disease", DISEASES)
@pytest.mark.parametrize("kind", nonsense())
def test_nonsense_is_rejected(disease: str, kind: str) -> None:
    with medsdk.load(disease) as analyzer:
        prediction = analyzer.predict(nonsense()[kind])
    assert prediction.verdict == "rejected"
    assert prediction.reason
    assert prediction.probability is None
    assert prediction.attention is None


@pytest.mark.parametrize("disease", DISEASES)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "camera"])
def test_photographs_are_rejected(disease: str, name: str) -> None:
    data = pytest.importorskip("skimage.data")
    image = getattr(data, name)()
    image = image if image.ndim == 3 else np.stack([image] * 3, axis=-1)
    with medsdk.load(disease) as analyzer:
        assert analyzer.predict(image).verdict == "rejected"


@pytest.mark.data
@pytest.mark.parametrize("disease", DISEASES)
def test_its_own_pictures_are_accepted_and_the_others_are_not(disease: str) -> None:
    with medsdk.load(disease) as analyzer:
        for other, packs in DISEASES.items():
            pictures = [picture.read() for name in packs for picture in spread(name, "test", 200)]
            rejected = np.mean([p.verdict == "rejected" for p in analyzer.predict_many(pictures, threads=2)])
            # A little looser than the card's own figures: this is a sample of the test split.
            assert rejected <= 0.05 if other == disease else rejected >= 0.95


def test_identify_names_the_right_kind(fundus: np.ndarray) -> None:
    matches = medsdk.identify(fundus)
    assert [match.disease for match in matches] == ["retinopathy"]
    assert 0 <= matches[0].fit <= 1
    assert medsdk.identify(np.zeros((64, 64, 3), np.uint8)) == []
