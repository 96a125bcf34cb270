"""Nothing is wrong here: it passes every check. The others differ from it in one thing."""

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
