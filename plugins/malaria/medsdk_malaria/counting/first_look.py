"""Which cells of a field the network is to see: those with something in them, and some plain ones to compare them with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REFERENCES = 12
"""Plain cells that stand for the field's typical cell: their median is what the others are compared with."""

LEAST_SHARE = 0.08
"""Of a field's cells, the most suspicious, are judged whatever the limit says: another stain may be weaker."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """By cell, bool (n,): whether the network sees it because it is suspicious, or as a reference."""

    suspicious: npt.NDArray[np.bool_]
    reference: npt.NDArray[np.bool_]

    @property
    def judged(self) -> npt.NDArray[np.bool_]:
        return self.suspicious | self.reference


@dataclass(frozen=True, eq=False)
class FirstLook:
    """weights (d,) over a cell's spots less the field's median; a cell at or above the limit is suspicious."""

    weights: Floats
    limit: float

    def __call__(self, spots: npt.NDArray[np.float32]) -> Chosen:
        """spots (n, d) of every whole cell of one field."""
        return choose(beside_the_median(spots) @ self.weights, self.limit)


def choose(suspicion: Floats, limit: float) -> Chosen:
    """Suspicious cells by their suspicion (n,), and references evenly from the most to the least plain of the others."""
    count = len(suspicion)
    order = np.argsort(suspicion, kind="stable")
    suspicious = suspicion >= limit
    suspicious[order[count - int(np.ceil(LEAST_SHARE * count)) :]] = True
    plain = order[~suspicious[order]]
    if len(plain) < REFERENCES:  # nearly every cell is suspicious: the least so must do
        plain = order[:REFERENCES]
    reference = np.zeros(count, dtype=bool)
    reference[plain[np.linspace(0, len(plain) - 1, min(REFERENCES, len(plain))).round().astype(int)]] = True
    return Chosen(suspicious, reference)


def beside_the_median(spots: npt.NDArray[np.float32]) -> Floats:
    """Each cell's numbers less those of the field's median cell, (n, d)."""
    if not len(spots):
        return np.empty(spots.shape)
    return np.asarray(spots.astype(np.float64) - np.median(spots, axis=0))
