"""An installed plugin: its files as they were installed, its bundle whole, and only then its code loaded."""

from __future__ import annotations

from pathlib import Path

from medsdk.checking.bundle import check_bundle
from medsdk.checking.model import Check, all_passed
from medsdk.core import registry, trust
from medsdk.core.bundle import Bundle
from medsdk.core.errors import MedsdkError
from medsdk.core.hookspecs import API_VERSION
from medsdk.core.registry import InstalledDisease, Problem


def check_installed(claim: InstalledDisease) -> list[Check]:
    """Every question that can be asked. The plugin is imported last, and not at all if anything before failed."""
    standing = trust.examine(claim)
    checks = [Check("files", standing.intact, standing.summary)]
    card = trust.card_file(claim)
    if card is None:
        checks.append(Check("schema", False, "no card.json is in the distribution"))
    else:
        checks += check_bundle(card.parent)
    if not all_passed(checks):
        return [*checks, Check("plugin", None, "not imported, because of what failed above")]
    return [*checks, _loaded(claim, card)]


def claimed_twice(problem: Problem) -> list[Check]:
    """What can be said of an id that two distributions claim: neither is used."""
    return [Check("id", False, f"{problem.cause} {problem.remedy}")]


def _loaded(claim: InstalledDisease, card: Path | None) -> Check:
    try:
        plugin, _ = registry.load_plugin(claim.id)
    except MedsdkError as error:
        return Check("plugin", False, str(error))
    if card is None or plugin.card != Bundle(card.parent).card:
        return Check("plugin", False, f"it loads, but with another card than {card}")
    return Check("plugin", True, f"it loads, for medsdk_api {API_VERSION}")
