"""Broken: it feeds blue for red, as a script with cv2.imread did once."""

from dataclasses import replace

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        tensor = super().preprocess(image)
        return replace(tensor, values=tensor.values[..., ::-1].copy())


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
