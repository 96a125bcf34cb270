"""Two results side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def compare(now: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    """Ratios now / before (below 1 is faster, for throughput above 1), and why the two may not be comparable.

    Both as `Bench.to_dict` makes them. Raises KeyError, TypeError or AttributeError if `before` is no such result.
    """
    ratios = {
        f"{stage} {name}": round(value / before["stages"][stage][name], 3)
        for stage, found in now["stages"].items()
        for name, value in found.items()
        if before["stages"].get(stage, {}).get(name)
    }
    for threads, rate in now["throughput"].items():
        if before["throughput"].get(threads):
            ratios[f"throughput, {threads} threads"] = round(rate / before["throughput"][threads], 3)
    if before.get("peak_memory_mb") and now.get("peak_memory_mb"):
        ratios["peak memory"] = round(now["peak_memory_mb"] / before["peak_memory_mb"], 3)
    return ratios, [*_differences(now, before)]


def _differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    names = ("disease", "model_sha256", "picture", "runtime", "machine")
    different = [
        f"{name}: {before.get(name)!r} before, {now.get(name)!r} now" for name in names if now[name] != before.get(name)
    ]
    return different + [f"before: {text}" for text in before.get("warnings", [])]
