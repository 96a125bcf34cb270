"""Time, in one place, so that tests can run weeks of it in a moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

# The longest that a request to stop goes unseen. Waits are cut up, because a signal handler may set no lock.
_SLICE_S = 0.2


class Clock:
    """The machine's clock.

    Durations come from `elapsed`, which nobody can set back; `now` is only for the record's time stamps.
    """

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(timezone.utc)

    def elapsed(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Return after that many seconds, or soon after `stopped` says so."""
        end = self.elapsed() + seconds
        while not stopped() and (left := end - self.elapsed()) > 0:
            time.sleep(min(left, _SLICE_S))
