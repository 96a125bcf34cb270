"""Latency by stage, throughput by threads, memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import repeat
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import medsdk
from medsdk.bench import machine
from medsdk.core.analyzer import Analyzer
from medsdk.core.images import Source
from medsdk.core.threads import fewest

STAGES = ("decode", "preprocess", "invoke", "postprocess")


@dataclass(frozen=True)
class Plan:
    """`repeats` timed predictions behind `warmup` that are not; `threads` up to which the throughput is measured."""

    repeats: int = 100
    warmup: int = 5
    threads: int = 1


@dataclass(frozen=True)
class Figures:
    """Milliseconds."""

    median: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Bench:
    """A result, ready for JSON with `to_dict`; `throughput` is pictures a second by the number of threads."""

    disease: str
    model_sha256: str
    picture: str
    runtime: str
    medsdk: str
    repeats: int
    stages: dict[str, Figures]
    throughput: dict[int, float]
    peak_memory_mb: float | None
    machine: dict[str, object]
    warnings: list[str] = field(default_factory=list)

    @property
    def best_threads(self) -> int:
        """The smallest number of threads within a twentieth of the best throughput: more only heat the machine."""
        return fewest(self.throughput)

    def to_dict(self) -> dict[str, Any]:
        """Plain types only."""
        fields = asdict(self)
        fields["throughput"] = {str(threads): rate for threads, rate in self.throughput.items()}
        return {**fields, "best_threads": self.best_threads}


def measure(
    analyzer: Analyzer, picture: Source, name: str, plan: Plan, progress: Callable[[str], None] = lambda _: None
) -> Bench:
    """Judge the picture again and again. Raises a SourceError if it cannot be read."""
    before = machine.warnings_now()
    progress("warming up")
    provenance = analyzer.predict(picture).provenance
    for _ in range(plan.warmup - 1):
        analyzer.predict(picture)
    progress("latency")
    stages = _latency(analyzer, picture, plan.repeats)
    throughput = {}
    for threads in range(1, plan.threads + 1):
        progress(f"{threads} thread{'s' if threads > 1 else ''}")
        throughput[threads] = round(_throughput(analyzer, picture, plan.repeats, threads), 2)
    return Bench(
        analyzer.disease,
        analyzer.card.model.sha256,
        name,
        provenance.runtime if provenance else "",
        medsdk.__version__,
        plan.repeats,
        stages,
        throughput,
        peak_memory_mb(),
        machine.describe(),
        # What was so only at the end, such as heat, came from the measurement itself.
        list(dict.fromkeys([*before, *machine.warnings_now(working=True)])),
    )


def figures(milliseconds: list[float]) -> Figures:
    """Median and the two percentiles that users feel."""
    return Figures(*(round(float(value), 3) for value in np.percentile(milliseconds, (50, 95, 99))))


def peak_memory_mb() -> float | None:
    """The most that this process has held, in megabytes of 10⁶ bytes; None where the system does not tell."""
    # Linux's own figure first: the resource module's is at least the peak of the program that began this one.
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return round(int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024 / 1e6, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def _latency(analyzer: Analyzer, picture: Source, repeats: int) -> dict[str, Figures]:
    times: dict[str, list[float]] = {stage: [] for stage in (*STAGES, "total")}
    for _ in range(repeats):
        begin = perf_counter()
        prediction = analyzer.predict(picture)
        times["total"].append((perf_counter() - begin) * 1000)
        for stage in STAGES:
            times[stage].append(getattr(prediction.timings, stage))
    return {stage: figures(values) for stage, values in times.items()}


def _throughput(analyzer: Analyzer, picture: Source, repeats: int, threads: int) -> float:
    def many(count: int) -> Iterator[Source]:
        return repeat(picture, count)

    for _ in analyzer.predict_many(many(2 * threads), threads):
        pass  # each thread's interpreter is made here, and not timed
    begin = perf_counter()
    for _ in analyzer.predict_many(many(repeats), threads):
        pass
    return repeats / (perf_counter() - begin)
