"""`medsdk list`."""

from __future__ import annotations

import click

from medsdk.cli.output import Format, Rows, format_options, json_line
from medsdk.core import installing, registry

_COLUMNS = ("id", "distribution", "version")
_STANDING = ("status", "licence", "card_licence", "intended_use", "files")


@click.command("list")
@format_options
@click.option("--verbose", is_flag=True, help="Licence, status, intended use, and whether the files are as installed.")
def command(form: Format, verbose: bool) -> None:
    """Which diseases are installed. Imports none of them."""
    columns = _COLUMNS + (_STANDING if verbose else ())
    diseases, problems = registry.survey()
    for problem in problems:
        registry.raise_if_strict(problem)
    found = [_row(disease, verbose) for disease in diseases.values()]
    if form == "csv":
        rows = Rows(columns)
        for row in found:
            rows.write(row)
    elif form == "json":
        for row in found:
            click.echo(json_line(row))
    else:
        for row in found:
            click.echo(f"{row['id']:<16}{row['distribution']} {row['version']}")
            for name in columns[len(_COLUMNS) :]:
                click.echo(f"  {name.replace('_', ' '):<14}{row[name] or '–'}")
    if not found and form == "text":
        click.echo(f"No disease is installed. Install one, for example: {installing.plugin('malaria')}", err=True)
    for problem in problems:
        click.echo(f"medsdk: {problem}", err=True)


def _row(claim: registry.InstalledDisease, verbose: bool) -> dict[str, str | None]:
    row: dict[str, str | None] = {"id": claim.id, "distribution": claim.distribution, "version": claim.version}
    if not verbose:
        return row
    from medsdk.core import trust

    known = trust.examine(claim)
    return row | {
        "status": known.status,
        "licence": known.licence,
        "card_licence": known.card_licence,
        "intended_use": known.intended_use,
        "files": known.summary,
    }
