from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from medsdk.camera import END, Observation
from medsdk.camera.watch import Callbacks, watch
from medsdk.core.errors import SourceNotFoundError, WriteError

from .conftest import FastClock, Judge, ScriptedFeed


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_frame_is_observed_and_the_dropped_are_counted(clock: FastClock, tmp_path: Path) -> None:
    feed = ScriptedFeed(clock, [0, 3, None, 1])
    with watch(Judge(["positive"] * 3), feed, record=tmp_path / "r.jsonl", clock=clock) as watching:
        seen = list(watching)
    assert [o.number for o in seen] == [1, 2, 3]
    assert [o.dropped for o in seen] == [0, 3, 1]
    assert (watching.judged, watching.dropped) == (3, 4)
    events = lines(tmp_path / "r.jsonl")
    assert [e["event"] for e in events] == ["start", "frame", "frame", "frame", "stop"]
    assert events[-1]["dropped"] == 4
    assert feed.closed


def test_a_gap_stands_in_the_record_and_forgets_the_steady_verdict(clock: FastClock, tmp_path: Path) -> None:
    feed = ScriptedFeed(clock, [0, 0, "unplugged", "cannot be opened", None, 0])
    seen = list(watch(Judge(["positive"] * 9), feed, steady=(2, 3), record=tmp_path / "r.jsonl", clock=clock))
    assert [o.steady for o in seen] == [None, "positive", None]
    gap = seen[2].gap
    assert gap is not None
    assert (gap.reason, gap.seconds) == ("unplugged", 3.0)
    events = [e["event"] for e in lines(tmp_path / "r.jsonl")]
    assert events == ["start", "frame", "frame", "outage", "gap", "frame", "stop"]


def test_a_gap_that_never_ends_is_closed_with_the_watch(clock: FastClock, tmp_path: Path) -> None:
    watching = watch(Judge([]), ScriptedFeed(clock, [0, "unplugged", None]), record=tmp_path / "r.jsonl", clock=clock).run()
    assert watching.gaps == 1
    assert [e["event"] for e in lines(tmp_path / "r.jsonl")] == ["start", "frame", "outage", "gap", "stop"]


def test_a_clock_set_back_changes_no_duration(clock: FastClock, tmp_path: Path) -> None:
    def set_back() -> None:
        clock.set_by = timedelta(days=-1)

    feed = ScriptedFeed(clock, [0, "unplugged", set_back, 0])
    seen = list(watch(Judge([]), feed, rate=0.5, record=tmp_path / "r.jsonl", clock=clock))
    gap = seen[1].gap
    assert gap is not None
    assert gap.seconds == pytest.approx(2.0)
    assert gap.ended < gap.began
    assert [o.number for o in seen] == [1, 2]


def test_the_rate_is_a_limit(clock: FastClock) -> None:
    feed = ScriptedFeed(clock, [0] * 5, seconds=0.01)
    times = [o.time for o in watch(Judge([]), feed, rate=2, clock=clock)]
    steps = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    assert steps == pytest.approx([0.51] * 4)


def test_a_frame_that_cannot_be_judged_ends_nothing(clock: FastClock) -> None:
    seen = list(
        watch(Judge(["positive", "damaged", "positive"]), ScriptedFeed(clock, [0, 0, 0]), steady=(2, 3), clock=clock)
    )
    assert seen[1].prediction.error is not None
    assert seen[2].steady == "positive"


def test_callbacks_get_frames_changes_and_gaps(clock: FastClock) -> None:
    said: list[Any] = []
    callbacks = Callbacks(
        on_frame=lambda o: said.append(o.number),
        on_change=lambda o: said.append(o.steady),
        on_outage=said.append,
        on_gap=lambda gap: said.append(gap.seconds),
    )
    feed = ScriptedFeed(clock, [0, 0, "lost", 0])
    watch(Judge(["positive"] * 3), feed, steady=(2, 2), callbacks=callbacks, clock=clock).run()
    assert said == [1, 2, "positive", "lost", 1.0, 3]


def test_stop_finishes_the_frame_in_hand(clock: FastClock, tmp_path: Path) -> None:
    watching = watch(Judge([]), ScriptedFeed(clock, [0] * 99), record=tmp_path / "r.jsonl", clock=clock)
    seen: list[Observation] = []
    for observation in watching:
        seen.append(observation)
        watching.stop()
    assert len(seen) == 1
    assert lines(tmp_path / "r.jsonl")[-1]["event"] == "stop"


@pytest.mark.parametrize(("when", "expected"), [("all", 4), ("changes", 1), ("positive", 3)])
def test_frames_are_saved_only_when_asked(clock: FastClock, tmp_path: Path, when: Any, expected: int) -> None:
    judge = Judge(["positive", "positive", "positive", "negative"])
    seen = list(
        watch(judge, ScriptedFeed(clock, [0] * 4), steady=(2, 3), save=tmp_path / "frames", save_when=when, clock=clock)
    )
    saved = [o.saved for o in seen if o.saved]
    assert len(saved) == expected
    assert sorted(map(str, (tmp_path / "frames").iterdir())) == saved
    assert cv2.imread(saved[0]).shape == (4, 4, 3)


def test_nothing_is_written_when_nothing_is_asked(clock: FastClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    watch(Judge([]), ScriptedFeed(clock, [0]), clock=clock).run()
    assert list(tmp_path.iterdir()) == []


def test_a_frame_that_cannot_be_saved_is_told_in_the_record(
    clock: FastClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise WriteError("frames: it cannot be written (No space left on device).")

    monkeypatch.setattr("medsdk.camera.saving.write_beside", refuse)
    (seen,) = watch(Judge([]), ScriptedFeed(clock, [0]), save=tmp_path / "f", save_when="all", clock=clock)
    assert seen.saved is None
    assert seen.save_error is not None
    assert "No space left" in seen.save_error


def test_a_video_is_judged_in_order_and_its_rate_is_its_own(tmp_path: Path, clock: FastClock) -> None:
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for grey in range(0, 200, 10):
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    judge = Judge([])
    every = list(watch(judge, path, clock=clock))
    assert len(every) == 20
    greys = [int(frame.mean()) for frame in judge.seen]
    assert greys == sorted(greys)
    limited = list(watch(Judge([]), path, rate=2, clock=clock))
    assert len(limited) == 4
    assert sum(o.dropped for o in limited) == 12


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no video")
    with pytest.raises(Exception, match="not a video"):
        watch(Judge([]), tmp_path / "x.mp4")


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(SourceNotFoundError, match="no such camera"):
        watch(Judge([]), "nowhere.mp4")


@pytest.mark.parametrize("settings", [{"rate": 0}, {"steady": (1, 5)}])
def test_settings_that_make_no_sense(clock: FastClock, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rate|half"):
        watch(Judge([]), ScriptedFeed(clock, [END]), **settings)
