"""A window with the newest judged frame: only when asked for, and only where there is a display."""

from __future__ import annotations

from pathlib import Path

import cv2

from medsdk.camera.feed import Shot
from medsdk.core.errors import MedsdkError
from medsdk.core.images import read


class Preview:
    """Raises MedsdkError where no window can be had: the headless build of OpenCV, or no display."""

    def __init__(self, title: str) -> None:
        self._title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error:
            raise MedsdkError(
                "No preview window can be opened here.",
                "Leave out --preview, or install opencv-python in place of opencv-python-headless and use a display.",
            ) from None

    def show(self, shot: Shot) -> None:
        """Draw the frame."""
        pixels = read(shot.picture).pixels if isinstance(shot.picture, Path) else shot.picture
        cv2.imshow(self._title, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        cv2.waitKey(1)
