"""Which operation reads which, within one model.

``layer.input`` and a layer's outbound nodes will not do: layers are shared between a model and its parts, and remember the
graphs of all of them.
"""

from __future__ import annotations

from typing import Any

import keras


def reads(model: keras.Model) -> dict[str, list[str]]:
    """For each operation of ``model`` (a layer, or a bare division in a head), the names of those whose outputs it reads."""
    return {
        node.operation.name: [tensor._keras_history.operation.name for tensor in node.input_tensors]
        for node in _nodes(model)
    }


def output_of(model: keras.Model, operation: str) -> Any:
    """The symbolic output of an operation in ``model``'s own graph."""
    return next(node.output_tensors[0] for node in _nodes(model) if node.operation.name == operation)


def _nodes(model: keras.Model) -> list[Any]:
    return [node for level in model._nodes_by_depth.values() for node in level]
