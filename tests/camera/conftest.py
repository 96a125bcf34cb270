"""A clock that runs as fast as it is asked, and an analyzer and a camera that follow a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medsdk.camera import END, Outage, Shot
from medsdk.core.clock import Clock
from medsdk.core.errors import DamagedPictureError
from medsdk.core.prediction import Prediction

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)


class FastClock(Clock):
    """Waiting costs no time. `set_by` is how far somebody has set the time of day."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.set_by = timedelta()
        self.on_wait: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds) + self.set_by

    def elapsed(self) -> float:
        return self.seconds

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        if seconds > 0 and not stopped():
            self.seconds += seconds
            self.on_wait()


class Judge:
    """Says the verdicts of a script, one a picture; 'damaged' raises."""

    disease = "demo"
    card: Any = SimpleNamespace(model=SimpleNamespace(sha256="0" * 64))
    site_sha256: str | None = None

    def __init__(self, verdicts: Iterable[Any]) -> None:
        self._verdicts = iter(verdicts)
        self.seen: list[Any] = []

    def predict(self, source: Any) -> Prediction:
        self.seen.append(source)
        verdict = next(self._verdicts, "negative")
        if verdict == "damaged":
            raise DamagedPictureError("array", "cut short.", "Get a whole copy.")
        return Prediction("demo", "array", verdict, probability=0.5)


class ScriptedFeed:
    """Gives what a script holds: numbers become frames with so many dropped before them, other things go as they are."""

    name = "script"

    def __init__(self, clock: FastClock, script: Iterable[Any], seconds: float = 1.0) -> None:
        self._clock, self._script, self._seconds = clock, iter(script), seconds
        self.closed = False

    def next(self, timeout: float) -> Any:
        self._clock.seconds += self._seconds
        found = next(self._script, END)
        if callable(found):
            found = found()
        if isinstance(found, int):
            return Shot(np.zeros((4, 4, 3), np.uint8), "script", self._clock.now(), found)
        return Outage(found) if isinstance(found, str) else found

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def clock() -> FastClock:
    return FastClock()
