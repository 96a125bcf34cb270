from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import medsdk
from medsdk.core import threads


class Counted:
    """A model of that many threads that counts its runs."""

    input_shape, input_dtype = (1, 2, 2, 3), "uint8"

    def __init__(self, number: int = 1) -> None:
        self.number, self.runs, self.closed = number, 0, False

    def run(self, values: np.ndarray) -> None:
        assert values.shape == self.input_shape
        self.runs += 1

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *_: Any) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_numbers", lambda: [1, 2, 4])


def test_the_fewest_within_a_twentieth_of_the_best() -> None:
    assert threads.fewest({1: 10.0, 2: 19.1, 4: 20.0}) == 2
    assert threads.fewest({1: 10.0, 2: 18.9, 4: 20.0}) == 4


def test_the_threads_of_one_picture_are_those_that_are_soonest_done(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {1: 50.0, 2: 250.0, 4: 33.0}
    monkeypatch.setattr(threads, "_rate", lambda model: rates[model.number])
    opened: Any = Counted
    assert threads.for_one_picture(opened) == 2


def test_side_by_side_each_has_its_own_model_and_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    lent: list[Counted] = []

    def borrow() -> Any:
        lent.append(Counted())
        return lent[-1]

    rates = {1: 50.0, 2: 100.0, 4: 80.0}
    monkeypatch.setattr(threads, "_rate_of_all", lambda models: rates[len({id(model) for model in models})])
    assert threads.side_by_side(borrow) == 2
    assert len(lent) == 4
    assert all(model.closed for model in lent)


def test_a_rate_is_of_runs_of_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_SECONDS", 0.01)
    models: Any = [Counted(), Counted()]
    assert threads._rate_of_all(models) > 0
    assert all(model.runs > threads._WARMUP for model in models)


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
