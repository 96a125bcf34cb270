"""The bias of the trained head, fitted to how often each label occurs: what the network sees is left as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.evaluation.operating import Activation, fit_bias
from medsdk_converters.errors import RecipeError

_HEAD = "logits"


def fit(model: Any, logits: npt.NDArray[np.float32], truth: npt.NDArray[np.int64], activation: Activation) -> None:
    """Change the model in place, by its val logits (n, k) and their labels (n,). Raises RecipeError without such a head."""
    layer = next((layer for layer in getattr(model, "layers", ()) if layer.name == _HEAD), None)
    if layer is None or getattr(layer, "bias", None) is None:
        raise RecipeError(f"The model has no layer {_HEAD!r} with a bias.", "Take calibrate.head_bias out of the recipe.")
    layer.bias.assign(np.asarray(layer.bias) + fit_bias(logits, truth, activation))
