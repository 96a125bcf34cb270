from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import medsdk
from medsdk.core import threads


class Slow:
    """A model that takes so many seconds; side by side only two at a time get on."""

    input_shape, input_dtype = (1, 2, 2, 3), "uint8"
    running = 0

    def __init__(self, seconds: float = 0.002) -> None:
        self.seconds = seconds

    def run(self, values: np.ndarray) -> None:
        assert values.shape == self.input_shape
        Slow.running += 1
        time.sleep(self.seconds * (1 if Slow.running <= 2 else 4))
        Slow.running -= 1

    def __enter__(self) -> Slow:
        return self

    def __exit__(self, *_: Any) -> None: ...


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_numbers", lambda: [1, 2, 4])


def test_the_fewest_within_a_twentieth_of_the_best() -> None:
    assert threads.fewest({1: 10.0, 2: 19.1, 4: 20.0}) == 2
    assert threads.fewest({1: 10.0, 2: 18.9, 4: 20.0}) == 4


def test_the_threads_of_one_picture_are_those_that_are_soonest_done() -> None:
    seconds = {1: 0.02, 2: 0.004, 4: 0.03}
    opened: Any = lambda number: Slow(seconds[number])  # noqa: E731
    assert threads.for_one_picture(opened) == 2


def test_side_by_side_each_has_its_own_model_and_gives_it_back() -> None:
    lent: list[Slow] = []

    def borrow() -> Any:
        lent.append(Slow())
        return lent[-1]

    assert threads.side_by_side(borrow) == 2
    assert len(lent) == 4


@pytest.mark.parametrize("wrong", [0, -1])
def test_no_number_of_threads(wrong: int, malaria: medsdk.Analyzer) -> None:
    with pytest.raises(ValueError, match="auto"):
        medsdk.load("malaria", threads=wrong)
    with pytest.raises(ValueError, match="auto"):
        next(malaria.predict_many(["x.png"], threads=wrong))


def test_auto_judges_the_same(drawn: np.ndarray) -> None:
    with medsdk.load("retinopathy") as one, medsdk.load("retinopathy", threads="auto") as auto:
        assert auto.threads in (1, 2, 4)
        assert list(auto.predict_many([drawn] * 3, threads="auto")) == [one.predict(drawn)] * 3
