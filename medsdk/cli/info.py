"""`medsdk info`."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from medsdk.cli.output import Format, Rows, format_options, json_line, percent
from medsdk.core import registry
from medsdk.core.card import Card, Evaluation


@click.command("info")
@click.argument("disease")
@format_options
def command(disease: str, form: Format) -> None:
    """The card of DISEASE: what its model judges, how well, made from what, and its limits."""
    plugin, claim = registry.load_plugin(disease)
    card = plugin.card
    if form == "json":
        fields = msgspec.to_builtins(card)
        click.echo(json_line({"distribution": claim.distribution, "version": claim.version, "card": fields}))
    elif form == "csv":
        rows = Rows(("set", "figure", "value", "low", "high"))
        for evaluation in card.evaluations:
            for name, figure in evaluation.figures.items():
                rows.write({"set": evaluation.set, "figure": name, **msgspec.structs.asdict(figure)})
    else:
        click.echo("\n".join(_text(card, f"{claim.distribution} {claim.version}")))


def _text(card: Card, origin: str) -> Iterator[str]:
    yield f"{card.name} ({card.disease}), ICD-10 {card.codes.icd10}, SNOMED CT {card.codes.snomed_ct}"
    yield f"  plugin         {origin}, status: {card.status}"
    yield f"  judges         {card.picture}"
    yield "  labels         " + ", ".join(f"{x.name}{' (positive)' if x.positive else ''}" for x in card.labels)
    low, high = card.decision.inconclusive
    yield (
        f"  decision       positive from {percent(card.decision.threshold)}, inconclusive between "
        f"{percent(low)} and {percent(high)} ({card.decision.rule}, chosen on {card.decision.split})"
    )
    yield f"  model          {card.model.bytes:,} bytes, {card.input.width}×{card.input.height}, {card.model.sha256}"
    yield f"  licence        {card.licence}"
    yield f"  intended use   {card.intended_use}"
    for limit in card.limits:
        yield f"  limit          {limit}"
    for data in card.training.data:
        yield f"  trained on     {data.name}: {data.pictures} pictures; {data.licence}"
    for evaluation in card.evaluations:
        yield from _figures(evaluation)


def _figures(evaluation: Evaluation) -> Iterator[str]:
    yield f"  {evaluation.set}: {evaluation.pictures} pictures, {evaluation.groups} groups, {evaluation.positives} positive"
    if evaluation.note:
        yield f"    {evaluation.note}"
    for name, figure in evaluation.figures.items():
        yield f"    {name:<28}{figure.value:.3f}  (95 % interval {figure.low:.3f} to {figure.high:.3f})"
