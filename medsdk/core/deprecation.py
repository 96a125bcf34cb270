"""What will go away, and since when it says so (docs/reference/stability.md): a warning for at least one minor version."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

# Every promise that was given by the decorator; a test sees to it that none is overdue.
GIVEN: list[Deprecation] = []


@dataclass(frozen=True)
class Deprecation:
    """`name` warns from version `since` on and is gone in `until`, both "major.minor"; `instead` is what to use.

    Raises ValueError where there is no minor version between the first warning and the end.
    """

    name: str
    since: str
    until: str
    instead: str

    def __post_init__(self) -> None:
        if _minor(self.until) <= _minor(self.since):
            raise ValueError(f"{self.name}: it must warn for at least one minor version before it goes")

    def __str__(self) -> str:
        return f"{self.name} is deprecated since medsdk {self.since} and goes in {self.until}: use {self.instead}."

    def warn(self, stacklevel: int = 2) -> None:
        """A DeprecationWarning that points at the caller's caller, as `warnings.warn` counts."""
        warnings.warn(str(self), DeprecationWarning, stacklevel=stacklevel + 1)

    def is_due(self, version: str) -> bool:
        """Whether a release of this version must no longer have the name."""
        return _minor(version) >= _minor(self.until)


def deprecated(
    *, since: str, until: str, instead: str
) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]:
    """For a function or method that will go: it works on, and every call warns."""

    def mark(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
        promise = Deprecation(f"{function.__module__}.{function.__qualname__}()", since, until, instead)
        GIVEN.append(promise)

        @functools.wraps(function)
        def warning(*arguments: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
            promise.warn()
            return function(*arguments, **options)

        return warning

    return mark


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
