"""Makes the bundle beside this file: a few kilobytes that judge drawn pictures, so that these tests need no trained model.

    python make.py        (needs tensorflow; writes card.json, model.tflite and reference.npz)

The disease is made up: red spots on pale pink. Its weights are set by hand; the reference is fitted on drawn pictures.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from medsdk.core import screening
from medsdk.core.bundle import Bundle
from medsdk.core.card import (
    Calibration,
    Card,
    Codes,
    DataSet,
    Decision,
    Estimate,
    Evaluation,
    File,
    Input,
    Label,
    Outputs,
    Rejection,
    Training,
    encode_card,
)
from medsdk.core.plugin import DiseasePlugin

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import drawing  # noqa: E402  # the tests' own pictures, found beside this folder

SIDE = 32
# Rows: R, G, B in 0..1. Columns: red above green, green above red, blue above red, light, dark.
KERNEL = np.array([[3, -3, -3, 0.33, -0.33], [-3, 3, 0, 0.33, -0.33], [0, 0, 3, 0.33, -0.33]], np.float32)
BIAS = np.array([-0.6, 0, 0, 0, 1], np.float32)
# Columns: clear, few, many. Driven by the share of red alone.
HEAD = np.zeros((5, 3), np.float32)
HEAD[0] = (-60, 20, 40)
HEAD_BIAS = np.array([6, 1, -6], np.float32)


class Network(tf.Module):
    """uint8 picture in; logits and the last feature map out, like every model of this project."""

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.uint8, name="picture")])
    def __call__(self, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.cast(picture, tf.float32) / 255.0
        planes = tf.nn.relu(tf.nn.conv2d(values, KERNEL[np.newaxis, np.newaxis], 1, "VALID") + BIAS)
        features = tf.nn.avg_pool2d(planes, 4, 4, "VALID")
        return {"logits": tf.matmul(tf.reduce_mean(features, axis=(1, 2)), HEAD) + HEAD_BIAS, "features": features}


def model() -> bytes:
    network = Network()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(network, folder, signatures=network.__call__)
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def described(name: str, content: bytes) -> File:
    return File(name, len(content), hashlib.sha256(content).hexdigest())


def reference(features: list[np.ndarray]) -> tuple[bytes, float]:
    fitted = screening.fit(np.stack([screening.pool(one) for one in features]), 2)
    distances = [fitted.distance(one) for one in features]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        mean=fitted.mean,
        components=fitted.components,
        variances=fitted.variances,
        rest_variance=np.asarray(fitted.rest_variance),
        head_weights=HEAD,
    )
    return buffer.getvalue(), round(float(np.max(distances)) * 1.5, 3)


def card(content: bytes, numbers: bytes | None, limit: float) -> Card:
    sha = hashlib.sha256(b"drawn").hexdigest()
    return Card(
        schema_version=1,
        disease="spots",
        name="Red spots",
        codes=Codes("none", "none"),
        picture="a drawn slide, pale pink, with or without red spots",
        labels=(Label("clear", "Clear", False), Label("few", "Few spots", True), Label("many", "Many spots", True)),
        input=Input(height=SIDE, width=SIDE),
        outputs=Outputs(),
        decision=Decision(0.45, (0.4, 0.55), "youden", "val"),
        calibration=Calibration(1.0),
        rejection=Rejection(limit, "1.5 times the largest distance", "val") if numbers else None,
        model=described("model.tflite", content),
        reference=described("reference.npz", numbers) if numbers else None,
        evaluations=(
            Evaluation(
                "test",
                1200,
                300,
                400,
                {"auc": Estimate(0.987, 0.98, 0.993), "sensitivity": Estimate(0.95, 0.93, 0.97)}
                | {"specificity": Estimate(0.9, 0.88, 0.92), "ece": Estimate(0.02, 0.01, 0.03)},
                "Drawn pictures only.",
            ),
        ),
        training=Training(
            "none", 0, "2025-01-01", "by hand", "python make.py", (DataSet("Drawn slides", 300, "CC0-1.0", "None.", sha),)
        ),
        licence="Apache-2.0",
        intended_use="Testing this program. It judges drawings.",
        limits=("It knows nothing of any disease.",),
    )


def main() -> None:
    content = model()
    write(content, card(content, None, 1.0))
    plugin = DiseasePlugin()
    plugin.bundle = Bundle(HERE)
    from medsdk.core.runtime import Model

    with Model(content, "spots") as opened:
        slides = [drawing.slide(spots=count % 8, seed=count) for count in range(300)]
        features = [opened.run(plugin.preprocess(slide).values)["features"] for slide in slides]
    numbers, limit = reference(features)
    write(content, card(content, numbers, limit))
    (HERE / "reference.npz").write_bytes(numbers)


def write(content: bytes, described_by: Card) -> None:
    (HERE / "model.tflite").write_bytes(content)
    (HERE / "card.json").write_bytes(encode_card(described_by))


if __name__ == "__main__":
    main()
