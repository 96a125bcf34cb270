"""The packages of the extra `medsdk[evaluate]`, imported where they are used so that nobody else needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from medsdk.core.errors import MissingExtraError


def need(module: str) -> Any:
    """A module of the extra, such as "sklearn.metrics". Raises MissingExtraError."""
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtraError("evaluate", "Evaluation") from None
