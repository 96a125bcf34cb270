"""Discs with dark dots on a tray of discs: an example of a plugin that adds `regions`.

The model judges one disc. This plugin finds the discs of a tray, lets the model judge each, and adds them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

import medsdk

Pixels = npt.NDArray[np.uint8]

# Darker than this in every channel is the tray, which is black.
TRAY = 60
# Smaller than this across, dots cannot be told from grain.
SMALLEST = 16
# A disc fills π/4 of its box; one that touches another, or the picture's edge, does not.
FILL = (0.70, 0.87)
# How much of the picture's side a disc takes in the pictures that the model was trained on.
SHARE = 0.78


class Tray(medsdk.DiseasePlugin):
    """One disc is judged as it is; of a tray the discs are counted, and those with dots among them."""

    medsdk_api = "1"
    bundle = medsdk.Bundle.beside(__file__)
    counts = "discs"

    def regions(self, image: Pixels) -> medsdk.Regions | None:
        """Each whole disc of RGB uint8 (h, w, 3); None where there are fewer than two: then it is no tray."""
        boxes = list(_discs(image))
        if len(boxes) < 2:
            return None
        return medsdk.Regions(tuple(medsdk.Region(box, _cut_out(image, box)) for box in boxes))

    def fold(
        self, regions: medsdk.Regions, outputs: Sequence[medsdk.ModelOutputs], picture: medsdk.Picture
    ) -> medsdk.Prediction:
        """As ill as its most ill disc, with the counts beside it."""
        finding = super().fold(regions, outputs, picture)
        if finding.verdict == "rejected":
            return finding
        return _counted(finding, finding.details["regions"], len(finding.details["found"]))

    def combine(self, source: str, findings: Sequence[medsdk.Prediction]) -> medsdk.Prediction:
        """Several trays of one batch: the counts add up."""
        judged = [finding for finding in findings if "discs" in finding.details]
        if not judged:
            return medsdk.Prediction(self.card.disease, source, "rejected", reason="No disc was found.")
        worst = next((v for v in ("positive", "inconclusive") if any(f.verdict == v for f in judged)), "negative")
        discs, dotted = (sum(finding.details[name] for finding in judged) for name in ("discs", "dotted"))
        return _counted(medsdk.Prediction(self.card.disease, source, worst), discs, dotted)


def _counted(finding: medsdk.Prediction, discs: int, dotted: int) -> medsdk.Prediction:
    summary = f"{dotted} of {discs} discs with dots: {dotted / discs:.0%}"
    return replace(finding, details={**finding.details, "discs": discs, "dotted": dotted, "summary": summary})


def _discs(image: Pixels) -> Iterator[tuple[int, int, int, int]]:
    """The box (left, top, width, height) of each round thing that is brighter than the tray."""
    bright = (image.max(axis=2) > TRAY).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(bright)
    for left, top, width, height, area in found[1:].tolist():
        is_round = 0.85 < width / height < 1.18 and FILL[0] < area / (width * height) < FILL[1]
        if is_round and min(width, height) >= SMALLEST:
            yield left, top, width, height


def _cut_out(image: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    """The disc in the middle of a black square, as in the training pictures. A new array."""
    left, top, width, height = box
    margin = round(max(width, height) * (1 / SHARE - 1) / 2)
    disc = image[top : top + height, left : left + width]
    return np.asarray(cv2.copyMakeBorder(disc, margin, margin, margin, margin, cv2.BORDER_CONSTANT), np.uint8)


@medsdk.hookimpl
def medsdk_register_diseases(register: Callable[[medsdk.DiseasePlugin], None]) -> None:
    """Tell medsdk of this disease."""
    register(Tray())
