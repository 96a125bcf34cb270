"""Where does int8 lose it? Each layer's output in an exported model beside the same layer in the float model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core.preprocessing import scale
from medsdk.core.runtime import Model
from medsdk_converters.export import Range, convert
from medsdk_converters.layer_graph import quantised_layers

_PICTURES = 8


@dataclass(frozen=True)
class LayerError:
    """`error` is the root mean square of int8 minus float over that of float; `added` how much more than before it."""

    layer: str
    error: float
    added: float

    def __str__(self) -> str:
        return f"{self.layer} (error {100 * self.error:.1f} %, {100 * self.added:+.1f} here)"


def worst_layers(
    model: Any, calibration: npt.NDArray[np.uint8], value_range: Range, count: int = 5
) -> tuple[LayerError, ...]:
    """The layers that add most error, the worst first; none for a model that is not made of Keras layers.

    The model is exported once more with all these layers as outputs, which changes nothing in how they are rounded.
    """
    import keras

    layers = quantised_layers(model)
    if len(layers) < 2:
        return ()
    probe = keras.Model(model.input, [layer.output for layer in layers])
    image = keras.Input(batch_shape=(1, *model.input_shape[1:]), name="image")
    names = [f"layer{number}" for number in range(len(layers))]
    content = convert(keras.Model(image, dict(zip(names, probe(image), strict=True))), calibration, "int8", value_range)
    pictures = calibration[:_PICTURES]
    exact = probe.predict_on_batch(scale(pictures, value_range))
    with Model(content, "the probe") as rounded:
        rows = [rounded.run(picture[np.newaxis]) for picture in pictures]
    errors = {
        layer.name: _relative(np.stack([row[name] for row in rows]), np.asarray(values))
        for layer, name, values in zip(layers, names, exact, strict=True)
    }
    before = _errors_before(model, errors)
    found = [LayerError(name, error, error - before[name]) for name, error in errors.items()]
    return tuple(sorted(found, key=lambda at: -at.added)[:count])


def _relative(rounded: npt.NDArray[np.float32], exact: npt.NDArray[np.float32]) -> float:
    size = float(np.sqrt(np.square(exact).mean()))
    return float(np.sqrt(np.square(rounded - exact).mean())) / max(size, 1e-9)


def _errors_before(model: Any, errors: dict[str, float]) -> dict[str, float]:
    """For each operation, the largest error among the layers that feed it."""
    carried: dict[str, float] = {}
    before: dict[str, float] = {}
    for operation in model.operations:
        inputs = [] if type(operation).__name__ == "InputLayer" else operation.input
        sources = [tensor._keras_history.operation.name for tensor in (inputs if isinstance(inputs, list) else [inputs])]
        before[operation.name] = max((carried[name] for name in sources), default=0.0)
        carried[operation.name] = errors.get(operation.name, before[operation.name])
    return before
