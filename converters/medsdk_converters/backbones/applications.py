"""MobileNetV2, ResNet50, VGG16 and InceptionV3 from keras.applications, for input in -1..1.

Their ImageNet weights are not in any package, and a training run does not download: the user gives the file (the
``*_tf_dim_ordering_tf_kernels_notop.h5`` of keras.applications), or trains from scratch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from medsdk_converters.backbones.errors import BackboneError

# What Caffe's ResNet and VGG subtract from 0..255 pictures, red, green, blue (keras.applications.imagenet_utils).
CAFFE_MEAN_RGB = (123.68, 116.779, 103.939)


@dataclass(frozen=True)
class Application:
    """A model of keras.applications, and the smallest picture in pixels that it takes.

    ``caffe_convolution`` names its first convolution where the published weights want blue-green-red in 0..255 less the
    mean; the others want -1..1.
    """

    make: Callable[..., keras.Model]
    smallest: int
    caffe_convolution: str | None = None


APPLICATIONS: dict[str, Application] = {
    "mobilenet_v2": Application(keras.applications.MobileNetV2, 32),
    "resnet50": Application(keras.applications.ResNet50, 32, "conv1_conv"),
    "vgg16": Application(keras.applications.VGG16, 32, "block1_conv1"),
    "inception_v3": Application(keras.applications.InceptionV3, 75),
}


def feature_map(image: Any, name: str, weights: Path | None) -> Any:
    """The backbone ``name`` applied to a symbolic picture; the result is (b, fh, fw, c).

    ``image`` is float32 (b, h, w, 3), red-green-blue in -1..1. With ``weights`` the model rescales it to what they were
    trained on; from scratch there is nothing to match, so no op is spent on it. BackboneError for a picture that is too
    small and for a file that does not fit.
    """
    application = APPLICATIONS[name]
    if min(image.shape[1:3]) < application.smallest:
        raise BackboneError(f"{name} needs pictures of at least {application.smallest} x {application.smallest} pixels.")
    if weights is not None and not weights.is_file():
        raise BackboneError(f"There is no weights file {weights}.", f"Give the path of the *_notop.h5 of {name}.")
    caffe_convolution = application.caffe_convolution if weights else None
    x = _caffe_range(image) if caffe_convolution else image
    try:
        model = application.make(include_top=False, weights=weights, input_tensor=x)
    except (ValueError, OSError, KeyError) as error:
        raise BackboneError(f"The weights file {weights} does not fit {name} without its top: {error}") from error
    if caffe_convolution:
        _swap_red_and_blue(model.get_layer(caffe_convolution))
    return model.output


def _caffe_range(image: Any) -> Any:
    offsets = [127.5 - mean for mean in CAFFE_MEAN_RGB]
    return keras.layers.Rescaling(127.5, offsets, name="caffe_range")(image)


def _swap_red_and_blue(convolution: Any) -> None:
    """Let a convolution trained on blue-green-red read red-green-blue: no XNNPACK op reverses channels, the kernel can."""
    kernel, *rest = convolution.get_weights()
    convolution.set_weights([kernel[:, :, ::-1, :], *rest])
