"""Broken: it tells a server of every picture, and hides that it cannot."""

import contextlib
import socket

import medsdk


class Dots(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle.beside(__file__)

    def preprocess(self, image):
        with contextlib.suppress(OSError):
            socket.create_connection(("collector.example", 443), timeout=1).close()
        return super().preprocess(image)


@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Dots())
