"""A float model from elsewhere: Keras, SavedModel or ONNX in, a Keras model with [logits] or [logits, features] out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk_converters.errors import DataError
from medsdk_converters.export import check_finite

_POOLING = ("GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten", "Reshape")


def load(path: Path, work: Path) -> Any:
    """The model, not compiled. ONNX is translated into `work` by the program onnx2tf.

    A softmax or sigmoid at the end of a Keras model is taken off: probabilities are made outside, at the card's
    temperature. Raises DataError.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such model.", "Give a .keras, .h5 or .onnx file, or a SavedModel folder.")
    if path.is_dir():
        model = _saved_model(path)
    elif path.suffix == ".onnx":
        model = _saved_model(_from_onnx(path, work))
    else:
        model = _keras(path)
    check_finite(model)
    return model


def check_fits(model: Any, path: Path, height: int, width: int, logits: int, labels: int) -> None:
    """Raises DataError unless the model takes (height, width, 3) and puts out `logits` logits for `labels` labels."""
    shape = tuple(model.input_shape[1:])
    if shape != (height, width, 3):
        raise DataError(
            f"{path}: the model wants pictures of {shape}, the card says {(height, width, 3)}.",
            "Correct input.height and input.width in the card.",
        )
    outputs = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    found = outputs[0][-1]
    if found != logits:
        raise DataError(
            f"{path}: the model puts out {found} logits, but {labels} labels with the card's activation need {logits}.",
            "Correct labels or outputs.activation in the card, or train the model with such a head.",
        )


def check_logits(logits: npt.NDArray[np.float32], path: Path) -> None:
    """Raises DataError if what the model puts out for many pictures (n, k) can only be probabilities, or is no number."""
    if not np.isfinite(logits).all():
        raise DataError(f"{path}: the model's outputs are not finite numbers.", "Train it again.")
    shares = bool((logits >= 0).all() and (logits <= 1).all())
    if shares and (logits.shape[1] == 1 or np.allclose(logits.sum(axis=1), 1, atol=1e-3)):
        raise DataError(
            f"{path}: the model puts out probabilities; a bundle needs the logits, to calibrate them.",
            "Export the model without its last softmax or sigmoid.",
        )


def _keras(path: Path) -> Any:
    import keras

    try:
        model = keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        raise DataError(f"{path}: Keras cannot open it ({error}).", "Save it with model.save('model.keras').") from None
    if sorted(len(output.shape) for output in model.outputs) == [2, 4]:
        return keras.Model(model.inputs[0], sorted(model.outputs, key=lambda output: len(output.shape)))
    return keras.Model(model.inputs[0], [_without_activation(model), *_features(model)])


def _without_activation(model: Any) -> Any:
    """The logits: what the last layer puts out before a softmax or sigmoid."""
    import keras

    if len(model.outputs) != 1:
        shapes = ", ".join(str(tuple(output.shape)) for output in model.outputs)
        raise DataError(
            f"The model has the outputs {shapes}.",
            "Save it with one output, the logits, or with two, logits (batch, k) and feature map (batch, h, w, c).",
        )
    last = model.outputs[0]._keras_history.operation
    if isinstance(last, keras.layers.Softmax):
        return last.input
    if isinstance(last, keras.layers.Activation):
        return last.input if _is_squashing(last) else model.outputs[0]
    if _is_squashing(last):
        last.activation = keras.activations.linear
        return last(last.input)
    return model.outputs[0]


def _is_squashing(layer: Any) -> bool:
    import keras

    return getattr(layer, "activation", None) in (keras.activations.softmax, keras.activations.sigmoid)


def _features(model: Any) -> list[Any]:
    """The last feature map (b, fh, fw, c): what the layer that pools or flattens it takes in; none where there is none."""
    for layer in reversed(model.layers):
        if type(layer).__name__ in _POOLING and len(layer.input.shape) == 4:
            return [layer.input]
    return []


def _saved_model(folder: Path) -> Any:
    import keras

    try:
        body = keras.layers.TFSMLayer(folder, call_endpoint="serving_default")
        # An attribute of that name wins in Keras, and is no signature in what onnx2tf writes.
        body.call_endpoint_fn = body._reloaded_obj.signatures["serving_default"]
        (spec,) = body.call_endpoint_fn.structured_input_signature[1].values()
    except (ValueError, OSError, AttributeError, KeyError) as error:
        raise DataError(
            f"{folder}: this is no SavedModel with one input and the signature serving_default ({error}).",
            "Save it with model.export(folder).",
        ) from None
    if len(spec.shape) != 4 or spec.shape[-1] != 3:
        raise DataError(
            f"{folder}: its input is {tuple(spec.shape)}, wanted is (batch, height, width, 3).",
            "Export it with its channels last.",
        )
    image = keras.Input(tuple(spec.shape[1:]), name="image")
    outputs = body(image)
    logits = _one_of(outputs, "logits", 2, folder)
    if logits is None:
        raise DataError(f"{folder}: none of its outputs {_shapes(outputs)} is (batch, logits).", "Export the logits.")
    features = _one_of(outputs, "features", 4, folder)
    return keras.Model(image, [logits] if features is None else [logits, features])


def _one_of(outputs: dict[str, Any], name: str, rank: int, folder: Path) -> Any:
    if name in outputs:
        return outputs[name]
    fitting = [output for output in outputs.values() if len(output.shape) == rank]
    if len(fitting) > 1:
        raise DataError(
            f"{folder}: which of its outputs {_shapes(outputs)} are the {name}?", f"Name one of them {name!r} on export."
        )
    return fitting[0] if fitting else None


def _shapes(outputs: dict[str, Any]) -> str:
    return ", ".join(f"{name} {tuple(output.shape)}" for name, output in outputs.items())


def _from_onnx(path: Path, work: Path) -> Path:
    """A SavedModel, made by onnx2tf. It pins a TensorFlow of its own, so that it lives in an environment of its own."""
    program = shutil.which("onnx2tf")
    if program is None:
        raise DataError(
            f"{path}: an ONNX model is translated by the program onnx2tf, which is not on the PATH.",
            "Install it apart from this environment, since it wants another TensorFlow: pipx install onnx2tf",
        )
    folder = work / "from_onnx"
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run([program, "-i", str(path), "-o", str(folder), "-osd"], capture_output=True, text=True)
    if done.returncode or not (folder / "saved_model.pb").exists():
        said = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise DataError(f"{path}: onnx2tf cannot translate it: {' '.join(said)}", "Export it anew, or give a SavedModel.")
    return folder
