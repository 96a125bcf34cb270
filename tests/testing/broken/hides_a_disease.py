"""Broken: it registers a second disease that no entry point tells of."""

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)


class Hidden(Dots):
    @property
    def card(self):
        import msgspec

        return msgspec.structs.replace(super().card, disease="hidden")


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
    register(Hidden())
