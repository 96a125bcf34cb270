"""EfficientNet-Lite0, -Lite1 and -Lite2 in Keras 3.

Source of the architecture: M. Tan and Q. V. Le, "EfficientNet", ICML 2019, table 1, with the changes of the Lite variants
(TensorFlow blog, "Higher accuracy on vision models with EfficientNet-Lite", March 2020): no squeeze-and-excite, ReLU6 for
swish, and stem, first block, last block count and top convolution not scaled. Both changes are what lets it survive int8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras

BATCH_NORM_EPSILON = 1e-3
# ImageNet's statistics are forgotten within a few hundred steps; a shorter fine-tuning wants them frozen or folded.
BATCH_NORM_MOMENTUM = 0.99
STEM_CHANNELS = 32
TOP_CHANNELS = 1280


@dataclass(frozen=True)
class Scaling:
    """How far a variant is wider and deeper than Lite0, and the picture size in pixels that it was trained at."""

    width: float
    depth: float
    size: int


VARIANTS: dict[str, Scaling] = {
    "efficientnet_lite0": Scaling(width=1.0, depth=1.0, size=224),
    "efficientnet_lite1": Scaling(width=1.0, depth=1.1, size=240),
    "efficientnet_lite2": Scaling(width=1.1, depth=1.2, size=260),
}


@dataclass(frozen=True)
class Stage:
    """A run of inverted-residual blocks; only the first of them has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES: tuple[Stage, ...] = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, channels=320),
)


@dataclass(frozen=True)
class Block:
    """One inverted-residual block, as built: 1x1 expansion, depthwise convolution, 1x1 projection, shortcut."""

    name: str
    kernel: int
    stride: int
    expanded: int | None
    channels: int
    shortcut: bool


def scaled_channels(channels: int, width: float) -> int:
    """``channels * width`` rounded to a multiple of 8, never below 90 % of it (the rule of the MobileNet papers)."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def blocks_of(variant: str) -> list[Block]:
    """Every block of ``variant``, in order; they are named ``block00``, ``block01``, ..."""
    scaling = VARIANTS[variant]
    blocks: list[Block] = []
    before = STEM_CHANNELS
    for position, stage in enumerate(STAGES):
        at_an_end = position in (0, len(STAGES) - 1)
        count = stage.blocks if at_an_end else math.ceil(stage.blocks * scaling.depth)
        channels = scaled_channels(stage.channels, scaling.width)
        for repeat in range(count):
            stride = stage.stride if repeat == 0 else 1
            blocks.append(
                Block(
                    name=f"block{len(blocks):02d}",
                    kernel=stage.kernel,
                    stride=stride,
                    expanded=before * stage.expansion if stage.expansion > 1 else None,
                    channels=channels,
                    shortcut=stride == 1 and before == channels,
                )
            )
            before = channels
    return blocks


def feature_map(image: Any, variant: str) -> Any:
    """The backbone of ``variant`` applied to a symbolic picture.

    ``image`` is float32 (b, h, w, 3) in -1..1; the result is (b, ceil(h/32), ceil(w/32), 1280), not negative, at most 6.
    """
    x = _normalised(_convolution(STEM_CHANNELS, 3, 2, "stem_conv")(image), "stem")
    x = _relu6("stem")(x)
    for block in blocks_of(variant):
        x = _inverted_residual(x, block)
    x = _normalised(_convolution(TOP_CHANNELS, 1, 1, "top_conv")(x), "top")
    return _relu6("top")(x)


def _inverted_residual(x: Any, block: Block) -> Any:
    start = x
    if block.expanded is not None:
        x = _normalised(_convolution(block.expanded, 1, 1, f"{block.name}_expand_conv")(x), f"{block.name}_expand")
        x = _relu6(f"{block.name}_expand")(x)
    depthwise = keras.layers.DepthwiseConv2D(
        block.kernel,
        strides=block.stride,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{block.name}_depthwise_conv",
    )
    x = _normalised(depthwise(x), f"{block.name}_depthwise")
    x = _relu6(f"{block.name}_depthwise")(x)
    x = _normalised(_convolution(block.channels, 1, 1, f"{block.name}_project_conv")(x), f"{block.name}_project")
    return keras.layers.Add(name=f"{block.name}_add")([start, x]) if block.shortcut else x


def _convolution(channels: int, kernel: int, stride: int, name: str) -> Any:
    return keras.layers.Conv2D(
        channels,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )


def _normalised(x: Any, stem: str) -> Any:
    layer = keras.layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM, name=f"{stem}_bn")
    return layer(x)


def _relu6(stem: str) -> Any:
    return keras.layers.ReLU(max_value=6.0, name=f"{stem}_relu6")
