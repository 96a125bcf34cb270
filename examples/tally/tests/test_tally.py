"""The command counts; the hook brings it into the program."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import medsdk_tally
import pytest
from click.testing import CliRunner

import medsdk


class Analyzer:
    """Says what the picture's name says, and reads nothing."""

    def __enter__(self) -> Analyzer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def predict_many(self, sources: tuple[str, ...], threads: int) -> Iterator[medsdk.Prediction]:
        for source in sources:
            verdict = Path(source).stem
            yield medsdk.Prediction("any", source, None if verdict == "broken" else verdict)


@pytest.fixture(autouse=True)
def any_disease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(medsdk, "load", lambda _: Analyzer())


def test_the_verdicts_are_counted() -> None:
    pictures = ["positive.png", "negative.png", "a/negative.png", "broken.png"]
    printed = CliRunner().invoke(medsdk_tally.tally, ["any", *pictures]).stdout
    counts = dict(line.split() for line in printed.splitlines())
    assert counts == {"positive": "1", "inconclusive": "0", "negative": "2", "rejected": "0", "unreadable": "1", "all": "4"}


def test_the_program_finds_the_command_by_its_entry_point() -> None:
    (entry,) = entry_points(group="medsdk.commands", name="tally")
    registered: list[object] = []
    entry.load().medsdk_register_commands(registered.append)
    assert [command.name for command in registered] == [entry.name]
