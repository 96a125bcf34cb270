"""Whoever waits for a training sees how far it is."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from medsdk_converters.recipe import read_recipe
from medsdk_converters.training import Run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Batches:
    def epoch(self, number: int) -> Iterator[tuple[Any, Any]]:
        yield from [(None, None)] * 3


def one_epoch(recipe_file: Callable[..., Path], work: Path) -> None:
    """The second of the recipe's three, of a network that learns nothing."""
    model = SimpleNamespace(layers=[], trainable_variables=[])
    examples = SimpleNamespace(pixels=np.zeros((48, 1, 1, 3), np.uint8))
    run = Run(read_recipe(recipe_file()), model, examples, None, None, work, print)  # type: ignore[arg-type]  # stand-ins
    assert run._epoch(SimpleNamespace(train_on_batch=lambda *_: 0.5), Batches(), 1) == 0.5  # type: ignore[arg-type]


def test_a_terminal_shows_the_epoch_and_the_time_left(
    recipe_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    one_epoch(recipe_file, tmp_path)
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "epoch 2 of 3" in shown
    assert "/3 [" in shown


def test_a_log_is_not_filled_with_bars(
    recipe_file: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_epoch(recipe_file, tmp_path)
    assert capsys.readouterr().err == ""
