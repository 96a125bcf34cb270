"""Which diseases are installed, and how one is loaded without the others being able to hurt it.

pluggy holds the hooks. Finding and importing is done here over the entry points, because pluggy's own loader lets one
broken plugin stop the host and drops a second plugin of the same name in silence.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

from medsdk.core import entry_points, hookspecs, installing
from medsdk.core.allowing import ALLOW, allow_list, is_allowed
from medsdk.core.entry_points import EntryPoint
from medsdk.core.errors import BrokenPluginError, DuplicateDiseaseError, MedsdkError, UnknownDiseaseError
from medsdk.core.hookspecs import API_VERSION

if TYPE_CHECKING:
    from medsdk.core.plugin import DiseasePlugin

ENTRY_POINTS = "medsdk"
STRICT = "MEDSDK_STRICT"


@dataclass(frozen=True)
class InstalledDisease:
    """A disease that an installed distribution offers; nothing of it has been imported."""

    id: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        return f"{self.id} ({self.distribution} {self.version})"


@dataclass(frozen=True)
class Problem:
    """A plugin that cannot be used, and what to do about it."""

    disease: str
    distribution: str
    version: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.disease} ({self.distribution} {self.version}): {self.cause} {self.remedy}"


def installed(group: str = ENTRY_POINTS) -> list[InstalledDisease]:
    """Every claim on an id that MEDSDK_PLUGINS and the allow files let through, sorted; imports nothing."""
    allowed = allow_list()
    found = [InstalledDisease(entry.name, *_name_and_version(entry), entry) for entry in entry_points.find(group)]
    let_through = [
        claim
        for claim in found
        if is_allowed(claim.distribution, claim.id) and allowed.permits(claim.distribution, claim.version)
    ]
    return sorted(let_through, key=lambda claim: (claim.id, claim.distribution))


def diseases() -> dict[str, InstalledDisease]:
    """The installed diseases by id, without importing any of them.

    An id that two distributions claim is left out; `problems()` tells of it. Under MEDSDK_STRICT=1 it is raised.
    """
    found, duplicates = survey()
    for problem in duplicates:
        raise_if_strict(problem)
    return found


def survey() -> tuple[dict[str, InstalledDisease], list[Problem]]:
    """What `diseases()` and `problems()` say, from one search of the installed distributions; raises nothing."""
    claims = _claims()
    found = {name: group[0] for name, group in claims.items() if len(group) == 1}
    return found, list(_duplicates(claims))


def problems() -> list[Problem]:
    """What can be said against the installed plugins without importing them: ids claimed twice."""
    return list(_duplicates(_claims()))


def raise_if_strict(problem: Problem) -> None:
    """MEDSDK_STRICT=1 turns a report into an error."""
    if os.environ.get(STRICT, "") not in ("", "0"):
        raise BrokenPluginError(problem.disease, f"{problem} ({STRICT} is set.)", "")


def load_plugin(disease: str) -> tuple[DiseasePlugin, InstalledDisease]:
    """Import the one distribution that offers the disease.

    Raises UnknownDiseaseError, DuplicateDiseaseError or BrokenPluginError, each naming the distribution, its version,
    the cause and the remedy.
    """
    claims = _claims().get(disease, [])
    if not claims:
        names = ", ".join(_claims()) or "none"
        raise UnknownDiseaseError(
            disease,
            f"No installed plugin offers {disease!r}; installed: {names}.",
            f"Install it ({installing.plugin(disease)}), or check {ALLOW}.",
        )
    if len(claims) > 1:
        (duplicate,) = _duplicates({disease: claims})
        raise DuplicateDiseaseError(disease, f"{disease!r}: {duplicate.cause}", duplicate.remedy)
    return _import(claims[0]), claims[0]


def problem_of(claim: InstalledDisease, error: MedsdkError) -> Problem:
    """An error met while loading or using a plugin, as a report."""
    return Problem(claim.id, claim.distribution, claim.version, error.problem, error.remedy)


def new_manager() -> pluggy.PluginManager:
    """A manager of its own for each plugin, so that one cannot be in another's way."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def call_hook(claim: InstalledDisease, hook: str) -> list[Any]:
    """Import the claim's module, call its hook and return what it registered. Raises BrokenPluginError."""
    registered: list[Any] = []
    try:
        module = claim.entry_point.load()
        _check_api(claim, getattr(module, "medsdk_api", API_VERSION))
        manager = new_manager()
        manager.register(module)
        manager.check_pending()
        getattr(manager.hook, hook)(register=registered.append)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BrokenPluginError:
        raise
    except BaseException as error:  # a plugin's import may raise anything, even SystemExit
        raise _broken(claim, f"{type(error).__name__}: {error}") from error
    return registered


def _import(claim: InstalledDisease) -> DiseasePlugin:
    from medsdk.core.plugin import DiseasePlugin  # brings cv2, which listing does not need

    plugins = call_hook(claim, "medsdk_register_diseases")
    for plugin in plugins:
        if not isinstance(plugin, DiseasePlugin):
            raise _broken(claim, f"it registers {type(plugin).__name__}, which is no medsdk.DiseasePlugin")
        _check_api(claim, plugin.medsdk_api)
    offered = {plugin.card.disease: plugin for plugin in plugins}
    if claim.id not in offered:
        raise _broken(claim, f"it registers {', '.join(offered) or 'nothing'}, not {claim.id!r}")
    return offered[claim.id]


def _check_api(claim: InstalledDisease, version: object) -> None:
    if str(version) != API_VERSION:
        raise _broken(claim, f"it is written for medsdk_api {version!r}, this medsdk offers {API_VERSION!r}")


def _broken(claim: InstalledDisease, cause: str) -> BrokenPluginError:
    return BrokenPluginError(
        claim.id,
        f"The plugin {claim} cannot be used: {cause}.",
        f"Update it, or remove it: pip uninstall {claim.distribution}",
    )


def _claims() -> dict[str, list[InstalledDisease]]:
    claims: dict[str, list[InstalledDisease]] = {}
    for claim in installed():
        claims.setdefault(claim.id, []).append(claim)
    return claims


def _duplicates(claims: dict[str, list[InstalledDisease]]) -> Iterator[Problem]:
    for disease, group in claims.items():
        if len(group) < 2:
            continue
        names = [f"{claim.distribution} {claim.version}" for claim in group]
        yield Problem(
            disease,
            " and ".join(claim.distribution for claim in group),
            " and ".join(claim.version for claim in group),
            f"the id is claimed by {' and '.join(names)}.",
            f"Remove one (pip uninstall {group[0].distribution}), or allow one by {ALLOW}.",
        )


def _name_and_version(entry: EntryPoint) -> tuple[str, str]:
    """From the folder's name, as the wheel format has it; else from METADATA, which takes six times as long to list."""
    folder = entry.folder.name if entry.folder is not None else ""
    parts = folder.removesuffix(".dist-info").split("-")
    if folder.endswith(".dist-info") and len(parts) == 2:
        return parts[0].replace("_", "-"), parts[1]
    return entry.dist.name, entry.dist.version
