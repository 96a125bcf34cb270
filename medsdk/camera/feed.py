"""What every source of frames looks like to a watch, and which source a name means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy.typing as npt

from medsdk.core.clock import Clock
from medsdk.core.errors import SourceNotFoundError


@dataclass(frozen=True)
class Shot:
    """A frame: RGB uint8 (h, w, 3) or the path of a picture. `dropped` frames came before it and were left out."""

    picture: npt.NDArray[Any] | Path
    name: str
    taken: datetime
    dropped: int = 0
    file: tuple[str, int, int] | None = None


@dataclass(frozen=True)
class Outage:
    """There are no pictures now, though there should be; the feed goes on trying."""

    reason: str


class _End(Enum):
    END = "end"


# The source is at its end, and no picture will come any more.
END: Literal[_End.END] = _End.END

Next: TypeAlias = "Shot | Outage | Literal[_End.END] | None"


@runtime_checkable
class Feed(Protocol):
    """A source of frames. A program may bring its own."""

    name: str

    def next(self, timeout: float) -> Next:
        """The next picture; an Outage; END; or None if nothing came within `timeout` seconds."""

    def close(self) -> None:
        """Let go of the device."""


_STREAM = re.compile(r"^(rtsps?|rtmps?|https?|udp|tcp|rtp|srt)://", re.IGNORECASE)
_DEVICE = re.compile(r"^/dev/(video\d+|v4l/.+)$")
_PICAMERA = re.compile(r"^picamera(?::(\d+))?$")


def open_feed(source: object, clock: Clock, patience: float, done: frozenset[tuple[str, int, int]]) -> Feed:
    """The feed that a source means; see `medsdk.camera.watch.watch`. Raises SourceNotFoundError.

    `patience` is how many seconds without a frame are an outage; `done` are the folder's pictures judged before.
    """
    if isinstance(source, Feed):
        return source
    text = str(source)
    from medsdk.camera import readers
    from medsdk.camera.live import LiveFeed

    if isinstance(source, int) or text.isdecimal():
        return LiveFeed(lambda: readers.Camera(int(text)), f"camera {text}", clock, patience)
    if _DEVICE.match(text):
        return LiveFeed(lambda: readers.Camera(text), text, clock, patience)
    if picamera := _PICAMERA.match(text):
        number = int(picamera[1] or 0)
        readers.need_picamera()
        return LiveFeed(lambda: readers.Picamera(number), text, clock, patience)
    if _STREAM.match(text):
        return LiveFeed(lambda: readers.Stream(text, patience), without_password(text), clock, patience)
    return _from_path(Path(text), clock, patience, done)


def without_password(url: str) -> str:
    """The address as it may stand in a record: a camera's user and password do not belong there, nor does a token."""
    return re.sub(r"\?.*$", "?…", re.sub(r"(://)[^/@]*@", r"\1", url))


def _from_path(path: Path, clock: Clock, patience: float, done: frozenset[tuple[str, int, int]]) -> Feed:
    from medsdk.camera.folder import FolderFeed
    from medsdk.camera.video import VideoFeed

    if path.is_dir():
        return FolderFeed(path, clock, patience, done)
    if path.is_file():
        return VideoFeed(path, clock)
    raise SourceNotFoundError(
        str(path),
        "there is no such camera, video or folder.",
        "Name a camera's number, picamera, an rtsp:// or http:// address, a video file or a folder.",
    )
