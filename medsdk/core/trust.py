"""What can be known of an installed plugin before any of its code runs.

Nothing here imports a plugin. It shows accidents and carelessness; it cannot hold back code that means harm, because
whoever can change a plugin's files can change the list of their hashes too (docs/explanation/trust.md).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from medsdk.core.errors import MedsdkError

if TYPE_CHECKING:
    from medsdk.core.card import Card
    from medsdk.core.registry import InstalledDisease


@dataclass(frozen=True)
class Standing:
    """An installed plugin, seen from outside.

    `files` is how many files were compared with the hashes in the distribution's RECORD; `changed`, `missing` and
    `unlisted` name those that differ, are gone, or are there without being listed. `editable` means that the code lies
    in somebody's working folder and no hashes exist. What the card says is None where there is no valid card.
    """

    disease: str
    distribution: str
    version: str
    licence: str | None
    status: str | None
    intended_use: str | None
    card_licence: str | None
    editable: bool = False
    files: int = 0
    changed: tuple[str, ...] = field(default=())
    missing: tuple[str, ...] = field(default=())
    unlisted: tuple[str, ...] = field(default=())

    @property
    def intact(self) -> bool | None:
        """Whether every file is as it was installed; None where that cannot be told."""
        if self.editable or not self.files:
            return None
        return not (self.changed or self.missing or self.unlisted)

    @property
    def summary(self) -> str:
        """One line on the files."""
        if self.editable:
            return "editable: the code lies in a working folder, and its files cannot be checked"
        if not self.files:
            return "installed without hashes: its files cannot be checked"
        if self.intact:
            return f"{self.files} files, all as they were installed"
        parts = (("changed", self.changed), ("missing", self.missing), ("not listed", self.unlisted))
        told = "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names)
        return f"NOT as installed: {told}. Reinstall it, or find out who changed it"


def examine(claim: InstalledDisease) -> Standing:
    """What is known of the plugin without importing it."""
    distribution = claim.entry_point.dist
    card = _card(claim, distribution)
    editable = _is_editable(distribution)
    files, changed, missing = (0, (), ()) if editable else _compare(distribution)
    return Standing(
        claim.id,
        claim.distribution,
        claim.version,
        licence_of(distribution),
        card.status if card else None,
        card.intended_use if card else None,
        card.licence if card else None,
        editable,
        files,
        changed,
        missing,
        () if editable else tuple(_unlisted(distribution)),
    )


def card_file(claim: InstalledDisease) -> Path | None:
    """The plugin's card.json, valid or not, found without importing it; None where the distribution holds none."""
    files = list(_card_files(claim, claim.entry_point.dist))
    return next((path for path in files if _disease_in(path) == claim.id), files[0] if files else None)


def licence_of(distribution: metadata.Distribution) -> str | None:
    """The SPDX expression, or what older metadata says of the licence."""
    # get_all, because a missing key is an error in some versions of importlib.metadata and None in others.
    for key in ("License-Expression", "License"):
        found = distribution.metadata.get_all(key) or []
        if found and found[0].strip():
            return str(found[0]).strip().splitlines()[0]
    classifiers = distribution.metadata.get_all("Classifier") or []
    return next((text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License ::")), None)


def _compare(distribution: metadata.Distribution) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """How many files have a hash, which differ from it, which are gone."""
    count, changed, missing = 0, [], []
    for name, recorded in _recorded(distribution):
        count += 1
        try:
            content = Path(str(distribution.locate_file(name))).read_bytes()
        except OSError:
            missing.append(name)
            continue
        digest = base64.urlsafe_b64encode(hashlib.new(recorded.mode, content).digest()).rstrip(b"=").decode()
        if digest != recorded.value:
            changed.append(name)
    return count, tuple(changed), tuple(missing)


def _recorded(distribution: metadata.Distribution) -> Iterator[tuple[str, metadata.FileHash]]:
    """Each file in RECORD with its hash. Read here, because from Python 3.12 on `files` leaves out those that are gone."""
    for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        if len(row) >= 2 and row[1]:  # RECORD itself and what Python compiled have none
            yield row[0], metadata.FileHash(row[1])


def _unlisted(distribution: metadata.Distribution) -> Iterator[str]:
    """Files in the distribution's own packages that its RECORD does not know."""
    files = distribution.files or []
    listed = {Path(str(file.locate())).resolve() for file in files}
    packages = {file.parts[0] for file in files if len(file.parts) > 1 and file.name == "__init__.py"}
    for package in sorted(packages):
        folder = Path(str(distribution.locate_file(package)))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.resolve() not in listed:
                yield f"{package}/{path.relative_to(folder).as_posix()}"


def _card(claim: InstalledDisease, distribution: metadata.Distribution) -> Card | None:
    from medsdk.core.card import read_card

    for path in _card_files(claim, distribution):
        try:
            card = read_card(path)
        except MedsdkError:
            continue
        if card.disease == claim.id:
            return card
    return None


def _disease_in(path: Path) -> str | None:
    """The id that a card names, however damaged the rest of it is."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content.get("disease") if isinstance(content, dict) else None


def _card_files(claim: InstalledDisease, distribution: metadata.Distribution) -> Iterator[Path]:
    for file in distribution.files or []:
        if file.name == "card.json":
            yield Path(str(file.locate()))
    # Of an editable distribution the files are not listed. Finding a top-level package does not import it.
    spec = find_spec(claim.entry_point.module.partition(".")[0]) if _is_editable(distribution) else None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(Path(folder).rglob("card.json"))


def _is_editable(distribution: metadata.Distribution) -> bool:
    try:
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(origin.get("dir_info", {}).get("editable"))
