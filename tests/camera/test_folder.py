from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from medsdk.camera import Outage, Shot
from medsdk.camera.folder import FolderFeed
from medsdk.camera.watch import watch

from .conftest import FastClock, Judge

JPEG = cv2.imencode(".jpg", np.full((40, 40, 3), 90, np.uint8))[1].tobytes()


def write(path: Path, content: bytes = JPEG, changed: int = 1) -> None:
    path.write_bytes(content)
    os.utime(path, (changed, changed))


def shots(feed: FolderFeed, clock: FastClock, seconds: float = 5) -> list[str]:
    found, end = [], clock.seconds + seconds
    while clock.seconds < end:
        shot = feed.next(0.2)
        if isinstance(shot, Shot):
            assert isinstance(shot.picture, Path)
            found.append(shot.picture.name)
    return found


@pytest.fixture
def feed(tmp_path: Path, clock: FastClock) -> FolderFeed:
    return FolderFeed(tmp_path, clock, 10.0, frozenset())


def test_pictures_come_once_in_the_order_they_were_written(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    for name, changed in (("b.jpg", 1), ("a.jpg", 2), ("c.jpg", 2)):
        write(tmp_path / name, changed=changed)
    assert shots(feed, clock) == ["b.jpg", "a.jpg", "c.jpg"]
    assert shots(feed, clock) == []


def test_other_files_are_left_alone(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    write(tmp_path / "notes.txt")
    write(tmp_path / ".hidden.jpg")
    (tmp_path / "folder.jpg").mkdir()
    assert shots(feed, clock) == []


def test_a_file_in_the_making_is_waited_for(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    half = len(JPEG) // 2
    write(tmp_path / "a.jpg", JPEG[:half])
    assert shots(feed, clock) == []
    write(tmp_path / "a.jpg", JPEG, changed=2)
    assert shots(feed, clock) == ["a.jpg"]


def test_a_file_that_grows_slowly_is_not_taken_for_damaged(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    for end in range(100, len(JPEG), 100):
        write(tmp_path / "a.jpg", JPEG[:end], changed=end)
        assert shots(feed, clock, 8) == []


def test_a_file_that_stays_damaged_is_told_of(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    write(tmp_path / "a.jpg", JPEG[:-30])
    assert shots(feed, clock, 30) == ["a.jpg"]


def test_a_file_written_anew_is_a_new_picture(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    write(tmp_path / "a.jpg")
    assert shots(feed, clock) == ["a.jpg"]
    write(tmp_path / "a.jpg", changed=2)
    assert shots(feed, clock) == ["a.jpg"]


def test_a_folder_that_goes_and_comes_back(tmp_path: Path, clock: FastClock) -> None:
    folder, away = tmp_path / "scans", tmp_path / "away"
    folder.mkdir()
    feed = FolderFeed(folder, clock, 10.0, frozenset())
    write(folder / "a.jpg")
    assert shots(feed, clock) == ["a.jpg"]
    folder.rename(away)
    assert any(isinstance(feed.next(1.0), Outage) for _ in range(3))
    write(away / "b.jpg")
    away.rename(folder)
    assert shots(feed, clock) == ["b.jpg"]


def test_memory_holds_only_what_is_in_the_folder(tmp_path: Path, clock: FastClock, feed: FolderFeed) -> None:
    for number in range(30):
        write(tmp_path / "a.jpg", changed=number)
        shots(feed, clock, 3)
    assert len(feed._done) <= 2


def test_a_watch_that_starts_again_judges_nothing_twice_and_loses_nothing(tmp_path: Path, clock: FastClock) -> None:
    folder, record = tmp_path / "scans", tmp_path / "r.jsonl"
    folder.mkdir()
    for number in range(4):
        write(folder / f"{number}.jpg", changed=number)
    names = []
    for count in (3, 2):
        with watch(Judge([]), folder, record=record, clock=clock) as watching:
            for seen in watching:
                names.append(Path(seen.prediction.source).name)
                if seen.number == count:
                    break
        if count == 3:
            write(folder / "4.jpg", changed=9)
    assert names == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg"]
