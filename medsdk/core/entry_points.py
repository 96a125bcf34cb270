"""The entry points of the installed distributions.

`importlib.metadata` finds the same, and is asked wherever a plain folder does not tell. To import it takes a tenth of a
cold `medsdk predict`, most of it for the `email` package, so that what pip leaves in a folder is read here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib import metadata

_FOLDERS = (".dist-info", ".egg-info")
_FILE = "entry_points.txt"


@dataclass(frozen=True)
class EntryPoint:
    """What importlib.metadata.EntryPoint is, as far as a plugin needs it.

    `value` is `module` or `module:object`; `folder` is the distribution's *.dist-info, None where it lies in no folder.
    """

    name: str
    value: str
    group: str
    folder: Path | None = None
    _distribution: metadata.Distribution | None = None

    @property
    def module(self) -> str:
        return self._parts[0]

    @property
    def dist(self) -> metadata.Distribution:
        """Raises importlib.metadata.PackageNotFoundError for an entry point that belongs to no distribution."""
        from importlib import metadata

        if self._distribution is not None:
            return self._distribution
        if self.folder is None:
            raise metadata.PackageNotFoundError(self.name)
        return metadata.Distribution.at(self.folder)

    def load(self) -> Any:
        """Import the module, and return it or the object in it that `value` names."""
        module, attributes = self._parts
        return reduce(getattr, filter(None, attributes.split(".")), import_module(module))

    @property
    def _parts(self) -> tuple[str, str]:
        module, _, attributes = self.value.partition("[")[0].partition(":")
        return module.strip(), attributes.strip()


def find(group: str) -> list[EntryPoint]:
    """Every entry point of the group; of distributions of one name the first on sys.path counts."""
    if not _all_are_folders():
        return _asked_for(group)
    seen: set[str] = set()
    found: list[EntryPoint] = []
    for folder in _distributions():
        name = _normalised(folder)
        if name not in seen:
            found += _of(folder, group)
        seen.add(name)
    return found


def _all_are_folders() -> bool:
    """Whether sys.path holds only folders, and nobody but Python's own finder offers distributions."""
    others = [finder for finder in sys.meta_path if finder is not PathFinder and hasattr(finder, "find_distributions")]
    return not others and not any(path.endswith((".egg", ".whl")) or Path(path).is_file() for path in sys.path)


def _asked_for(group: str) -> list[EntryPoint]:
    from importlib import metadata

    return [
        EntryPoint(entry.name, entry.value, group, _distribution=entry.dist)
        for entry in metadata.entry_points(group=group)
        if entry.dist is not None
    ]


def _distributions() -> Iterator[Path]:
    for path in map(Path, sys.path):
        try:
            inside = list(path.iterdir())
        except OSError:  # a folder that is not there, or may not be read, holds nothing for Python either
            continue
        yield from (child for child in inside if child.suffix in _FOLDERS)


def _normalised(folder: Path) -> str:
    """The distribution's name, as far as the folder's name tells it, in the one spelling of PEP 503."""
    return re.sub(r"[-_.]+", "-", folder.stem.partition("-")[0]).lower()


def _of(folder: Path, group: str) -> Iterator[EntryPoint]:
    try:
        text = (folder / _FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # most distributions have none
        return
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]")
        elif section == group and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip(), group, folder)
