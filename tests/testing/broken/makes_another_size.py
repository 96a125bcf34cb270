"""Broken: its tensor is not of the model's size."""

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        return super().preprocess(image).values[:, :32, :32]


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
