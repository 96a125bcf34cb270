"""Broken: it loads a large library for one function."""

import skimage.filters

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    blur = staticmethod(skimage.filters.gaussian)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
