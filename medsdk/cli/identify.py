"""`medsdk identify`."""

from __future__ import annotations

import sys
import warnings

import click

import medsdk
from medsdk.cli import exit_codes
from medsdk.cli.output import Format, Rows, format_options, json_line
from medsdk.core.errors import SourceError


@click.command("identify")
@click.argument("pictures", nargs=-1, required=True)
@format_options
def command(pictures: tuple[str, ...], form: Format) -> None:
    """Which installed diseases accept this kind of picture, best first."""
    warnings.showwarning = lambda message, *_: click.echo(f"medsdk: {message}", err=True)
    rows = Rows(("source", "disease", "fit")) if form == "csv" else None
    failed = 0
    for name in pictures:
        try:
            matches = medsdk.identify(name)
        except SourceError as error:
            if len(pictures) == 1:
                raise
            click.echo(f"medsdk: {error}", err=True)
            failed += 1
            continue
        if rows is not None:
            for match in matches:
                rows.write({"source": name, "disease": match.disease, "fit": match.fit})
        elif form == "json":
            found = [{"disease": match.disease, "fit": match.fit} for match in matches]
            click.echo(json_line({"source": name, "diseases": found}))
        else:
            names = ", ".join(f"{match.disease} (fit {match.fit:.2f})" for match in matches)
            click.echo(f"{name}: {names or 'no installed disease accepts this kind of picture'}")
    if failed:
        sys.exit(exit_codes.SOME_FAILED)
