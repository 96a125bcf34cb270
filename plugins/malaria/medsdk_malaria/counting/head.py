"""Which cells of a field are infected: each is compared with the field's own typical cell.

The cell model was trained on one stain. What its early blocks say of a cell, less what they say of the field's plain cells
at their median, no longer holds the stain and the light; a linear head on that, fitted on train fields of another stain and
species (benchmarks/malaria_fields_head.py), tells infected cells from plain ones.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from .counts import FalseCalls, Mistakes, Tally
from .first_look import Chosen, FirstLook

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

    `first_look` chooses the cells that the model is to see.
    `model_sha256` is the model that it was fitted on: another model's outputs mean something else.
    """

    weights: Floats
    offset: float
    threshold: float
    sure_threshold: float
    mistakes: Mistakes
    model_sha256: str
    first_look: FirstLook

    @classmethod
    def decode(cls, content: bytes) -> FieldHead:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return cls(
                file["weights"].astype(np.float64),
                float(file["offset"]),
                float(file["threshold"]),
                float(file["sure_threshold"]),
                Mistakes(FalseCalls(*file["false_called"].tolist()), FalseCalls(*file["false_sure"].tolist())),
                str(file["model_sha256"]),
                FirstLook(file["spot_weights"].astype(np.float64), float(file["spot_limit"])),
            )

    def encode(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            weights=self.weights.astype(np.float32),
            offset=self.offset,
            threshold=self.threshold,
            sure_threshold=self.sure_threshold,
            false_called=np.array(astuple(self.mistakes.called)),
            false_sure=np.array(astuple(self.mistakes.sure)),
            model_sha256=np.array(self.model_sha256),
            spot_weights=self.first_look.weights.astype(np.float32),
            spot_limit=self.first_look.limit,
        )
        return buffer.getvalue()

    def __call__(self, contexts: Sequence[npt.NDArray[np.float32]], chosen: Chosen) -> CalledCells:
        """The model's context outputs (d,) of the judged cells of one field; the others' probability is 0."""
        probability = np.zeros(len(chosen.judged))
        if contexts:
            log_odds = relative(np.stack(contexts), chosen) @ self.weights + self.offset
            probability[chosen.judged] = 0.5 * (1.0 + np.tanh(log_odds / 2.0))
        return CalledCells(probability, probability >= self.threshold, probability >= self.sure_threshold)


def relative(contexts: npt.NDArray[np.float32], chosen: Chosen) -> Floats:
    """The judged cells' numbers less those of the references at their median, (n, d)."""
    values = contexts.astype(np.float64)
    return np.asarray(values - np.median(values[chosen.reference[chosen.judged]], axis=0))
