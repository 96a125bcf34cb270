from __future__ import annotations

from typing import Any

import pytest

from medsdk.camera import Steady


def run(steady: Steady, verdicts: str) -> list[Any]:
    names = {"p": "positive", "n": "negative", "x": None}
    found = []
    for letter in verdicts:
        steady.add(names[letter])  # type: ignore[arg-type]
        found.append(steady.verdict)
    return found


def test_four_of_five_must_agree() -> None:
    assert run(Steady(4, 5), "pppp") == [None, None, None, "positive"]


def test_one_frame_of_another_mind_changes_nothing() -> None:
    assert set(run(Steady(4, 5), "ppppnppppnpppp")[3:]) == {"positive"}


def test_two_that_alternate_change_nothing() -> None:
    assert set(run(Steady(4, 5), "pppp" + "np" * 50)[3:]) == {"positive"}


def test_it_changes_when_the_other_is_agreed_on() -> None:
    assert run(Steady(4, 5), "ppppnnnn") == [None, None, None, *["positive"] * 4, "negative"]


def test_frames_that_could_not_be_judged_speak_for_nothing() -> None:
    assert run(Steady(4, 5), "ppppxxxxxxxx")[-1] == "positive"
    assert run(Steady(4, 5), "xxxxx")[-1] is None
    assert run(Steady(2, 3), "pxp")[-1] == "positive"


def test_one_of_one_follows_every_frame() -> None:
    assert run(Steady(1, 1), "pnp") == ["positive", "negative", "positive"]


def test_a_reset_forgets() -> None:
    steady = Steady(2, 3)
    run(steady, "pp")
    steady.reset()
    assert steady.verdict is None
    assert run(steady, "n") == [None]


def test_add_tells_of_the_change_once() -> None:
    steady = Steady(2, 3)
    assert [steady.add("positive") for _ in range(4)] == [False, True, False, False]


@pytest.mark.parametrize(("agree", "of"), [(2, 4), (0, 0), (6, 5), (1, 2)])
def test_half_is_not_enough(agree: int, of: int) -> None:
    with pytest.raises(ValueError, match="more than half"):
        Steady(agree, of)
