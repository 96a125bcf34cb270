"""The pages that figures.py writes: docs/reference/figures.md, and the table in README.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

OPEN, CLOSE = "<!-- figures -->", "<!-- /figures -->"
SHOWN = (
    "auc",
    "accuracy",
    "sensitivity",
    "specificity",
    "ece",
    "quadratic_weighted_kappa",
    "floor_border_auc",
    "floor_colour_auc",
)
INTRODUCTION = """# Figures

Written by `make figures`, which runs the shipped plugins over the test splits from encoded picture to prediction.
Intervals are 95 % bootstrap intervals by patient, lesion or whatever the set keeps together. Figures are over the
pictures that were not rejected; the floors (logistic regression on the border alone, or on six colour statistics)
are the converter's, from the card. Robustness, attention and rejection are shares of a few hundred test pictures
each, spread evenly over the split, with Wilson's intervals.
"""


def page(found: dict[str, Any], identified: dict[str, float]) -> str:
    """Everything that was measured, disease by disease."""
    lines = [INTRODUCTION]
    for disease, result in sorted(found.items()):
        lines += [f"## {disease}", "", f"Model {result['model_sha256'][:16]}…", ""]
        for name, values in result["sets"].items():
            lines += [f"**{name}**: {values['pictures']} pictures, {values['rejected']:.1%} rejected, "
                      f"{values['inconclusive']:.1%} inconclusive", ""]  # fmt: skip
            rows = figure_rows(values["figures"], result["card"].get(name, {}))
            lines += table(("figure", "value", "95 % interval"), rows)
        lines += ["Rejected, by pack and by kind of what is no medical picture:", ""]
        lines += table(("pictures", "rejected"), ((k, f"{v:.1%}") for k, v in result["rejected"].items()))
        for name, measured in result["measured"].items():
            lines += [f"**{name}**: {measured['note']}", ""]
            lines += table(("figure", "value", "95 % interval"), map(_row, measured["figures"].items()))
    lines += [
        "## Which disease is asked for",
        "",
        "How often `medsdk identify` puts a disease of the right kind of picture first.",
    ]
    lines += ["", *table(("pack", "right"), ((k, f"{v:.1%}") for k, v in identified.items()))]
    return "\n".join(lines).rstrip() + "\n"


def overview(found: dict[str, Any]) -> list[str]:
    """The README's table: each disease's sets, with the border floor of its card."""
    rows = []
    for disease, result in sorted(found.items()):
        for name, values in result["sets"].items():
            floor = result["card"].get(name, {}).get("floor_border_auc")
            auc, low, high = values["figures"].get("auc", [float("nan")] * 3)
            # A set that is asked for one label has no operating point.
            rest = [values["figures"].get(k, [None])[0] for k in ("sensitivity", "specificity")]
            shown = ("–" if value is None else f"{value:.2f}" for value in (*rest, floor))
            rows.append((f"`{disease}`", name, f"{auc:.3f} ({low:.3f} to {high:.3f})", *shown))
    return table(("plugin", "set", "AUC", "sensitivity", "specificity", "floor"), rows)


def with_table(text: str, table_text: str) -> str:
    before, rest = text.split(OPEN)
    return f"{before}{OPEN}\n\n{table_text}\n{CLOSE}{rest.split(CLOSE)[1]}"


def _row(item: tuple[str, list[float]]) -> tuple[str, ...]:
    name, (value, low, high) = item
    return name, f"{value:.3f}", f"{low:.3f} to {high:.3f}"


def figure_rows(values: dict[str, list[float]], card: dict[str, float]) -> Iterable[tuple[str, ...]]:
    for name in SHOWN:
        if name in values:
            value, low, high = values[name]
            yield name, f"{value:.3f}", f"{low:.3f} to {high:.3f}"
        elif name in card:
            yield name, f"{card[name]:.3f}", "(card)"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(row)} |" for row in lines] + [""]
