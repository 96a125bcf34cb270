"""What a watch says: an observation for each judged frame, a gap for each time without frames."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medsdk.core.decision import Verdict
from medsdk.core.prediction import Prediction


@dataclass(frozen=True)
class Gap:
    """A time without pictures that should have had some. `seconds` is true even if the clock was set meanwhile."""

    began: datetime
    ended: datetime
    seconds: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        return {
            "event": "gap",
            "began": self.began.isoformat(timespec="milliseconds"),
            "ended": self.ended.isoformat(timespec="milliseconds"),
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Observation:
    """One judged frame.

    `number` counts the judged frames of this watch from 1; `dropped` the frames since the one before that were not judged
    because a newer one was there. `steady` is the verdict over the last frames (see medsdk.camera.steady), `changed`
    whether this frame changed it. `gap` is the gap that this frame ended. `saved` is the file that the frame was saved
    in, `save_error` why it could not be. `file` identifies a folder's picture: its name, bytes and time of change.
    """

    number: int
    time: datetime
    dropped: int
    prediction: Prediction
    steady: Verdict | None
    changed: bool
    gap: Gap | None = None
    saved: str | None = None
    save_error: str | None = None
    file: tuple[str, int, int] | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The steady verdict."""
        return self.steady

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON. What is the same for every frame stands in the record's `start` line."""
        said = self.prediction.to_dict()
        constant = ("disease", "provenance", "notice", "source")
        return {
            "event": "frame",
            "number": self.number,
            "time": self.time.isoformat(timespec="milliseconds"),
            "source": self.prediction.source,
            "dropped": self.dropped,
            "steady": self.steady,
            "changed": self.changed,
            "saved": self.saved,
            "save_error": self.save_error,
            "file": list(self.file) if self.file else None,
            **{key: value for key, value in said.items() if key not in constant},
        }
