"""Pictures of many objects: the frames, how many there are of each kind, and the numbers in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

import drawing
import pytest
from serving import Running, install_fields, serving
from test_pages import text_of

from medsdk.web import counts, languages

DETAILS = {
    "summary": "2 of 83 red cells infected",
    "red_cells": 1083,
    "infected_cells": 2,
    "parasitaemia_percent": 2.41,
    "parasitaemia_low": 0.663,
    "parasitaemia_high": 8.366,
    "chance_of_false_calls": 0.048,
    "typical_cell_diameter_px": 78.25,
    "wing_length": 0.12345,
    "is_large": True,
    "cells": [{"box": [1, 2, 3, 4]}],
}


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("fields")
    install_fields(folder)
    with serving(folder, "medsdk-fields") as server:
        yield server


def test_counts_are_named_and_a_share_stands_with_its_bounds() -> None:
    rows = {row.name: row for row in counts.rows(DETAILS, languages.language("en"))}
    assert rows["Red cells counted"].value == "1,083"
    assert rows["Parasitaemia"].value == "2.41% (likely between 0.66% and 8.37%)"
    meaning = "Of 1,000 cells about 24 are infected; the true number lies very likely between 7 and 84."
    assert rows["Parasitaemia"].meaning == meaning
    assert rows["Chance that mistakes alone mark as many"].value == "4.8%"
    assert rows["Width of a cell in pixels"].value == "78.2"
    assert rows["wing length"].value == "0.123"
    assert len(rows) == 6


def test_counts_are_in_the_language_of_the_page() -> None:
    rows = {row.name: row.value for row in counts.rows(DETAILS, languages.language("fr"))}
    assert rows["Globules rouges comptés"] == "1\u202f083"
    assert rows["Parasitémie"] == "2,41\u00a0% (probablement entre 0,66\u00a0% et 8,37\u00a0%)"


def test_a_share_without_bounds_and_a_summary_alone_are_shown_as_they_are() -> None:
    rows = counts.rows({"summary": "three wings", "fat_percent": 2.5}, languages.language("en"))
    assert [(row.name, row.value) for row in rows] == [("summary", "three wings"), ("fat percent", "2.500")]


def test_each_object_has_its_frame_and_the_ill_ones_their_number(fields: Running) -> None:
    slide = drawing.encoded(drawing.slide(9, seed=1, height=900, width=1400))
    part = fields.client.post("/judge?part=1", files={"picture": slide}, data={"disease": "fields"}).text
    assert 'viewBox="0 0 1400 900"' in part
    assert re.findall(r'<rect class="(\w+)" x="(\d+)"', part) == [
        ("well", "20"),
        ("well", "620"),
        ("edge", "320"),
        ("ill", "320"),
    ]
    assert re.findall(r"<text[^>]*>(\d+)</text>", part) == ["1"]
    text = text_of(part)
    assert "1 place with signs of the disease" in text
    assert "2 places without" in text
    assert "The signs are too few to be sure." in text
    assert part.count("data:image/jpeg;base64,") == 2
    assert "Where the model looked" not in text
