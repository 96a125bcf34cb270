"""`medsdk predict`."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import click

import medsdk
from medsdk.cli import exit_codes, output
from medsdk.cli.hardware import delegate_option, threads_option
from medsdk.cli.site import site_option
from medsdk.core.analyzer import Analyzer
from medsdk.core.errors import AttentionUnavailableError
from medsdk.core.prediction import COLUMNS, Prediction, row_of
from medsdk.core.threads import Threads


@click.command("predict")
@click.argument("disease")
@click.argument("pictures", nargs=-1, required=True)
@output.format_options
@click.option("--attention", type=click.Path(dir_okay=False, path_type=Path), help="Write the overlay of one picture.")
@site_option
@threads_option("Pictures judged side by side.")
@delegate_option
@click.option("--fail-on", type=click.Choice(["positive"]), help="Exit with code 10 if a picture is positive; for scripts.")
def command(
    disease: str,
    pictures: tuple[str, ...],
    form: output.Format,
    attention: Path | None,
    site: Path | None,
    threads: Threads,
    delegate: str | None,
    fail_on: str | None,
) -> None:
    """Judge PICTURES for DISEASE. The picture '-' is standard input."""
    if attention is not None and len(pictures) > 1:
        raise click.UsageError("--attention takes one picture.")
    with medsdk.load(disease, site=site, delegate=delegate) as analyzer:
        sources = (sys.stdin.buffer.read() if name == "-" else name for name in pictures)
        # One picture that cannot be read is the whole run's error; of many, it is one line.
        alone = len(pictures) == 1
        predictions = map(analyzer.predict, sources) if alone else analyzer.predict_many(sources, threads)
        writer = _Writer(analyzer, form)
        failed = found = 0
        for prediction in predictions:
            writer.write(prediction)
            # medsdk.cli.program has turned it off for the first picture.
            gc.enable()
            failed += prediction.error is not None
            found += prediction.verdict == "positive"
            if attention is not None:
                _save_overlay(prediction, attention)
    if failed:
        sys.exit(exit_codes.SOME_FAILED)
    if fail_on and found:
        sys.exit(exit_codes.FOUND)


class _Writer:
    def __init__(self, analyzer: Analyzer, form: output.Format) -> None:
        self._card = analyzer.card
        self._positive = " or ".join(label.name for label in analyzer.card.labels if label.positive)
        self._form = form
        self._rows = output.Rows(COLUMNS) if form == "csv" else None

    def write(self, prediction: Prediction) -> None:
        if prediction.error is not None:
            click.echo(f"medsdk: {prediction.error}", err=True)
        if self._rows is not None:
            self._rows.write(row_of(prediction))
        elif self._form == "json":
            click.echo(prediction.to_json())
        elif prediction.error is None:
            click.echo(output.prediction_text(prediction, self._card.name, self._card.decision.threshold, self._positive))


def _save_overlay(prediction: Prediction, target: Path) -> None:
    overlay = prediction.attention
    if overlay is None:
        if prediction.verdict != "rejected":
            raise AttentionUnavailableError(f"{prediction.disease}: the model offers no attention map.", "")
        click.echo(f"medsdk: {target} is not written: the picture was rejected.", err=True)
        return
    overlay.save(target)
    click.echo(f"medsdk: attention overlay written to {target}", err=True)
