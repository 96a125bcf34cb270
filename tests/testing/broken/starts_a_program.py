"""Broken: it asks another program."""

import subprocess
import sys

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        subprocess.run([sys.executable, "-c", ""], check=True)
        return super().preprocess(image)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
