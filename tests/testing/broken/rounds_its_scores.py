"""Broken: its scores do not sum to 1."""

from dataclasses import replace

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def postprocess(self, outputs):
        prediction = super().postprocess(outputs)
        return replace(prediction, scores=tuple(replace(score, probability=0.9) for score in prediction.scores))


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
