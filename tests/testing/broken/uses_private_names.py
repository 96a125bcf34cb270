"""Broken: it imports what medsdk may change tomorrow."""

import medsdk
from medsdk.core.images import MAX_PIXELS  # noqa: F401


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
