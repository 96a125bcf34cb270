"""Broken: its card says untrained, and it answers all the same."""

from dataclasses import replace

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def postprocess(self, outputs):
        return replace(super().postprocess(outputs), verdict="positive", reason=None)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
