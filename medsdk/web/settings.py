"""What a server is told when it starts, with defaults that are safe and small enough for a Raspberry Pi."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 1024 * 1024


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Settings:
    """All limits of a server.

    `token` is asked of everybody, None of nobody. `names` are host names under which the server may be called, besides
    its addresses. `max_bytes` is the size of one request's body, `max_pixels` that of one picture. `workers` pictures
    are judged at once and `queue` requests may wait; `readers` bodies are read at once. A client must send at least
    `slowest` bytes a second after `patience` seconds, and `answer_seconds` is the longest that a picture may take.
    `sites` are the files of this site's own operating points, by disease.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    names: tuple[str, ...] = ()
    sites: Mapping[str, Path] = field(default_factory=dict)
    max_bytes: int = 25 * MEBIBYTE
    max_pixels: int = 25_000_000
    max_files: int = 16
    workers: int = field(default_factory=_cores)
    queue: int = 16
    readers: int = 32
    requests: int = 200
    patience: float = 15.0
    slowest: int = 8 * 1024
    answer_seconds: float = 60.0
    shutdown_seconds: int = 30
