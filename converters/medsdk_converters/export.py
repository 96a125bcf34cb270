"""A Keras model to TFLite: batch 1, uint8 pixels in (for int8), `logits` and `features` out."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk.core.preprocessing import scale
from medsdk_converters import context
from medsdk_converters.errors import DataError, GateError

Precision: TypeAlias = Literal["int8", "dynamic", "float16", "float32"]
Range: TypeAlias = tuple[float, float]

# What every backbone of this package is fed: black is -1, white is 1.
PLAIN_RANGE: Range = (-1.0, 1.0)
_SCALE_TOLERANCE = 0.01


def to_tflite(
    model: Any,
    calibration: npt.NDArray[np.uint8],
    precision: Precision = "int8",
    value_range: Range = PLAIN_RANGE,
) -> bytes:
    """The file's content from a model with the outputs [logits] or [logits, features].

    `calibration` is (n, h, w, 3) uint8 preprocessed val pictures; only int8 looks at them. `value_range` is what black
    and white are to the model. Raises DataError for weights that are not finite, GateError if the input's
    quantisation is not that of plain pixels.
    """
    check_finite(model)
    content = convert(with_names(model), calibration, precision, value_range)
    if precision == "int8":
        _check_input(content, value_range)
    return content


def with_names(model: Any) -> Any:
    """Batch 1, and the names under which the runtime finds the outputs.

    The model has a name of its own because it gets into the file: Keras's would count the models that this process has
    made, so that a run that was resumed gave other bytes.
    """
    import keras

    image = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="image")
    extended, more = context.extend(model)
    outputs = extended(image)
    found = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    names = [*("logits", "features")[: len(found) - len(more)], *more]
    return keras.Model(image, dict(zip(names, found, strict=True)), name="exported")


def convert(model: Any, calibration: npt.NDArray[np.uint8], precision: Precision, value_range: Range) -> bytes:
    """Any Keras model with a fixed batch of 1; its outputs are float32 whatever the precision."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    _ = tf.keras  # touched before `keras` is used by the converter, or it finds no Keras
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif precision == "int8":
        converter.representative_dataset = lambda: _representative(calibration, value_range)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.float32
    # It tells standard output where its temporary files were; ours holds results only.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content: bytes = converter.convert()
    return content


def check_finite(model: Any) -> None:
    """Raises DataError naming the first weight that holds a value that is no finite number."""
    for variable in model.weights:
        if "float" in str(variable.dtype) and not np.isfinite(np.asarray(variable)).all():
            raise DataError(
                f"The weight {variable.path} holds values that are not finite numbers.",
                "Train again with a lower learning rate, or convert an earlier state of the model.",
            )


def _representative(pixels: npt.NDArray[np.uint8], value_range: Range) -> Iterator[list[npt.NDArray[np.float32]]]:
    # Black and white fix the input's range, whatever the pictures hold.
    for extreme in (0, 255):
        yield [scale(np.full_like(pixels[:1], extreme), value_range)]
    for picture in pixels:
        yield [scale(picture[np.newaxis], value_range)]


def _check_input(content: bytes, value_range: Range) -> None:
    """A pixel q must mean what training fed, or the device shows the model pictures that it has never seen.

    Quantisation has a whole zero point, so that the nearest that it can say is half a grey level off.
    """
    from ai_edge_litert.interpreter import Interpreter

    low, high = value_range
    step = (high - low) / 255
    (details,) = Interpreter(model_content=content).get_input_details()
    found, zero_point = details["quantization"]
    if abs(found / step - 1) > _SCALE_TOLERANCE or abs(zero_point + low / step) > 1:
        raise GateError(
            f"The input's quantisation is {found:.6f}, {zero_point}, not that of plain pixels in {low}..{high}.",
            "Calibrate with pictures that went through the recipe's preprocessing.",
        )
