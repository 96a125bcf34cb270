"""A bundle's folder: card, hashes, model, reference, and the preprocessing that the model was trained behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from medsdk.checking import golden
from medsdk.checking.model import Check, of_model
from medsdk.core.bundle import CARD, Bundle
from medsdk.core.card import Card
from medsdk.core.errors import BundleError, MedsdkError
from medsdk.core.preprocessing import Pipeline

Arrays = dict[str, npt.NDArray[np.float32]]


def check_bundle(folder: Path) -> list[Check]:
    """Every question that can be asked; those behind the first damage are not. Imports no plugin, but the steps that
    the card names."""
    bundle = Bundle(folder)
    checks: list[Check] = []
    try:
        card = bundle.card
        checks.append(Check("schema", True, f"{CARD} is valid, schema version {card.schema_version}"))
        content, reference = bundle.model(), bundle.reference
        for file in card.files:
            bundle.read(file.file)
        checks.append(Check("sha256", True, f"{', '.join(_named(card))}: as the card says"))
        checks += of_model(content, card)
        checks.append(_arrays(card, reference))
        checks.append(_golden(card, Pipeline(card.input, str(folder / CARD)), reference))
    except MedsdkError as error:
        return [*checks, Check(_asked(checks, error), False, str(error))]
    return checks


def _named(card: Card) -> list[str]:
    return [file.file for file in (card.model, card.reference, *card.files) if file]


def _asked(checks: list[Check], error: MedsdkError) -> str:
    """Which question the error answers: the files come first, then the model, then the card's steps."""
    if not checks:
        return "schema"
    if len(checks) == 1:
        return "sha256"
    return "preprocessing" if isinstance(error, BundleError) else "signature"


def _arrays(card: Card, reference: Arrays) -> Check:
    missing = [name for name in ("mean", "components", "variances", "rest_variance") if name not in reference]
    strange = [name for name, values in reference.items() if not np.isfinite(values).all()]
    if card.rejection is not None and missing:
        return Check("reference", False, f"the card rejects, but {', '.join(missing)} are not in the reference")
    if strange:
        return Check("reference", False, f"{', '.join(strange)} hold values that are not finite")
    return Check("reference", True, "rejection" if card.rejection else "no rejection")


def _golden(card: Card, pipeline: Pipeline, reference: Arrays) -> Check:
    if golden.KEY not in reference and card.status == "untrained":
        return Check("preprocessing", None, "an untrained placeholder holds no golden samples")
    if golden.KEY not in reference:
        return Check("preprocessing", False, "the bundle holds no golden samples: make it again with this converter")
    difference = golden.difference(pipeline, reference[golden.KEY])
    return Check(
        "preprocessing",
        difference <= golden.MAX_DIFFERENCE,
        f"drawn pictures differ by {difference:.3f} grey levels, allowed {golden.MAX_DIFFERENCE}",
    )
