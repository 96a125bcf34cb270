"""One connection of a client, which must neither keep silent nor dribble nor refuse to read what it asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    _Base = asyncio.Protocol
else:
    _Base = object

# A whole request head must come within this time of connecting, or of the last answer.
SILENT_SECONDS = 10.0
# An upload that was refused may go on for so long, because a browser shows the answer only when it has sent everything.
REFUSED_SECONDS = 60.0
# An answer that nobody reads is given up after this time.
UNREAD_SECONDS = 30.0
# The same as h11's own limit.
MAX_HEAD = 64 * 1024


class _Watched(_Base):
    """What uvicorn's two HTTP/1.1 protocols lack: an end to waiting. Mixed in before one of them."""

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    cycle: Any

    _silence: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._await_head(SILENT_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._silence, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()  # type: ignore[misc]
        self._await_head(REFUSED_SECONDS if self.cycle.more_body else SILENT_SECONDS)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def _await_head(self, seconds: float) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self.loop.call_later(seconds, self._drop_if_silent)

    def _drop_if_silent(self) -> None:
        if not self.cycle or self.cycle.response_complete:
            self.transport.close()


class PlainProtocol(_Watched, H11Protocol):
    """In Python alone: for machines that httptools has no wheel for."""


PROTOCOL: type[asyncio.Protocol] = PlainProtocol

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:
    pass
else:

    class FastProtocol(_Watched, HttpToolsProtocol):
        """With httptools, which takes a third of a millisecond less a request but knows no limit for a request's head."""

        _in_head = False
        _head_bytes = 0

        def data_received(self, data: bytes) -> None:
            # The chunk in which a head begins may hold the end of a body, and is small: only what follows it counts.
            goes_on = self._in_head
            super().data_received(data)
            self._head_bytes += len(data) if goes_on else 0
            if self._in_head and self._head_bytes > MAX_HEAD:
                self.transport.close()

        def on_message_begin(self) -> None:
            self._in_head, self._head_bytes = True, 0
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._in_head = False
            super().on_headers_complete()

    PROTOCOL = FastProtocol
