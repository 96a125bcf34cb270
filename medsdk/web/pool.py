"""Where pictures are judged: a few threads, a short queue, and a clear no when both are full."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

from medsdk.web.problems import BusyError

T = TypeVar("T")

# How much the newest job weighs in the mean that Retry-After is reckoned from.
_NEWEST = 0.1


class Pool:
    """Runs jobs in `workers` threads. At most `workers + queue` requests are inside; the next is refused.

    A request takes one place however many pictures it brings, and they are judged one after another: nobody gets
    ahead of the others by sending many at once.
    """

    def __init__(self, workers: int, queue: int, answer_seconds: float = 60.0) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="medsdk-web")
        self._workers = workers
        self._places = workers + queue
        self._answer_seconds = answer_seconds
        self._mean_seconds = 0.1
        self.inside = 0

    @property
    def full(self) -> bool:
        return self.inside >= self._places

    def refuse_if_full(self) -> None:
        """Raises BusyError. Asked before a body is read, so that nobody sends a picture for nothing."""
        if self.full:
            raise BusyError(self._wait())

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places, for as long as a request's jobs take. Raises BusyError."""
        self.refuse_if_full()
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def run(self, job: Callable[[], T]) -> T:
        """The job's result, from a thread; the caller holds a place. Raises BusyError if it takes too long."""
        loop = asyncio.get_running_loop()
        begin = perf_counter()
        try:
            result = await asyncio.wait_for(loop.run_in_executor(self._threads, job), self._answer_seconds)
        except asyncio.TimeoutError:
            raise BusyError(self._wait()) from None
        self._mean_seconds += _NEWEST * (perf_counter() - begin - self._mean_seconds)
        return result

    def close(self) -> None:
        """Finish what has begun, then stop the threads."""
        self._threads.shutdown(wait=True)

    def _wait(self) -> int:
        return max(1, math.ceil(self._mean_seconds * self.inside / self._workers))
