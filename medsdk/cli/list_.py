"""`medsdk list`."""

from __future__ import annotations

import click

from medsdk.cli.output import Format, Rows, format_options, json_line
from medsdk.core import registry


@click.command("list")
@format_options
def command(form: Format) -> None:
    """Which diseases are installed. Imports none of them."""
    found = [
        {"id": disease.id, "distribution": disease.distribution, "version": disease.version}
        for disease in registry.diseases().values()
    ]
    if form == "csv":
        rows = Rows(("id", "distribution", "version"))
        for row in found:
            rows.write(row)
    elif form == "json":
        for row in found:
            click.echo(json_line(row))
    else:
        for row in found:
            click.echo(f"{row['id']:<16}{row['distribution']} {row['version']}")
    if not found and form == "text":
        click.echo("No disease is installed. Install one, for example: pip install medsdk-malaria", err=True)
    for problem in registry.problems():
        click.echo(f"medsdk: {problem}", err=True)
