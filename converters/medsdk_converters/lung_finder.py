"""Trains the lung finder of medsdk-lungs: a small network that outlines the lungs of a frontal chest film.

    python -m medsdk_converters.lung_finder --data FOLDER --out plugins/lungs/medsdk_lungs

FOLDER holds lungs.tar: films in images/, masks of the same name in masks/*.png, splits in manifest.csv.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import numpy.typing as npt

from medsdk.core.files import write_beside
from medsdk.core.images import decode
from medsdk_converters.bundling import described
from medsdk_converters.data import fingerprint

SIDE = 128
MASK_SIDE = 32
SEED = 1
EPOCHS = 120
BATCH = 16


@dataclass(frozen=True)
class Films:
    """pixels (n, 128, 128) uint8 and masks (n, 128, 128) in 0..1."""

    pixels: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.float32]


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(data: Path, out: Path) -> None:
    """Train on train, stop by val, report test once."""
    import keras

    keras.utils.set_random_seed(SEED)
    path = data / "lungs.tar"
    films = {split: read(path, split) for split in ("train", "val", "test")}
    model = build()
    fit(model, films["train"], films["val"])
    content = export(model, films["val"])
    out.mkdir(parents=True, exist_ok=True)
    write_beside(out / "model.tflite", content)
    file = described("model.tflite", content)
    about = {
        "file": file.file,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "dice": {split: round(float(np.mean(dice(content, films[split]))), 4) for split in ("val", "test")},
        "data": {"name": "lungs", "sha256": fingerprint(path, []), "pictures": len(films["train"].pixels)},
        "licence": "ieee8023/covid-chestxray-dataset: research use, licence differs a picture; masks by V7",
        "seed": SEED,
        "made": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }
    write_beside(out / "model.json", json.dumps(about, indent=2).encode() + b"\n")
    click.echo(json.dumps(about["dice"]), err=True)


def read(path: Path, split: str) -> Films:
    """One split of the pack, preprocessed as the finder does it."""
    from medsdk_lungs.finder import prepare

    pixels, masks = [], []
    with tarfile.open(path) as tar:
        for row in csv.DictReader(io.StringIO(_member(tar, "manifest.csv").decode())):
            if row["split"] != split:
                continue
            name = Path(row["file"])
            pixels.append(prepare(decode(_member(tar, f"images/{name}"), str(name)))[0, ..., 0])
            mask = decode(_member(tar, f"masks/{name.with_suffix('.png')}"), str(name))[..., 0]
            masks.append(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255)
    return Films(np.stack(pixels), np.stack(masks))


def build() -> Any:
    """Grey (128, 128, 1) in -1..1 to logits (32, 32, 1): four halvings, two doublings with shortcuts."""
    import keras
    from keras import layers

    def block(x: Any, channels: int, stride: int = 1) -> Any:
        x = layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.9)(x))

    image = keras.Input((SIDE, SIDE, 1))
    quarter = block(block(image, 16, 2), 24, 2)
    eighth = block(block(quarter, 32, 2), 32)
    deep = block(block(block(eighth, 64, 2), 64), 64)
    up = layers.UpSampling2D(interpolation="bilinear")(deep)
    up = block(layers.Concatenate()([up, eighth]), 48)
    up = layers.UpSampling2D(interpolation="bilinear")(up)
    up = block(layers.Concatenate()([up, quarter]), 32)
    return keras.Model(image, layers.Conv2D(1, 1)(up))


def fit(model: Any, train: Films, val: Films) -> None:
    """Best weights by val loss; binary cross-entropy plus soft Dice."""
    import keras
    from keras import ops

    def loss(truth: Any, logits: Any) -> Any:
        chance = ops.sigmoid(logits)
        overlap = 2 * ops.sum(truth * chance, axis=(1, 2, 3)) + 1
        total = ops.sum(truth, axis=(1, 2, 3)) + ops.sum(chance, axis=(1, 2, 3)) + 1
        entropy = ops.mean(ops.binary_crossentropy(truth, logits, from_logits=True), axis=(1, 2, 3))
        return entropy + 1 - overlap / total

    steps = len(train.pixels) // BATCH
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * steps)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=1e-4), loss=loss)
    inputs, targets = _batch(val.pixels, val.masks)
    best: tuple[float, list[Any]] = (float("inf"), [])
    for epoch in range(EPOCHS):
        random = np.random.default_rng([SEED, epoch])
        order = random.permutation(len(train.pixels))
        for i in range(steps):
            changed = [augment(train.pixels[j], train.masks[j], random) for j in order[i * BATCH : (i + 1) * BATCH]]
            model.train_on_batch(*_batch(np.stack([p for p, _ in changed]), np.stack([m for _, m in changed])))
        score = float(model.evaluate(inputs, targets, verbose=0))
        if score < best[0]:
            best = (score, model.get_weights())
    model.set_weights(best[1])


def augment(
    pixels: npt.NDArray[np.uint8], mask: npt.NDArray[np.float32], random: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Film and mask under one random warp; grey levels, noise and dark or bright frames on the film alone."""
    angle, scale = random.uniform(-12, 12), 2 ** random.uniform(-0.6, 0.35)
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, scale)
    matrix[0] *= 2 ** random.uniform(-0.25, 0.25)
    centre = matrix[:, :2] @ (SIDE / 2, SIDE / 2)
    matrix[:, 2] = SIDE / 2 - centre + random.uniform(-0.12, 0.12, 2) * SIDE
    fill = int(random.integers(0, 256))
    warped = cv2.warpAffine(pixels, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=(fill,))
    moved = cv2.warpAffine(mask, matrix, (SIDE, SIDE))
    x = np.linspace(0, 1, 256) ** (2 ** random.uniform(-0.9, 0.9))
    x = (x - 0.5) * random.uniform(0.6, 1.4) + 0.5 + random.uniform(-0.2, 0.2)
    film = cv2.LUT(warped, (np.clip(x, 0, 1) * 255).astype(np.uint8))
    if random.random() < 0.3:
        film = cv2.GaussianBlur(film, (0, 0), random.uniform(0.5, 1.5))
    if random.random() < 0.3:
        film = np.clip(film + random.normal(0, 10, film.shape), 0, 255).astype(np.uint8)
    return film.astype(np.uint8), moved.astype(np.float32)


def export(model: Any, val: Films) -> bytes:
    """int8, uint8 in, float32 logits out."""
    import keras
    import tensorflow as tf

    _ = tf.keras
    image = keras.Input(batch_shape=(1, SIDE, SIDE, 1), name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, {"lungs": model(image)}))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    extremes = np.stack([np.zeros((SIDE, SIDE), np.uint8), np.full((SIDE, SIDE), 255, np.uint8)])
    calibration = np.concatenate([extremes, val.pixels])
    converter.representative_dataset = lambda: ([_batch(p[np.newaxis], None)[0]] for p in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.float32
    content: bytes = converter.convert()
    return content


def dice(content: bytes, films: Films) -> list[float]:
    """Overlap of the exported model's outline with each mask, 0..1."""
    import medsdk

    scores = []
    with medsdk.Model(content, "the lung finder") as model:
        for pixels, mask in zip(films.pixels, films.masks, strict=True):
            found = model.run(pixels[np.newaxis, ..., np.newaxis])["lungs"][..., 0] > 0
            truth = cv2.resize(mask, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA) > 0.5
            scores.append(2 * float((found & truth).sum()) / max(1, int(found.sum() + truth.sum())))
    return scores


def _batch(pixels: npt.NDArray[np.uint8], masks: npt.NDArray[np.float32] | None) -> tuple[Any, Any]:
    inputs = pixels[..., np.newaxis].astype(np.float32) / np.float32(127.5) - 1
    if masks is None:
        return inputs, None
    small = [cv2.resize(mask, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA) for mask in masks]
    return inputs, np.stack(small)[..., np.newaxis]


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member is not None
    return member.read()


if __name__ == "__main__":
    main()
