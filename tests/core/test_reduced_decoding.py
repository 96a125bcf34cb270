"""Large JPEGs are decoded at a reduced scale, and are judged as they would be in full."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core import images, steps
from medsdk.core.card import Input, Step
from medsdk.core.images import read
from medsdk.core.preprocessing import Pipeline
from medsdk.testing.labelled import spread

PICTURES = 8
# How far the probability may move. Of 146 fundus photographs one in twenty moves by more than .06, all by .02 on average.
APART = 0.06
FUNDUS_APART = 0.1
SETS = {
    "malaria": ("malaria_cells", {}),
    "pneumonia": ("pneumonia", {}),
    "retinopathy": ("retina_raw", {}),
    "skin": ("skin", {}),
    "tuberculosis": ("chest", {}),
}


def large_jpeg(picture: np.ndarray) -> bytes:
    """Enlarged to about nine megapixels: as a camera would have it, if without its detail."""
    scale = (9e6 / (picture.shape[0] * picture.shape[1])) ** 0.5
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def assert_judged_alike(analyzer: medsdk.Analyzer, jpeg: bytes, apart: float = APART) -> None:
    reduced, whole = (analyzer.predict(each, as_regions=of_one(analyzer)) for each in (jpeg, images.decode(jpeg, "whole")))
    assert abs((reduced.probability or 0) - (whole.probability or 0)) < apart
    # A picture beside the band may move into it, as any new copy of it may; none goes over to the other side.
    assert reduced.verdict == whole.verdict or "inconclusive" in (reduced.verdict, whole.verdict)


def scale_of(analyzer: medsdk.Analyzer, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    scales = []

    def noted(*arguments: Any, **settings: Any) -> images.Picture:
        picture = read(*arguments, **settings)
        scales.append(picture.scale)
        return picture

    with monkeypatch.context() as patched:
        patched.setattr(images, "read", noted)
        analyzer.predict(jpeg, as_regions=of_one(analyzer))
    return scales[0]


def of_one(analyzer: medsdk.Analyzer) -> bool | None:
    """Where regions are offered, that there are none is said; the picture of one cell is no field."""
    return False if analyzer.plugin.offers_regions else None


def test_a_real_fundus(retinopathy: medsdk.Analyzer, fundus: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg = large_jpeg(fundus)
    assert scale_of(retinopathy, jpeg, monkeypatch) > 1
    assert_judged_alike(retinopathy, jpeg)


@pytest.mark.data
@pytest.mark.parametrize("disease", SETS)
def test_real_pictures(disease: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, columns = SETS[disease]
    with medsdk.load(disease) as analyzer:
        for number, picture in enumerate(spread(name, "test", PICTURES, **columns)):
            jpeg = large_jpeg(images.read(picture.read()).pixels)
            assert number or scale_of(analyzer, jpeg, monkeypatch) > 1
            assert_judged_alike(analyzer, jpeg, FUNDUS_APART if disease == "retinopathy" else APART)


def pipeline(*names: Step) -> Pipeline:
    return Pipeline(Input(height=48, width=64, steps=names), "card.json")


def test_a_step_that_counts_pixels_before_the_resize_gets_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    blur, grey, resize = Step("blur", {"size": 3}), Step("grey"), Step("resize")
    assert pipeline(grey, resize, blur).scale_free
    assert not pipeline(blur, resize).scale_free

    def foreign(frame: medsdk.Frame) -> medsdk.Frame:
        return frame

    monkeypatch.setattr(steps, "find", lambda _: foreign)
    assert not pipeline(Step("foreign"), resize).scale_free
    foreign.scale_free = True  # type: ignore[attr-defined]
    assert pipeline(Step("foreign"), resize).scale_free


def test_a_preprocess_of_the_plugins_own_gets_the_whole_picture(
    retinopathy: medsdk.Analyzer, fundus: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(medsdk.DiseasePlugin):
        bundle = retinopathy.plugin.bundle

        def preprocess(self, image: np.ndarray) -> medsdk.Tensor:
            return super().preprocess(image)

    with medsdk.load(Own()) as analyzer:
        assert scale_of(analyzer, large_jpeg(fundus), monkeypatch) == 1


def test_a_picture_in_which_regions_may_be_is_decoded_whole(
    malaria: medsdk.Analyzer, fundus: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    jpeg, given = large_jpeg(fundus), []
    monkeypatch.setattr(malaria.plugin, "regions", lambda pixels: given.append(pixels.shape))
    malaria.predict(jpeg)
    assert given == [images.decode(jpeg, "whole").shape]
    assert scale_of(malaria, jpeg, monkeypatch) > 1
