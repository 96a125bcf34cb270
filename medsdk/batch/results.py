"""The file of results: JSON lines or CSV, a line for each picture, whole or not there at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from medsdk.core.clock import Clock
from medsdk.core.errors import WriteError
from medsdk.core.prediction import COLUMNS, Prediction, row_of
from medsdk.core.record import Record

_HEADER = ",".join(COLUMNS).encode() + b"\n"
_BEGINNINGS = (b"{", _HEADER)

MadeBy = dict[str, str | None]
"""The sha256 of the model and of the site's settings. In every line: one that failed has no provenance."""


class Results:
    """Appends predictions to `path`, by its ending `.jsonl` or `.csv`. `done` are the sources that it holds already.

    Raises WriteError if it cannot be written, is no such file, or holds the results of another model or operating
    point: figures of two in one file would be read as one.
    """

    def __init__(self, path: Path, disease: str, model_sha256: str, site_sha256: str | None = None) -> None:
        kind = path.suffix.lower()
        if kind not in _FORMATS:
            raise WriteError(f"{path}: its ending names neither .jsonl nor .csv.", "End the name in .jsonl or .csv.")
        self._encode, read = _FORMATS[kind]
        self._made_by = {"model_sha256": model_sha256, "site_sha256": site_sha256}
        # Read first: opening takes a torn last line away, which must not happen to somebody else's file.
        self.done, self.failed_before = self._read(path, disease, read)
        # A disk that is full is an error here, not a wait: the same command goes on where this one ended.
        self._record = Record(path, Clock(), stopped=lambda: True)
        if kind == ".csv" and path.stat().st_size == 0:
            self._record.append_line(_HEADER)

    def append(self, prediction: Prediction) -> None:
        """Write one line. Raises WriteError."""
        self._record.append_line(self._encode(prediction, self._made_by))

    def close(self) -> None:
        """Flush to the disk."""
        self._record.close()

    def _read(self, path: Path, disease: str, read: Callable[[bytes], Iterable[Mapping[str, Any]]]) -> tuple[set[str], int]:
        done, failed = set(), 0
        try:
            content = path.read_bytes() if path.exists() else b""
            whole = content.rfind(b"\n") + 1
            if not content.startswith(_BEGINNINGS) and not _HEADER.startswith(content):
                raise KeyError
            for row in read(content[:whole]):
                if (row["disease"], row["model_sha256"]) != (disease, self._made_by["model_sha256"]):
                    raise WriteError(f"{path}: it holds the results of another model.", "Name another file.")
                # CSV knows no None.
                if (row["site_sha256"] or None) != self._made_by["site_sha256"]:
                    raise WriteError(f"{path}: it was judged by another operating point (--site).", "Name another file.")
                done.add(str(row["source"]))
                failed += bool(row["error"])
        except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError, OSError):
            raise WriteError(f"{path}: this is not a file of medsdk's results.", "Name another file.") from None
        return done, failed


def _csv_row(prediction: Prediction, made_by: MadeBy) -> bytes:
    buffer = io.StringIO()
    csv.DictWriter(buffer, COLUMNS, lineterminator="\n").writerow(row_of(prediction) | made_by)
    return buffer.getvalue().encode()


def _json_row(prediction: Prediction, made_by: MadeBy) -> bytes:
    return msgspec.json.encode(prediction.to_dict() | made_by) + b"\n"


def _read_csv(content: bytes) -> Iterable[Mapping[str, Any]]:
    return csv.DictReader(io.StringIO(content.decode(), newline=""))


def _read_json(content: bytes) -> Iterable[Mapping[str, Any]]:
    return (msgspec.json.decode(line) for line in content.splitlines())


_Format = tuple[Callable[[Prediction, MadeBy], bytes], Callable[[bytes], Iterable[Mapping[str, Any]]]]
_FORMATS: dict[str, _Format] = {".csv": (_csv_row, _read_csv), ".jsonl": (_json_row, _read_json)}
