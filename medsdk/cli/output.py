"""How results are written to standard output: text for people, JSON lines or CSV rows for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

import click
import msgspec

from medsdk.core.prediction import NOTICE, Prediction

Format: TypeAlias = Literal["text", "json", "csv"]
Command = TypeVar("Command", bound=Callable[..., Any])


def format_options(command: Command) -> Command:
    """--json and --csv; the command gets `form`."""
    for flag, value, text in (
        ("--csv", "csv", "One CSV row each, with a header."),
        ("--json", "json", "One JSON object a line."),
    ):
        command = click.option(flag, "form", flag_value=value, help=text)(command)
    return click.option("--text", "form", flag_value="text", default="text", hidden=True)(command)


def json_line(value: object) -> str:
    """One line of JSON of plain types, dataclasses or structs."""
    return msgspec.json.encode(value).decode()


class Rows:
    """CSV rows on standard output; the header comes before the first."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        import csv

        self._writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
        self._writer.writeheader()

    def write(self, row: Mapping[str, object]) -> None:
        self._writer.writerow(row)
        sys.stdout.flush()


def prediction_text(prediction: Prediction, name: str, threshold: float, positive: str) -> str:
    """One readable block."""
    if prediction.error is not None:
        return f"{prediction.source}\n  error         {prediction.error.problem} {prediction.error.remedy}"
    lines = [prediction.source, f"  {name}: {prediction.verdict}"]
    if prediction.reason:
        lines.append(f"  {prediction.reason}")
    if "summary" in prediction.details:
        lines.append(f"  {prediction.details['summary']}")
    if prediction.probability is not None and prediction.scores:
        made = prediction.provenance
        whose = ", by this site's settings" if made is not None and made.site_sha256 else ""
        chance = f"probability of {positive} {percent(prediction.probability)}"
        lines.append(f"  {chance}, operating point {percent(threshold)}{whose}")
        width = max(len(score.name) for score in prediction.scores)
        lines += [f"    {score.name:<{width}}  {percent(score.probability):>7}" for score in prediction.scores]
    return "\n".join([*lines, f"  {NOTICE}"])


def percent(value: float) -> str:
    """0..1 as a percentage with one decimal."""
    return f"{100 * value:.1f} %"
