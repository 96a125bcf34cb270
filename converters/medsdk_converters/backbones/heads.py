"""From the last feature map to logits.

Every head is float32 from the pooling on, also under a mixed policy: there is little to compute and much to round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

HEADS = ("linear", "gwap", "dense")
# The 1x1 convolutions before the mask, as in the report's attention network.
MASK_CHANNELS = (64, 16)


def logits(features: Any, *, head: str, outputs: int, hidden: Sequence[int], dropout: float) -> Any:
    """``features`` (b, fh, fw, c) to float32 logits (b, outputs). ``head`` is one of HEADS.

    linear: global average pooling, dropout, dense. The weights of the dense layer times the feature map are the class
        activation map (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016).
    gwap: global weighted average pooling: the features' mean under a learnt mask, in place of the plain mean. XNNPACK has no
        int8 division, so the TFLite model runs in two delegates rather than one.
    dense: the flattened map, dense layers of ``hidden`` sizes with ReLU, dropout, dense: the classic top of VGG16.
    """
    if head == "linear":
        x = _pooled(features, "pool")
    elif head == "gwap":
        x = _weighted_pooled(features)
    else:
        x = keras.layers.Flatten(name="flatten", dtype="float32")(features)
    for number, size in enumerate(hidden):
        x = keras.layers.Dense(
            size, activation="relu", kernel_initializer="he_normal", name=f"dense{number}", dtype="float32"
        )(x)
    x = keras.layers.Dropout(dropout, name="dropout", dtype="float32")(x)
    return keras.layers.Dense(outputs, name="logits", dtype="float32")(x)


def _pooled(x: Any, name: str) -> Any:
    # Becomes MEAN in TFLite, which XNNPACK takes in int8; AVERAGE_POOL_2D it does not.
    return keras.layers.GlobalAveragePooling2D(name=name, dtype="float32")(x)


def _weighted_pooled(features: Any) -> Any:
    """Mean of mask times features, over mean of mask: (b, fh, fw, c) to (b, c)."""
    x = features
    for number, channels in enumerate(MASK_CHANNELS):
        x = keras.layers.Conv2D(channels, 1, activation="relu", kernel_initializer="he_normal", name=f"mask_conv{number}")(x)
    mask = keras.layers.Conv2D(1, 1, activation="sigmoid", name="mask", dtype="float32")(x)
    weighted = keras.layers.Multiply(name="masked", dtype="float32")([features, mask])
    return _pooled(weighted, "masked_pool") / _pooled(mask, "mask_pool")
