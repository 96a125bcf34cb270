"""The journal of a slide: a line of JSON for each field, on the disk before the next field is looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from medsdk.core.errors import WriteError


class Journal:
    """JSON lines in a file. `lines` are those that it held when it was opened; a torn last one is cut off.

    Raises WriteError if it cannot be read or written, or if a finished line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else b""
            whole = content[: content.rfind(b"\n") + 1]
            self.lines: list[dict[str, Any]] = [msgspec.json.decode(line, type=dict) for line in whole.splitlines()]
            self._file = path.open("ab")
            if len(whole) < len(content):
                self._file.truncate(len(whole))
            _flush_folder(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from None
        except msgspec.MsgspecError as error:
            raise WriteError(
                f"{path}: the journal is damaged ({error}).", "Move it away, and begin the slide anew."
            ) from None

    def append(self, line: dict[str, Any]) -> None:
        """Returns when the line is on the disk. After an error nothing of it is."""
        end = self._file.tell()
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)
            raise _unwritable(self.path, error) from None

    def close(self) -> None:
        self._file.close()


def _flush_folder(folder: Path) -> None:
    """A new file's name is not on the disk before its folder is; Windows needs and allows no such thing."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> WriteError:
    return WriteError(f"{path}: it cannot be written ({error.strerror}).", "Choose a folder that exists and has room.")
