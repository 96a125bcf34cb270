"""Judging what is left of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from medsdk.batch.results import Results
from medsdk.core.analyzer import Analyzer
from medsdk.core.threads import Threads


@dataclass
class Progress:
    """How far a batch is. `failed` counts the pictures that could not be read, those of earlier runs too."""

    pictures: int
    done_before: int = 0
    done: int = 0
    failed: int = 0


def run(
    analyzer: Analyzer,
    pictures: Iterable[Path],
    out: Path,
    *,
    threads: Threads = 1,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Judge the pictures that `out` does not hold yet, in order, and append each result as soon as it is there.

    Interrupted at any moment, the same call goes on where it was. Only the names are held in memory. Raises WriteError.
    """
    with closing(Results(out, analyzer.disease, analyzer.card.model.sha256, analyzer.site_sha256)) as results:
        every = [str(path) for path in pictures]
        left = [name for name in every if name not in results.done]
        state = Progress(len(every), len(every) - len(left), failed=results.failed_before)
        progress(state)
        for prediction in analyzer.predict_many(left, threads):
            results.append(prediction)
            state.done += 1
            state.failed += prediction.error is not None
            progress(state)
    return state
