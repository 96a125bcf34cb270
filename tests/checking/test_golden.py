"""Golden preprocessing: it is still when nothing changed, and speaks up for each thing that may."""

from __future__ import annotations

import numpy as np
import pytest

from medsdk.checking import golden
from medsdk.core.card import Input, Step
from medsdk.core.preprocessing import Pipeline

RESIZE = Step("resize")
GIVEN = Input(height=64, width=64, resize="fit", interpolation="area", steps=(RESIZE,))


def pipeline(given: Input) -> Pipeline:
    return Pipeline(given, "card.json")


def test_the_same_pipeline_gives_the_same_samples() -> None:
    samples = golden.samples(pipeline(GIVEN))
    assert samples.dtype == np.uint8
    assert golden.difference(pipeline(GIVEN), samples.astype(np.float32)) == 0


@pytest.mark.parametrize(
    "other",
    [
        Input(height=64, width=64, resize="fit", interpolation="linear", steps=(RESIZE,)),
        Input(height=64, width=64, resize="stretch", interpolation="area", steps=(RESIZE,)),
        Input(height=60, width=60, resize="fit", interpolation="area", steps=(RESIZE,)),
        Input(height=64, width=64, resize="fit", interpolation="area", steps=(Step("grey"), RESIZE)),
        Input(height=64, width=64, resize="fit", steps=(Step("circle_crop", {"threshold": 14}), RESIZE)),
        Input(height=64, width=64, resize="fit", steps=(Step("crop_border", {"fraction": 0.05}), RESIZE)),
        Input(height=64, width=64, resize="fit", steps=(RESIZE, Step("clahe", {"clip": 2.0, "tiles": 8}))),
        Input(height=64, width=64, resize="fit", steps=(RESIZE, Step("blur", {"size": 3}))),
    ],
    ids=["interpolation", "resize", "size", "grey", "circle", "border", "clahe", "blur"],
)
def test_a_changed_pipeline_is_found(other: Input) -> None:
    expected = golden.samples(pipeline(GIVEN))
    assert golden.difference(pipeline(other), expected) > golden.MAX_DIFFERENCE


def test_swapped_colours_are_found() -> None:
    expected = golden.samples(pipeline(GIVEN))[..., ::-1]
    assert golden.difference(pipeline(GIVEN), expected) > golden.MAX_DIFFERENCE


def test_other_rounding_is_not() -> None:
    expected = golden.samples(pipeline(GIVEN)).astype(np.float32)
    expected[:, ::5] += 1
    assert golden.difference(pipeline(GIVEN), expected) <= golden.MAX_DIFFERENCE


def test_samples_of_another_shape_differ_infinitely() -> None:
    assert golden.difference(pipeline(GIVEN), np.zeros((1, 2, 3))) == float("inf")
