"""A recipe: the small typed TOML file that a bundle is made from, and made from again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from medsdk.core.card import Codes, Identifier, Input, Label, Share, Text
from medsdk_converters.errors import RecipeError

Count = Annotated[int, Meta(ge=0)]
PositiveFloat = Annotated[float, Meta(gt=0)]
Quantise: TypeAlias = Literal["auto", "ptq", "qat"]
Acceptable: TypeAlias = Literal["AUC", "agreement", "delegate", "size"]


class ModelSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which network: see medsdk_converters.backbones. `weights` is 'imagenet', 'none' or a file."""

    backbone: Text = "efficientnet_lite0"
    weights: str = "imagenet"
    head: Literal["linear", "gwap", "dense"] = "linear"
    hidden: tuple[int, ...] = ()
    dropout: Share = 0.2
    batch_norm: Literal["train", "frozen", "folded"] = "frozen"
    activation: Literal["softmax", "sigmoid", "ordinal"] = "softmax"


class DataSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One set of pictures, found under --data by its name.

    `labels` maps the set's own labels to the recipe's label ids; a label that it does not name is left out. `column` is the
    manifest's column that holds them; where that is empty, the label itself is looked up.
    `only` and `train_without` hold columns with the value that a row must have, or must not have in training.
    """

    name: Text
    labels: dict[str, str]
    licence: Text
    citation: Text
    column: Text = "label"
    only: dict[str, str] = field(default_factory=dict)
    train_without: dict[str, str] = field(default_factory=dict)


class Augmentation(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far training pictures are changed at random; 0 or false switches a change off.

    Shares are of the picture's side (`shift`), of 1 (`zoom`, `brightness`, `contrast`, `saturation`), or a chance
    (`flip_*`, `grey`, `blur`, `noise`, `jpeg`, `erase`, `half_resolution`); `rotation` is in degrees, `gamma` in
    log2 units, `hue` in degrees of the colour circle.
    """

    flip_horizontal: bool = False
    flip_vertical: bool = False
    quarter_turns: bool = False
    rotation: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    aspect: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    channel_gain: float = 0.0
    grey: Share = 0.0
    blur: Share = 0.0
    noise: Share = 0.0
    jpeg: Share = 0.0
    half_resolution: Share = 0.0
    erase: Share = 0.0
    border: Literal["black", "reflect"] = "black"


class Sampling(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which columns are balanced: every combination of their values is drawn equally often.

    `power` 1 balances wholly, 0 not at all. `pictures` is how many make an epoch; 0 means as many as there are.
    """

    balance: tuple[str, ...] = ("label",)
    power: Share = 1.0
    pictures: Count = 0
    mixup: Share = 0.0


class Within(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A picture is told from those labels only that occur with its value of `column`: where the disease and the hospital
    go together, knowing the hospital then pays less. `share` of the loss is of this kind, the rest compares all labels.
    """

    column: Text
    share: Share = 0.8


class Loss(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`gamma` is the focal loss's; ordinal asks one binary question for each step of severity."""

    kind: Literal["cross_entropy", "focal", "ordinal"] = "cross_entropy"
    label_smoothing: Share = 0.0
    gamma: float = 2.0
    within: Within | None = None


class Draw(Struct, frozen=True, forbid_unknown_fields=True):
    """Training pictures whose columns hold these values weigh so many times as much as `sampling` alone would have it.

    The chances of all pictures then add up to 1 again: what made a quarter of an epoch makes half of it at `times = 3`.
    0 keeps them out of the phase.
    """

    where: Annotated[dict[str, str], Meta(min_length=1)]
    times: Annotated[float, Meta(ge=0, le=1000)]


class Phase(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Some epochs with one setting. `train_from` is 'head', 'all' or a cut point of the backbone.

    Below the cut the network is frozen and its features are computed once over `views` augmented copies.
    `draw` makes some pictures come more or less often for the length of this phase.
    """

    epochs: Annotated[int, Meta(gt=0)]
    learning_rate: PositiveFloat
    train_from: Text = "all"
    views: Annotated[int, Meta(gt=0)] = 1
    draw: tuple[Draw, ...] = ()


class Schedule(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`average` is the share kept by the moving average of the weights (0: none); `patience` is in epochs (0: none)."""

    phases: tuple[Phase, ...] = (
        Phase(epochs=2, learning_rate=1e-3, train_from="head"),
        Phase(epochs=8, learning_rate=3e-4),
    )
    batch: Annotated[int, Meta(gt=0)] = 32
    weight_decay: float = 1e-4
    average: Share = 0.0
    patience: Count = 0


class Decide(Struct, frozen=True, forbid_unknown_fields=True):
    """How the operating point is chosen on val: 'youden', 'accuracy', 'sensitivity>=.9', 'specificity>=.95'.

    The best epoch is chosen by the same rows. `undecided` is the share of them that may lie in the inconclusive band.
    """

    rule: Text = "youden"
    where: dict[str, str] = field(default_factory=dict)
    undecided: Share = 0.05


class Calibrate(Struct, frozen=True, forbid_unknown_fields=True):
    """`head_bias` fits the head's bias to how often val holds each label; sampling that balances them teaches another."""

    head_bias: bool = False


class Reject(Struct, frozen=True, forbid_unknown_fields=True):
    """The rejection score's principal components, and the share of val pictures that the limit accepts."""

    components: Annotated[int, Meta(gt=0)] = 64
    accept: Share = 0.985


class ExportSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How the float model becomes the int8 file; the options of `medsdk train` are added to it.

    `quantise` is as in `medsdk train`. `accept` names checks of the gate that the bundle may fail: say why in a comment.
    Without `attention` the bundle offers no map, for a network whose map was measured and does not point at the disease.
    """

    quantise: Quantise = "auto"
    accept: tuple[Acceptable, ...] = ()
    attention: bool = True


class EvaluationSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A set that the card reports on. `where` and `without` hold columns and values.

    `label`: the set is asked for this one label by its own probability, and not for positive or negative.
    """

    set: Text
    split: Text
    where: dict[str, str] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)
    label: str = ""
    note: str = ""


class CardText(Struct, frozen=True, forbid_unknown_fields=True):
    """What only people can say of a model."""

    name: Text
    codes: Codes
    picture: Text
    licence: Text
    intended_use: Text
    limits: tuple[Text, ...]


class Recipe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a bundle depends on besides the pictures.

    `near_duplicates` says what happens where one picture, or nearly the same, stands in two splits: it is an error, or
    the one in train (else the one in val) is left out, so that nothing that is reported on was learnt from.
    """

    name: Text
    disease: Identifier
    seed: int = 1
    model: ModelSpec = ModelSpec()
    input: Input
    labels: Annotated[tuple[Label, ...], Meta(min_length=2)]
    data: Annotated[tuple[DataSpec, ...], Meta(min_length=1)]
    augmentation: Augmentation = Augmentation()
    sampling: Sampling = Sampling()
    loss: Loss = Loss()
    schedule: Schedule = Schedule()
    choose: Literal["auc", "loss", "accuracy", "kappa"] = "auc"
    near_duplicates: Literal["error", "leave_out"] = "error"
    calibrate: Calibrate = Calibrate()
    decide: Decide = Decide()
    reject: Reject = Reject()
    export: ExportSpec = ExportSpec()
    evaluate: tuple[EvaluationSpec, ...] = (EvaluationSpec(set="test", split="test"),)
    card: CardText

    def __post_init__(self) -> None:
        ids = {label.id for label in self.labels}
        for data in self.data:
            strange = set(data.labels.values()) - ids
            if strange:
                raise ValueError(f"data {data.name!r} maps to {sorted(strange)}, which no label has as its id")
        asked = {spec.label for spec in self.evaluate} - {""}
        if asked - ids:
            raise ValueError(f"an evaluation asks for {sorted(asked - ids)}, which no label has as its id")
        if asked and self.model.activation == "ordinal":
            raise ValueError("grades are not asked for one by one: an evaluation's 'label' is for softmax and sigmoid")
        if (self.loss.kind == "ordinal") != (self.model.activation == "ordinal"):
            raise ValueError("loss kind and model activation must both be 'ordinal', or neither")
        if self.loss.within and (self.model.activation != "softmax" or self.sampling.mixup):
            raise ValueError("loss.within compares labels of a softmax, and pictures that are not mixed (sampling.mixup)")

    @property
    def training_key(self) -> str:
        """sha256 of everything that the trained weights hang on; what a recipe does not give does not count, so
        that a field that is added to recipes later leaves the key of older ones as it is."""
        trained: dict[str, object] = {
            "seed": self.seed,
            "model": self.model,
            "input": self.input,
            "labels": [(label.id, label.positive) for label in self.labels],
            "data": [(data.name, data.labels, data.only, data.train_without) for data in self.data],
            "augmentation": self.augmentation,
            "sampling": self.sampling,
            "loss": self.loss,
            "schedule": self.schedule,
            "choose": self.choose,
            "near_duplicates": self.near_duplicates,
        }
        if self.decide.where:
            trained["chosen_where"] = self.decide.where
        if any(data.column != "label" for data in self.data):
            trained["label_columns"] = [data.column for data in self.data]
        return hashlib.sha256(msgspec.json.encode(trained, order="deterministic")).hexdigest()

    @property
    def logits(self) -> int:
        return {"softmax": len(self.labels), "sigmoid": 1, "ordinal": len(self.labels) - 1}[self.model.activation]


def read_recipe(path: Path) -> Recipe:
    """Recipe from a TOML file. Raises RecipeError naming the field."""
    return _converted(_read_table(path), str(path))


def decode_recipe(data: bytes, path: str) -> Recipe:
    """Recipe from TOML bytes; `path` is what an error names. Raises RecipeError."""
    return _converted(_table(data, path), path)


def _read_table(path: Path) -> dict[str, Any]:
    """A recipe may name another in its folder as its `base`: its own top-level keys replace the base's."""
    try:
        table = _table(path.read_bytes(), str(path))
    except OSError as error:
        raise RecipeError(f"{path}: the recipe cannot be read ({error}).", "Check the path.") from None
    base = table.pop("base", None)
    return table if base is None else {**_read_table(path.with_name(str(base))), **table}


def _table(data: bytes, path: str) -> dict[str, Any]:
    try:
        return msgspec.toml.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecipeError(f"{path}: this is not TOML: {error}.", "Correct that line.") from None


def _converted(table: dict[str, Any], path: str) -> Recipe:
    try:
        return msgspec.convert(table, Recipe)
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecipeError(f"{path}: the recipe is invalid: {error}.", "Correct that field.") from None


def with_changes(recipe: Recipe, **changes: Any) -> Recipe:
    """A copy with other values, checked again."""
    return msgspec.structs.replace(recipe, **changes)
