"""The report's drawings, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from medsdk.evaluation.curves import Bin, Curves
from medsdk.evaluation.extra import need

_LINE, _FAINT = "#1f5fa8", "#999999"


def roc(curves: Curves, point: tuple[float, float] | None) -> bytes:
    """`point` is the operating point as (1 - specificity, sensitivity)."""
    axes = _axes("1 − specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=0.8, linestyle=":")
    axes.plot(*zip(*curves.roc, strict=True), color=_LINE)
    if point is not None:
        axes.plot(*point, "o", color="black", label="operating point")
        axes.legend(loc="lower right", frameon=False)
    return _svg(axes)


def precision_recall(curves: Curves, prevalence: float) -> bytes:
    """`prevalence` is the precision of calling every picture positive."""
    axes = _axes("recall (sensitivity)", "precision")
    axes.axhline(prevalence, color=_FAINT, linewidth=0.8, linestyle=":")
    axes.plot(*zip(*curves.precision_recall, strict=True), color=_LINE)
    return _svg(axes)


def calibration(bins: Sequence[Bin]) -> bytes:
    """On the diagonal a probability of 30 % is right 30 times in 100."""
    axes = _axes("mean positive probability", "share that is positive")
    axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=0.8, linestyle=":")
    seen = [bin.positive for bin in bins]
    bars = [[share.value - share.low for share in seen], [share.high - share.value for share in seen]]
    axes.errorbar(
        [bin.mean for bin in bins],
        [share.value for share in seen],
        yerr=bars,
        fmt="o-",
        color=_LINE,
        markersize=4,
        linewidth=1,
        capsize=2,
    )
    return _svg(axes)


def _axes(across: str, up: str) -> Any:
    # A Figure of its own, not pyplot's: no window, no global state, safe in threads.
    figure = need("matplotlib.figure").Figure(figsize=(4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlabel=across, ylabel=up, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.grid(alpha=0.2)
    return axes


def _svg(axes: Any) -> bytes:
    buffer = io.BytesIO()
    # Neither date nor random ids: the same figures give the same file.
    with need("matplotlib").rc_context({"svg.hashsalt": "medsdk"}):
        axes.figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
