"""The installed diseases, opened once when the server starts. A broken one is told of and hurts no other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import medsdk
from medsdk.core import registry
from medsdk.core.analyzer import Analyzer, Match
from medsdk.core.bundle import Bundle
from medsdk.core.card import Card
from medsdk.core.errors import MedsdkError, UnknownDiseaseError
from medsdk.core.images import Pixels

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A disease that can be asked for."""

    distribution: str
    version: str
    analyzer: Analyzer

    @property
    def id(self) -> str:
        return self.analyzer.disease

    @property
    def card(self) -> Card:
        """By which pictures are judged: with the site's operating point, where there is one."""
        return self.analyzer.card

    @cached_property
    def published(self) -> Card:
        """As its author published it: the figures in it belong to its own operating point."""
        return Bundle(self.analyzer.plugin.bundle.folder).card if self.analyzer.site_sha256 else self.card


class Catalogue:
    """Every installed disease by id. Nothing here names one: who is installed is shown. `sites` are Settings.sites."""

    def __init__(self, sites: Mapping[str, Path] | None = None) -> None:
        self._sites = sites or {}
        self._entries: dict[str, Entry] = {}
        self.problems: list[registry.Problem] = []
        self.loaded = False

    def load(self) -> None:
        """Open every installed disease. Takes seconds on a small device, so that it runs in a thread."""
        self.problems = list(registry.problems())
        for claim in registry.diseases().values():
            try:
                analyzer = medsdk.load(claim.id, site=self._sites.get(claim.id))
            except MedsdkError as error:
                problem = registry.problem_of(claim, error)
                registry.raise_if_strict(problem)
                self.problems.append(problem)
                _log.warning("A plugin was left out: %s", problem)
                continue
            self._entries[claim.id] = Entry(claim.distribution, claim.version, analyzer)
        self.loaded = True

    @property
    def entries(self) -> list[Entry]:
        return list(self._entries.values())

    def entry(self, disease: str) -> Entry:
        """Raises UnknownDiseaseError."""
        try:
            return self._entries[disease]
        except KeyError:
            names = ", ".join(self._entries) or "none"
            raise UnknownDiseaseError(
                disease, "There is no such disease here.", f"Choose one of those installed: {names}."
            ) from None

    def identify(self, pixels: Pixels) -> list[Match]:
        """The diseases that accept this kind of picture, best first: medsdk.identify with what is open already."""
        matches = []
        for entry in self.entries:
            prediction, limits = entry.analyzer.predict(pixels), entry.card.rejection
            if prediction.verdict != "rejected" and limits is not None and prediction.distance is not None:
                matches.append(Match(entry.id, prediction.distance / limits.limit))
        return sorted(matches, key=lambda match: match.fit)

    def close(self) -> None:
        """Free every model."""
        for entry in self.entries:
            entry.analyzer.close()
