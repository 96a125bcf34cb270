"""`medsdk slide`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import medsdk
from medsdk.cli import exit_codes
from medsdk.cli.site import site_option
from medsdk.core.errors import SourceError

if TYPE_CHECKING:
    from medsdk.camera.feed import Feed
    from medsdk.core.prediction import Prediction
    from medsdk.slide import Slide


@click.command("slide")
@click.argument("source")
@click.option("--disease", default="malaria", show_default=True, help="What to count.")
@click.option(
    "--session",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the slide is kept.  [default for a folder of pictures: DIR-slide]",
)
@site_option
@click.option("--enough", type=click.IntRange(1), help="Stop after so many objects.  [default: 2000]")
@click.option("--all", "beyond", is_flag=True, help="Go on through all fields, however many were counted.")
@click.option("--every", "seconds", type=click.FloatRange(0, min_open=True), help="Take a field every so many seconds.")
@click.option("--wait", is_flag=True, help="Of a folder: wait for the pictures that a program writes into it.")
@click.option("--patience", type=click.FloatRange(0.1), default=10.0, show_default=True, help="Seconds without a frame.")
@click.option("--pictures", is_flag=True, help="Keep the annotated fields, and put them into the report.")
@click.option("--json", "as_json", is_flag=True, help="The total as one JSON object.")
def command(
    source: str,
    disease: str,
    session: Path | None,
    site: Path | None,
    enough: int | None,
    beyond: bool,
    seconds: float | None,
    wait: bool,
    patience: float,
    pictures: bool,
    as_json: bool,
) -> None:
    """Count one slide, whose fields are the pictures in a folder, or what a camera sees.

    SOURCE is a folder, a camera's number (0), picamera, an rtsp:// or http:// address, or a video file. From a camera a
    field is taken when you press Enter (q and Enter ends), or with --every by itself, if the stage has moved since the
    last one. Each field is saved before the next is looked at; the same command goes on where an earlier one was
    interrupted. SIGTERM and Ctrl-C end it after the field in hand. The session's folder then holds slide.jsonl,
    total.json, fields.csv and report.html. Exit code 6: some pictures could not be read.
    """
    from medsdk.slide import open_slide
    from medsdk.slide.session import ENOUGH

    # The source first: a name that was mistyped is told before anything is written.
    feed = None if Path(source).is_dir() and not wait else _feed(source, seconds, patience)
    where = session or _beside(source)
    with open_slide(where, medsdk.load(disease, site=site), enough=enough or ENOUGH, pictures=pictures) as slide:
        failed = _add_all(slide, Path(source), beyond) if feed is None else _take_all(slide, feed, beyond, seconds)
        _report(slide, where, pictures, as_json)
    if failed:
        sys.exit(exit_codes.SOME_FAILED)


def _beside(source: str) -> Path:
    folder = Path(source)
    if not folder.is_dir():
        # A camera has no name that tells one patient's slide from the next.
        raise click.UsageError("Name the folder that keeps this slide: --session patient-17")
    return folder.with_name(f"{folder.resolve().name}-slide")


def _report(slide: Slide, where: Path, pictures: bool, as_json: bool) -> None:
    from medsdk.slide import write_csv, write_html, write_json

    write_json(slide, where / "total.json")
    write_csv(slide, where / "fields.csv")
    write_html(slide, where / "report.html", pictures=pictures)
    total = slide.total
    click.echo(total.to_json() if as_json else f"{total.verdict}: {total.details.get('summary') or total.reason}")
    if not slide.is_enough:
        _warn(f"{slide.counted} of {slide.enough} counted: more fields are needed.")
    _warn(f"report written to {where / 'report.html'}")


def _add_all(slide: Slide, folder: Path, beyond: bool) -> int:
    """How many of the pictures could not be read."""
    from medsdk.batch import find_pictures

    failed = 0
    for picture in find_pictures([folder]):
        if slide.is_enough and not beyond:
            break
        try:
            finding = slide.add(picture)
        except SourceError as error:
            failed += 1
            _warn(str(error))
            continue
        _said(slide, finding)
    return failed


def _feed(source: str, seconds: float | None, patience: float) -> Feed:
    from medsdk.camera import Clock
    from medsdk.camera.feed import open_feed
    from medsdk.camera.video import VideoFeed

    feed = open_feed(source, Clock(), patience, frozenset())
    # A video waits for nobody: its own time counts, not the clock's.
    return feed.limited(1 / seconds if seconds else None) if isinstance(feed, VideoFeed) else feed


def _take_all(slide: Slide, feed: Feed, beyond: bool, seconds: float | None) -> int:
    """How many of the pictures could not be read."""
    from medsdk.camera.live import LiveFeed
    from medsdk.slide.taking import Asked, Every, Heard, Taker

    live = isinstance(feed, LiveFeed)
    trigger = Asked() if live and not seconds else Every(seconds if live and seconds else 0)
    heard = Heard(
        on_field=lambda finding: _said(slide, finding),
        on_same=lambda: _warn("the stage has not moved: not counted again."),
        on_outage=lambda reason: _warn(f"no pictures: {reason}; waiting."),
        on_unreadable=lambda error: _warn(str(error)),
    )
    taker = Taker(slide, feed, trigger, heard=heard)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: taker.stop())
    if isinstance(trigger, Asked):
        _warn("press Enter to take the field that the camera sees, q and Enter to end; or begin with --every SECONDS.")
        trigger.listen(sys.stdin, taker.stop)
    taker.run(beyond_enough=beyond)
    return taker.unreadable


def _said(slide: Slide, finding: Prediction) -> None:
    said = finding.reason if finding.verdict == "rejected" else slide.total.details.get("summary")
    _warn(f"field {len(slide.fields)}, {Path(finding.source).name}: {said}")


def _warn(text: str) -> None:
    click.echo(f"medsdk: {text}", err=True)
