"""Cameras and streams, opened. A reader blocks for the next frame and returns None when the connection is lost."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

import cv2

from medsdk.core.errors import MedsdkError
from medsdk.core.images import Pixels


class Reader(Protocol):
    """One connection. `read` and `close` are called from the same thread."""

    def read(self) -> Pixels | None:
        """The next frame, RGB uint8 (h, w, 3); None if there will be none on this connection."""

    def close(self) -> None:
        """Let go of the device."""


class CannotOpenError(Exception):
    """The device or stream is not there now."""


class _Capture:
    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        if not capture.isOpened():
            capture.release()
            raise CannotOpenError("it cannot be opened")
        # One frame of delay and not five, where the driver lets itself be told.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def read(self) -> Pixels | None:
        try:
            ok, frame = self._capture.read()
        except cv2.error:  # a stream of garbage
            return None
        if not ok or frame is None or frame.ndim != 3 or frame.shape[2] != 3:
            return None
        return cast(Pixels, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))

    def close(self) -> None:
        self._capture.release()


class Camera(_Capture):
    """A V4L2 or USB camera by number or device."""

    def __init__(self, device: int | str) -> None:
        backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
        super().__init__(cv2.VideoCapture(device, backend))


class Stream(_Capture):
    """RTSP, HTTP and what else FFmpeg speaks. Opening and reading give up after `patience` seconds."""

    def __init__(self, address: str, patience: float) -> None:
        limit = max(1, int(patience * 1000))
        parameters = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
        super().__init__(cv2.VideoCapture(address, cv2.CAP_FFMPEG, parameters))


def need_picamera() -> None:
    """Raises MedsdkError where picamera2 is not installed."""
    if find_spec("picamera2") is None:
        raise MedsdkError(
            "A Raspberry Pi camera needs picamera2, which is not installed.",
            "Install it: sudo apt install python3-picamera2, and make the environment with --system-site-packages.",
        )


class Picamera:
    """A camera on a Raspberry Pi's ribbon cable."""

    def __init__(self, number: int) -> None:
        module = import_module("picamera2")
        try:
            self._camera: Any = module.Picamera2(number)
            # libcamera's BGR888 is red, green, blue in memory.
            self._camera.configure(self._camera.create_video_configuration(main={"format": "BGR888"}))
            self._camera.start()
        except (IndexError, OSError, RuntimeError) as error:
            raise CannotOpenError(f"it cannot be opened ({error})") from None

    def read(self) -> Pixels | None:
        try:
            return cast(Pixels, self._camera.capture_array("main"))
        except (OSError, RuntimeError):
            return None

    def close(self) -> None:
        self._camera.stop()
        self._camera.close()
