"""Which layers of a Keras model become tensors of the exported file: those that no later layer is fused into."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

# The converter melts these into what comes before them, or they do nothing outside training.
_FUSED = ("BatchNormalization", "ReLU", "Activation", "Dropout")
# Their outputs hold the very numbers that came in.
_SAME_NUMBERS = ("InputLayer", "Dropout", "Flatten", "Reshape", "ZeroPadding2D", "MaxPooling2D")


def quantised_layers(model: Any) -> list[Any]:
    """The layers whose output int8 rounds anew, in order, from the picture to the logits."""
    readers = _readers(model)
    return [
        layer
        for layer in model.layers
        if type(layer).__name__ not in _SAME_NUMBERS
        and not (len(readers[layer.name]) == 1 and readers[layer.name][0] in _FUSED)
    ]


def _readers(model: Any) -> dict[str, list[str]]:
    """For each operation, the types of those that read it, in this model: a shared layer may be read elsewhere too."""
    readers: dict[str, list[str]] = defaultdict(list)
    for operation in model.operations:
        if type(operation).__name__ == "InputLayer":
            continue
        inputs = operation.input
        for tensor in inputs if isinstance(inputs, list) else [inputs]:
            readers[tensor._keras_history.operation.name].append(type(operation).__name__)
    return readers
