"""Does the attention map point at what the score hangs on?

Covering: the fifth of the picture where the map is hottest is painted in the picture's mean colour, and the score (the
positive probability's log-odds) is looked at again; then the same shape, moved at random, is painted. A map that means
nothing lowers the score no more than the moved shape does. Only pictures that are called positive are asked.

Pointing, for malaria: an infected and a plain cell of one field, each cut out on black, stand side by side in one picture;
the hottest point lies in the infected one's half by chance half the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import malaria_fields_detection as detection
import numpy as np
import numpy.typing as npt

import medsdk
from medsdk.core import decision
from medsdk.core.card import Estimate, Evaluation
from medsdk.evaluation.bootstrap import wilson

SET = "attention"
NOTE = (
    "Of positive test pictures: how often painting over the hottest fifth lowers the score more than painting over a fifth "
    "of the same shape elsewhere (by chance: .5), and by how many log-odds more on average."
)
IN_CELL = " An infected and a plain cell side by side: how often the hottest point lies in the infected one (by chance: .5)."
FIFTH = 0.2
MOVES = 3

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def covering(analyzer: medsdk.Analyzer, images: Sequence[Any], groups: int, pairs: Sequence[Any] = ()) -> Evaluation | None:
    """None where no picture is called positive. `pairs` are (picture, whether the infected cell is on the left)."""
    random = np.random.default_rng(1)
    more = [excess for image in images if (excess := _excess(analyzer, image, random)) is not None]
    if not more:
        return None
    found = {"attention_covered": wilson(sum(one > 0 for one in more), len(more)), "attention_log_odds": _mean(more)}
    if pairs:
        found["attention_in_infected_cell"] = wilson(sum(_points_right(analyzer, *pair) for pair in pairs), len(pairs))
    return Evaluation(SET, len(more), min(groups, len(more)), len(more), found, NOTE + (IN_CELL if pairs else ""))


def pairs_of_cells(data: Path, count: int) -> Iterator[tuple[Pixels, bool]]:
    """Pictures of an infected and a plain cell of the same test field, by the experts' boxes, in random order."""
    random = np.random.default_rng(2)
    for field in detection.fields(data, "test"):
        plain = np.flatnonzero(~field.infected)
        for infected in np.flatnonzero(field.infected):
            if count == 0 or not len(plain):
                return
            count -= 1
            cells = [_cell(field.image, field.boxes[infected]), _cell(field.image, field.boxes[random.choice(plain)])]
            on_the_left = bool(random.integers(2))
            yield np.hstack(cells if on_the_left else cells[::-1]), on_the_left


def _excess(analyzer: medsdk.Analyzer, image: Any, random: np.random.Generator) -> float | None:
    prediction = analyzer.predict(image, as_regions=False)
    heat = prediction.attention if prediction.verdict == "positive" else None
    if heat is None:
        return None
    hottest = np.asarray(heat) >= np.quantile(heat, 1 - FIFTH)
    hottest &= np.asarray(heat) > 0
    before = _log_odds(analyzer, image)
    elsewhere = [_log_odds(analyzer, _painted(image, _moved(hottest, random))) for _ in range(MOVES)]
    return (before - _log_odds(analyzer, _painted(image, hottest))) - (before - float(np.mean(elsewhere)))


def _painted(image: Pixels, where: Mask) -> Pixels:
    painted = image.copy()
    painted[where] = image.reshape(-1, 3).mean(axis=0).round()
    return painted


def _moved(shape: Mask, random: np.random.Generator) -> Mask:
    """The same area elsewhere, over the edge and in again on the other side."""
    return np.roll(shape, tuple(int(random.integers(side // 4, side - side // 4)) for side in shape.shape), axis=(0, 1))


def _log_odds(analyzer: medsdk.Analyzer, image: Pixels) -> float:
    """Of the positive probability, whether or not the picture would be rejected."""
    outputs = analyzer.outputs(image)
    probability = decision.probabilities(outputs.logits, analyzer.card)
    chance = float(np.clip(decision.positive_probability(probability, analyzer.card), 1e-6, 1 - 1e-6))
    return float(np.log(chance / (1 - chance)))


def _points_right(analyzer: medsdk.Analyzer, picture: Pixels, on_the_left: bool) -> bool:
    """Both cells together are no picture that the plugin accepts, so that the map is made of the outputs themselves."""
    explain = analyzer.plugin.explanation(analyzer.outputs(picture))
    if explain is None:
        return False
    heat = np.asarray(explain())
    column = int(np.unravel_index(int(heat.argmax()), heat.shape)[1])
    return (column < heat.shape[1] / 2) == on_the_left


def _cell(image: Pixels, box: npt.NDArray[np.float64]) -> Pixels:
    """128 × 128: the box's ellipse on black, as the cell model's own pictures are."""
    left, top, right, bottom = box.astype(int)
    cut = image[top:bottom, left:right]
    mask = np.zeros(cut.shape[:2], np.uint8)
    height, width = mask.shape
    cv2.ellipse(mask, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1)
    return np.asarray(cv2.resize(cut * (mask[..., np.newaxis] > 0), (128, 128), interpolation=cv2.INTER_AREA), np.uint8)


def _mean(values: Sequence[float]) -> Estimate:
    """With the normal approximation's 95 % interval."""
    mean, error = float(np.mean(values)), float(np.std(values) / np.sqrt(len(values)))
    return Estimate(mean, mean - 1.96 * error, mean + 1.96 * error)
