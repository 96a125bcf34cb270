"""The frozen result of one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from medsdk.core.errors import MedsdkError

if TYPE_CHECKING:
    from medsdk.core.attention import Attention
    from medsdk.core.decision import Verdict  # it brings numpy, which listing does not need

NOTICE = "Decision support for trained people; not a diagnosis."

COLUMNS = ("source", "disease", "verdict", "label", "probability", "reason", "error", "model_sha256", "site_sha256")
"""A prediction as a row of CSV, wherever one is written."""


@dataclass(frozen=True)
class Score:
    """A label with its calibrated probability in 0..1."""

    label: str
    name: str
    probability: float


@dataclass(frozen=True)
class Provenance:
    """What made a prediction. `site_sha256` is that of the site's settings; None where the card's own were used."""

    distribution: str
    version: str
    medsdk: str
    model_sha256: str
    runtime: str
    site_sha256: str | None = None


@dataclass(frozen=True)
class Timings:
    """Milliseconds of each step of the picture's way."""

    decode: float = 0.0
    preprocess: float = 0.0
    invoke: float = 0.0
    postprocess: float = 0.0


@dataclass(frozen=True)
class Prediction:
    """What a plugin says of one picture.

    `verdict` is positive, negative, inconclusive or rejected; `reason` says why it is one of the last two.
    `probability` is the calibrated probability (0..1) that the disease shows, `label` the most probable label,
    `scores` every label, highest first. A rejected picture has none of the three. `distance` is the rejection score
    and the card's limit is its measure. `error` is set, and verdict is None, where the picture could not be read
    (predict_many only). Two predictions are equal if they say the same, however long they took.
    """

    disease: str
    source: str
    verdict: Verdict | None
    label: str | None = None
    probability: float | None = None
    scores: tuple[Score, ...] = ()
    reason: str | None = None
    distance: float | None = None
    details: dict[str, Any] = field(default_factory=dict)
    error: MedsdkError | None = None
    provenance: Provenance | None = None
    timings: Timings = field(default=Timings(), compare=False)
    explain: Callable[[], Attention] | None = field(default=None, repr=False, compare=False)

    @property
    def attention(self) -> Attention | None:
        """float32 (h, w) in 0..1 over the source picture, made when asked for; None where nothing was judged."""
        return self.explain() if self.explain is not None else None

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, ready for JSON."""
        fields: dict[str, Any] = msgspec.to_builtins(
            {
                "disease": self.disease,
                "source": self.source,
                "verdict": self.verdict,
                "label": self.label,
                "probability": self.probability,
                "scores": self.scores,
                "reason": self.reason,
                "distance": self.distance,
                "details": self.details,
                "error": str(self.error) if self.error else None,
                "provenance": self.provenance,
                "timings_ms": self.timings,
                "notice": NOTICE,
            }
        )
        return fields

    def to_json(self) -> str:
        """One line of JSON."""
        return msgspec.json.encode(self.to_dict()).decode()


def row_of(prediction: Prediction) -> dict[str, Any]:
    """The values under COLUMNS; None where there is nothing to say."""
    fields = prediction.to_dict()
    made = prediction.provenance
    fields["model_sha256"] = made.model_sha256 if made else None
    fields["site_sha256"] = made.site_sha256 if made else None
    return {name: fields[name] for name in COLUMNS}
