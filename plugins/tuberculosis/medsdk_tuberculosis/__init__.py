"""Pulmonary tuberculosis in a frontal chest film."""

from __future__ import annotations

from collections.abc import Callable

import medsdk

# The contract that this plugin is written for.
medsdk_api = "1"


class Tuberculosis(medsdk.DiseasePlugin):
    """Everything it needs stands in the card."""

    bundle = medsdk.Bundle.beside(__file__)


@medsdk.hookimpl
def medsdk_register_diseases(register: Callable[[medsdk.DiseasePlugin], None]) -> None:
    """Tell medsdk of this disease."""
    register(Tuberculosis())
