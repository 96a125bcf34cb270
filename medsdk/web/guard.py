"""What every request and every answer goes through, outermost: checks, headers, the log, and errors nobody expected."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from time import perf_counter

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medsdk.core.errors import MedsdkError
from medsdk.web import access
from medsdk.web.metrics import Metrics
from medsdk.web.problems import BusyError, UnauthorisedError, problem_of, unexpected
from medsdk.web.settings import Settings

_log = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
# As ASGI wants them: made once, because every answer carries them.
_ALWAYS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
# Asked of nobody: what a load balancer looks at, and what the sign-in page is made of.
_OPEN = ("/api/v1/health", "/api/v1/readiness", "/sign-in")
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"})


class Guard:
    """The ASGI application around the application."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's start and stop."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, keep=scope["path"].startswith("/static/"))
        begin = perf_counter()
        self._inside += 1
        try:
            await self._serve(scope, receive, answer)
        except ClientDisconnect:
            answer.status = answer.status or 499  # nginx's number for a client that went away
        except Exception as error:  # nothing may reach the log with its message: it could name a picture
            _log.error("%s %s", type(error).__name__, _places(error))
            await self._apologise(scope, receive, answer)
        finally:
            self._inside -= 1
            self._note(scope, answer.status, perf_counter() - begin)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            if self._inside > self._settings.requests:
                raise BusyError(1)
            self._check(scope)
        except MedsdkError as error:
            await _refusal(scope, error)(scope, receive, answer)
        else:
            await self._app(scope, receive, answer)

    def _check(self, scope: Scope) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        access.check_host(headers, self._settings.names)
        access.check_site(scope["method"], headers)
        if path not in _OPEN and not path.startswith("/static/"):
            access.check_token(headers, self._settings.token)

    async def _apologise(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if not answer.status:
            await unexpected().response()(scope, receive, answer)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # The route's pattern, never the path: a path may hold whatever a client likes.
        route = getattr(scope.get("route"), "path", "static" if scope["path"].startswith("/static/") else "none")
        self._metrics.requests.labels(method, route, str(status)).observe(seconds)
        _log.info("%s %s %d %.0f ms", method, route, status, 1000 * seconds)


class _Answer:
    """`send` with the headers added and the status remembered."""

    def __init__(self, send: Send, keep: bool) -> None:
        self._send, self._keep = send, keep
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept = (b"cache-control", b"no-cache" if self._keep else b"no-store")
            message["headers"] = [*message.get("headers", ()), *_ALWAYS, kept]
        await self._send(message)


def _refusal(scope: Scope, error: MedsdkError) -> Response:
    """A person who opens a page without the token is asked for it; a program gets the problem."""
    page = scope["method"] == "GET" and not scope["path"].startswith("/api/")
    if isinstance(error, UnauthorisedError) and page:
        return RedirectResponse("/sign-in", 303)
    return problem_of(error).response()


def _places(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
