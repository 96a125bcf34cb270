"""`medsdk check`: is this bundle whole, and does it do what its card says?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medsdk.core import decision
from medsdk.core.bundle import CARD, Bundle
from medsdk.core.card import Card
from medsdk.core.errors import MedsdkError
from medsdk.core.preprocessing import Pipeline
from medsdk_converters import bundling, gate, golden
from medsdk_converters.gate import Check
from medsdk_converters.inference import Progress, float_logits, infer

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
    """Every question that can be asked; those behind the first damage are not."""
    bundle = Bundle(folder)
    checks: list[Check] = []
    try:
        card = bundle.card
        checks.append(Check("schema", True, f"{CARD} is valid, schema version {card.schema_version}"))
        content = bundle.model()
        reference = bundle.reference
        named = [file.file for file in (card.model, card.reference) if file]
        checks.append(Check("sha256", True, f"{' and '.join(named)} are what the card says"))
    except MedsdkError as error:
        return [*checks, Check("sha256" if checks else "schema", False, str(error))]
    checks += gate.of_model(content, card)
    checks.append(_arrays(card, reference))
    try:
        pipeline = Pipeline(card.input, str(folder / CARD))
    except MedsdkError as error:
        return [*checks, Check("preprocessing", False, str(error))]
    checks.append(_golden(pipeline, reference))
    if not all(check.passed for check in checks if check.name == "signature"):
        return checks  # the model cannot be fed what the card says
    checks += _mobile(folder / bundling.MOBILE, content, card, pipeline)
    if evidence is not None:
        checks += _against_float(content, card, evidence, progress)
    return checks


def _arrays(card: Card, reference: dict[str, npt.NDArray[np.float32]]) -> Check:
    missing = [name for name in ("mean", "components", "variances", "rest_variance") if name not in reference]
    strange = [name for name, values in reference.items() if not np.isfinite(values).all()]
    if card.rejection is not None and missing:
        return Check("reference", False, f"the card rejects, but {', '.join(missing)} are not in the reference")
    if strange:
        return Check("reference", False, f"{', '.join(strange)} hold values that are not finite")
    return Check("reference", True, "rejection" if card.rejection else "no rejection")


def _golden(pipeline: Pipeline, reference: dict[str, npt.NDArray[np.float32]]) -> Check:
    if golden.KEY not in reference:
        return Check("preprocessing", False, "the bundle holds no golden samples: make it again with this converter")
    difference = golden.difference(pipeline, reference[golden.KEY])
    return Check(
        "preprocessing",
        difference <= golden.MAX_DIFFERENCE,
        f"drawn pictures differ by {difference:.3f} grey levels, allowed {golden.MAX_DIFFERENCE}",
    )


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
