"""A Keras model to TFLite: batch 1, uint8 pixels in (for int8), `logits` and `features` out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk_converters.errors import GateError
from medsdk_converters.training import normalise

Precision: TypeAlias = Literal["int8", "dynamic", "float16", "float32"]

# A uint8 pixel q means (q - 127.5) / 127.5: what the backbones are fed. Quantisation has a whole zero point, so that
# the nearest that it can say is half a grey level off.
INPUT_SCALE = 1 / 127.5
_SCALE_TOLERANCE = 0.01


def to_tflite(model: Any, calibration: npt.NDArray[np.uint8], precision: Precision = "int8") -> bytes:
    """`calibration` is (n, h, w, 3) uint8 preprocessed val pictures; only int8 looks at them.

    Raises GateError if the input's quantisation is not that of plain pixels.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    _ = tf.keras  # touched before `keras` is used by the converter, or it finds no Keras
    image = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="image")
    logits, features = model(image)
    # The names under which the runtime finds the outputs.
    fixed = keras.Model(image, {"logits": logits, "features": features})
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    if precision == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _representative(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.float32
    elif precision == "dynamic":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    elif precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content: bytes = converter.convert()
    if precision == "int8":
        _check_input(content)
    return content


def _representative(pixels: npt.NDArray[np.uint8]) -> Iterator[list[npt.NDArray[np.float32]]]:
    # Black and white fix the input's range, whatever the pictures hold.
    for extreme in (0, 255):
        yield [normalise(np.full_like(pixels[:1], extreme))]
    for picture in pixels:
        yield [normalise(picture[np.newaxis])]


def _check_input(content: bytes) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    (details,) = interpreter.get_input_details()
    scale, zero_point = details["quantization"]
    if abs(scale / INPUT_SCALE - 1) > _SCALE_TOLERANCE or zero_point not in (127, 128):
        raise GateError(
            f"The input's quantisation is {scale:.6f}, {zero_point}, not that of plain pixels.",
            "Calibrate with pictures that went through the recipe's preprocessing.",
        )
