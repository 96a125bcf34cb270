"""`medsdk slide`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medsdk.cli import exit_codes
from medsdk.core.errors import SourceError

if TYPE_CHECKING:
    from medsdk.slide import Slide


@click.command("slide")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--disease", default="malaria", show_default=True, help="What to count.")
@click.option(
    "--session", type=click.Path(file_okay=False, path_type=Path), help="Where the slide is kept.  [default: DIR-slide]"
)
@click.option("--enough", type=click.IntRange(1), help="Stop after so many objects.  [default: 2000]")
@click.option("--all", "every", is_flag=True, help="Go on through all fields, however many were counted.")
@click.option("--pictures", is_flag=True, help="Keep the annotated fields, and put them into the report.")
@click.option("--json", "as_json", is_flag=True, help="The total as one JSON object.")
def command(
    folder: Path, disease: str, session: Path | None, enough: int | None, every: bool, pictures: bool, as_json: bool
) -> None:
    """Count one slide, whose fields are the pictures in DIR.

    Each field is saved before the next is looked at; the same command goes on where an earlier one was interrupted. The
    session's folder then holds slide.jsonl, total.json, fields.csv and report.html. Exit code 6: some pictures could not
    be read.
    """
    from medsdk.batch import find_pictures
    from medsdk.slide import open_slide, write_csv, write_html, write_json
    from medsdk.slide.session import ENOUGH

    where = session or folder.with_name(f"{folder.resolve().name}-slide")
    with open_slide(where, disease, enough=enough or ENOUGH, pictures=pictures) as slide:
        failed = _add_all(slide, list(find_pictures([folder])), every)
        write_json(slide, where / "total.json")
        write_csv(slide, where / "fields.csv")
        write_html(slide, where / "report.html", pictures=pictures)
        total = slide.total
        if as_json:
            click.echo(total.to_json())
        else:
            click.echo(f"{total.verdict}: {total.details.get('summary') or total.reason}")
        if not slide.is_enough:
            click.echo(f"medsdk: {slide.counted} of {slide.enough} counted: more fields are needed.", err=True)
        click.echo(f"medsdk: report written to {where / 'report.html'}", err=True)
    if failed:
        sys.exit(exit_codes.SOME_FAILED)


def _add_all(slide: Slide, pictures: list[Path], every: bool) -> int:
    """How many of the pictures could not be read."""
    failed = 0
    for number, picture in enumerate(pictures, 1):
        if slide.is_enough and not every:
            break
        try:
            finding = slide.add(picture)
        except SourceError as error:
            failed += 1
            click.echo(f"medsdk: {error}", err=True)
            continue
        said = finding.reason if finding.verdict == "rejected" else slide.total.details.get("summary")
        click.echo(f"medsdk: field {number}, {picture.name}: {said}", err=True)
    return failed
