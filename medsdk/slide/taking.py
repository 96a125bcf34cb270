"""Fields from a camera: one is taken when somebody asks for it, or every so many seconds once the stage has moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

import cv2
import numpy as np
import numpy.typing as npt

from medsdk.camera.feed import END, Feed, Outage, Shot
from medsdk.core import images
from medsdk.core.clock import Clock
from medsdk.core.errors import SourceError
from medsdk.core.prediction import Prediction
from medsdk.slide.session import Slide

# The longest that the feed is asked to wait, so that a request to stop is heard.
_TIMEOUT_S = 0.2

# Two views are compared at this width: a cell is some five pixels across, and a comparison takes a few milliseconds.
_VIEW_WIDTH = 128
_SAME_PLACE = 0.5
"""Correlation of two views, one shifted onto the other, above which they show the same cells. In malaria_fields, 99 of 100
pairs of fields stay below 0.13; one field moved by up to a third of its width keeps 0.93 and more."""
_MIN_OVERLAP = 0.5
"""Of the view; a smaller common strip holds few cells, and its correlation is chance."""


class Trigger(Protocol):
    """Says when the next field is to be taken."""

    def is_due(self, now: float) -> bool:
        """Whether the picture of this moment (seconds of `Clock.elapsed`) is to be counted."""

    def wants(self, picture: images.Pixels) -> bool:
        """Whether this picture is a new field; only asked when one is due."""


class Every:
    """A field every `seconds`, if the stage has moved on from the last one: cells are not counted twice."""

    def __init__(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("seconds must be at least 0")
        self._seconds = seconds
        self._due = float("-inf")
        self._last: npt.NDArray[np.float32] | None = None

    def is_due(self, now: float) -> bool:
        if now < self._due:
            return False
        self._due = now + self._seconds
        return True

    def wants(self, picture: images.Pixels) -> bool:
        view = _view(picture)
        if self._last is not None and self._last.shape == view.shape and _same_place(self._last, view):
            return False
        self._last = view
        return True


class Asked:
    """A field each time that `ask` is called, from any thread; requests while one is in hand become one."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        self._asked.set()

    def is_due(self, now: float) -> bool:  # noqa: ARG002 - the time does not matter
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    def wants(self, picture: images.Pixels) -> bool:  # noqa: ARG002 - who asks has looked
        return True

    def listen(self, keys: TextIO, ended: Callable[[], None]) -> None:
        """Ask at each line of `keys`, in a thread of its own; `ended` is called at its end or at a line 'q'."""

        def run() -> None:
            for line in keys:
                if line.strip().lower() == "q":
                    break
                self.ask()
            ended()

        threading.Thread(target=run, name="medsdk-keys", daemon=True).start()


def _nothing(*_: Any) -> None:
    return


@dataclass(frozen=True)
class Heard:
    """Called in the taker's own thread."""

    on_field: Callable[[Prediction], None] = _nothing
    on_same: Callable[[], None] = _nothing
    on_outage: Callable[[str], None] = _nothing
    on_unreadable: Callable[[SourceError], None] = _nothing


class Taker:
    """Adds a feed's fields to a slide until there are enough, the feed ends, or `stop` is called.

    Of a folder every picture is a field, and `trigger` is not asked. `stop` may be called from a signal handler or
    another thread: the field in hand is finished and saved first.
    """

    def __init__(
        self, slide: Slide, feed: Feed, trigger: Trigger, *, heard: Heard | None = None, clock: Clock | None = None
    ) -> None:
        self._slide, self._feed, self._trigger = slide, feed, trigger
        self._heard, self._clock = heard or Heard(), clock or Clock()
        self._stopped = False
        self.unreadable = 0

    def stop(self) -> None:
        """End behind the field in hand."""
        self._stopped = True

    def run(self, *, beyond_enough: bool = False) -> int:
        """Take fields; returns how many were taken. Raises WriteError. The feed is closed at the end."""
        taken = 0
        try:
            while not self._stopped and (beyond_enough or not self._slide.is_enough):
                found = self._feed.next(_TIMEOUT_S)
                if found is END:
                    break
                if isinstance(found, Outage):
                    self._heard.on_outage(found.reason)
                elif isinstance(found, Shot):
                    taken += self._take(found)
        finally:
            self._feed.close()
        return taken

    def _take(self, shot: Shot) -> int:
        if shot.file is None:
            if not self._trigger.is_due(self._clock.elapsed()):
                return 0
            if not self._trigger.wants(np.asarray(shot.picture)):
                self._heard.on_same()
                return 0
        try:
            finding = self._slide.add(shot.picture, name=shot.name)
        except SourceError as error:
            self.unreadable += 1
            self._heard.on_unreadable(error)
            return 0
        self._heard.on_field(finding)
        return 1


def _view(picture: images.Pixels) -> npt.NDArray[np.float32]:
    """A small grey copy, float32, of mean 0 and deviation 1."""
    height, width = picture.shape[:2]
    size = (_VIEW_WIDTH, max(8, round(height * _VIEW_WIDTH / width)))
    grey = cv2.resize(np.ascontiguousarray(picture[:, :, 1]), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    # The lamp's gradient is the same in every field; the cells are what differs.
    cells = grey - cv2.GaussianBlur(grey, (0, 0), _VIEW_WIDTH / 10)
    return np.asarray(cells / max(float(cells.std()), 1e-6), dtype=np.float32)


def _same_place(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> bool:
    """Whether a shift lays the two over each other."""
    window = cv2.createHanningWindow((one.shape[1], one.shape[0]), cv2.CV_32F)
    # Copies: OpenCV multiplies the window into pictures of a convenient size in place.
    (across, down), _ = cv2.phaseCorrelate(one.copy(), other.copy(), window)
    x, y = round(across), round(down)
    height, width = one.shape
    if (height - abs(y)) * (width - abs(x)) < _MIN_OVERLAP * height * width or abs(y) >= height or abs(x) >= width:
        return False
    first = one[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    second = other[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1]) > _SAME_PLACE
