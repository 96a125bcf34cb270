"""The journal of a slide: a line of JSON for each field, on the disk before the next field is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medsdk.core.clock import Clock
from medsdk.core.errors import WriteError
from medsdk.core.record import Record, read_lines


class Journal:
    """JSON lines in a file. `lines` are those that it held when it was opened; a torn last one is cut off.

    Raises WriteError if it cannot be read or written, if a finished line is damaged, or another process writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{path.parent}: it cannot be made ({error.strerror}).", "Choose another folder.") from None
        # Read first: opening takes a torn last line away, which must not happen to somebody else's file.
        self.lines: list[dict[str, Any]] = list(read_lines(path))
        # A disk that is full is an error here, not a wait: somebody sits at the microscope.
        self._record = Record(path, Clock(), stopped=lambda: True, flush_s=0)

    def append(self, line: dict[str, Any]) -> None:
        """Returns when the line is on the disk. After an error nothing of it is."""
        self._record.append(line)

    def close(self) -> None:
        """Flush to the disk."""
        self._record.close()
