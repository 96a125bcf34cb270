"""`medsdk tally`: how many of many pictures got which verdict. An example of a command that a plugin adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import click

import medsdk

ORDER = ("positive", "inconclusive", "negative", "rejected", "unreadable")


@click.command("tally")
@click.argument("disease")
@click.argument("pictures", nargs=-1, required=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Pictures judged side by side.")
def tally(disease: str, pictures: tuple[str, ...], threads: int) -> None:
    """Count the verdicts of DISEASE over PICTURES."""
    with medsdk.load(disease) as analyzer:
        verdicts = Counter[str](
            prediction.verdict or "unreadable" for prediction in analyzer.predict_many(pictures, threads)
        )
    for verdict in ORDER:
        click.echo(f"{verdict:<14}{verdicts[verdict]:>6}")
    click.echo(f"{'all':<14}{sum(verdicts.values()):>6}")


@medsdk.hookimpl
def medsdk_register_commands(register: Callable[[click.Command], None]) -> None:
    """Tell medsdk of the command."""
    register(tally)
