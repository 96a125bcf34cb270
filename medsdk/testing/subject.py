"""The disease under test: an installed plugin, its card, and two ways to ask it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from medsdk.core import registry
from medsdk.core.analyzer import Analyzer
from medsdk.core.card import Card
from medsdk.core.errors import MedsdkError
from medsdk.core.images import Pixels
from medsdk.core.plugin import DiseasePlugin
from medsdk.core.registry import InstalledDisease
from medsdk.core.site import with_card
from medsdk.testing import pictures

if TYPE_CHECKING:
    from medsdk.testing.probe import Report

# Milliseconds from a decoded picture to a prediction, on one thread of an ordinary computer.
LATENCY_CLASSES = {"live": 50.0, "interactive": 300.0, "batch": 3000.0}


class ContractError(AssertionError):
    """The plugin breaks the contract; the text says where, and what to do."""


class NotApplicableError(Exception):
    """The check has nothing to look at here; the text says what it lacks."""


@dataclass(frozen=True)
class Limits:
    """What a plugin may cost, and how much it must refuse.

    `memory_mb` is the whole process's peak, Python and medsdk included; `import_ms` is processor time; `rejected` is the
    share of foreign pictures that must be rejected.
    """

    latency: str = "interactive"
    memory_mb: float = 512.0
    import_ms: float = 500.0
    rejected: float = 0.9

    def __post_init__(self) -> None:
        if self.latency not in LATENCY_CLASSES:
            raise ValueError(f"latency is {self.latency!r}; the classes are {', '.join(LATENCY_CLASSES)}")


class Subject:
    """An installed disease. Nothing is loaded before a check asks for it.

    `own` is a folder of pictures that the model must accept; `golden` the file that its preprocessing is compared with,
    written anew where `write_golden` is set.
    """

    def __init__(
        self,
        disease: str,
        limits: Limits | None = None,
        *,
        own: str | os.PathLike[str] | None = None,
        golden: str | os.PathLike[str] | None = None,
        write_golden: bool = False,
    ) -> None:
        self.disease = disease
        self.limits = limits or Limits()
        self.own = Path(own) if own is not None else None
        self.golden = Path(golden) if golden is not None else None
        self.write_golden = write_golden

    @property
    def claims(self) -> list[InstalledDisease]:
        return [claim for claim in registry.installed() if claim.id == self.disease]

    @cached_property
    def claim(self) -> InstalledDisease:
        """The one distribution that offers the disease. Raises ContractError."""
        claims = self.claims
        if not claims:
            raise ContractError(
                f"No installed distribution has the entry point {self.disease!r} in the group 'medsdk'. "
                "Install the package (pip install -e .) and look at [project.entry-points.medsdk]."
            )
        if len(claims) > 1:
            raise ContractError(
                f"{self.disease!r} is claimed by {' and '.join(str(claim) for claim in claims)}. Remove one."
            )
        return claims[0]

    @property
    def distribution(self) -> metadata.Distribution:
        return self.claim.entry_point.dist

    @cached_property
    def plugin(self) -> DiseasePlugin:
        """Raises ContractError with what the loader said."""
        _ = self.claim
        try:
            return registry.load_plugin(self.disease)[0]
        except MedsdkError as error:
            raise ContractError(str(error)) from error

    @property
    def card(self) -> Card:
        return self.plugin.card

    @cached_property
    def analyzer(self) -> Analyzer:
        return Analyzer(self.plugin, self.claim.distribution, self.claim.version)

    @cached_property
    def lenient(self) -> Analyzer:
        """The same plugin without its rejection limit, so that the numbers behind a refusal can be looked at too."""
        return self.open_lenient()

    def open_lenient(self) -> Analyzer:
        """A new one, with interpreters of its own."""
        return Analyzer(without_rejection(self.plugin), self.claim.distribution, self.claim.version)

    @cached_property
    def own_pictures(self) -> dict[str, Path]:
        """The pictures that the model must accept, by name."""
        if self.own is None or not self.own.is_dir():
            return {}
        return {path.name: path for path in sorted(self.own.rglob("*")) if path.suffix.lower() in pictures.ENDINGS}

    @cached_property
    def report(self) -> Report:
        """What the plugin did in a process of its own, watched."""
        from medsdk.testing.probe import watch

        return watch(self)

    def samples(self) -> dict[str, Pixels]:
        """Pictures that are not blank, to ask the lenient analyzer about."""
        return pictures.samples()

    def close(self) -> None:
        """Free the interpreters that were opened."""
        for name in ("analyzer", "lenient"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()


def without_rejection(plugin: DiseasePlugin) -> DiseasePlugin:
    """A copy whose card has no rejection limit; code and model are the plugin's own."""
    return with_card(plugin, msgspec.structs.replace(plugin.card, rejection=None))
