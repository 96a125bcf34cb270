"""Broken: it keeps a copy of every picture."""

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def __init__(self):
        self.seen = []

    def preprocess(self, image):
        self.seen.append(image.astype(float))
        return super().preprocess(image)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
