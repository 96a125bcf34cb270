"""Whether the card says everything, and nothing that is not so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from medsdk.core.card import Card, read_card
from medsdk.core.errors import MedsdkError
from medsdk.core.runtime import Model
from medsdk.testing.subject import ContractError, Subject

# What `medsdk new` leaves for people to write.
PLACEHOLDER = "FILL IN"


def card_is_complete(subject: Subject) -> None:
    """Of a trained model: figures with counts, training data with licences, limits, nothing left to fill in."""
    card = subject.card
    if card.disease != subject.disease:
        raise ContractError(f"The card is of {card.disease!r}, the entry point of {subject.disease!r}.")
    try:
        on_disk = read_card(subject.plugin.bundle.folder / "card.json")
    except MedsdkError as error:
        raise ContractError(str(error)) from error
    if on_disk != card:
        raise ContractError("The plugin's card is not the card.json of its bundle: what `info` shows would not be true.")
    missing = list(_missing(card)) if card.status == "trained" else []
    if missing:
        raise ContractError(f"The card of a trained model must say more: {'; '.join(missing)}.")


def card_is_true_to_the_model(subject: Subject) -> None:
    """Files as described by sha256; the model's input, outputs and the reference's arrays as the card says."""
    card = subject.card
    try:
        content = subject.plugin.model
        arrays = subject.plugin.bundle.reference
        with Model(content, card.disease) as model:
            wrong = [*_model(card, model), *_reference(card, arrays, model.output_shapes)]
    except MedsdkError as error:
        raise ContractError(str(error)) from error
    if subject.plugin.labels != card.labels:
        wrong.append("the plugin's labels are not the card's")
    if wrong:
        raise ContractError(f"The card is not true: {'; '.join(wrong)}. Make the bundle again with `medsdk train`.")


def _missing(card: Card) -> Iterator[str]:
    for name, text in _texts(msgspec.to_builtins(card)):
        if PLACEHOLDER in text:
            yield f"{name} is still to be filled in"
    if not card.evaluations:
        yield "evaluations: it has no figures"
    for evaluation in card.evaluations:
        if not evaluation.figures or evaluation.pictures < 1 or evaluation.groups < 1:
            yield f"evaluations: {evaluation.set!r} has no figures or counts"
        for figure, estimate in evaluation.figures.items():
            if not estimate.low <= estimate.value <= estimate.high:
                yield f"evaluations: {figure} of {evaluation.set!r} is outside its own interval"
    if not card.training.data:
        yield "training.data: no set of pictures is named"
    if not card.limits:
        yield "limits: every model has some"
    if card.rejection is None:
        yield "rejection: it would judge any picture"
    if card.decision.split == "test" or card.calibration.split == "test":
        yield "decision, calibration: chosen on test, so that the figures on test are too good"


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{name}.{key}".lstrip("."))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, name)


def _model(card: Card, model: Model) -> Iterator[str]:
    expected = (1, card.input.height, card.input.width, card.input.channels)
    if (model.input_shape, model.input_dtype) != (expected, card.input.dtype):
        yield f"the model wants {model.input_dtype} {model.input_shape}, the card says {card.input.dtype} {expected}"
    shapes = model.output_shapes
    if shapes.get(card.outputs.logits) != (1, card.logits):
        yield f"the model's outputs are {shapes}, the card wants {card.outputs.logits!r} of (1, {card.logits})"
    features = card.outputs.features
    if features is not None and len(shapes.get(features, ())) != 4:
        yield f"the model's outputs are {shapes}, the card wants a feature map {features!r} of (1, h, w, c)"
    for name in card.outputs.context:
        if len(shapes.get(name, ())) != 2:
            yield f"the model's outputs are {shapes}, the card wants averages {name!r} of (1, c)"


def _reference(card: Card, arrays: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> Iterator[str]:
    features = card.outputs.features
    context = card.outputs.context
    if card.rejection is not None and ("mean" not in arrays or (features is None and not context)):
        yield "the card has a rejection limit, but there is no reference or no features to measure by"
    channels = shapes[features][-1] if features in shapes else None
    measured = sum(shapes[name][-1] for name in context if name in shapes) if context else channels
    wanted: dict[str, tuple[int | None, ...]] = {
        "mean": (measured,),
        "components": (None, measured),
        "variances": (arrays["components"].shape[0] if "components" in arrays else None,),
        "rest_variance": (),
        "head_weights": (channels, card.logits),
    }
    if "mean" in arrays:
        absent = [name for name in ("components", "variances", "rest_variance") if name not in arrays]
        yield from (f"the reference lacks {name}" for name in absent)
    for name, shape in wanted.items():
        if name in arrays and not _fits(arrays[name].shape, shape):
            yield f"the reference's {name} has the shape {arrays[name].shape}, the model's outputs want {shape}"


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(w in (None, s) for s, w in zip(shape, wanted, strict=True))
