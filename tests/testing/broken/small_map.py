"""Broken: its attention map has the size of the feature map."""

from dataclasses import replace

import numpy as np

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def postprocess(self, outputs):
        prediction = super().postprocess(outputs)
        small = medsdk.Attention(np.ones((8, 8), np.float32), lambda: outputs.picture.pixels)
        return replace(prediction, explain=lambda: small)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
