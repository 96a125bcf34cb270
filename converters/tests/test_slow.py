"""What takes minutes: every backbone in every precision, kills and resumes, quantisation-aware fine-tuning, folds."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from medsdk.core.card import read_card
from medsdk.core.images import decode
from medsdk.core.preprocessing import scale

pytest.importorskip("tensorflow")

from medsdk_converters import backbones, blame, cli, export, gate, inference, quantisation_aware

pytestmark = pytest.mark.slow

Write = Callable[..., Path]

PROGRAM = [sys.executable, "-c", "from medsdk.cli import main; main()"]
ENVIRONMENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
# Its average pooling is no XNNPACK operation in int8.
MANY_DELEGATES = {("inception_v3", "int8"), ("inception_v3", "dynamic")}


def quietly(items: Any, total: int) -> Any:
    return items


@pytest.mark.parametrize("precision", ["int8", "float16", "float32", "dynamic"])
@pytest.mark.parametrize("name", sorted(backbones.BACKBONES))
def test_each_backbone_to_each_precision(name: str, precision: Any) -> None:
    side = 96 if name == "inception_v3" else 64
    model = backbones.build(name, height=side, width=side, outputs=2, weights=None)
    pixels = np.random.default_rng(1).integers(0, 256, (8, side, side, 3)).astype(np.uint8)
    content = export.to_tflite(model, pixels, precision)
    assert gate.precision_of(content) == precision
    if precision != "dynamic" and (name, precision) not in MANY_DELEGATES:
        assert gate.count_delegates(content) == 1
    exact = inference.float_logits(model, pixels)
    found = inference.infer(content, pixels, quietly).logits
    allowed = {"float32": 1e-3, "float16": 2e-2, "dynamic": 0.2, "int8": 0.5}[precision]
    assert np.abs(found - exact).max() <= allowed * max(float(np.abs(exact).max()), 1e-3)


def command(recipe: Path, data: Path, out: Path) -> list[str]:
    return [*PROGRAM, "train", str(recipe), "--data", str(data), "--out", str(out)]


def test_killed_ten_times_it_ends_the_same(recipe_file: Write, spots: Path, tmp_path: Path) -> None:
    recipe = recipe_file(
        (
            "phases = [{ epochs = 3, learning_rate = 0.003 }]",
            'phases = [{ epochs = 3, learning_rate = 0.003, train_from = "head" }, { epochs = 5, learning_rate = 0.002 }]'
            "\naverage = 0.9",
        )
    )
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(recipe, spots, whole), env=ENVIRONMENT, check=True, capture_output=True)
    chance = random.Random(1)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(
            command(recipe, spots, killed), env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        # Killed a little behind a random line of its report: at a moment of the run, not of the clock.
        lines_to_go = chance.randint(0, 2)
        for line in process.stderr:
            if line.startswith(("epoch", "Going on")):
                lines_to_go -= 1
            if lines_to_go < 0:
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        assert not killed.exists() or (killed / "card.json").exists()
    subprocess.run(command(recipe, spots, killed), env=ENVIRONMENT, check=True, capture_output=True)
    first, second = (read_card(folder / "card.json") for folder in (whole, killed))
    assert second.model.sha256 == first.model.sha256
    assert second.evaluations == first.evaluations
    histories = [json.loads((tmp_path / f"{name}.work/history.json").read_text()) for name in ("whole", "killed")]
    assert histories[0] == histories[1]


def test_two_runs_with_one_seed_give_the_same_card(recipe_file: Write, spots: Path, tmp_path: Path) -> None:
    cards = []
    for name in ("one", "two"):
        subprocess.run(command(recipe_file(), spots, tmp_path / name), env=ENVIRONMENT, check=True, capture_output=True)
        cards.append(read_card(tmp_path / name / "card.json"))
    for first, second in zip(cards[0].evaluations, cards[1].evaluations, strict=True):
        assert {k: round(v.value, 3) for k, v in first.figures.items()} == {
            k: round(v.value, 3) for k, v in second.figures.items()
        }
    assert cards[0].decision == cards[1].decision


def test_folds_judge_every_group_once(recipe_file: Write, unsplit: Path, tmp_path: Path) -> None:
    arguments = [str(recipe_file()), "--data", str(unsplit), "--out", str(tmp_path / "b"), "--folds", "3"]
    result = CliRunner().invoke(cli.train, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "auc" in result.stdout
    assert not (tmp_path / "b").exists()
    found = json.loads((tmp_path / "b.work/folds.json").read_text())
    assert [fold["fold"] for fold in found["folds"]] == [1, 2, 3]
    values = [fold["figures"]["auc"]["value"] for fold in found["folds"]]
    assert found["figures"]["auc"]["mean"] == pytest.approx(np.mean(values))


@pytest.fixture(scope="module")
def brittle(spots: Path) -> tuple[Any, Any, Any]:
    """A trained network that int8 ruins, with its train and val pixels.

    In each layer one channel is made sixty times as loud and the next layer sixty times deafer to it: the same
    function in float, but in int8 the loud channel takes all the steps.
    """
    import keras

    def pixels(split: str) -> Any:
        files = sorted((spots / split).glob("*/*.png"))
        return np.stack([decode(f.read_bytes(), f.name) for f in files])

    train, val = pixels("train"), pixels("val")
    keras.utils.set_random_seed(1)
    image = x = keras.Input((48, 48, 3))
    for n, channels in enumerate((16, 24, 32)):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", activation="relu", name=f"conv{n}")(x)
    features = keras.layers.Activation("linear", name="features")(x)
    logits = keras.layers.Dense(2, name="logits")(keras.layers.GlobalAveragePooling2D()(features))
    trainer = keras.Model(image, logits)
    trainer.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    trainer.fit(scale(train, (-1, 1)), np.repeat([0, 1], len(train) // 2), epochs=20, batch_size=16, verbose=0)
    model = keras.Model(image, [logits, features])
    for loud, deaf in (("conv0", "conv1"), ("conv1", "conv2")):
        kernel, bias = model.get_layer(loud).get_weights()
        kernel[..., 0] *= 60
        bias[0] *= 60
        model.get_layer(loud).set_weights([kernel, bias])
        kernel, bias = model.get_layer(deaf).get_weights()
        kernel[:, :, 0, :] /= 60
        model.get_layer(deaf).set_weights([kernel, bias])
    return model, train, val


def test_fine_tuning_for_int8_helps_where_rounding_ruins(brittle: tuple[Any, Any, Any]) -> None:
    model, train, val = brittle
    exact = inference.float_logits(model, val)

    def error() -> float:
        found = inference.infer(export.to_tflite(model, val), val, quietly).logits
        return float(np.abs(found - exact).mean() / exact.std())

    before = error()
    worst = blame.worst_layers(model, val, (-1.0, 1.0))
    assert {"conv1", "logits"} & {found.layer for found in worst[:2]}
    quantisation_aware.finetune(model, train, value_range=(-1.0, 1.0), seed=1, report=print)
    after = error()
    assert after < before / 2, (before, after)
