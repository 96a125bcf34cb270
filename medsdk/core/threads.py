"""How many threads: chosen by measuring, because more are often slower, and always hotter."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from time import perf_counter
from typing import Literal, TypeAlias

import numpy as np

from medsdk.core.runtime import Model

Threads: TypeAlias = int | Literal["auto"]

# Seconds for each number of threads: a small model runs a hundred times, a large one on a small machine a few times.
_SECONDS = 0.25
_WARMUP = 2

# A number of threads that is within this of the best is as good.
_AS_GOOD = 0.95


def checked(threads: Threads) -> Threads:
    """Raises ValueError if it is no number of threads."""
    if threads != "auto" and threads < 1:
        raise ValueError('threads must be at least 1, or "auto"')
    return threads


def fewest(rates: Mapping[int, float]) -> int:
    """The smallest number of threads whose rate is within a twentieth of the best one's: more only heat the machine."""
    best = max(rates.values())
    return min(threads for threads, rate in rates.items() if rate >= _AS_GOOD * best)


def for_one_picture(open_model: Callable[[int], Model]) -> int:
    """How many threads of one interpreter judge a picture soonest."""
    rates = {}
    for threads in _numbers():
        with open_model(threads) as model:
            rates[threads] = _rate(model)
    return fewest(rates)


def side_by_side(borrow: Callable[[], AbstractContextManager[Model]]) -> int:
    """How many threads, each with an interpreter of its own, judge the most pictures together."""
    rates = {}
    with ExitStack() as borrowed:
        models: list[Model] = []
        for threads in _numbers():
            models += [borrowed.enter_context(borrow()) for _ in range(threads - len(models))]
            rates[threads] = _rate_of_all(models)
    return fewest(rates)


def _numbers() -> list[int]:
    """1, 2, 4 and so on up to the cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [*(number for number in (1, 2, 4, 8, 16) if number < cores), cores]


def _rate(model: Model) -> float:
    """Runs a second."""
    blank = np.zeros(model.input_shape, model.input_dtype)
    for _ in range(_WARMUP):
        model.run(blank)
    count, begin = 0, perf_counter()
    while (seconds := perf_counter() - begin) < _SECONDS or not count:
        model.run(blank)
        count += 1
    return count / seconds


def _rate_of_all(models: list[Model]) -> float:
    """Runs a second of all together."""
    rates: list[float] = []
    workers = [threading.Thread(target=lambda model=model: rates.append(_rate(model))) for model in models]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(rates)
