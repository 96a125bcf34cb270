"""`medsdk bench`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import medsdk
from medsdk.cli.hardware import delegate_option
from medsdk.cli.output import json_line

if TYPE_CHECKING:
    from medsdk.bench import Bench

# A plugin that finds many objects in a field is timed on one of them.
_PICTURE, _OBJECT = (1024, 768), (160, 160)


@click.command("bench")
@click.argument("disease")
@click.option("--picture", type=click.Path(exists=True, dir_okay=False), help="Time this picture; else a drawn JPEG.")
@click.option("--repeats", type=click.IntRange(10), default=100, show_default=True, help="Predictions for each figure.")
@click.option("--threads", type=click.IntRange(1), help="Throughput from 1 to so many threads; else as many as cores.")
@delegate_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object; keep it for --compare.")
@click.option("--compare", "earlier", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An earlier one.")
def command(
    disease: str,
    picture: str | None,
    repeats: int,
    threads: int | None,
    delegate: str | None,
    as_json: bool,
    earlier: Path | None,
) -> None:
    """How fast DISEASE is judged on this machine: latency by stage, throughput by threads, memory."""
    from medsdk.bench import Plan, measure

    before = _read(earlier) if earlier else None
    plan = Plan(repeats, threads=threads or os.cpu_count() or 1)
    with medsdk.load(disease, delegate=delegate) as analyzer:
        width, height = _OBJECT if analyzer.plugin.offers_regions else _PICTURE
        name = picture or f"drawn, {width}×{height}, JPEG"
        found = measure(analyzer, picture or _drawn(width, height), name, plan, _progress)
    for warning in found.warnings:
        click.echo(f"medsdk: {warning}", err=True)
    comparison = _compared(found.to_dict(), before, earlier) if before else None
    if as_json:
        click.echo(json_line({**found.to_dict(), **({"compared": comparison} if comparison else {})}))
    else:
        click.echo("\n".join([*_text(found), *_comparison_text(comparison)]))


def _drawn(width: int, height: int) -> bytes:
    """The same picture on every machine: coarse shapes and grain, as hard to decode as a photograph."""
    import cv2
    import numpy as np

    random = np.random.default_rng(0)
    shapes = cv2.resize(random.integers(0, 256, (12, 16, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    grain = random.integers(-12, 13, shapes.shape)
    return bytes(cv2.imencode(".jpg", np.clip(shapes + grain, 0, 255).astype(np.uint8))[1])


def _text(found: Bench) -> Iterator[str]:
    told = found.machine
    yield f"{found.disease} on {told['machine']} ({told['processor']}, {told['cores']} cores, {told['memory_mb']} MB)"
    yield f"  {found.runtime}, Python {told['python']}, {told['system']}; picture: {found.picture}"
    yield f"  {'ms':<14}{'median':>9}{'p95':>9}{'p99':>9}"
    for stage, figures in found.stages.items():
        yield f"  {stage:<14}{figures.median:>9.2f}{figures.p95:>9.2f}{figures.p99:>9.2f}"
    for threads, rate in found.throughput.items():
        mark = "  ← use this many" if threads == found.best_threads and len(found.throughput) > 1 else ""
        yield f"  {threads} thread{'s' if threads > 1 else ' '}     {rate:>9.1f} pictures a second{mark}"
    if found.peak_memory_mb is not None:
        yield f"  peak memory   {found.peak_memory_mb:>9.1f} MB"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not {"stages", "throughput"} <= found.keys():
        raise click.UsageError(f"{path} is not what `medsdk bench --json` prints.")
    return found


def _compared(now: dict[str, Any], before: dict[str, Any], path: Path | None) -> dict[str, Any]:
    from medsdk.bench import compare

    try:
        ratios, differences = compare(now, before)
    except (KeyError, TypeError, AttributeError):
        raise click.UsageError(f"{path} is not what `medsdk bench --json` prints.") from None
    return {"with": str(path), "ratios": ratios, "differences": differences}


def _comparison_text(comparison: dict[str, Any] | None) -> Iterator[str]:
    if comparison is None:
        return
    yield f"  now / {comparison['with']}"
    for name, ratio in comparison["ratios"].items():
        yield f"  {name:<24}{ratio:>9.2f} ×"
    for difference in comparison["differences"]:
        yield f"  not the same: {difference}"


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{text:<30}", nl=False, err=True)
