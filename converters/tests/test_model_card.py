"""The model card for people holds what the card holds, and nothing else."""

from __future__ import annotations

import msgspec
import pytest

from medsdk.core.card import (
    Calibration,
    Card,
    Codes,
    DataSet,
    Decision,
    Estimate,
    Evaluation,
    File,
    Input,
    Label,
    Outputs,
    Rejection,
    Training,
)

pytest.importorskip("jinja2")

from medsdk_converters import model_card

CARD = Card(
    schema_version=1,
    disease="spots",
    name="Spots",
    codes=Codes("Z00", "17"),
    picture="a drawn disc",
    labels=(Label("plain", "a plain disc", False), Label("spotted", "a disc with a spot", True)),
    input=Input(height=48, width=40),
    outputs=Outputs(),
    decision=Decision(0.42, (0.3, 0.5), "sensitivity>=0.95", "val"),
    calibration=Calibration(1.25),
    rejection=Rejection(2.5, "a distance", "val"),
    model=File("model.tflite", 1234567, "a" * 64),
    reference=None,
    evaluations=(
        Evaluation(
            "test of the north",
            1200,
            300,
            400,
            {
                "auc": Estimate(0.912, 0.9, 0.93),
                "floor_border_auc": Estimate(0.61, 0.58, 0.64),
                "a_figure_of_tomorrow": Estimate(0.5, 0.4, 0.6),
            },
            "A note.",
        ),
    ),
    training=Training("spots-1", 3, "2026-11-23", "a tool", "medsdk train spots", (DataSet("d", 9, "CC0", "c", "b" * 64),)),
    licence="CC0-1.0",
    intended_use="To show that it works.",
    limits=("First limit.", "Second limit."),
)


def test_it_says_what_the_card_says() -> None:
    text = model_card.render(CARD)
    for wanted in (
        "# Spots: model card",
        "It judges a drawn disc.",
        "To show that it works.",
        "- First limit.\n- Second limit.\n",
        "at least 42.0 %",
        "the highest specificity at a sensitivity of at least 95.0 %",
        "Between 30.0 % and 50.0 % it is inconclusive.",
        "above 2.5 is rejected",
        "### test of the north",
        "1,200 pictures of 300 groups, 400 positive. A note.",
        "| AUC (ROC) | 0.912 (0.900 to 0.930) |",
        "| *floor:* AUC from the picture's border alone | 0.610 (0.580 to 0.640) |",
        "| a_figure_of_tomorrow | 0.500 (0.400 to 0.600) |",
        "Logits are divided by 1.25",
        "40 × 48 pixels",
        "| d | 9 | CC0 | c |",
        "medsdk train spots",
        "seed 3",
        "1,234,567 bytes",
        "a" * 64,
    ):
        assert wanted in text, wanted


@pytest.mark.parametrize(
    ("rule", "words"),
    [("youden", "the highest sum"), ("specificity>=.9", "the highest sensitivity at a specificity"), ("by hand", "by hand")],
)
def test_rules_are_told_in_words(rule: str, words: str) -> None:
    decided = msgspec.structs.replace(CARD.decision, rule=rule)
    assert f"the operating point with {words}" in model_card.render(msgspec.structs.replace(CARD, decision=decided))


def test_it_calls_nothing_a_diagnosis() -> None:
    text = model_card.render(CARD)
    assert text.count("diagnosis") == 1
    assert "not a diagnosis" in text


def test_the_diagram_is_shown_only_where_there_is_one() -> None:
    assert "calibration.svg" not in model_card.render(CARD)
    assert "](calibration.svg)" in model_card.render(CARD, diagram=True)


def test_an_untrained_model_says_so() -> None:
    assert "untrained placeholder" not in model_card.render(CARD)
    assert "untrained placeholder" in model_card.render(msgspec.structs.replace(CARD, status="untrained"))


def test_a_model_without_rejection_or_evaluation_says_so() -> None:
    text = model_card.render(msgspec.structs.replace(CARD, rejection=None, evaluations=()))
    assert "nothing is rejected" in text
    assert "It was not evaluated." in text


def test_it_is_tidy_markdown() -> None:
    text = model_card.render(CARD, diagram=True)
    assert "\n\n\n\n" not in text
    assert text.endswith("CC0-1.0\n")
    lines = text.split("\n")
    tables = [i for i, line in enumerate(lines) if line.startswith("| ---")]
    assert len(tables) == 3
    assert all(lines[i - 2] == "" for i in tables)
