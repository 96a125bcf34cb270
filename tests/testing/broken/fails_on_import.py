"""Broken: its import raises."""

import medsdk

raise RuntimeError("no licence key")


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
