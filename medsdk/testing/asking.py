"""The kit without pytest: for programs, and for whoever installs a plugin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from medsdk.testing.checks import CHECKS, FIRST, Check
from medsdk.testing.subject import ContractError, Limits, NotApplicableError, Subject


@dataclass(frozen=True)
class Outcome:
    """One check's answer; `message` says what failed, or why the check did not apply."""

    check: str
    question: str
    state: Literal["passed", "failed", "skipped"]
    message: str = ""


def ask(check: Check, subject: Subject) -> None:
    """One check; but of a plugin that cannot be loaded, only those that say why. Raises what the check raises."""
    if check not in FIRST:
        try:
            _ = subject.plugin
        except ContractError:
            raise NotApplicableError("The plugin cannot be loaded; registration says why.") from None
    check(subject)


def verify(disease: str, limits: Limits | None = None) -> Iterator[Outcome]:
    """Every check of the contract on an installed disease, each as soon as it is answered."""
    subject = Subject(disease, limits)
    try:
        for check in CHECKS:
            question = (check.__doc__ or "").partition("\n")[0]
            try:
                ask(check, subject)
            except NotApplicableError as reason:
                yield Outcome(check.__name__, question, "skipped", str(reason))
            except Exception as error:  # a plugin may raise anything, and the other checks must still be asked
                yield Outcome(check.__name__, question, "failed", str(error) or type(error).__name__)
            else:
                yield Outcome(check.__name__, question, "passed")
    finally:
        subject.close()
