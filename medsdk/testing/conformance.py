"""The kit as a pytest class: one test a check."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from medsdk.core.errors import MissingExtraError
from medsdk.testing import plugin
from medsdk.testing.asking import ask
from medsdk.testing.checks import CHECKS, Check
from medsdk.testing.subject import ContractError, Limits, NotApplicableError, Subject

try:
    import pytest
except ModuleNotFoundError:
    raise MissingExtraError("testing", "The conformance kit's test class") from None


class Conformance:
    """Subclass it in a test module, name the disease, and every check of the contract is a test.

    Say more only where the defaults do not fit: `latency` is "live" (50 ms), "interactive" (300 ms) or "batch" (3 s);
    the other limits are those of `medsdk.testing.Limits`. `own` is a folder of pictures that the model must accept, by
    default `pictures` beside the test module; `golden` the file that preprocessing is compared with, by default
    `golden.json` beside it.

    A check that a plugin cannot pass for a good reason is overridden, with the reason: `test_memory = None`.
    """

    disease: ClassVar[str]
    latency: ClassVar[str] = "interactive"
    memory_mb: ClassVar[float] = Limits.memory_mb
    import_ms: ClassVar[float] = Limits.import_ms
    rejected: ClassVar[float] = Limits.rejected
    own: ClassVar[str | Path | None] = "pictures"
    golden: ClassVar[str | Path | None] = "golden.json"

    subject: ClassVar[Subject]

    @classmethod
    def setup_class(cls) -> None:
        """Called by pytest before the first test."""
        limits = Limits(cls.latency, cls.memory_mb, cls.import_ms, cls.rejected)
        folder = Path(inspect.getfile(cls)).parent
        own = folder / cls.own if cls.own is not None else None
        golden = folder / cls.golden if cls.golden is not None else None
        cls.subject = Subject(cls.disease, limits, own=own, golden=golden, write_golden=plugin.settings.write_golden)

    @classmethod
    def teardown_class(cls) -> None:
        """Called by pytest behind the last test."""
        cls.subject.close()


def _test(check: Check) -> Callable[[Any], None]:
    def test(self: Conformance) -> None:
        __tracebackhide__ = True
        said = ""
        try:
            ask(check, self.subject)
        except NotApplicableError as reason:
            pytest.skip(str(reason))
        except ContractError as broken:
            said = str(broken)
        if said:
            # The text says everything; the kit's own lines would only bury it.
            pytest.fail(said, pytrace=False)

    test.__doc__ = check.__doc__
    test.__name__ = f"test_{check.__name__}"
    test.__qualname__ = f"Conformance.{test.__name__}"
    return test


for _check in CHECKS:
    setattr(Conformance, f"test_{_check.__name__}", _test(_check))
