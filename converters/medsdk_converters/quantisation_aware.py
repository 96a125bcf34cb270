"""Quantisation-aware fine-tuning: the network learns to put up with int8, taught by its own float self.

Weights and activations are rounded as the converter will round them, gradients pass straight through (Jacob et al.
2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"), and the target
is what the float model says of the same picture (distillation, Hinton et al. 2015): no labels are needed, and what is
learnt is agreement, which is what the gate asks for. Afterwards the model is an ordinary float model again, which is
calibrated and exported like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from medsdk.core.preprocessing import scale
from medsdk_converters.export import Range
from medsdk_converters.layer_graph import quantised_layers

Floats = npt.NDArray[np.float32]

_WEIGHT_STEPS = 127
_ACTIVATION_STEPS = 255
_TINY = 1e-8


def can_learn(model: Any) -> bool:
    """True if the model is made of Keras layers; one that came as a SavedModel or ONNX is a single closed one."""
    return len(_layers_with_kernel(model)) > 0


def finetune(
    model: Any,
    pixels: npt.NDArray[np.uint8],
    *,
    value_range: Range,
    seed: int,
    steps: int = 400,
    batch: int = 16,
    learning_rate: float = 3e-4,
    report: Callable[[str], None],
) -> None:
    """Train `model` in place on preprocessed training pictures (n, h, w, 3) uint8.

    Batch norms keep their statistics. The learning rate falls to nothing along a cosine.
    """
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    for layer in model.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    target = _predict(model, pixels, value_range, batch)
    spread = max(float(target.std()), _TINY)
    ranges = _activation_ranges(model, pixels[random.permutation(len(pixels))[:128]], value_range, batch)
    rounded = _with_rounded_activations(model, ranges)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    rounded.compile(keras.optimizers.Adam(rate, clipnorm=5.0), loss=_distance(spread), jit_compile=False)
    layers = _layers_with_kernel(model)
    kernels, axes = [layer.kernel for layer in layers], [_shared_axes(layer) for layer in layers]
    total = 0.0
    for step in range(steps):
        rows = random.integers(0, len(pixels), min(batch, len(pixels)))
        exact = [np.array(kernel) for kernel in kernels]
        rough = [round_kernel(value, shared) for value, shared in zip(exact, axes, strict=True)]
        _assign(kernels, rough)
        loss = rounded.train_on_batch(scale(pixels[rows], value_range), target[rows])
        total += float(loss[0] if isinstance(loss, (list, tuple)) else loss)
        # Straight through: the step that was made at the rounded weights is made by the exact ones.
        _assign(kernels, [e + (np.array(k) - r) for k, e, r in zip(kernels, exact, rough, strict=True)])
        if (step + 1) % 50 == 0:
            report(f"quantisation-aware step {step + 1} of {steps}: distance to the float model {total / 50:.4f}")
            total = 0.0


def round_kernel(kernel: Floats, axes: Sequence[int]) -> Floats:
    """Symmetric int8 with a step for each channel; `axes` are those that share one."""
    step = np.maximum(np.abs(kernel).max(axis=tuple(axes), keepdims=True) / _WEIGHT_STEPS, _TINY)
    return (np.round(kernel / step) * step).astype(np.float32)


@keras.saving.register_keras_serializable("medsdk")
class RoundedActivation(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """256 steps between two ends, gradient 1 between them and 0 outside."""

    def __init__(self, low: float, high: float, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high = min(low, 0.0), max(high, 0.0, _TINY)

    def call(self, x: Any) -> Any:
        step = (self.high - self.low) / _ACTIVATION_STEPS
        inside = ops.clip(x, self.low, self.high)
        rounded = ops.round((inside - self.low) / step) * step + self.low
        return inside + ops.stop_gradient(rounded - inside)


def _with_rounded_activations(model: Any, ranges: dict[str, tuple[float, float]]) -> Any:
    """The same layers, sharing their weights, with rounding behind each; one output, the logits."""

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(layer, keras.layers.Dropout):
            return arguments[0]  # int8 is noise enough
        output = layer(*arguments, **options)
        if layer.name not in ranges:
            return output
        low, high = ranges[layer.name]
        return RoundedActivation(low, high, name=f"{layer.name}_rounded")(output)

    shadow = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(shadow.input, shadow.outputs[0])


def _activation_ranges(
    model: Any, pixels: npt.NDArray[np.uint8], value_range: Range, batch: int
) -> dict[str, tuple[float, float]]:
    layers = quantised_layers(model)
    probe = keras.Model(model.input, [layer.output for layer in layers])
    low, high = np.full(len(layers), np.inf), np.full(len(layers), -np.inf)
    for start in range(0, len(pixels), batch):
        outputs = probe.predict_on_batch(scale(pixels[start : start + batch], value_range))
        low = np.minimum(low, [float(np.min(values)) for values in outputs])
        high = np.maximum(high, [float(np.max(values)) for values in outputs])
    return {layer.name: (float(a), float(b)) for layer, a, b in zip(layers, low, high, strict=True)}


def _layers_with_kernel(model: Any) -> list[Any]:
    """Those whose weights int8 rounds; biases stay at 32 bits."""
    return [layer for layer in model.layers if getattr(layer, "kernel", None) is not None]


def _shared_axes(layer: Any) -> tuple[int, ...]:
    """The axes of the kernel that share a step: all but the channels, which are the last two of a depthwise kernel."""
    channels = 2 if isinstance(layer, keras.layers.DepthwiseConv2D) else 1
    return tuple(range(len(layer.kernel.shape) - channels))


def _distance(spread: float) -> Callable[[Any, Any], Any]:
    return lambda target, logits: ops.mean(ops.square((logits - target) / spread), axis=-1)


def _predict(model: Any, pixels: npt.NDArray[np.uint8], value_range: Range, batch: int) -> Floats:
    logits = keras.Model(model.input, model.outputs[0])
    parts = [
        np.asarray(logits.predict_on_batch(scale(pixels[i : i + batch], value_range))) for i in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts)


def _assign(variables: Sequence[Any], values: Sequence[Floats]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
