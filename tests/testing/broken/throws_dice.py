"""Broken: it adds chance to its answer."""

import random
from dataclasses import replace

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def postprocess(self, outputs):
        return replace(super().postprocess(outputs), details={"luck": random.random()})


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
