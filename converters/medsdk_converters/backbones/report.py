"""The two hand-made networks of the original project report, so that its results can be rebuilt and compared.

Only their convolutions are here; the report's dense layers are the head ``dense`` with the sizes in REPORT_HEADS.
"""

from __future__ import annotations

from typing import Any

import keras

# Picture size in pixels, then hidden sizes of the report's head. It ended the malaria network in one sigmoid and the
# tuberculosis network in two softmax outputs; here both are `outputs` logits.
REPORT_SIZES: dict[str, int] = {"report_tuberculosis": 96, "report_malaria": 125}
REPORT_HEADS: dict[str, tuple[int, ...]] = {"report_tuberculosis": (256,), "report_malaria": (120, 60, 10)}

TUBERCULOSIS_CHANNELS = (32, 64, 128)
MALARIA_CHANNELS = (16, 32, 64, 128, 256)
TUBERCULOSIS_DROPOUT = 0.3


def tuberculosis_feature_map(image: Any) -> Any:
    """Three blocks of three 3x3 convolutions, max pooling and dropout: (b, h, w, 3) to (b, h // 8, w // 8, 128)."""
    x = image
    for number, channels in enumerate(TUBERCULOSIS_CHANNELS):
        for repeat in range(3):
            x = _convolution(channels, f"block{number:02d}_conv{repeat}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{number:02d}_pool")(x)
        x = keras.layers.Dropout(TUBERCULOSIS_DROPOUT, name=f"block{number:02d}_dropout")(x)
    return x


def malaria_feature_map(image: Any) -> Any:
    """Five 3x3 convolutions, each with max pooling: (b, h, w, 3) to (b, h // 32, w // 32, 256)."""
    x = image
    for number, channels in enumerate(MALARIA_CHANNELS):
        x = _convolution(channels, f"block{number:02d}_conv")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{number:02d}_pool")(x)
    return x


def _convolution(channels: int, name: str) -> Any:
    return keras.layers.Conv2D(channels, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=name)
