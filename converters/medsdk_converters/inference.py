"""Many preprocessed pictures through an exported model, with the runtime that the device uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk.core import screening
from medsdk.core.preprocessing import scale
from medsdk.core.runtime import Model

Floats: TypeAlias = npt.NDArray[np.float32]
Progress: TypeAlias = Callable[[Iterable[int], int], Iterable[int]]


@dataclass(frozen=True)
class Inferred:
    """logits (n, k) and globally averaged features (n, c)."""

    logits: Floats
    pooled: Floats


def infer(content: bytes, pixels: npt.NDArray[np.uint8], progress: Progress) -> Inferred:
    """`pixels` (n, h, w, 3) uint8; a model with float input gets them in -1..1."""
    logits, pooled = [], []
    with Model(content, "the exported model") as model:
        floating = model.input_dtype == "float32"
        for i in progress(range(len(pixels)), len(pixels)):
            values = pixels[i : i + 1]
            outputs = model.run(scale(values, (-1.0, 1.0)) if floating else values)
            logits.append(outputs["logits"])
            if "features" in outputs:
                pooled.append(screening.pool(outputs["features"]))
    return Inferred(np.stack(logits), np.stack(pooled) if pooled else np.zeros((len(logits), 0), np.float32))
