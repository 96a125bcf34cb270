"""Reading what a client sends: never more than the limit, never from a client that dawdles, never onto a disk."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from medsdk.web.problems import BusyError, NoPictureError, TooLargeError, TooSlowError
from medsdk.web.settings import MEBIBYTE, Settings

# Form fields beside the pictures: the disease, a language. Nobody needs more, or longer ones.
_MAX_FIELDS = 8
_MAX_FIELD_BYTES = 1024
_MAX_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A picture's bytes and the name that the client gave it, which nothing may depend on."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """The pictures of a form and its other fields."""

    uploads: tuple[Upload, ...]
    fields: dict[str, str]


class _InMemory(MultiPartParser):
    """Starlette's parser, but patients' pictures must not lie in a temporary file; the body's limit bounds the memory."""

    spool_max_size = sys.maxsize


class Reader:
    """Reads the bodies of at most `settings.readers` requests at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reading = 0

    async def pictures(self, request: Request) -> Form:
        """The pictures of a request, whether its body is a form or one picture.

        Raises TooLargeError, TooSlowError, BusyError or NoPictureError.
        """
        if is_form(request):
            return await self.form(request)
        with self._place() as patience:
            data = b"".join([chunk async for chunk in self._chunks(request, patience)])
        if not data:
            raise NoPictureError("The request has no body.", "Send a picture as the body, or a form with pictures.")
        return Form((Upload("body", data),), {})

    async def form(self, request: Request) -> Form:
        """The same for a form only."""
        with self._place() as patience:
            parser = _InMemory(
                request.headers,
                self._chunks(request, patience),
                max_files=self._settings.max_files,
                max_fields=_MAX_FIELDS,
                max_part_size=_MAX_FIELD_BYTES,
            )
            try:
                parsed = await parser.parse()
            except (MultiPartException, KeyError) as error:
                raise NoPictureError(
                    f"The form cannot be read ({_said(error)}).",
                    f"Send multipart/form-data with at most {self._settings.max_files} pictures.",
                ) from None
        try:
            return await _content(parsed)
        finally:
            await parsed.close()

    @contextmanager
    def _place(self) -> Iterator[anyio.CancelScope]:
        """One of the places, and the time that its client has, which grows with what comes."""
        if self._reading >= self._settings.readers:
            raise BusyError(max(1, round(self._settings.patience)))
        self._reading += 1
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + self._settings.patience) as patience:
                yield patience
        finally:
            self._reading -= 1
        if patience.cancelled_caught:
            raise TooSlowError(
                "The picture came too slowly.", "Send it again over a better connection.", {"Connection": "close"}
            )

    async def _chunks(self, request: Request, patience: anyio.CancelScope) -> AsyncGenerator[bytes, None]:
        declared, received = _declared_size(request), 0
        self._check_size(declared, declared)
        async for chunk in request.stream():
            received += len(chunk)
            self._check_size(received, declared)
            patience.deadline += len(chunk) / self._settings.slowest
            yield chunk

    def _check_size(self, size: int, declared: int) -> None:
        limit = self._settings.max_bytes
        if size > limit:
            # What is still coming is read and thrown away, because a browser shows the answer only when it has sent
            # everything; who says nothing of the end, or sends very much more, is cut off.
            endless = declared == 0 or declared > 4 * limit
            raise TooLargeError(
                f"The request has more than {limit / MEBIBYTE:g} MiB.",
                "Send fewer pictures at once, or a smaller one.",
                {"Connection": "close"} if endless else {},
            )


def is_form(request: Request) -> bool:
    """True for multipart/form-data, as a page's form or `curl -F` sends it."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def _content(form: FormData) -> Form:
    uploads, fields = [], {}
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            fields[name] = value
        elif value.filename or value.size:  # an input of a page that was left empty has neither
            uploads.append(Upload((value.filename or "picture")[-_MAX_NAME:], await value.read()))
    return Form(tuple(uploads), fields)


def _declared_size(request: Request) -> int:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else 0


def _said(error: Exception) -> str:
    return str(getattr(error, "message", "no boundary")).rstrip(".")
