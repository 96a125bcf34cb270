"""`medsdk batch`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

import medsdk
from medsdk.cli import exit_codes
from medsdk.cli.hardware import delegate_option, threads_option
from medsdk.cli.site import site_option

if TYPE_CHECKING:
    from medsdk.batch import Progress
    from medsdk.core.threads import Threads

# Seconds between two updates of the line on the terminal.
_UPDATE_S = 0.2


@click.command("batch")
@click.argument("disease")
@click.argument("pictures", nargs=-1, required=True, metavar="DIR|FILES...")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Results, as .jsonl or .csv by the ending."
)
@site_option
@threads_option("Pictures judged side by side.")
@delegate_option
def command(
    disease: str, pictures: tuple[str, ...], out: Path, site: Path | None, threads: Threads, delegate: str | None
) -> None:
    """Judge all the pictures in folders and files for DISEASE, one line of results each.

    The same command goes on where an earlier one was interrupted. Exit code 6: some pictures could not be read.
    """
    from medsdk.batch import find_pictures, run

    line = _Line() if sys.stderr.isatty() else None
    try:
        with medsdk.load(disease, site=site, delegate=delegate) as analyzer:
            done = run(analyzer, find_pictures(pictures), out, threads=threads, progress=line or (lambda _: None))
    except KeyboardInterrupt:
        click.echo(f"\nmedsdk: interrupted; {out} is whole, and the same command goes on from there.", err=True)
        sys.exit(exit_codes.FAILED)
    if line:
        line.end(done)
    before = f", {done.done_before} of them before" if done.done_before else ""
    total = done.done + done.done_before
    click.echo(f"medsdk: {total} of {done.pictures} pictures in {out}{before}; {done.failed} could not be read.", err=True)
    if done.failed:
        sys.exit(exit_codes.SOME_FAILED)


class _Line:
    """One line on the terminal, painted over."""

    def __init__(self) -> None:
        self._began = self._painted = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._painted >= _UPDATE_S:
            self._painted = now
            self._paint(progress, now)

    def end(self, progress: Progress) -> None:
        self._paint(progress, time.monotonic())
        click.echo(err=True)

    def _paint(self, progress: Progress, now: float) -> None:
        rate = progress.done / max(now - self._began, 1e-9)
        left = progress.pictures - progress.done_before - progress.done
        remaining = f"{left / rate:.0f} s left" if rate > 0 else ""
        text = f"{progress.done + progress.done_before} of {progress.pictures}, {rate:.1f} a second, {remaining}"
        click.echo(f"\r{text:<70}", nl=False, err=True)
