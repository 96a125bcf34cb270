"""A model cut in two at the output of a block, so that the features of a frozen lower part are computed only once."""

from __future__ import annotations

import re

import keras

from medsdk_converters.backbones.errors import BackboneError
from medsdk_converters.backbones.graph import output_of, reads

# What names a block, in the layer names of each family. InceptionV3 has no block prefix: a block ends in `mixed…`.
_BLOCKS = re.compile(r"(block\d\d|block_\d+|conv\d_block\d+|block\d|mixed\d+(?:_\d+)?$)")


def cut_points(model: keras.Model) -> list[str]:
    """The names of the blocks that ``model`` can be cut after, from the picture to the feature map."""
    return list(_cuts(model))


def split(model: keras.Model, at: str) -> tuple[keras.Model, keras.Model]:
    """``model`` as (lower, upper) with ``upper.outputs == model.outputs`` on ``lower``'s output (b, h, w, c).

    ``at`` is one of ``cut_points(model)``. Both share their layers with ``model``: training ``upper`` trains ``model``.
    Freeze what is below (or build with folded or frozen batch-norm), or cached features will not be those of the model.
    """
    cuts = _cuts(model)
    if at not in cuts:
        raise BackboneError(f"{model.name} has no block {at!r} to be cut after.", f"Choose one of {', '.join(cuts)}.")
    tensor = output_of(model, cuts[at])
    lower = keras.Model(model.input, tensor, name=f"{model.name}_to_{at}")
    upper = keras.Model(tensor, model.outputs, name=f"{model.name}_from_{at}")
    return lower, upper


def _cuts(model: keras.Model) -> dict[str, str]:
    """Blocks and the layer that ends each: the last of its layers whose output is all that later layers see."""
    cuts: dict[str, str] = {}
    needed_later = _last_uses(model)
    for position, layer in enumerate(model.operations):
        match = _BLOCKS.match(layer.name)
        open_before = any(last > position for last in needed_later[:position])
        if match and not open_before and needed_later[position] > position:
            cuts.pop(match[1], None)
            cuts[match[1]] = layer.name
    return cuts


def _last_uses(model: keras.Model) -> list[int]:
    """For each operation, the position of the last that reads it."""
    positions = {operation.name: position for position, operation in enumerate(model.operations)}
    last = list(range(len(positions)))
    for name, read in reads(model).items():
        for before in read:
            last[positions[before]] = max(last[positions[before]], positions[name])
    return last
