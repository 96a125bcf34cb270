"""A card before conversion: what only people can say of a model. What is fitted or measured is left out, or ignored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from medsdk.core.bundle import read_checked
from medsdk.core.card import Card, Codes, DataSet, File, Identifier, Input, Label, Outputs, Text
from medsdk.core.errors import CardError
from medsdk.evaluation.data import LabelledPicture, read_labelled
from medsdk_converters.bundling import WRITTEN
from medsdk_converters.errors import DataError
from medsdk_converters.recipe import CardText, DataSpec, Decide, EvaluationSpec, Loss, ModelSpec, Recipe

_UNSTATED = "not stated"


class DraftDecision(Struct, frozen=True):
    """How the operating point is to be chosen; a threshold that stands beside it is fitted anew."""

    rule: Text = "youden"


class DraftTraining(Struct, frozen=True):
    """What the model was trained on, and the seed of what is drawn at random in conversion."""

    data: tuple[DataSet, ...] = ()
    seed: int = 1


class Draft(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """card.json with fewer fields. A whole card is a draft too: its fitted fields are made anew."""

    schema_version: Literal[1] = 1
    disease: Identifier
    name: Text
    codes: Codes
    picture: Text
    labels: Annotated[tuple[Label, ...], Meta(min_length=2)]
    input: Input
    outputs: Outputs = Outputs()
    decision: DraftDecision = DraftDecision()
    training: DraftTraining = DraftTraining()
    licence: Text
    intended_use: Text
    limits: tuple[Text, ...]
    status: Any = None
    calibration: Any = None
    rejection: Any = None
    model: Any = None
    reference: Any = None
    evaluations: Any = None
    files: tuple[File, ...] = ()


def read_draft(path: Path) -> Draft:
    """Raises CardError naming the field."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Draft)
    except OSError as error:
        raise CardError(str(path), f"the card cannot be read ({error.strerror}).", "Check the path.") from None
    except msgspec.MsgspecError as error:
        raise CardError(str(path), f"the card is invalid: {error}.", "Correct that field.") from None


def recipe_of(draft: Draft, path: Path, data: Path, label_map: Mapping[str, str]) -> Recipe:
    """What `build` needs to know, for one set of pictures. `path` is the draft's, for the recipe's name.

    The set's labels are the card's ids or names, or what `label_map` makes of them ("" leaves them out). It is
    reported on by its split test, or by val where there is no test. Raises DataError for any other label.
    """
    pictures = read_labelled(data)
    spec = _data_spec(draft, data, pictures, label_map)
    splits = {picture.split for picture in pictures}
    reported = "test" if "test" in splits or splits == {""} else "val"
    note = "" if reported == "test" else "The pictures that the operating point was chosen on: expect a little less."
    given = msgspec.structs.replace(draft.input, dtype="uint8", value_range=(0.0, 255.0))
    return Recipe(
        name=path.stem if path.stem != "card" else f"{draft.disease}-converted",
        disease=draft.disease,
        seed=draft.training.seed,
        # Nothing is trained: the model is what was given. Only the activation is read.
        model=ModelSpec(backbone="converted", weights="none", activation=draft.outputs.activation),
        input=given,
        labels=draft.labels,
        data=(spec,),
        loss=Loss("ordinal" if draft.outputs.activation == "ordinal" else "cross_entropy"),
        decide=Decide(draft.decision.rule),
        evaluate=(EvaluationSpec(f"{spec.name}, {reported}", reported, note=note),),
        card=CardText(draft.name, draft.codes, draft.picture, draft.licence, draft.intended_use, draft.limits),
    )


def files_of(draft: Draft, path: Path) -> dict[str, bytes]:
    """The card's `files`, by name, which lie beside it: the plugin's own code reads them, whatever the model's precision.

    Raises CardError, or ModelDamagedError where one is not what the card says.
    """
    taken = sorted({file.file for file in draft.files} & {"card.json", *WRITTEN})
    if taken:
        raise CardError(str(path), f"files: {', '.join(taken)} is written by the converter.", "Give that file another name.")
    remedy = "Put it beside the card as it was, or take it out of the card's files."
    return {file.file: read_checked(path.parent, file, remedy) for file in draft.files}


def draft_of(card: Card) -> Draft:
    """The part of a card that is not fitted."""
    return msgspec.json.decode(msgspec.json.encode(card), type=Draft)


def _data_spec(draft: Draft, data: Path, pictures: list[LabelledPicture], label_map: Mapping[str, str]) -> DataSpec:
    words = {label.name.casefold(): label.id for label in draft.labels}
    words |= {label.id.casefold(): label.id for label in draft.labels}
    labels = {}
    for theirs in sorted({picture.label for picture in pictures}):
        ours = label_map.get(theirs, theirs)
        if not ours:
            continue
        if ours.casefold() not in words:
            raise DataError(
                f"{data}: the label {ours!r} is none of the card's ({', '.join(label.id for label in draft.labels)}).",
                f"Say what it means with --label-map {theirs}={draft.labels[0].id}, or leave it out with {theirs}=",
            )
        labels[theirs] = words[ours.casefold()]
    stated = {known.name: known for known in draft.training.data}.get(data.stem)
    licence, citation = (stated.licence, stated.citation) if stated else (_UNSTATED, _UNSTATED)
    return DataSpec(name=data.stem, labels=labels, licence=licence, citation=citation)
