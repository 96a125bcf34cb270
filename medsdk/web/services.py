"""What the routes work with, made once for each server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from starlette.requests import Request

from medsdk.core.analyzer import Match
from medsdk.core.prediction import Prediction
from medsdk.web import judging
from medsdk.web.catalogue import Catalogue, Entry
from medsdk.web.judging import Shown
from medsdk.web.metrics import Metrics
from medsdk.web.pool import Pool
from medsdk.web.settings import Settings
from medsdk.web.uploads import Reader, Upload

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """Settings, catalogue, pool, reader and metrics, and the judging that needs all of them.

    Whoever calls a method that judges holds a place in the pool.
    """

    settings: Settings
    catalogue: Catalogue
    pool: Pool
    reader: Reader
    metrics: Metrics

    @classmethod
    def of(cls, settings: Settings) -> Services:
        """New ones; nothing is loaded yet."""
        pool = Pool(settings.workers, settings.queue, settings.answer_seconds)
        return cls(settings, Catalogue(settings.sites), pool, Reader(settings), Metrics())

    async def judge(self, entry: Entry, upload: Upload) -> Prediction:
        """Raises a SourceError."""
        return self._counted(await self._run(judging.judge, entry, upload))

    async def judge_or_error(self, entry: Entry, upload: Upload) -> Prediction:
        """A prediction with `error` set for a picture that cannot be read."""
        return self._counted(await self._run(judging.judge_or_error, entry, upload))

    async def judge_for_page(self, entry: Entry, upload: Upload) -> Shown:
        """Raises a SourceError."""
        shown = await self._run(judging.judge_for_page, entry, upload)
        self._counted(shown.prediction)
        return shown

    async def overlay(self, entry: Entry, upload: Upload) -> bytes:
        """PNG. Raises a SourceError or NoAttentionError."""
        return await self._run(judging.overlay, entry, upload)

    async def identify(self, upload: Upload) -> list[Match]:
        """Raises a SourceError."""
        return await self._run(judging.identify, self.catalogue, upload)

    async def _run(self, job: Callable[..., T], *arguments: object) -> T:
        return await self.pool.run(lambda: job(*arguments, self.settings.max_pixels))

    def _counted(self, prediction: Prediction) -> Prediction:
        self.metrics.count(prediction)
        return prediction


async def services(request: Request) -> Services:
    """The services of the server that a request came to. Async, because FastAPI calls what is not in a thread."""
    return cast(Services, request.app.state.services)
