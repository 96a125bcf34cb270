"""Broken: every picture takes a while."""

import time

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        time.sleep(0.06)
        return super().preprocess(image)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
