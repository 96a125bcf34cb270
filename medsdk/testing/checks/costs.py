"""What the plugin costs: time, memory, and what importing it brings along."""

from __future__ import annotations

from time import perf_counter

from medsdk.testing import pictures
from medsdk.testing.probe import Report
from medsdk.testing.subject import LATENCY_CLASSES, ContractError, NotApplicableError, Subject

_RUNS = 8
# Predictions between which memory is compared may leave this much behind: allocators keep a little.
_GROWTH_MB = 24.0


def latency(subject: Subject) -> None:
    """From pixels to prediction within the latency class that the plugin claims: live, interactive or batch."""
    allowed = LATENCY_CLASSES[subject.limits.latency]
    pixels = pictures.landscape()
    subject.lenient.predict(pixels)
    times = []
    for _ in range(_RUNS):
        begin = perf_counter()
        subject.lenient.predict(pixels)
        times.append((perf_counter() - begin) * 1000)
    # The best: what else the machine does makes a run slower, never faster.
    best = min(times)
    if best > allowed:
        raise ContractError(
            f"The best of {_RUNS} predictions takes {best:.0f} ms; the class {subject.limits.latency!r} allows "
            f"{allowed:.0f} ms. Make the model's input smaller, or claim a slower class."
        )


def memory(subject: Subject) -> None:
    """The peak of a process that predicts stays within the limit, and does not grow from picture to picture."""
    report = _finished(subject)
    if report.peak_mb < 0:
        raise NotApplicableError("This system does not tell how much memory a process has used.")
    if report.peak_mb > subject.limits.memory_mb:
        raise ContractError(
            f"A process that predicts needs {report.peak_mb:.0f} MB, allowed are {subject.limits.memory_mb:.0f} MB."
        )
    if report.growth_mb > _GROWTH_MB:
        raise ContractError(
            f"Memory grows by {report.growth_mb:.0f} MB over 60 predictions: the plugin keeps something of every picture."
        )


def import_cost(subject: Subject) -> None:
    """Importing the plugin is quick, and neither it nor a prediction loads a package that a small device cannot bear."""
    report = subject.report
    if report.heavy:
        raise ContractError(f"The plugin loads {', '.join(report.heavy)}. On a device medsdk's own dependencies must do.")
    report = _finished(subject)
    if report.import_ms > subject.limits.import_ms:
        raise ContractError(
            f"Importing the plugin takes {report.import_ms:.0f} ms of processor time, allowed are "
            f"{subject.limits.import_ms:.0f} ms. Do at import only what registering needs."
        )


def _finished(subject: Subject) -> Report:
    if subject.report.error:
        raise ContractError(f"In a process of its own the plugin fails: {subject.report.error}")
    return subject.report
