"""The conformance kit: does an installed disease keep medsdk's contract?

In a plugin's own tests, one class:

    from medsdk.testing import Conformance

    class TestScabies(Conformance):
        disease = "scabies"

Without a test file, for whoever installs a plugin: `pytest --medsdk scabies`. Without pytest: `verify("scabies")`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medsdk.testing.asking import Outcome as Outcome
    from medsdk.testing.asking import verify as verify
    from medsdk.testing.conformance import Conformance as Conformance
    from medsdk.testing.subject import ContractError as ContractError
    from medsdk.testing.subject import Limits as Limits
    from medsdk.testing.subject import NotApplicableError as NotApplicableError
    from medsdk.testing.subject import Subject as Subject

# pytest imports this package in every run on a machine that has medsdk: nothing may be loaded before it is used.
_MODULE_OF = {
    "Conformance": "conformance",
    "ContractError": "subject",
    "Limits": "subject",
    "NotApplicableError": "subject",
    "Outcome": "asking",
    "Subject": "subject",
    "verify": "asking",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'medsdk.testing' has no attribute {name!r}")
    return getattr(import_module(f"medsdk.testing.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
