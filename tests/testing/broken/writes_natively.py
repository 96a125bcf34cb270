"""Broken: it saves every picture through code that Python does not see."""

import tempfile
from pathlib import Path

import cv2

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        cv2.imwrite(str(Path(tempfile.gettempdir(), "last.png")), image)
        return super().preprocess(image)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
