"""Pictures that hold many objects: a plugin finds them, its model judges each, and it adds them up to one finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from medsdk.core.errors import BrokenPluginError
from medsdk.core.images import Picture, Pixels
from medsdk.core.prediction import Prediction

Box: TypeAlias = tuple[int, int, int, int]

NONE_FOUND = "Nothing was found in the picture that this model could judge."


@dataclass(frozen=True, eq=False)
class Region:
    """One object: its box (left, top, width, height) in pixels of the picture, and what the model is to see of it.

    `pixels` is RGB uint8 (h, w, 3) of any size; it need not be the box's content. None: the object is there, and counts,
    but the finder knows enough of it, and the model is not asked.
    """

    box: Box
    pixels: Pixels | None


@dataclass(frozen=True, eq=False)
class Regions:
    """What a plugin finds in a picture.

    `refusal` says why the picture as a whole must not be judged: then no region is. `certain` is False where the
    finder doubts that this is a picture of many objects at all: it is judged as one object then, unless the caller
    said that it holds regions. `notes` is what the finder wants to remember until `fold`; nobody else reads it.
    """

    items: tuple[Region, ...] = ()
    refusal: str | None = None
    certain: bool = True
    notes: Any = field(default=None, repr=False)

    @property
    def judged(self) -> tuple[Region, ...]:
        """Those that the model is to see, in their order: the outputs that `fold` gets are theirs."""
        return tuple(each for each in self.items if each.pixels is not None) if self.refusal is None else ()


def checked(found: Regions | None, disease: str, picture: Picture, expected: bool | None) -> Regions | None:
    """What the finder returned; None if the picture is to be judged as one object. Raises BrokenPluginError."""
    if found is None:
        return Regions(refusal=NONE_FOUND) if expected else None
    if not isinstance(found, Regions):
        raise BrokenPluginError(
            disease, f"{disease}: regions() returned {type(found).__name__}, not medsdk.Regions.", "Update the plugin."
        )
    if not found.certain and not expected:
        return None
    height, width = picture.pixels.shape[:2]
    for region in found.items:
        left, top, wide, high = region.box
        if min(left, top) < 0 or min(wide, high) < 1 or left + wide > width or top + high > height:
            raise BrokenPluginError(
                disease, f"{disease}: the region {region.box} lies outside {width}×{height}.", "Update the plugin."
            )
    return found


def most_suspicious(disease: str, source: str, regions: Regions, predictions: Sequence[Prediction]) -> Prediction:
    """The default way to add regions up: a picture is as ill as its most ill region.

    Regions that the model rejects are counted and left out; where it rejects every one, the picture is rejected.
    """
    judged = [each for each in predictions if each.probability is not None]
    if not judged:
        return Prediction(disease, source, "rejected", reason=predictions[0].reason if predictions else NONE_FOUND)
    worst = max(judged, key=lambda each: each.probability or 0.0)
    found = [
        {"box": region.box, "probability": each.probability}
        for region, each in zip(regions.judged, predictions, strict=True)
        if each.verdict == "positive"
    ]
    details = {"regions": len(judged), "rejected": len(predictions) - len(judged), "found": found}
    return replace(worst, source=source, details=details, explain=None)
