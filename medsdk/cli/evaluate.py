"""`medsdk evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from medsdk.cli import exit_codes


@click.command("evaluate")
@click.argument("disease")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="A folder a label, a CSV, or a tar with manifest.csv.",
)
@click.option("--split", help='The pictures to judge on; by default "test" where there is one, else all.')
@click.option(
    "--label-map", "label_map", multiple=True, metavar="THEIRS=OURS", help="What a label of the set means; repeatable."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write report.html and report.json here.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as one JSON object.")
@click.option("--pictures", is_flag=True, help="Show the worst mistakes in the report: it then holds patients' pictures.")
@click.option(
    "--recalibrate",
    "site",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Fit this site's own operating point and write it to this file, such as site.json.",
)
@click.option("--rule", help="How --recalibrate chooses the operating point, such as 'sensitivity>=0.95'.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Pictures judged side by side.")
def command(
    disease: str,
    data: Path,
    split: str | None,
    label_map: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    pictures: bool,
    site: Path | None,
    rule: str | None,
    threads: int,
) -> None:
    """How good is DISEASE on labelled pictures: figures with intervals, curves, one HTML report.

    DISEASE is an installed disease's id, or the path of a bundle's folder (./malaria).
    """
    from medsdk.core.site import write_site
    from medsdk.evaluation import report
    from medsdk.evaluation.data import parse_label_map
    from medsdk.evaluation.evaluate import Plan, evaluate
    from medsdk.evaluation.judging import open_disease

    if pictures and out is None:
        raise click.UsageError("--pictures needs --out: the pictures are shown in the report.")
    if rule is not None and site is None:
        raise click.UsageError("--rule needs --recalibrate: the card's own operating point is never changed.")
    plan = Plan(data, split, parse_label_map(label_map), threads, recalibrate=site is not None, rule=rule)
    with open_disease(disease) as analyzer:
        result, judged = evaluate(analyzer, plan, _progress if sys.stderr.isatty() else None)
        card = analyzer.card
    click.echo(report.to_json(result).decode() if as_json else report.text(result))
    for problem in result.unreadable:
        click.echo(f"medsdk: {problem}", err=True)
    if site is not None and result.site is not None:
        write_site(result.site, site)
        click.echo(f"medsdk: this site's settings written to {site}", err=True)
    if out is not None:
        page, _ = report.write_report(result, card, out, judged if pictures else None)
        click.echo(f"medsdk: report written to {page}", err=True)
    if result.unreadable:
        sys.exit(exit_codes.SOME_FAILED)


def _progress(done: int, of: int) -> None:
    click.echo(f"\r{done} of {of} pictures", nl=done == of, err=True)
