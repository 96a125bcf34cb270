"""Which of the installed distributions may run at all: MEDSDK_PLUGINS for this process, allow files for good.

Read before every import of a plugin, so that it imports next to nothing itself.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medsdk.core.errors import MedsdkError

ALLOW = "MEDSDK_PLUGINS"
ALLOW_FILE = "MEDSDK_ALLOW_FILE"


@dataclass(frozen=True)
class AllowList:
    """The distributions that every allow file names; where there is no file, all may run."""

    entries: tuple[dict[str, str | None], ...] = ()

    def permits(self, distribution: str, version: str) -> bool:
        """Whether each file names the distribution, without a version or with this one."""
        name = _normal(distribution)
        return all(name in file and file[name] in (None, version) for file in self.entries)


def allow_list() -> AllowList:
    """Read the allow files. Raises MedsdkError if one cannot be read: then nothing is allowed.

    A file holds one distribution a line, `medsdk-malaria` or `medsdk-malaria==0.1.0`; `#` begins a comment. There may be
    one for the machine, one for the environment, and the one that MEDSDK_ALLOW_FILE names; what all of them name may run.
    """
    return AllowList(tuple(_read_allow_file(path) for path in _allow_files()))


def is_allowed(distribution: str, name: str) -> bool:
    """MEDSDK_PLUGINS holds names of distributions or ids; where it is unset, everything is allowed."""
    allowed = os.environ.get(ALLOW)
    if allowed is None:
        return True
    names = {_normal(name) for name in allowed.split(",")}
    return _normal(distribution) in names or _normal(name) in names


def _allow_files() -> Iterator[Path]:
    machine = Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) if sys.platform == "win32" else Path("/etc")
    for folder in (machine, Path(sys.prefix) / "etc"):
        path = folder / "medsdk" / "allow.txt"
        if path.exists():
            yield path
    named = os.environ.get(ALLOW_FILE)
    if named:
        yield Path(named)


def _read_allow_file(path: Path) -> dict[str, str | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise MedsdkError(
            f"{path}: the list of allowed plugins cannot be read ({error}), so that none may run.",
            f"Repair the file, or correct {ALLOW_FILE}.",
        ) from None
    entries: dict[str, str | None] = {}
    for line in text.splitlines():
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:==\s*(\S+))?", entry)
        if match is None:
            raise MedsdkError(
                f"{path}: {entry!r} names no distribution, so that none may run.",
                "Write one a line: medsdk-malaria, or medsdk-malaria==0.1.0",
            )
        entries[_normal(match[1])] = match[2]
    return entries


def _normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
