"""`medsdk watch`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import medsdk
from medsdk.cli.hardware import delegate_option, threads_option
from medsdk.cli.output import json_line, percent
from medsdk.cli.site import site_option

if TYPE_CHECKING:
    from medsdk.camera.events import Gap, Observation
    from medsdk.core.threads import Threads


@click.command("watch")
@click.argument("disease")
@click.argument("source")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="At most so many frames a second.")
@click.option("--steady", type=(int, int), default=(4, 5), show_default=True, help="AGREE OF: frames for a steady verdict.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="Append the JSON lines to this file.")
@click.option("--save", type=click.Path(file_okay=False, path_type=Path), help="Save frames into this folder.")
@click.option(
    "--save-when", type=click.Choice(["all", "changes", "positive"]), default="changes", show_default=True, help="Which."
)
@click.option("--patience", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Seconds without a frame.")
@click.option("--frames", type=click.IntRange(1), help="Stop after so many judged frames.")
@site_option
@threads_option("Threads that work on one frame.")
@delegate_option
@click.option("--preview", is_flag=True, help="Show the frames in a window, where there is a display.")
def command(
    disease: str,
    source: str,
    as_json: bool,
    frames: int | None,
    site: Path | None,
    threads: Threads,
    delegate: str | None,
    preview: bool,
    **settings: Any,
) -> None:
    """Judge what SOURCE shows for DISEASE, for as long as it runs.

    SOURCE is a camera's number (0), picamera, an rtsp:// or http:// address, a video file, or a folder that a scanner
    writes into. SIGTERM and Ctrl-C end it after the frame in hand. With neither --json nor --record a line is printed
    when the steady verdict changes.
    """
    from medsdk.camera.preview import Preview
    from medsdk.camera.watch import Callbacks, watch

    window = Preview(f"medsdk {disease}") if preview else None
    said = _JsonLines() if as_json else _Text()
    callbacks = Callbacks(
        on_frame=said.frame,
        on_outage=lambda reason: _warn(f"no pictures: {reason}; waiting."),
        on_gap=said.gap,
        on_shot=window.show if window else lambda _: None,
    )
    try:
        with (
            medsdk.load(disease, site=site, threads=threads, delegate=delegate) as analyzer,
            watch(analyzer, source, callbacks=callbacks, warn=_warn, **settings) as watching,
        ):
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: watching.stop())
            for observation in watching:
                if observation.number == frames:
                    watching.stop()
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except BrokenPipeError:  # whoever read the lines has gone
        sys.stdout = None  # or Python complains of the pipe once more as it ends
        sys.exit(0)
    _warn(f"{watching.judged} frames judged, {watching.dropped} dropped, {watching.gaps} gaps.")


class _JsonLines:
    def frame(self, observation: Observation) -> None:
        print(json_line(observation.to_dict()), flush=True)

    def gap(self, gap: Gap) -> None:
        print(json_line(gap.to_dict()), flush=True)


class _Text:
    def frame(self, observation: Observation) -> None:
        prediction = observation.prediction
        if prediction.error is not None:
            _warn(str(prediction.error))
        if observation.changed:
            chance = f", last frame {percent(prediction.probability)}" if prediction.probability is not None else ""
            when = observation.time.isoformat(timespec="seconds")
            print(f"{when}  {observation.steady}{chance}  (frame {observation.number})", flush=True)

    def gap(self, gap: Gap) -> None:
        _warn(f"pictures again after {gap.seconds:.1f} s without ({gap.reason}).")


def _warn(text: str) -> None:
    click.echo(f"medsdk: {text}", err=True)
