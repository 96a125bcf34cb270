"""Broken: it writes a line about every picture into the temporary folder."""

import tempfile
from pathlib import Path

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        with Path(tempfile.gettempdir(), "dots.log").open("a") as log:
            log.write(f"{image.shape}\n")
        return super().preprocess(image)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
