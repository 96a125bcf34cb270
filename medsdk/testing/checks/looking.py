"""Which pictures the model lets in, and where it says that it looked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medsdk.core.images import Pixels
from medsdk.core.prediction import Prediction
from medsdk.testing import pictures
from medsdk.testing.subject import ContractError, NotApplicableError, Subject

_BLANK = ("black", "grey", "white")


def rejects_foreign_pictures(subject: Subject) -> None:
    """Noise, blanks, drawn scenes and everyday photographs are rejected, with a reason."""
    if subject.card.status == "untrained":
        raise NotApplicableError("The model is an untrained placeholder: it has not seen what its pictures look like.")
    found = {name: subject.analyzer.predict(pixels) for name, pixels in pictures.foreign().items()}
    judged = sorted(name for name, prediction in found.items() if prediction.verdict != "rejected")
    blanks = [name for name in judged if name in _BLANK]
    if blanks:
        raise ContractError(f"A picture that is all {blanks[0]} is judged: {found[blanks[0]].verdict}.")
    share = 1 - len(judged) / len(found)
    if share < subject.limits.rejected:
        raise ContractError(
            f"{share:.0%} of {len(found)} foreign pictures are rejected, wanted are {subject.limits.rejected:.0%}; judged "
            f"are {', '.join(f'{name} ({found[name].verdict})' for name in judged)}. Lower reject.accept in the recipe, "
            "or train on pictures that are more like one another."
        )


def accepts_its_own(subject: Subject) -> None:
    """Pictures of the model's own kind are judged: a plugin that rejects everything is of no use."""
    own = subject.own_pictures
    if not own:
        raise NotApplicableError("No pictures of the model's own kind were given: put some into a folder 'pictures'.")
    if subject.card.status == "untrained":
        raise NotApplicableError("The model is an untrained placeholder: it has not seen what its pictures look like.")
    refused = {name: prediction for name, path in own.items() if (prediction := _judge(subject, path)).verdict == "rejected"}
    if refused:
        name, prediction = next(iter(refused.items()))
        raise ContractError(
            f"{len(refused)} of {len(own)} pictures of its own kind are rejected; {name}: {prediction.reason}"
        )


def attention(subject: Subject) -> None:
    """A float32 map in 0..1 of the picture's size that can be painted over it; none where a picture was rejected."""
    arrays = subject.plugin.bundle.reference
    if subject.card.outputs.features is None or "head_weights" not in arrays:
        raise NotApplicableError("The card names no features or the reference has no head_weights: no attention is offered.")
    for name, pixels in subject.samples().items():
        prediction = subject.lenient.predict(pixels)
        if prediction.verdict != "rejected":
            _check_map(prediction, pixels, name)
    refused = subject.lenient.predict(pictures.blank(0))
    if refused.verdict == "rejected" and refused.attention is not None:
        raise ContractError("A rejected picture has an attention map: nothing was judged.")


def _judge(subject: Subject, path: Path) -> Prediction:
    return subject.analyzer.predict(path)


def _check_map(prediction: Prediction, pixels: Pixels, name: str) -> None:
    heat = prediction.attention
    if heat is None:
        raise ContractError(
            f"The picture {name!r} is judged and has no attention map, though the reference has head_weights."
        )
    if heat.shape != pixels.shape[:2] or heat.dtype != np.float32:
        raise ContractError(
            f"The attention map of {name!r} is {heat.dtype} {heat.shape}, not float32 of the picture's {pixels.shape[:2]}."
        )
    if not np.isfinite(heat).all() or heat.min() < 0 or heat.max() > 1:
        raise ContractError(f"The attention map of {name!r} goes from {heat.min()} to {heat.max()}, not from 0 to 1.")
    painted = heat.overlay()
    if painted.shape != pixels.shape or painted.dtype != np.uint8:
        raise ContractError(f"The overlay of {name!r} is {painted.dtype} {painted.shape}, not uint8 {pixels.shape}.")
