"""Cameras and streams: always the newest frame, and taken up again when they were lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from medsdk.camera.feed import Next, Outage, Shot
from medsdk.camera.readers import CannotOpenError, Reader
from medsdk.core.clock import Clock
from medsdk.core.images import Pixels

# Seconds between attempts to open what is lost: the first, and what doubling ends at.
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.5, 10.0

# Readers that hang in the driver and may still come back. More are not opened, or a dead device would eat the memory.
_HANGING = 3


class _Connection:
    """One reader in a thread of its own, which overwrites the newest frame until the reader is at its end."""

    def __init__(self, open_reader: Callable[[], Reader], clock: Clock) -> None:
        self._open, self._clock = open_reader, clock
        self._changed = threading.Condition()
        self._newest: tuple[Pixels, datetime] | None = None
        self._unseen = 0
        self._abandoned = False
        self.lost: str | None = None
        self._thread = threading.Thread(target=self._run, name="medsdk-camera", daemon=True)
        self._thread.start()

    @property
    def hangs(self) -> bool:
        return self._thread.is_alive()

    def take(self, timeout: float) -> tuple[Pixels, datetime, int] | None:
        """The newest frame that nobody has taken, when it came, and how many before it were left out."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self.lost is not None, timeout)
            if self._newest is None:
                return None
            frame, taken = self._newest
            dropped, self._newest, self._unseen = self._unseen - 1, None, 0
            return frame, taken, dropped

    def abandon(self) -> None:
        """The thread ends, and closes the reader, as soon as the reader lets it."""
        self._abandoned = True

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        reason = "the connection was lost"
        try:
            reader = self._open()
            try:
                while not self._abandoned and (frame := reader.read()) is not None:
                    with self._changed:
                        self._newest, self._unseen = (frame, self._clock.now()), self._unseen + 1
                        self._changed.notify_all()
            finally:
                reader.close()
        except CannotOpenError as error:
            reason = str(error)
        except Exception as error:  # a driver fails in its own ways, and none of them may end a watch of weeks
            reason = f"{type(error).__name__}: {error}"
        with self._changed:
            self.lost = reason
            self._changed.notify_all()


class LiveFeed:
    """The newest frame of a camera or a stream.

    A connection that ends, cannot be opened, or brings nothing for `patience` seconds is an outage; it is opened again,
    first after half a second, then after pauses that double up to ten.
    """

    def __init__(self, open_reader: Callable[[], Reader], name: str, clock: Clock, patience: float) -> None:
        self.name = name
        self._open, self._clock, self._patience = open_reader, clock, patience
        self._connection: _Connection | None = None
        self._hanging: list[_Connection] = []
        self._pause = _FIRST_PAUSE_S
        self._retry_at = self._heard_at = clock.elapsed()

    def next(self, timeout: float) -> Next:
        """The newest frame, an Outage, or None."""
        if self._connection is None and not self._connect(timeout):
            return None
        connection = self._connection
        assert connection is not None
        found = connection.take(timeout)
        if found is not None:
            self._heard_at, self._pause = self._clock.elapsed(), _FIRST_PAUSE_S
            frame, taken, dropped = found
            return Shot(frame, self.name, taken, dropped)
        if connection.lost is not None:
            return self._lose(connection.lost)
        if self._clock.elapsed() - self._heard_at > self._patience:
            connection.abandon()
            self._hanging.append(connection)
            return self._lose(f"no frame for {self._patience:g} seconds")
        return None

    def close(self) -> None:
        """Ask the threads to end, and give them a moment: a driver that hangs holds nobody up."""
        if self._connection is not None:
            self._connection.abandon()
            self._connection.join(1.0)

    def _connect(self, timeout: float) -> bool:
        self._hanging = [connection for connection in self._hanging if connection.hangs]
        due = self._retry_at - self._clock.elapsed()
        if due > 0 or len(self._hanging) >= _HANGING:
            self._clock.wait(min(timeout, due) if due > 0 else timeout, lambda: False)
            return False
        self._heard_at = self._clock.elapsed()
        self._connection = _Connection(self._open, self._clock)
        return True

    def _lose(self, reason: str) -> Outage:
        self._connection = None
        self._retry_at = self._clock.elapsed() + self._pause
        self._pause = min(2 * self._pause, _LAST_PAUSE_S)
        return Outage(reason)
