from __future__ import annotations

import msgspec
import pytest

import medsdk
from medsdk.core.card import Card, decode_card, encode_card


@pytest.fixture
def fields(malaria: medsdk.Analyzer) -> dict:
    found: dict = msgspec.to_builtins(malaria.card)
    return found


def decoded(fields: object) -> Card:
    return decode_card(msgspec.json.encode(fields), "card.json")


def test_a_card_survives_writing_and_reading(malaria: medsdk.Analyzer) -> None:
    assert decode_card(encode_card(malaria.card), "card.json") == malaria.card


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("disease",), "Not An Id", "disease"),
        (("schema_version",), 2, "schema_version"),
        (("input", "height"), 0, "input.height"),
        (("input", "steps"), [], "resize"),
        (("model", "sha256"), "short", "model.sha256"),
        (("model", "file"), "../../etc/passwd", "model.file"),
        (("decision", "threshold"), 1.5, "decision.threshold"),
        (("decision", "inconclusive"), [0.99, 1.0], "inconclusive"),
        (("labels",), [], "labels"),
        (("calibration", "temperature"), 0, "calibration.temperature"),
        (("misspelt",), 1, "misspelt"),
    ],
)
def test_an_invalid_card_names_the_field(fields: dict, path: tuple[str, ...], value: object, named: str) -> None:
    part = fields
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with pytest.raises(medsdk.CardError, match=named):
        decoded(fields)


def test_labels_must_have_both_kinds_and_different_ids(fields: dict) -> None:
    fields["labels"] = [dict(label, positive=True) for label in fields["labels"]]
    with pytest.raises(medsdk.CardError, match="positive"):
        decoded(fields)
    fields["labels"] = [dict(fields["labels"][0], positive=positive) for positive in (True, False)]
    with pytest.raises(medsdk.CardError, match="different ids"):
        decoded(fields)
