"""The record: JSON lines that survive a kill at any moment, a full disk and a card that was pulled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from medsdk.core.clock import Clock
from medsdk.core.errors import WriteError

# A disk that is flushed for every line is slow, and an SD card wears out.
FLUSH_S = 5.0

_FIRST_PAUSE_S, _LAST_PAUSE_S = 1.0, 30.0

# A line is looked for in pieces of this size, from the end of the file.
_PIECE = 65536


class Record:
    """Appends lines to a file, each with one write, so that a line is there whole or not at all.

    What a cut left of a line is removed when the file is opened. While the disk is full, read-only or gone, `append` takes
    back what was written of the line, waits and tries again; `waiting` is told why, once. Only one process may write.
    `flush_s` is how many seconds of lines a power cut may cost; a killed process costs nothing. 0: each line is on the
    disk itself when `append` returns.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        stopped: Callable[[], bool] = lambda: False,
        waiting: Callable[[str], None] = lambda _: None,
        flush_s: float = FLUSH_S,
    ) -> None:
        self.path = path
        self._clock, self._stopped, self._waiting = clock, stopped, waiting
        self._file: int | None = None
        self._flush_s, self._flushed_at = flush_s, clock.elapsed()
        try:
            self._file = _open(path)
            _flush_folder(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from None

    def append(self, event: dict[str, Any]) -> None:
        """Write one line of JSON. Waits while that cannot be done; raises WriteError if it is asked to stop meanwhile."""
        self.append_line(msgspec.json.encode(event) + b"\n")

    def append_line(self, line: bytes) -> None:
        """The same for a line that is made already, with its end mark."""
        pause, told = _FIRST_PAUSE_S, False
        while True:
            try:
                return self._write(line)
            except OSError as error:
                if self._stopped():
                    raise _unwritable(self.path, error) from None
                if not told:
                    self._waiting(f"{self.path}: it cannot be written ({error.strerror}); waiting.")
                    told = True
                self._clock.wait(pause, self._stopped)
                pause = min(2 * pause, _LAST_PAUSE_S)

    def close(self) -> None:
        """Flush to the disk and close."""
        if self._file is not None:
            try:
                os.fsync(self._file)
            except OSError:  # a card that is gone has nothing left to flush to
                pass
            finally:
                self._release()

    def _write(self, line: bytes) -> None:
        if self._file is None:
            self._file = _open(self.path)
        try:
            end = os.fstat(self._file).st_size
            try:
                _write_whole(self._file, line)
                self._flush_if_due(self._file)
            except OSError:
                os.ftruncate(self._file, end)
                raise
        except OSError:
            # A card that is put in again is another file: open it anew.
            self._release()
            raise

    def _flush_if_due(self, file: int) -> None:
        if self._clock.elapsed() - self._flushed_at >= self._flush_s:
            os.fsync(file)
            self._flushed_at = self._clock.elapsed()

    def _release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The finished lines of a record; nothing where there is no file. What a cut left of the last line is passed over.

    Raises WriteError if the file cannot be read, a finished line is damaged, or it is no record at all.
    """
    found = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield msgspec.json.decode(line, type=dict[str, Any])
                    found += 1
                elif not found and not line.startswith(b"{"):
                    raise msgspec.DecodeError("it begins with no JSON object")
    except FileNotFoundError:
        return
    except (OSError, msgspec.DecodeError) as error:
        raise WriteError(
            f"{path}: this is damaged, or not a record that can be continued ({error}).",
            "Name another place, or move this file away.",
        ) from None


def _write_whole(file: int, line: bytes) -> None:
    written = os.write(file, line)
    while written < len(line):
        # A full disk takes a part of the line first and refuses the rest.
        written += os.write(file, line[written:])


def _open(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        _lock(file, path)
        end = os.fstat(file).st_size
        whole = _end_of_last_line(file, end)
        if whole < end:
            os.ftruncate(file, whole)
    except BaseException:
        os.close(file)
        raise
    return file


def _flush_folder(folder: Path) -> None:
    """A new file's name is not on the disk before its folder is; Windows needs and allows no such thing."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _end_of_last_line(file: int, end: int) -> int:
    while end > 0:
        start = max(0, end - _PIECE)
        os.lseek(file, start, os.SEEK_SET)
        found = os.read(file, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _lock(file: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows, where nobody runs two watches on one record by systemd
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WriteError(f"{path}: another process is writing this record.", "Stop it, or name another file.") from None


def _unwritable(path: Path, error: OSError) -> WriteError:
    return WriteError(
        f"{path}: it cannot be written ({error.strerror}).", "Make room, or choose a folder that may be written to."
    )
