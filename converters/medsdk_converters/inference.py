"""Many preprocessed pictures through a model: the float one, or the exported one with the device's own runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk.core import screening
from medsdk.core.preprocessing import scale
from medsdk.core.runtime import Model
from medsdk_converters import context

Floats: TypeAlias = npt.NDArray[np.float32]
Progress: TypeAlias = Callable[[Iterable[int], int], Iterable[int]]

_PLAIN_RANGE = (-1.0, 1.0)
_BATCH = 32


@dataclass(frozen=True)
class Inferred:
    """logits (n, k) and what rejection measures (n, c): context, else averaged features; c is 0 where there is neither."""

    logits: Floats
    pooled: Floats


def infer(
    content: bytes, pixels: npt.NDArray[np.uint8], progress: Progress, value_range: tuple[float, float] = _PLAIN_RANGE
) -> Inferred:
    """`pixels` (n, h, w, 3) uint8; a model with float input gets them in the value range."""
    logits, pooled = [], []
    with Model(content, "the exported model") as model:
        floating = model.input_dtype == "float32"
        for i in progress(range(len(pixels)), len(pixels)):
            values = pixels[i : i + 1]
            outputs = model.run(scale(values, value_range) if floating else values)
            logits.append(outputs["logits"])
            before = context.joined(outputs)
            if before is not None:
                pooled.append(before)
            elif "features" in outputs:
                pooled.append(screening.pool(outputs["features"]))
    return Inferred(np.stack(logits), np.stack(pooled) if pooled else np.zeros((len(logits), 0), np.float32))


def float_logits(model: Any, pixels: npt.NDArray[np.uint8], value_range: tuple[float, float] = _PLAIN_RANGE) -> Floats:
    """(n, k) of a Keras model whose first output is logits."""
    parts = []
    for start in range(0, len(pixels), _BATCH):
        outputs = model.predict_on_batch(scale(pixels[start : start + _BATCH], value_range))
        parts.append(np.asarray(outputs[0] if isinstance(outputs, (list, tuple)) else outputs))
    return np.concatenate(parts)
