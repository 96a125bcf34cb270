"""Dark dots on a disc, under any lamp: an example of a plugin that overrides preprocess and postprocess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

import medsdk

# The median colour of the training pictures' discs, red-green-blue: what white light makes of them.
DISC = np.array([218.0, 150.0, 159.0])

# Darker than this in every channel is background, which shows no lamp.
BACKGROUND = 24

# A place speaks for the disease where its attention is at least this share of the strongest.
SPEAKS = 0.5


class Stipple(medsdk.DiseasePlugin):
    """The card's steps behind a correction of the light; the extent of what was found beside the verdict."""

    medsdk_api = "1"
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image: npt.NDArray[np.uint8]) -> medsdk.Tensor:
        """RGB uint8 (h, w, 3) to the model's input, as if under white light."""
        return super().preprocess(under_white_light(image))

    def postprocess(self, outputs: medsdk.ModelOutputs) -> medsdk.Prediction:
        """The usual prediction, and in `details` the share of the picture that spoke for the disease."""
        prediction = super().postprocess(outputs)
        attention = prediction.attention
        if attention is None:  # rejected: nothing was judged
            return prediction
        extent = round(float((attention >= SPEAKS).mean()), 4)
        return replace(prediction, details={**prediction.details, "extent": extent})


def under_white_light(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Each channel scaled so that what is not background has the discs' colour. A new array; the old one is kept."""
    shown = image[image.max(axis=2) > BACKGROUND]
    if not len(shown):
        return image
    gains = DISC / np.maximum(np.median(shown, axis=0), 1)
    return np.clip(image * gains, 0, 255).astype(np.uint8)


@medsdk.hookimpl
def medsdk_register_diseases(register: Callable[[medsdk.DiseasePlugin], None]) -> None:
    """Tell medsdk of this disease."""
    register(Stipple())
