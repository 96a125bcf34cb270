"""card.json: everything about a model that its file does not say, typed and validated.

An invalid card is an error that names the field. Unknown fields are errors too, so that a misspelt one is found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from medsdk.core.errors import CardError

SCHEMA_VERSION = 1

Positive = Annotated[int, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(min_length=1)]
Identifier = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
# A plain name: a card cannot point outside its own folder.
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class Label(Struct, frozen=True, forbid_unknown_fields=True):
    """One class of the model, in the order of its logits (for `ordinal`, in the order of severity)."""

    id: Identifier
    name: Text
    positive: bool


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """A preprocessing step by name (see medsdk.core.steps) with its keyword parameters."""

    name: Identifier
    parameters: dict[str, Any] = field(default_factory=dict)


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model is fed. The step named `resize` says where in the steps the one resize happens."""

    height: Positive
    width: Positive
    channels: Literal[3] = 3
    colour_order: Literal["rgb"] = "rgb"
    resize: Literal["stretch", "fit", "cover"] = "stretch"
    interpolation: Literal["area", "linear", "cubic"] = "area"
    dtype: Literal["uint8", "float32"] = "uint8"
    value_range: tuple[float, float] = (0.0, 255.0)
    steps: tuple[Step, ...] = (Step(name="resize"),)

    def __post_init__(self) -> None:
        if [step.name for step in self.steps].count("resize") != 1:
            raise ValueError("steps must hold the step 'resize' exactly once")
        if self.value_range[0] >= self.value_range[1]:
            raise ValueError("value_range must rise: what black becomes, then what white becomes")


class Outputs(Struct, frozen=True, forbid_unknown_fields=True):
    """The model's outputs by name.

    `activation` turns logits into probabilities: softmax over the labels; sigmoid of one logit for two labels;
    ordinal for n labels in rising order from n-1 logits, the k-th being the log-odds of 'worse than label k'.
    `context` are averaged feature maps of earlier blocks, (1, c) each: what rejection measures; where there are none it
    measures the averaged last one.
    """

    logits: Text = "logits"
    features: Text | None = "features"
    context: tuple[Text, ...] = ()
    activation: Literal["softmax", "sigmoid", "ordinal"] = "softmax"


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """The operating point: at or above `threshold` is positive; strictly inside the band is inconclusive."""

    threshold: Share
    inconclusive: tuple[Share, Share]
    rule: Text
    split: Text

    def __post_init__(self) -> None:
        low, high = self.inconclusive
        if not low <= self.threshold <= high:
            raise ValueError("inconclusive must be a band (low, high) around the threshold")


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """Logits are divided by `temperature` before they become probabilities (Guo et al. 2017)."""

    temperature: Annotated[float, Meta(gt=0)] = 1.0
    method: Text = "temperature scaling"
    split: Text = "val"


class Rejection(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture whose distance to the training features is above `limit` is not judged."""

    limit: Annotated[float, Meta(gt=0)]
    method: Text
    split: Text


class Estimate(Struct, frozen=True, forbid_unknown_fields=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Evaluation(Struct, frozen=True, forbid_unknown_fields=True):
    """The figures on one set of pictures; `groups` counts patients, lesions or whatever was kept together."""

    set: Text
    pictures: int
    groups: int
    positives: int
    figures: dict[str, Estimate]
    note: str = ""


class DataSet(Struct, frozen=True, forbid_unknown_fields=True):
    """A set of pictures that the model was trained on."""

    name: Text
    pictures: int
    licence: Text
    citation: Text
    sha256: Sha256


class Training(Struct, frozen=True, forbid_unknown_fields=True):
    """How the model was made, and with which command it can be made again."""

    recipe: Text
    seed: int
    made: Text
    tool: Text
    command: Text
    data: tuple[DataSet, ...]


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the bundle and what it must be."""

    file: FileName
    bytes: Positive
    sha256: Sha256


class Codes(Struct, frozen=True, forbid_unknown_fields=True):
    """The disease in ICD-10 and SNOMED CT."""

    icd10: Text
    snomed_ct: Text


class Card(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `info` shows, and what every step of a picture's way reads.

    `files` are further ones that the plugin's own code reads through `Bundle.read`.
    """

    schema_version: Literal[1]
    disease: Identifier
    name: Text
    codes: Codes
    picture: Text
    status: Literal["trained", "untrained"] = "trained"
    labels: Annotated[tuple[Label, ...], Meta(min_length=2)]
    input: Input
    outputs: Outputs
    decision: Decision
    calibration: Calibration
    rejection: Rejection | None
    model: File
    reference: File | None
    files: tuple[File, ...] = ()
    evaluations: tuple[Evaluation, ...]
    training: Training
    licence: Text
    intended_use: Text
    limits: tuple[Text, ...]

    def __post_init__(self) -> None:
        ids = [label.id for label in self.labels]
        if len(set(ids)) != len(ids):
            raise ValueError("labels must have different ids")
        positives = [label.positive for label in self.labels]
        if all(positives) or not any(positives):
            raise ValueError("labels must hold at least one positive and one that is not")
        if self.outputs.activation == "ordinal" and positives != sorted(positives):
            raise ValueError("labels of an ordinal model must rise from not positive to positive")
        if self.outputs.activation == "sigmoid" and len(ids) != 2:
            raise ValueError("labels of a sigmoid model must be two")

    @property
    def logits(self) -> int:
        """How many logits the model must put out."""
        return {"softmax": len(self.labels), "sigmoid": 1, "ordinal": len(self.labels) - 1}[self.outputs.activation]


def decode_card(data: bytes, path: str) -> Card:
    """Card from JSON bytes; `path` is what an error names. Raises CardError."""
    try:
        return msgspec.json.decode(data, type=Card)
    except msgspec.MsgspecError as error:
        raise CardError(path, f"the card is invalid: {error}.", "Correct that field, or reinstall the plugin.") from None


def read_card(path: Path) -> Card:
    """Card from a file. Raises CardError."""
    try:
        return decode_card(path.read_bytes(), str(path))
    except OSError as error:
        raise CardError(str(path), f"the card cannot be read ({error}).", "Reinstall the plugin.") from None


def encode_card(card: Card) -> bytes:
    """JSON bytes, indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n"
