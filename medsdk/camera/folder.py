"""A folder that a scanner writes into: every picture once, when it is whole, in the order of arrival."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import NamedTuple

from medsdk.camera.feed import Next, Outage, Shot
from medsdk.core import formats
from medsdk.core.clock import Clock

# Seconds between two looks at the folder, and for which a file must not have changed to count as finished.
_POLL_S = 0.5
_SETTLED_S = 1.0

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})

Identity = tuple[str, int, int]


class _Waiting(NamedTuple):
    identity: Identity
    since: float


class FolderFeed:
    """Pictures directly in `path`. A name that begins with a dot is a file in the making, as `write_beside` makes them.

    A file is taken when it has not changed for a second and its format's end mark is there. One that stays without it for
    `patience` seconds is taken all the same, so that the record tells of the damage. A file that is written anew is a new
    picture. Nothing is lost: files wait in the folder, and `done` names those judged before.
    """

    def __init__(self, path: Path, clock: Clock, patience: float, done: frozenset[Identity]) -> None:
        self.name = str(path)
        self._folder, self._clock, self._patience = path, clock, patience
        self._done = set(done)
        self._waiting: dict[str, _Waiting] = {}
        self._ready: deque[Identity] = deque()
        self._looked_at = -_POLL_S + clock.elapsed()

    def next(self, timeout: float) -> Next:
        """The next finished picture, an Outage when the folder cannot be read, or None."""
        if not self._ready:
            due = self._looked_at + _POLL_S - self._clock.elapsed()
            if due > 0:
                self._clock.wait(min(due, timeout), lambda: False)
            if due > timeout:
                return None
            self._looked_at = self._clock.elapsed()
            try:
                self._look()
            except OSError as error:
                return Outage(f"the folder cannot be read ({error.strerror})")
        if not self._ready:
            return None
        identity = self._ready.popleft()
        self._done.add(identity)
        path = self._folder / identity[0]
        return Shot(path, str(path), self._clock.now(), file=identity)

    def close(self) -> None:
        """Nothing is held open."""

    def _look(self) -> None:
        found: dict[str, Identity] = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and Path(entry.name).suffix.lower() in _SUFFIXES:
                    self._add(entry, found)
        # Only what is still in the folder is remembered, so that weeks of pictures do not fill the memory.
        self._done.intersection_update(found.values())
        self._waiting = {name: self._wait(name, identity) for name, identity in found.items() if identity not in self._done}
        ready = [waiting.identity for waiting in self._waiting.values() if self._is_finished(waiting)]
        self._ready.extend(sorted(ready, key=lambda identity: (identity[2], identity[0])))

    @staticmethod
    def _add(entry: os.DirEntry[str], found: dict[str, Identity]) -> None:
        try:
            if entry.is_file():
                status = entry.stat()
                found[entry.name] = (entry.name, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:  # renamed or removed since the folder was listed
            return

    def _wait(self, name: str, identity: Identity) -> _Waiting:
        before = self._waiting.get(name)
        return before if before and before.identity == identity else _Waiting(identity, self._clock.elapsed())

    def _is_finished(self, waiting: _Waiting) -> bool:
        unchanged = self._clock.elapsed() - waiting.since
        if unchanged < _SETTLED_S:
            return False
        return unchanged >= self._patience or _is_whole(self._folder / waiting.identity[0])


def _is_whole(path: Path) -> bool:
    try:
        data = path.read_bytes()
    except OSError:  # still locked by the program that writes it
        return False
    kind = formats.sniff(data)
    return kind is not None and formats.is_whole(data, kind)
