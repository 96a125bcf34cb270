"""Broken: it was written for another contract."""

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)
    medsdk_api = "2"


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
