"""Broken: it lets no picture in."""

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def distance(self, features):
        return 1e9


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
