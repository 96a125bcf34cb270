"""Saving frames: only when asked, and never in the watch's way."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal, TypeAlias

import cv2

from medsdk.camera.feed import Shot
from medsdk.core.errors import WriteError
from medsdk.core.files import write_beside
from medsdk.core.prediction import Prediction

When: TypeAlias = Literal["all", "changes", "positive"]


class FrameStore:
    """Writes frames as PNG into a folder, pixel for pixel what was judged; a folder's pictures are copied as they are."""

    def __init__(self, folder: Path, when: When) -> None:
        self._folder, self._when = folder, when
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{folder}: it cannot be made ({error.strerror}).", "Choose another folder.") from None

    def wants(self, prediction: Prediction, changed: bool) -> bool:
        """Whether this frame is to be saved."""
        if self._when == "changes":
            return changed
        return self._when == "all" or prediction.verdict == "positive"

    def save(self, shot: Shot, number: int) -> str:
        """The name of the file. Raises WriteError."""
        stamp = shot.taken.strftime("%Y%m%dT%H%M%S_%f")
        if isinstance(shot.picture, Path):
            return self._copy(shot.picture, f"{stamp}_{number:08}{shot.picture.suffix.lower()}")
        _, encoded = cv2.imencode(".png", cv2.cvtColor(shot.picture, cv2.COLOR_RGB2BGR))
        target = self._folder / f"{stamp}_{number:08}.png"
        write_beside(target, encoded.tobytes())
        return str(target)

    def _copy(self, source: Path, name: str) -> str:
        target = self._folder / name
        temporary = target.with_name(f".{name}")
        try:
            shutil.copyfile(source, temporary)
            temporary.replace(target)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise WriteError(f"{target}: it cannot be written ({error.strerror}).", "Make room.") from None
        return str(target)
