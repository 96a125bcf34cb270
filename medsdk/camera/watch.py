"""`medsdk.watch`: one frame after the other to an analyzer, for as long as there are any."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import medsdk
from medsdk.camera.events import Gap, Observation
from medsdk.camera.feed import END, Feed, Outage, Shot, open_feed
from medsdk.camera.saving import FrameStore, When
from medsdk.camera.steady import Steady
from medsdk.camera.video import VideoFeed
from medsdk.core.card import Card
from medsdk.core.clock import Clock
from medsdk.core.errors import MedsdkError, SourceError, WriteError
from medsdk.core.images import Source
from medsdk.core.prediction import Prediction
from medsdk.core.record import Record, read_lines

# The longest that the feed is asked to wait, so that a request to stop is heard.
_TIMEOUT_S = 0.2


class Judge(Protocol):
    """What a watch needs of an Analyzer."""

    @property
    def disease(self) -> str: ...

    @property
    def card(self) -> Card: ...

    @property
    def site_sha256(self) -> str | None: ...

    def predict(self, source: Source) -> Prediction: ...


def _nothing(_: Any) -> None:
    return


@dataclass(frozen=True)
class Callbacks:
    """Called in the watch's own thread, before the observation is yielded."""

    on_frame: Callable[[Observation], None] = _nothing
    on_change: Callable[[Observation], None] = _nothing
    on_outage: Callable[[str], None] = _nothing
    on_gap: Callable[[Gap], None] = _nothing
    on_shot: Callable[[Shot], None] = _nothing


@dataclass
class _Outage:
    """An outage that has not ended."""

    began: datetime
    began_at: float
    reason: str


@dataclass
class Watch:
    """An iterator of observations, made by `watch`; a context manager.

    `stop` may be called from a signal handler, a callback or another thread: the frame in hand is finished first.
    """

    analyzer: Judge
    feed: Feed
    rate: float | None
    steady: Steady
    record: Record | None
    store: FrameStore | None
    callbacks: Callbacks
    clock: Clock
    judged: int = 0
    dropped: int = 0
    gaps: int = 0
    _stopped: bool = False
    _due: float = field(default=float("-inf"), repr=False)
    _outage: _Outage | None = field(default=None, repr=False)

    def stop(self) -> None:
        """End the watch."""
        self._stopped = True

    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def run(self) -> Watch:
        """Watch to the end, for those who use callbacks. Returns itself, with its counts."""
        for _ in self:
            pass
        return self

    def __iter__(self) -> Iterator[Observation]:
        """Judge frames until the source ends or `stop` is called; then close."""
        try:
            self._write({"event": "start", **self._settings()})
            while not self._stopped:
                self.clock.wait(self._due - self.clock.elapsed(), self.is_stopped)
                found = None if self._stopped else self.feed.next(_TIMEOUT_S)
                if found is END:
                    break
                if isinstance(found, Outage):
                    self._begin_outage(found.reason)
                elif isinstance(found, Shot):
                    yield self._observe(found)
            self._end_outage()
            counts = {"judged": self.judged, "dropped": self.dropped, "gaps": self.gaps}
            self._write({"event": "stop", "time": _stamp(self.clock), **counts})
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the camera and the record."""
        self._stopped = True
        self.feed.close()
        if self.record is not None:
            self.record.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _observe(self, shot: Shot) -> Observation:
        self._due = self.clock.elapsed() + (1 / self.rate if self.rate else 0.0)
        gap = self._end_outage()
        if gap is not None:
            self.steady.reset()
        self.callbacks.on_shot(shot)
        prediction = self._judge(shot)
        changed = self.steady.add(prediction.verdict)
        self.judged, self.dropped = self.judged + 1, self.dropped + shot.dropped
        observation = Observation(
            self.judged, shot.taken, shot.dropped, prediction, self.steady.verdict, changed, gap, file=shot.file
        )
        observation = self._saved(observation, shot)
        # The line first: whoever is called has something to point at.
        self._write(observation.to_dict())
        self.callbacks.on_frame(observation)
        if changed:
            self.callbacks.on_change(observation)
        return observation

    def _judge(self, shot: Shot) -> Prediction:
        try:
            prediction = self.analyzer.predict(shot.picture)
        except SourceError as error:
            prediction = Prediction(self.analyzer.disease, shot.name, None, error=error)
        return replace(prediction, source=shot.name)

    def _saved(self, observation: Observation, shot: Shot) -> Observation:
        if self.store is None or not self.store.wants(observation.prediction, observation.changed):
            return observation
        try:
            return replace(observation, saved=self.store.save(shot, observation.number))
        except MedsdkError as error:
            return replace(observation, save_error=str(error))

    def _begin_outage(self, reason: str) -> None:
        if self._outage is None:
            self._outage = _Outage(self.clock.now(), self.clock.elapsed(), reason)
            self._write({"event": "outage", "time": _stamp(self.clock), "reason": reason})
            self.callbacks.on_outage(reason)

    def _end_outage(self) -> Gap | None:
        if self._outage is None:
            return None
        outage, self._outage = self._outage, None
        gap = Gap(outage.began, self.clock.now(), self.clock.elapsed() - outage.began_at, outage.reason)
        self.gaps += 1
        self._write(gap.to_dict())
        self.callbacks.on_gap(gap)
        return gap

    def _write(self, event: dict[str, Any]) -> None:
        if self.record is not None:
            self.record.append(event)

    def _settings(self) -> dict[str, Any]:
        return {
            "time": _stamp(self.clock),
            "disease": self.analyzer.disease,
            "model_sha256": self.analyzer.card.model.sha256,
            "site_sha256": self.analyzer.site_sha256,
            "medsdk": medsdk.__version__,
            "source": self.feed.name,
            "rate": self.rate,
            "steady": [self.steady.agree, self.steady.of],
        }


def watch(
    analyzer: Judge,
    source: int | str | os.PathLike[str] | Feed,
    *,
    rate: float | None = None,
    steady: tuple[int, int] = (4, 5),
    record: str | os.PathLike[str] | None = None,
    save: str | os.PathLike[str] | None = None,
    save_when: When = "changes",
    patience: float = 10.0,
    callbacks: Callbacks | None = None,
    clock: Clock | None = None,
    warn: Callable[[str], None] | None = None,
) -> Watch:
    """Judge what a camera sees, for as long as it runs.

    source: a camera's number or device, "picamera", an rtsp:// or http:// address, a video file, a folder that pictures
        are written into, or a Feed of your own. Of cameras and streams always the newest frame is judged; a video's
        frames and a folder's pictures all are, in order.
    rate: at most so many frames a second; for a video, of the video's time.
    steady: (agree, of), see medsdk.camera.steady.
    record: append JSON lines to this file; of a folder, the pictures that it names are not judged again.
    save: save frames into this folder, and which: "all", on "changes" of the steady verdict, or "positive" ones.
    patience: seconds without a frame after which a camera or stream is opened again.
    warn: is told once why the record has to wait for a disk.

    Raises SourceNotFoundError, UnsupportedFormatError, WriteError; ValueError for settings that make no sense.
    """
    if rate is not None and rate <= 0:
        raise ValueError("rate must be above 0")
    clock = clock or Clock()
    store = FrameStore(Path(save), save_when) if save is not None else None
    path = Path(record) if record is not None else None
    feed = open_feed(source, clock, patience, _judged_before(path))
    if isinstance(feed, VideoFeed):
        # A video waits for nobody: the limit is on its own time, not on the clock's.
        feed, rate = feed.limited(rate), None
    made = Watch(analyzer, feed, rate, Steady(*steady), None, store, callbacks or Callbacks(), clock)
    try:
        made.record = Record(path, clock, stopped=made.is_stopped, waiting=warn or _nothing) if path is not None else None
    except WriteError:
        feed.close()
        raise
    return made


def _judged_before(record: Path | None) -> frozenset[tuple[str, int, int]]:
    if record is None:
        return frozenset()
    files = (line.get("file") for line in read_lines(record) if line.get("event") == "frame")
    return frozenset((str(name), int(size), int(changed)) for name, size, changed in filter(None, files))


def _stamp(clock: Clock) -> str:
    return clock.now().isoformat(timespec="milliseconds")
