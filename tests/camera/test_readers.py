"""The devices behind the cameras, which no test machine has: their modules are stood in for."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from medsdk.camera import readers

RED = (200, 10, 10)


class Picamera2:
    """libcamera's BGR888 lies as red, green, blue in memory."""

    made: list[Picamera2]

    def __init__(self, number: int) -> None:
        if number:
            raise IndexError("list index out of range")
        self.did: list[str] = []
        Picamera2.made = [self]

    def create_video_configuration(self, main: dict[str, str]) -> dict[str, str]:
        return main

    def configure(self, configuration: dict[str, str]) -> None:
        self.did.append(configuration["format"])

    def start(self) -> None:
        self.did.append("start")

    def capture_array(self, name: str) -> Any:
        assert name == "main"
        if "unplugged" in self.did:
            raise RuntimeError("camera frontend has timed out")
        return np.full((4, 6, 3), RED, np.uint8)

    def stop(self) -> None:
        self.did.append("stop")

    def close(self) -> None:
        self.did.append("close")


def test_a_camera_on_the_ribbon_cable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2))
    reader = readers.Picamera(0)
    (camera,) = Picamera2.made
    frame = reader.read()
    assert frame is not None
    assert tuple(frame[0, 0]) == RED
    camera.did.append("unplugged")
    assert reader.read() is None
    reader.close()
    assert camera.did == ["BGR888", "start", "unplugged", "stop", "close"]
    with pytest.raises(readers.CannotOpenError, match="index out of range"):
        readers.Picamera(1)


class Capture:
    """cv2.VideoCapture of a USB camera, whose frames are blue, green, red."""

    def __init__(self, device: int | str, backend: int) -> None:
        self.opened, self.released = device == 0, False
        self.frames: list[Any] = [np.full((4, 6, 3), RED[::-1], np.uint8), np.zeros((4, 6), np.uint8)]

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, what: int, value: float) -> bool:
        return False  # many drivers do not let themselves be told

    def read(self) -> tuple[bool, Any]:
        return bool(self.frames), self.frames.pop(0) if self.frames else None

    def release(self) -> None:
        self.released = True


def test_a_usb_camera_gives_red_green_blue_until_it_is_unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    camera = readers.Camera(0)
    frame = camera.read()
    assert frame is not None
    assert tuple(frame[0, 0]) == RED
    # Neither a frame without colours nor none at all is a picture.
    assert camera.read() is None
    assert camera.read() is None
    with pytest.raises(readers.CannotOpenError):
        readers.Camera(7)
