"""The outputs that rejection measures: averaged feature maps of earlier blocks.

The last feature map knows what tells the classes apart and little else: after fine-tuning, and in eight bits, most of its
channels are silent, and a foreign picture looks like any other (docs/explanation/rejection.md has the figures). The blocks
before it still know what kind of picture this is. Their global averages cost next to nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core.runtime import Model

PREFIX = "context_"

# At these depths (shares of the blocks): edges and colours at the one end, parts of things at the other.
_DEPTHS = (0.15, 0.3, 0.5, 0.7, 0.9)
_FEWEST_BLOCKS = 8


def extend(model: Any) -> tuple[Any, list[str]]:
    """The model with one more output (b, c) for each depth, and their names; itself where it has too few blocks."""
    import keras

    from medsdk_converters import backbones

    blocks = backbones.cut_points(model) if hasattr(model, "layers") and len(model.inputs) == 1 else []
    if len(blocks) < _FEWEST_BLOCKS:
        return model, []
    chosen = [blocks[int(depth * len(blocks))] for depth in _DEPTHS]
    maps = [backbones.split(model, block)[0].output for block in chosen]
    names = [f"{PREFIX}{number}" for number in range(1, len(maps) + 1)]
    averages = [keras.layers.GlobalAveragePooling2D(name=name)(m) for name, m in zip(names, maps, strict=True)]
    return keras.Model(model.input, [*model.outputs, *averages], name="with_context"), names


def names_in(content: bytes) -> tuple[str, ...]:
    """The context outputs of an exported model, in order."""
    with Model(content, "the exported model") as model:
        return tuple(sorted(name for name in model.output_shapes if name.startswith(PREFIX)))


def joined(outputs: dict[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32] | None:
    """All context outputs of one picture as one vector (c,); None where the model has none."""
    names = sorted(name for name in outputs if name.startswith(PREFIX))
    return np.concatenate([outputs[name] for name in names]) if names else None
