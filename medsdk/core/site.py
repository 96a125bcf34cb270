"""A site's own calibration and operating point: fitted by `medsdk evaluate --recalibrate`, used in place of the card's.

The file belongs to exactly one model of one disease. The card itself is never changed.
"""

from __future__ import annotations

import copy
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from msgspec import Struct

from medsdk.core.bundle import Bundle
from medsdk.core.card import Calibration, Card, Decision, Identifier, Positive, Sha256, Text
from medsdk.core.errors import SiteError
from medsdk.core.files import write_beside

if TYPE_CHECKING:
    from medsdk.core.plugin import DiseasePlugin

_Plugin = TypeVar("_Plugin", bound="DiseasePlugin")


class Site(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a site uses in place of the card's calibration and decision, for exactly one model.

    `data` names the set that it was fitted on, with its counts; `groups` are patients, slides or whatever was kept
    together.
    """

    schema_version: Literal[1] = 1
    disease: Identifier
    model_sha256: Sha256
    calibration: Calibration
    decision: Decision
    data: Text
    pictures: Positive
    groups: Positive
    positives: Positive
    made: Text
    tool: Text

    def applied_to(self, card: Card) -> Card:
        """The card as the site uses it; the card's own file stays as it is."""
        return msgspec.structs.replace(card, calibration=self.calibration, decision=self.decision)


def write_site(site: Site, path: Path) -> None:
    """As indented JSON. Raises WriteError."""
    write_beside(path, msgspec.json.format(msgspec.json.encode(site), indent=2) + b"\n")


def disease_of(path: str | os.PathLike[str]) -> str:
    """Which disease the file is for. Raises SiteError."""
    return _decoded(path)[0].disease


def read_site(path: str | os.PathLike[str], card: Card) -> tuple[Site, str]:
    """The settings and the sha256 of their file. Raises SiteError, also where they are not for the card's model."""
    site, digest = _decoded(path)
    again = f"Fit them anew: medsdk evaluate {card.disease} --data … --recalibrate {path}"
    if site.disease != card.disease:
        raise SiteError(str(path), f"these settings are for {site.disease!r}, not for {card.disease!r}.", again)
    if site.model_sha256 != card.model.sha256:
        raise SiteError(
            str(path),
            f"these settings were fitted for another model of {card.disease} (sha256 {site.model_sha256[:12]}…, "
            f"installed is {card.model.sha256[:12]}…).",
            again,
        )
    return site, digest


def _decoded(path: str | os.PathLike[str]) -> tuple[Site, str]:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise SiteError(str(path), f"it cannot be read ({error.strerror}).", "Check the path.") from None
    try:
        return msgspec.json.decode(content, type=Site), hashlib.sha256(content).hexdigest()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SiteError(
            str(path),
            f"these are no site's settings: {error}.",
            "Give a file that `medsdk evaluate --recalibrate` wrote, as it wrote it.",
        ) from None


def at_site(plugin: _Plugin, path: str | os.PathLike[str]) -> tuple[_Plugin, str]:
    """A copy of the plugin that decides by the site's settings, and their file's sha256. Raises SiteError."""
    site, digest = read_site(path, plugin.card)
    return with_card(plugin, site.applied_to(plugin.card)), digest


def with_card(plugin: _Plugin, card: Card) -> _Plugin:
    """A copy of the plugin with another card in memory; code, files and model are the plugin's own."""
    other = copy.copy(plugin)
    other.bundle = Bundle(plugin.bundle.folder, card)
    return other
