"""Batch normalisation folded into the convolutions before it.

On a CPU a batch-norm costs as much memory traffic as the convolution it follows, forwards and backwards. Where its
statistics stay those of ImageNet anyway, folding gives the same function, and steps that are much shorter.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from medsdk_converters.backbones.errors import BackboneError
from medsdk_converters.backbones.graph import reads


def fold(model: keras.Model) -> keras.Model:
    """A copy of ``model`` without batch normalisation that computes the same at inference, up to rounding.

    Every batch-norm must follow a Conv2D or DepthwiseConv2D that is linear and feeds nothing else; BackboneError otherwise.
    Layer names stay, except that those of the batch-norms are gone. ``model`` itself is not changed.
    """
    pairs = _pairs(model)
    by_convolution = {convolution: norm for norm, convolution in pairs.items()}

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        if layer.name in by_convolution:
            config["use_bias"] = True
        return layer.__class__.from_config(config)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return args[0] if layer.name in pairs else layer(*args, **kwargs)

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in folded.layers:
        source = model.get_layer(layer.name)
        layer.trainable = source.trainable
        norm = by_convolution.get(layer.name)
        layer.set_weights(source.get_weights() if norm is None else _folded(source, model.get_layer(norm)))
    return folded


def _pairs(model: keras.Model) -> dict[str, str]:
    """The name of each batch-norm, with that of its convolution."""
    pairs: dict[str, str] = {}
    read_by = reads(model)
    operations = {operation.name: operation for operation in model.operations}
    readers = Counter(name for names in read_by.values() for name in names)
    for layer in model.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        before = operations[read_by[layer.name][0]]
        linear = isinstance(before, keras.layers.Conv2D | keras.layers.DepthwiseConv2D) and (
            before.activation is keras.activations.linear
        )
        if not linear or readers[before.name] != 1:
            raise BackboneError(
                f"The batch-norm {layer.name!r} does not directly follow a convolution of its own, so it cannot be folded.",
                'Build with batch_norm="frozen" instead.',
            )
        pairs[layer.name] = before.name
    return pairs


def _folded(convolution: Any, norm: Any) -> list[npt.NDArray[np.float32]]:
    """Kernel and bias that do what ``convolution`` and then ``norm`` do; in float64, since variances may be tiny."""
    weights = [np.asarray(weight, np.float64) for weight in convolution.get_weights()]
    kernel, bias = weights[0], weights[1] if len(weights) > 1 else np.zeros(())
    values = iter(np.asarray(weight, np.float64) for weight in norm.get_weights())
    gamma = next(values) if norm.scale else np.ones(())
    beta = next(values) if norm.center else np.zeros(())
    mean, variance = next(values), next(values)
    factor = gamma / np.sqrt(variance + norm.epsilon)
    shift = beta + (bias - mean) * factor
    # A depthwise kernel is (h, w, c, multiplier), and its outputs run over c and then the multiplier.
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    scale = factor.reshape(kernel.shape[2:]) if depthwise else factor
    return [(kernel * scale).astype(np.float32), shift.astype(np.float32)]
