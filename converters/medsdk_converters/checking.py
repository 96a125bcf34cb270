"""`medsdk check`: is this bundle whole, and does it do what its card says?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.checking import golden
from medsdk.checking.bundle import check_bundle
from medsdk.core import decision
from medsdk.core.bundle import CARD, Bundle
from medsdk.core.card import Card
from medsdk.core.errors import MedsdkError
from medsdk.core.preprocessing import Pipeline
from medsdk_converters import bundling, gate
from medsdk_converters.gate import Check
from medsdk_converters.inference import Progress, float_logits, infer

# Without these the model cannot be fed what the card says.
_MUST_PASS = ("schema", "sha256", "signature")
# Probabilities of the mobile file are int8: steps of 1/256, after a logit that was rounded too.
_MOBILE_TOLERANCE = 0.05
# A picture whose two best labels are as near as that may be called by either.
_MOBILE_TIE = 0.1


@dataclass(frozen=True)
class Evidence:
    """Preprocessed pictures (n, h, w, 3) uint8, which of them are positive (n,), and the float model."""

    pixels: npt.NDArray[np.uint8]
    positive: npt.NDArray[np.bool_]
    model: Any
    value_range: tuple[float, float]


def check(folder: Path, evidence: Evidence | None, progress: Progress) -> list[Check]:
    """What the SDK asks of any bundle, then what only the converter can; not that, where the bundle is damaged."""
    checks = check_bundle(folder)
    if any(check.passed is False for check in checks if check.name in _MUST_PASS):
        return checks
    bundle = Bundle(folder)
    card, content = bundle.card, bundle.model()
    try:
        pipeline = Pipeline(card.input, str(folder / CARD))
    except MedsdkError:
        return checks  # said already
    checks += _mobile(folder / bundling.MOBILE, content, card, pipeline)
    if evidence is not None:
        checks += _against_float(content, card, evidence, progress)
    return checks


def _against_float(content: bytes, card: Card, evidence: Evidence, progress: Progress) -> Iterator[Check]:
    rounded = infer(content, evidence.pixels, progress, evidence.value_range).logits
    exact = float_logits(evidence.model, evidence.pixels, evidence.value_range)
    checks = gate.against_float(card, exact, rounded, evidence.positive)
    yield from checks
    if all(check.passed for check in checks) or gate.precision_of(content) != "int8":
        return
    from medsdk_converters import blame

    worst = blame.worst_layers(evidence.model, evidence.pixels[:200], evidence.value_range)
    yield Check("worst layers", False, ", ".join(map(str, worst)))


def _mobile(path: Path, content: bytes, card: Card, pipeline: Pipeline) -> Iterator[Check]:
    """Nothing where there is no mobile file."""
    if not path.exists():
        return
    from medsdk_converters import mobile

    mobile_content = path.read_bytes()
    wanted = [label.id for label in card.labels]
    try:
        found = mobile.labels_of(mobile_content, str(path))
    except MedsdkError as error:
        yield Check("mobile labels", False, str(error))
        return
    yield Check("mobile labels", found == wanted, f"{', '.join(found)}, the card says {', '.join(wanted)}")
    same = mobile.made_for(mobile_content) == card.model.sha256
    yield Check("mobile origin", same, f"made {'with' if same else 'for another model than'} this bundle's")
    sizes = ((240, 320), (200, 200), (300, 180), (128, 128))
    pixels = np.stack([pipeline.frame(golden.drawn(*size)).pixels for size in sizes])
    value_range = card.input.value_range if card.input.dtype == "float32" else (-1.0, 1.0)
    ours = decision.probabilities(infer(content, pixels, _quietly, value_range).logits, card)
    theirs = mobile.probabilities(mobile_content, pixels, value_range)
    difference = float(np.abs(ours - theirs).max())
    yield Check(
        "mobile scores",
        difference <= _MOBILE_TOLERANCE,
        f"they differ by up to {difference:.3f} from this bundle's, allowed {_MOBILE_TOLERANCE}",
    )
    yield _in_mediapipe(mobile_content, pixels, ours, wanted)


def _quietly(items: Iterable[int], total: int) -> Iterable[int]:  # noqa: ARG001
    return items


def _in_mediapipe(content: bytes, pixels: npt.NDArray[np.uint8], ours: npt.NDArray[np.float64], labels: list[str]) -> Check:
    from medsdk_converters import mobile

    try:
        found = mobile.mediapipe_labels(content, pixels)
    except (RuntimeError, ValueError) as error:
        return Check("mediapipe", False, f"it cannot load the file: {error}")
    if found is None:
        return Check("mediapipe", True, "not tried: mediapipe is not installed (medsdk-converters[mobile])")
    two_best = np.sort(ours, axis=1)[:, -2:]
    clear = two_best[:, 1] - two_best[:, 0] > _MOBILE_TIE
    expected = [labels[i] for i in ours.argmax(axis=1)]
    wrong = [f"{b} for {a}" for a, b, sure in zip(expected, found, clear, strict=True) if a != b and sure]
    return Check("mediapipe", not wrong, f"says {', '.join(wrong)}" if wrong else "loads it and gives the same labels")
