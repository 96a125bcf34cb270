"""What a set is asked for: positive or negative, or one label alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from medsdk_converters import build, evaluating
from medsdk_converters.data import Example
from medsdk_converters.evaluating import Judged
from medsdk_converters.preparation import Prepared
from medsdk_converters.recipe import EvaluationSpec, read_recipe

from medsdk.core.card import Card, Label, Outputs
from medsdk.evaluation.data import LabelledPicture, Place

LABELS = (Label("nevus", "Nevus", False), Label("melanoma", "Melanoma", True), Label("carcinoma", "Carcinoma", True))
# Ill or well is told without a mistake; carcinoma is taken for melanoma half of the time.
SAID = {0: (0.8, 0.1, 0.1), 1: (0.1, 0.6, 0.3), 2: (0.1, 0.3, 0.6)}


def prepared(truth: np.ndarray) -> Prepared:
    pictures = [LabelledPicture(f"{i}.png", "", f"g{i}", "test", "here", Place(Path("nowhere"))) for i in range(len(truth))]
    examples = [Example(picture, "skin", int(label), True) for picture, label in zip(pictures, truth, strict=True)]
    blank = np.zeros((len(truth), 1, 1, 3), np.uint8)
    return Prepared(examples, blank, blank, ())


def card(recipe: Path) -> Card:
    shape = build.shape_only(read_recipe(recipe))
    return msgspec.structs.replace(shape, labels=LABELS, outputs=Outputs(activation="softmax"))


@pytest.mark.parametrize(("label", "auc", "positives"), [("", 1.0, 20), ("melanoma", 0.875, 10)])
def test_a_set_is_asked_for_ill_or_for_one_label(
    label: str, auc: float, positives: int, recipe_file: Callable[..., Path]
) -> None:
    truth = np.repeat([0, 1, 2], 10)
    said = np.array([SAID[int(t)] for t in truth])
    said[20:25] = SAID[1]
    spec = EvaluationSpec(set="s", split="test", label=label)
    found = evaluating.evaluation(prepared(truth), card(recipe_file()), spec, Judged(np.arange(30), said))
    assert found.figures["auc"].value == pytest.approx(auc)
    assert found.positives == positives
    assert ("sensitivity" in found.figures) is (label == "")
