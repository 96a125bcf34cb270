"""The course of a training run as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib import import_module

_LOSS, _VAL = "#999999", "#1f5fa8"


def draw(loss: Sequence[float], val: Sequence[float], chosen_by: str) -> bytes:
    """SVG: the mean training loss of each epoch, and below it the figure on val, with the epoch that was kept."""
    # A Figure of its own, not pyplot's: no window and no global state.
    figure = import_module("matplotlib.figure").Figure(figsize=(6, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = range(1, len(loss) + 1)
    above.plot(epochs, loss, "o-", color=_LOSS, markersize=3)
    above.set(ylabel="training loss")
    below.plot(epochs, val, "o-", color=_VAL, markersize=3)
    below.set(xlabel="epoch", ylabel=f"{chosen_by} on val")
    if val:
        best = max(range(len(val)), key=lambda i: val[i])
        below.plot(best + 1, val[best], "o", color="black", label=f"kept: epoch {best + 1}, {val[best]:.4f}")
        below.legend(frameon=False)
    for axes in (above, below):
        axes.grid(alpha=0.2)
    buffer = io.BytesIO()
    # Neither date nor random ids: the same run gives the same file.
    with import_module("matplotlib").rc_context({"svg.hashsalt": "medsdk"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
