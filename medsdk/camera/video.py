"""A video file: its frames in order, none dropped but those that a rate limit leaves out."""

from __future__ import annotations

from pathlib import Path

import cv2

from medsdk.camera.feed import END, Next, Shot
from medsdk.core.clock import Clock
from medsdk.core.errors import UnsupportedFormatError


class VideoFeed:
    """Every frame; with `rate`, the first of each 1/rate seconds of the video's own time."""

    def __init__(self, path: Path, clock: Clock, rate: float | None = None) -> None:
        self.name = str(path)
        self._clock, self._rate = clock, rate
        self._capture = cv2.VideoCapture(self.name)
        if not self._capture.isOpened():
            raise UnsupportedFormatError(self.name, "this is not a video that can be read.", "Convert it to MP4 or AVI.")
        self._frames_a_second = self._capture.get(cv2.CAP_PROP_FPS) or 25.0
        self._position = 0

    def limited(self, rate: float | None) -> VideoFeed:
        """The same feed at `rate` frames for each second of video."""
        self._rate = rate
        return self

    def next(self, timeout: float) -> Next:  # noqa: ARG002 - a file never lets anybody wait
        """The next frame, or END."""
        dropped = 0
        while self._capture.grab():
            position, self._position = self._position, self._position + 1
            if not self._is_due(position):
                dropped += 1
                continue
            ok, frame = self._capture.retrieve()
            if not ok:
                break
            pixels = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            return Shot(pixels, f"{self.name}, {position / self._frames_a_second:.3f} s", self._clock.now(), dropped)
        return END

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _is_due(self, position: int) -> bool:
        if self._rate is None or position == 0:
            return True
        step = self._rate / self._frames_a_second
        return int(position * step) != int((position - 1) * step)
