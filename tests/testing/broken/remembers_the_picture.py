"""Broken: it keeps the picture in itself between two steps, where another thread finds it."""

from dataclasses import replace

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        self.size = image.shape
        return super().preprocess(image)

    def postprocess(self, outputs):
        return replace(super().postprocess(outputs), details={"size": self.size})


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
