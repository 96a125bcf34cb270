"""Makes the two tiny models that tests and template need; run once, in the environment that trains.

    python tests/testing/make_models.py

The placeholder of `medsdk new` has random weights. The tests' model tells drawn discs with dots from discs without.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from drawn import disc
from medsdk_converters.bundling import described, pack_reference
from medsdk_converters.export import to_tflite
from medsdk_converters.inference import infer
from medsdk_converters.training import normalise

from medsdk.checking import golden
from medsdk.core import screening
from medsdk.core.card import (
    Calibration,
    Card,
    Codes,
    DataSet,
    Decision,
    Estimate,
    Evaluation,
    Input,
    Label,
    Outputs,
    Rejection,
    Training,
    encode_card,
)
from medsdk.core.preprocessing import Pipeline

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = ROOT / "medsdk" / "template" / "package" / "medsdk_{{ disease }}"
TINY = Path(__file__).parent / "bundle"
SIDE = 64


def network(channels: tuple[int, ...]) -> Any:
    """Strided convolutions, then logits over two labels; the contract's two outputs."""
    image = keras.Input((SIDE, SIDE, 3), name="image")
    x = image
    for width in channels:
        x = keras.layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
    features = keras.layers.Activation("linear", name="features")(x)
    logits = keras.layers.Dense(2, name="logits")(keras.layers.GlobalAveragePooling2D()(features))
    return keras.Model(image, [logits, features])


def placeholder() -> None:
    """Random weights: its answers mean nothing, which is what its card says."""
    keras.utils.set_random_seed(0)
    model = network((8, 8))
    pixels = np.random.default_rng(0).integers(0, 256, (20, SIDE, SIDE, 3), dtype=np.uint8)
    PLACEHOLDER.mkdir(parents=True, exist_ok=True)
    (PLACEHOLDER / "model.tflite").write_bytes(to_tflite(model, pixels))
    weights = np.asarray(model.get_layer("logits").kernel)
    with (PLACEHOLDER / "reference.npz").open("wb") as file:
        np.savez_compressed(file, head_weights=weights)


def tiny() -> None:
    """Trained on drawn discs for some seconds."""
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    truth = np.arange(1600) % 2
    pixels = np.stack([disc(random, bool(dots), SIDE) for dots in truth])
    model = network((8, 12, 16))
    only_logits = keras.Model(model.input, model.outputs[0])
    only_logits.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    only_logits.fit(normalise(pixels), truth, epochs=14, batch_size=32, verbose=2, validation_split=0.1)
    content = to_tflite(model, pixels[:100])
    found = infer(content, pixels, lambda items, _: items)
    reference = screening.fit(found.pooled[:1200], 6)
    distances = reference.distances(found.pooled[1200:])
    TINY.mkdir(exist_ok=True)
    (TINY / "model.tflite").write_bytes(content)
    samples = golden.samples(Pipeline(Input(height=SIDE, width=SIDE), "card.json"))
    packed = pack_reference(reference, np.asarray(model.get_layer("logits").kernel), samples)
    (TINY / "reference.npz").write_bytes(packed)
    limit = round(float(np.quantile(distances, 0.99)) * 1.05, 4)
    accuracy = float((found.logits.argmax(axis=1) == truth)[1200:].mean())
    (TINY / "card.json").write_bytes(encode_card(tiny_card(content, packed, limit, accuracy)))


def tiny_card(model: bytes, reference: bytes, limit: float, accuracy: float) -> Card:
    """Everything that the checks ask of a trained model's card."""
    spread = 1.96 * (accuracy * (1 - accuracy) / 400) ** 0.5
    drawn = Evaluation(
        "drawn", 400, 400, 200, {"accuracy": Estimate(accuracy, accuracy - spread, min(1, accuracy + spread))}
    )
    return Card(
        schema_version=1,
        disease="dots",
        name="Dots on a disc",
        codes=Codes("none", "none"),
        picture="a drawn pink disc on black",
        labels=(Label("clear", "clear disc", False), Label("dotted", "dotted disc", True)),
        input=Input(height=SIDE, width=SIDE),
        outputs=Outputs(),
        decision=Decision(0.5, (0.4, 0.6), "accuracy", "val"),
        calibration=Calibration(),
        rejection=Rejection(limit, "Mahalanobis distance of pooled features, probabilistic PCA", "val"),
        model=described("model.tflite", model),
        reference=described("reference.npz", reference),
        evaluations=(drawn,),
        training=Training(
            "tests/testing/make_models.py",
            1,
            "2026-01-01",
            "medsdk-converters",
            "python tests/testing/make_models.py",
            (DataSet("drawn discs", 1600, "Apache-2.0", "drawn by tests/testing/drawn.py", "0" * 64),),
        ),
        licence="Apache-2.0",
        intended_use="None: it shows in tests and examples how a plugin works.",
        limits=("It has never seen a picture that was not drawn.",),
    )


if __name__ == "__main__":
    placeholder()
    tiny()
