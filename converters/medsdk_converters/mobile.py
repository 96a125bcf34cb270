"""The sibling file for phones and browsers: what MediaPipe Tasks' ImageClassifier loads on Android, iOS or the web.

One output, probabilities at the card's temperature, with the labels and the input's normalisation as TFLite metadata
(https://www.tensorflow.org/lite/models/convert/metadata): a flatbuffer inside the model, and labels.txt as a ZIP
archive behind its last byte.
"""

from __future__ import annotations

import io
import zipfile
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core.card import Card
from medsdk.core.errors import ModelDamagedError
from medsdk.core.preprocessing import scale
from medsdk.core.runtime import Model
from medsdk_converters.export import Precision, Range, convert
from medsdk_converters.tflite_metadata import MODEL_NAME, described, description_of

LABELS = "labels.txt"
OUTPUT = "probability"


def make(model: Any, card: Card, calibration: npt.NDArray[np.uint8], precision: Precision, value_range: Range) -> bytes:
    """The file's content, from the float model whose exported form the card describes."""
    import keras

    image = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="image")
    outputs = model(image)
    logits = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    whole = keras.Model(image, {OUTPUT: _probabilities(logits, card)}, name="mobile")
    content = convert(whole, calibration, precision, value_range)
    labels = "".join(f"{label.id}\n" for label in card.labels).encode()
    with_metadata = described(content, card, LABELS, value_range)
    buffer = io.BytesIO(with_metadata)
    with zipfile.ZipFile(buffer, "a") as archive:
        # A fixed date: the same model gives the same bytes.
        archive.writestr(zipfile.ZipInfo(LABELS, (1980, 1, 1, 0, 0, 0)), labels)
    return buffer.getvalue()


def labels_of(content: bytes, path: str) -> list[str]:
    """The label ids in a mobile file, in the order of its scores. Raises ModelDamagedError."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(LABELS).decode().split()
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise ModelDamagedError(path, f"it holds no {LABELS} ({error}).", "Convert again with --mobile.") from None


def made_for(content: bytes) -> str:
    """The sha256 of the bundle's model that the file was made with; empty where it does not say."""
    return description_of(content).rpartition(" ")[2]


def probabilities(content: bytes, pixels: npt.NDArray[np.uint8], value_range: Range) -> npt.NDArray[np.float32]:
    """(n, labels) of preprocessed pixels (n, h, w, 3) uint8, with our own runtime."""
    with Model(content, MODEL_NAME) as model:
        floating = model.input_dtype == "float32"
        rows = [model.run(scale(p[np.newaxis], value_range) if floating else p[np.newaxis])[OUTPUT] for p in pixels]
    return np.stack(rows)


def mediapipe_labels(content: bytes, pixels: npt.NDArray[np.uint8]) -> list[str] | None:
    """The label that MediaPipe's classifier puts first for each picture; None where mediapipe is not installed."""
    try:
        mp = import_module("mediapipe")
        tasks = import_module("mediapipe.tasks.python")
        vision = import_module("mediapipe.tasks.python.vision")
    except ImportError:
        return None
    options = vision.ImageClassifierOptions(base_options=tasks.BaseOptions(model_asset_buffer=content), max_results=1)
    with vision.ImageClassifier.create_from_options(options) as classifier:
        found = [
            classifier.classify(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(p))) for p in pixels
        ]
    return [result.classifications[0].categories[0].category_name for result in found]


def _probabilities(logits: Any, card: Card) -> Any:
    """As in medsdk.core.decision, in Keras operations."""
    import keras
    from keras import ops

    scaled = keras.layers.Rescaling(1 / card.calibration.temperature, name="temperature")(logits)
    if card.outputs.activation == "softmax":
        return keras.layers.Softmax(name=OUTPUT)(scaled)
    worse = ops.sigmoid(scaled)
    steps = [worse[:, k : k + 1] for k in range(card.logits)]
    # 'worse than label k' can only become less likely as k rises.
    for k in range(1, len(steps)):
        steps[k] = ops.minimum(steps[k], steps[k - 1])
    edges = [1 - steps[0], *(before - after for before, after in pairwise(steps)), steps[-1]]
    return ops.concatenate(edges, axis=-1)
