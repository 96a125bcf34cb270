"""The sites' own operating points by which a server judges, one a disease. They are looked at before it listens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from medsdk.core import registry
from medsdk.core.errors import SiteError
from medsdk.core.site import disease_of, read_site


def by_disease(paths: Iterable[Path]) -> Mapping[str, Path]:
    """The files by the disease that each names.

    Raises SiteError where one cannot be read, is for another model or a second one for its disease; and what loading a
    plugin raises. A server that began without would judge by the card while its owner believes otherwise.
    """
    found: dict[str, Path] = {}
    for path in paths:
        disease = disease_of(path)
        if disease in found:
            raise SiteError(str(path), f"{found[disease]} is for {disease!r} too.", "Give one of them.")
        plugin, _ = registry.load_plugin(disease)
        read_site(path, plugin.card)
        found[disease] = path
    return found
