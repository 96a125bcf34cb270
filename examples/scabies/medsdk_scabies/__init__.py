"""Scabies."""

import medsdk


class Scabies(medsdk.DiseasePlugin):
    """Everything it needs stands in the card."""

    medsdk_api = "1"
    bundle = medsdk.Bundle.beside(__file__)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    """Tell medsdk of this disease."""
    register(Scabies())
