"""Errors as HTTP tells them: a status and problem+json (RFC 9457) with the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec
from starlette.responses import Response

from medsdk.core import errors
from medsdk.core.errors import MedsdkError

MEDIA_TYPE = "application/problem+json"


class WebError(MedsdkError):
    """A request that cannot be served; nothing is wrong with the picture or the plugin."""

    status = HTTPStatus.BAD_REQUEST
    kind = "bad-request"

    def __init__(self, problem: str, remedy: str, headers: Mapping[str, str] | None = None) -> None:
        self.headers = dict(headers or {})
        super().__init__(problem, remedy)


class TooLargeError(WebError):
    """The body has more bytes than the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    kind = "body-too-large"


class TooSlowError(WebError):
    """The client stopped sending, or sends a few bytes at a time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    kind = "too-slow"


class BusyError(WebError):
    """More is asked than can be done now. The header Retry-After says when to come again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "busy"

    def __init__(self, seconds: int) -> None:
        super().__init__("The server is busy.", f"Send the picture again in {seconds} s.", {"Retry-After": str(seconds)})


class NoPictureError(WebError):
    """The form holds no picture, or too many, or is not a form."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "no-picture"


class NoAttentionError(WebError):
    """The picture was not judged, or the model offers no map."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "no-attention"


class UnauthorisedError(WebError):
    """The token is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    kind = "token-needed"


class ForbiddenError(WebError):
    """The request comes from another site, or under a name that this server does not answer to."""

    status = HTTPStatus.FORBIDDEN
    kind = "forbidden"


_STATUSES: tuple[tuple[type[MedsdkError], HTTPStatus, str], ...] = (
    (errors.UnsupportedFormatError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-format"),
    (errors.PictureTooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "picture-too-large"),
    (errors.DamagedPictureError, HTTPStatus.UNPROCESSABLE_ENTITY, "damaged-picture"),
    (errors.SourceError, HTTPStatus.UNPROCESSABLE_ENTITY, "unusable-picture"),
    (errors.UnknownDiseaseError, HTTPStatus.NOT_FOUND, "unknown-disease"),
    (errors.AttentionUnavailableError, HTTPStatus.UNPROCESSABLE_ENTITY, "no-attention"),
    (errors.PluginError, HTTPStatus.INTERNAL_SERVER_ERROR, "broken-plugin"),
    (errors.BundleError, HTTPStatus.INTERNAL_SERVER_ERROR, "broken-plugin"),
)


@dataclass(frozen=True)
class Problem:
    """What problem+json holds, and the headers that go with it."""

    status: HTTPStatus
    kind: str
    detail: str
    remedy: str
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The problem as an HTTP response."""
        content = {
            "type": f"urn:medsdk:problem:{self.kind}",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "remedy": self.remedy,
        }
        return Response(msgspec.json.encode(content), self.status, self.headers, MEDIA_TYPE)


def problem_of(error: MedsdkError) -> Problem:
    """The problem that an error is to a client."""
    if isinstance(error, WebError):
        return Problem(error.status, error.kind, error.problem, error.remedy, error.headers)
    for kind, status, name in _STATUSES:
        if isinstance(error, kind):
            # A bundle's error names a path of this machine, which is nobody's business outside.
            inside = status is HTTPStatus.INTERNAL_SERVER_ERROR
            detail = "This disease's plugin cannot be used." if inside else _said(error)
            return Problem(status, name, detail, "Run medsdk doctor on the server." if inside else error.remedy)
    return unexpected()


def _said(error: MedsdkError) -> str:
    """The problem, without what the core calls a picture that has no name."""
    name = f"{error.source}: " if isinstance(error, errors.SourceError) else ""
    said = error.problem.removeprefix(name)
    return said[:1].upper() + said[1:]


def unexpected() -> Problem:
    """What is said when there is nothing that a client should know."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "Something went wrong here.", "Tell who runs this server."
    )
