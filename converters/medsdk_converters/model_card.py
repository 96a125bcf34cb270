"""The model card for people, written from the card; nothing in it is typed by hand."""

from __future__ import annotations

from importlib import import_module

from medsdk.core.card import Card, Estimate
from medsdk.core.errors import MedsdkError
from medsdk.core.prediction import NOTICE
from medsdk.evaluation.operating import parse_rule
from medsdk.evaluation.report import FIGURES

FLOORS = {
    "floor_border_auc": "*floor:* AUC from the picture's border alone",
    "floor_colour_auc": "*floor:* AUC from the picture's mean colours alone",
}
# What benchmarks/figures.py measures of a shipped bundle.
MEASURED = {
    "unchanged_jpeg_50": "after JPEG compression of quality 50",
    "unchanged_darker_20": "20 % darker",
    "unchanged_brighter_20": "20 % brighter",
    "unchanged_turned_5": "turned by 5°",
    "unchanged_half_resolution": "at half the resolution",
    "unchanged_slight_blur": "slightly blurred",
    "reversed_at_worst": "reversed by the worst of these changes",
    "same_at_12_megapixels": "same label at 12 megapixels and at 400 pixels",
    "attention_covered": "covering the hottest fifth lowers the score more",
    "attention_log_odds": "log-odds that it lowers the score more",
    "attention_in_infected_cell": "hottest point in the infected cell of two",
}
RULES = {
    "youden": "the highest sum of sensitivity and specificity",
    "accuracy": "the most right verdicts",
}
OTHER_FIGURE = {"sensitivity": "specificity", "specificity": "sensitivity"}


def render(card: Card, *, diagram: bool = False) -> str:
    """Markdown. With `diagram` it shows calibration.svg, which then has to stand beside it."""
    jinja2 = import_module("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("medsdk_converters"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, from the card alone
    )
    environment.filters.update(figure=_figure, percent=_percent, count=_count)
    names = {**FIGURES, **FLOORS, **MEASURED}
    page: str = environment.get_template("README.md.j2").render(
        card=card,
        names=names,
        # Figures in one order everywhere; one that has no name yet is shown by its key rather than left out.
        order=[*names, *sorted({key for e in card.evaluations for key in e.figures} - set(names))],
        has_floors=any(key in e.figures for e in card.evaluations for key in FLOORS),
        rule=_rule(card.decision.rule),
        positive=[label.name for label in card.labels if label.positive],
        notice=NOTICE,
        diagram=diagram,
    )
    return page


def _figure(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _rule(rule: str) -> str:
    """How the operating point was chosen, in words; a rule that medsdk does not know as it stands in the card."""
    try:
        figure, at_least = parse_rule(rule)
    except MedsdkError:
        return rule
    if at_least is None:
        return RULES[figure]
    return f"the highest {OTHER_FIGURE[figure]} at a {figure} of at least {_percent(at_least)}"


def _count(number: int) -> str:
    return f"{number:,}"
