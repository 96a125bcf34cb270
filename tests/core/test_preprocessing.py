"""Golden outputs: what these steps do to a picture is part of every trained model."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core.card import Input, Step
from medsdk.core.frame import Frame
from medsdk.core.preprocessing import Pipeline


def pipeline(*steps: Step, **spec: object) -> Pipeline:
    return Pipeline(Input(height=48, width=64, steps=steps or (Step("resize"),), **spec), "card.json")


def drawn() -> np.ndarray:
    """Integer arithmetic only, so that no library's version can move it."""
    y, x = np.mgrid[0:90, 0:130]
    image = np.stack([(x * 2) % 256, (y * 3) % 256, (x * y // 40) % 256], axis=-1).astype(np.uint8)
    image[20:60, 30:80] = (220, 180, 40)
    image[:, :25] = image[:, 110:] = image[:8] = 0
    return image


PARAMETERS: dict[str, dict[str, float]] = {
    "crop_border": {"fraction": 0.1},
    "grey": {},
    "stretch": {"low": 1.0, "high": 99.0, "above": 14},
    "clahe": {"clip": 2.0, "tiles": 4},
    "blur": {"size": 9},
    "equalise_luminance": {},
    "circle_crop": {"threshold": 14},
    "local_contrast": {"sigma": 0.05, "gain": 4.0},
    "mask_cell": {"black": 8, "share": 0.9},
}
GOLDEN = json.loads((Path(__file__).parent / "golden_preprocessing.json").read_text())


@pytest.mark.parametrize("name", PARAMETERS)
def test_golden(name: str) -> None:
    values = pipeline(Step(name, PARAMETERS[name]), Step("resize"))(drawn()).values
    assert values.shape == (1, 48, 64, 3)
    assert values.dtype == np.uint8
    # Libraries may round a pixel otherwise from one version to the next; what a model sees must not move.
    assert np.abs(blocks(values) - np.array(GOLDEN[name])).max() <= 2


def test_golden_outputs_tell_the_steps_apart() -> None:
    outputs = [np.array(GOLDEN[name]) for name in PARAMETERS]
    for i, one in enumerate(outputs):
        assert all(np.abs(one - other).max() > 4 for other in outputs[:i])


def blocks(values: np.ndarray) -> np.ndarray:
    """Mean grey level of blocks of 8 × 8 pixels, (6, 8, 3)."""
    return values[0].reshape(6, 8, 8, 8, 3).astype(int).mean(axis=(1, 3)).round().astype(int)


@pytest.mark.parametrize("mode", ["stretch", "fit", "cover"])
def test_the_view_leads_back_to_the_source(mode: str) -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    cv2.circle(image, (150, 50), 6, (255, 255, 255), -1)
    tensor = pipeline(Step("crop_border", {"fraction": 0.05}), Step("resize"), resize=mode)(image)
    row, column = np.unravel_index(int(tensor.values[0, ..., 0].astype(int).argmax()), (48, 64))
    x = tensor.view.left + (column + 0.5) * tensor.view.width / 64
    y = tensor.view.top + (row + 0.5) * tensor.view.height / 48
    assert abs(x - 150) < 12
    assert abs(y - 50) < 12


def test_fit_pads_with_black_and_keeps_proportions() -> None:
    values = pipeline(resize="fit")(np.full((100, 300, 3), 200, np.uint8)).values[0]
    rows = np.flatnonzero(values[:, 32, 0])
    assert len(rows) == 21  # 64 / 300 * 100
    assert values[0].max() == 0


def test_float_input_is_scaled_to_the_value_range() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[0, 0] = 255
    values = pipeline(dtype="float32", value_range=(-1.0, 1.0))(image).values
    assert values.dtype == np.float32
    assert values[0, 0, 0, 0] == pytest.approx(1)
    assert values.min() == pytest.approx(-1)


@pytest.mark.parametrize(
    "step", [Step("no_such_step"), Step("blur"), Step("blur", {"width": 3}), Step("crop_border", {"fraction": 0.7})]
)
def test_a_step_that_cannot_be_used_is_found_at_loading(step: Step) -> None:
    with pytest.raises(medsdk.CardError, match=step.name):
        pipeline(step, Step("resize"))


def test_a_masked_cell_is_left_alone_and_another_is_masked() -> None:
    from medsdk.core.steps import mask_cell

    plasma = np.full((80, 80, 3), 230, np.uint8)
    cv2.circle(plasma, (40, 40), 25, (190, 120, 150), -1)
    masked = mask_cell(Frame.whole(plasma), black=8, share=0.1).pixels
    assert masked[2, 2].max() == 0
    assert masked[40, 40].tolist() == [190, 120, 150]
    assert np.array_equal(mask_cell(Frame.whole(masked), black=8, share=0.1).pixels, masked)


def test_circle_crop_finds_the_disc_at_any_size() -> None:
    from medsdk.core.steps import circle_crop

    for scale in (1, 5):
        image = np.zeros((200 * scale, 300 * scale, 3), np.uint8)
        cv2.circle(image, (140 * scale, 100 * scale), 80 * scale, (160, 90, 60), -1)
        view = circle_crop(Frame.whole(image), threshold=14).view
        assert abs(view.left - 60 * scale) <= 3 * scale
        assert abs(view.width - 160 * scale) <= 5 * scale


def test_steps_do_not_change_the_source() -> None:
    image = drawn()
    before = image.copy()
    for name, parameters in PARAMETERS.items():
        pipeline(Step(name, parameters), Step("resize"))(image)
    assert np.array_equal(image, before)
