"""Which cells of a field are infected: each is compared with the field's own typical cell.

The cell model was trained on one stain. What its early blocks say of a cell, less what they say of the median cell of the
same field, no longer holds the stain and the light; a linear head on that, fitted on train fields of another stain and
species (benchmarks/malaria_fields_head.py), tells infected cells from plain ones.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .counts import FalseCalls, Mistakes, Tally

FILE = "field_head.npz"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CalledCells:
    """Probability that each cell is infected, float64 (n,) in 0..1; which are called so, and which for sure, bool (n,)."""

    probability: Floats
    called: npt.NDArray[np.bool_]
    sure: npt.NDArray[np.bool_]

    @property
    def tally(self) -> Tally:
        return Tally(len(self.called), int(self.called.sum()), int(self.sure.sum()))


@dataclass(frozen=True, eq=False)
class FieldHead:
    """weights (d,) over the model's context outputs, and an offset: the log-odds of a cell being infected.

    `model_sha256` is the model that it was fitted on: another model's outputs mean something else.
    """

    weights: Floats
    offset: float
    threshold: float
    sure_threshold: float
    mistakes: Mistakes
    model_sha256: str

    @classmethod
    def decode(cls, content: bytes) -> FieldHead:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return cls(
                file["weights"].astype(np.float64),
                float(file["offset"]),
                float(file["threshold"]),
                float(file["sure_threshold"]),
                Mistakes(float(file["false_rate"]), FalseCalls(float(file["sure_alpha"]), float(file["sure_beta"]))),
                str(file["model_sha256"]),
            )

    def encode(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            weights=self.weights.astype(np.float32),
            offset=self.offset,
            threshold=self.threshold,
            sure_threshold=self.sure_threshold,
            false_rate=self.mistakes.rate,
            sure_alpha=self.mistakes.sure.alpha,
            sure_beta=self.mistakes.sure.beta,
            model_sha256=np.array(self.model_sha256),
        )
        return buffer.getvalue()

    def __call__(self, contexts: Sequence[npt.NDArray[np.float32]]) -> CalledCells:
        """The model's context outputs (d,) of every whole cell of one field."""
        if not contexts:
            return CalledCells(np.empty(0), np.empty(0, bool), np.empty(0, bool))
        log_odds = relative(np.stack(contexts)) @ self.weights + self.offset
        probability = 0.5 * (1.0 + np.tanh(log_odds / 2.0))
        return CalledCells(probability, probability >= self.threshold, probability >= self.sure_threshold)


def relative(contexts: npt.NDArray[np.float32]) -> Floats:
    """Each cell's numbers less those of the field's median cell, (n, d). Fewer than half the cells may be infected."""
    values = contexts.astype(np.float64)
    return np.asarray(values - np.median(values, axis=0))
