from __future__ import annotations

import queue
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from medsdk.camera import Outage, Shot
from medsdk.camera.feed import open_feed, without_password
from medsdk.camera.live import LiveFeed
from medsdk.camera.readers import CannotOpenError
from medsdk.core.errors import MedsdkError

from .conftest import FastClock

LONG = 10.0  # real seconds that a thread may take at most; nothing waits for them to pass


class Plug:
    """A camera whose frames a test feeds in: `put` returns when the reader has come back for the next one."""

    def __init__(self) -> None:
        self.frames: queue.Queue[Any] = queue.Queue()
        self.asked: queue.Queue[None] = queue.Queue()
        self.closed: queue.Queue[None] = queue.Queue()

    def read(self) -> Any:
        self.asked.put(None)
        return self.frames.get(timeout=LONG)

    def close(self) -> None:
        self.closed.put(None)

    def put(self, *greys: int | None) -> None:
        self.asked.get(timeout=LONG)
        for grey in greys:
            self.frames.put(None if grey is None else np.full((2, 2, 3), grey, np.uint8))
            if grey is not None:
                self.asked.get(timeout=LONG)
        self.asked.put(None)


def feed_of(plugs: list[Plug | Exception], clock: FastClock) -> LiveFeed:
    remaining = iter(plugs)

    def open_reader() -> Plug:
        plug = next(remaining)
        if isinstance(plug, Exception):
            raise plug
        return plug

    return LiveFeed(open_reader, "camera", clock, 10.0)


def until(feed: LiveFeed, accept: Callable[[Any], bool]) -> Any:
    for _ in range(1000):
        found = feed.next(LONG)
        if accept(found):
            return found
    raise AssertionError("it never came")


def grey(shot: Any) -> tuple[int, int]:
    assert isinstance(shot, Shot)
    assert isinstance(shot.picture, np.ndarray)
    return int(shot.picture[0, 0, 0]), shot.dropped


def test_always_the_newest_frame(clock: FastClock) -> None:
    plug = Plug()
    feed = feed_of([plug], clock)
    plug_frames = [1, 2, 3, 4]
    feed._connect(0)
    plug.put(*plug_frames)
    assert grey(feed.next(LONG)) == (4, 3)
    plug.put(5)
    assert grey(feed.next(LONG)) == (5, 0)
    assert feed.next(0) is None
    plug.frames.put(None)
    feed.close()
    plug.closed.get(timeout=LONG)


def test_an_unplugged_camera_is_waited_for_with_growing_pauses(clock: FastClock) -> None:
    plug = Plug()
    feed = feed_of([*(CannotOpenError("it cannot be opened") for _ in range(8)), plug], clock)
    for _ in range(8):
        assert until(feed, lambda found: isinstance(found, Outage)).reason == "it cannot be opened"
    # .5 + 1 + 2 + 4 + 8 + 10 + 10, and the pause behind the last failure is still to come
    assert clock.seconds == pytest.approx(35.5)
    clock.seconds += 10
    feed._connect(0)
    plug.put(7)
    assert grey(until(feed, lambda found: found is not None)) == (7, 0)
    plug.frames.put(None)


def test_a_lost_stream_is_taken_up_again(clock: FastClock) -> None:
    first, second = Plug(), Plug()
    feed = feed_of([first, second], clock)
    feed._connect(0)
    first.put(1)
    assert grey(feed.next(LONG)) == (1, 0)
    first.frames.put(None)
    assert until(feed, lambda found: isinstance(found, Outage)).reason == "the connection was lost"
    clock.seconds += 1
    feed._connect(0)
    second.put(2)
    assert grey(feed.next(LONG)) == (2, 0)
    second.frames.put(None)


def test_a_driver_that_hangs_is_left_behind(clock: FastClock) -> None:
    hanging, second = Plug(), Plug()
    feed = feed_of([hanging, second], clock)
    feed._connect(0)
    hanging.put(1)
    assert grey(feed.next(LONG)) == (1, 0)
    clock.seconds += 11
    found = feed.next(0)
    assert isinstance(found, Outage)
    assert found.reason == "no frame for 10 seconds"
    clock.seconds += 1
    feed._connect(0)
    second.put(2)
    assert grey(feed.next(LONG)) == (2, 0)
    hanging.frames.put(np.zeros((2, 2, 3), np.uint8))
    # It wakes, sees that nobody wants it, and closes the device.
    hanging.closed.get(timeout=LONG)
    second.frames.put(None)


def test_a_device_that_always_hangs_is_not_opened_for_ever(clock: FastClock) -> None:
    plugs = [Plug() for _ in range(10)]
    feed = feed_of(list(plugs), clock)
    for _ in range(50):
        feed.next(0)
        clock.seconds += 11
    assert len(feed._hanging) == 3
    for plug in plugs[:3]:
        plug.frames.put(None)


def test_a_driver_that_fails_in_its_own_way_is_an_outage(clock: FastClock) -> None:
    feed = feed_of([RuntimeError("select() timeout")], clock)
    assert "select() timeout" in until(feed, lambda found: isinstance(found, Outage)).reason


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (0, "camera 0"),
        ("1", "camera 1"),
        ("/dev/video0", "/dev/video0"),
        ("rtsp://nurse:secret@10.0.0.5/live?token=1", "rtsp://10.0.0.5/live?…"),
    ],
)
def test_what_a_source_means(source: Any, name: str, clock: FastClock) -> None:
    feed = open_feed(source, clock, 1.0, frozenset())
    assert isinstance(feed, LiveFeed)
    assert feed.name == name


def test_passwords_stay_out_of_the_record() -> None:
    assert "secret" not in without_password("http://user:secret@camera/video")
    assert without_password("http://camera/video") == "http://camera/video"


def test_picamera_that_is_not_installed_is_said_at_once(clock: FastClock) -> None:
    if find_spec("picamera2"):
        pytest.skip("picamera2 is installed here")
    with pytest.raises(MedsdkError, match="picamera2"):
        open_feed("picamera", clock, 1.0, frozenset())
