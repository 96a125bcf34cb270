"""From a recipe and pictures to a bundle: every step of it, in order."""

from __future__ import annotations

import datetime
import hashlib
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.core import decision
from medsdk.core.card import Calibration, Card, DataSet, Decision, Estimate, Evaluation, Outputs, Training
from medsdk.core.files import write_beside
from medsdk.core.images import Pixels
from medsdk.core.preprocessing import Pipeline
from medsdk.evaluation.metrics import figures
from medsdk_converters import bundling, data, fitting, floors, gate, leakage, sampling
from medsdk_converters.data import Example
from medsdk_converters.inference import infer
from medsdk_converters.recipe import EvaluationSpec, Recipe

Indices: TypeAlias = npt.NDArray[np.int64]
Progress: TypeAlias = Callable[[Iterable[Any], int], Iterable[Any]]

THUMBNAIL = 32
_CALIBRATION_PICTURES = 200
_REFERENCE_PICTURES = 4000
_UNFITTED = Decision(0.5, (0.5, 0.5), "none", "none")


@dataclass(frozen=True)
class Prepared:
    """Pictures that are ready: examples, preprocessed pixels (n, h, w, 3), thumbnails (n, 32, 32, 3)."""

    examples: Sequence[Example]
    pixels: npt.NDArray[np.uint8]
    thumbnails: npt.NDArray[np.uint8]
    sets: tuple[DataSet, ...]

    def indices(self, split: str, *, trainable: bool = False) -> Indices:
        return np.array(
            [
                i
                for i, example in enumerate(self.examples)
                if example.picture.split == split and (example.trainable or not trainable)
            ],
            np.int64,
        )

    @cached_property
    def labels(self) -> Indices:
        return np.array([example.label for example in self.examples], np.int64)


def prepare(recipe: Recipe, root: Path, work: Path, progress: Progress) -> Prepared:
    """Gather, check and preprocess the pictures; what was preprocessed is kept in `work` for the next run."""
    examples, sets = data.gather(recipe, root)
    leakage.check_groups(examples)
    key = hashlib.sha256(repr((recipe.input, sets, recipe.data)).encode()).hexdigest()[:16]
    cached = work / f"pictures-{key}.pickle"
    if cached.exists():
        good, pixels, thumbnails = pickle.loads(cached.read_bytes())  # our own file, in the user's work folder
        return Prepared([examples[i] for i in good], pixels, thumbnails, sets)
    shape = (recipe.input.height, recipe.input.width)
    pipeline = Pipeline(recipe.input, recipe.name)
    kept, pixels = data.prepare(examples, lambda image: pipeline.frame(image).pixels, shape, progress)
    _, thumbnails = data.prepare(kept, _thumbnail, (THUMBNAIL, THUMBNAIL), progress)
    data.check_trainable(recipe, kept)
    leakage.check_pictures(kept, thumbnails)
    place = {id(example): i for i, example in enumerate(examples)}
    write_beside(cached, pickle.dumps(([place[id(example)] for example in kept], pixels, thumbnails), protocol=4))
    return Prepared(kept, pixels, thumbnails, sets)


def train(recipe: Recipe, prepared: Prepared, work: Path, report: Callable[[str], None]) -> Any:
    """The trained Keras model, kept in `work` as well."""
    import keras

    from medsdk_converters import backbones, training

    keras.utils.set_random_seed(recipe.seed)
    named: dict[str, Any] = {"imagenet": "imagenet", "none": None}
    weights = named.get(recipe.model.weights, Path(recipe.model.weights))
    model = backbones.build(
        recipe.model.backbone,
        height=recipe.input.height,
        width=recipe.input.width,
        outputs=recipe.logits,
        weights=weights,
        head=recipe.model.head,
        hidden=recipe.model.hidden,
        dropout=recipe.model.dropout,
        batch_norm=recipe.model.batch_norm,
        seed=recipe.seed,
    )
    chosen, val = prepared.indices("train", trainable=True), prepared.indices("val")
    columns = recipe.sampling.balance
    keys = [
        tuple(str(prepared.examples[i].label) if c == "label" else prepared.examples[i].value(c) for c in columns)
        for i in chosen
    ]
    examples = training.TrainingSet(
        prepared.pixels[chosen],
        np.eye(len(recipe.labels), dtype=np.float32)[prepared.labels[chosen]],
        sampling.chances(keys, recipe.sampling.power),
    )
    judge = _judge(recipe, prepared.labels[val])
    training.train(recipe, model, examples, prepared.pixels[val], judge, work, report)
    return model


def bundle(recipe: Recipe, prepared: Prepared, model: Any, command: str, progress: Progress) -> bundling.Parts:
    """Export, calibrate, fit, pass the gate, evaluate. Raises GateError."""
    from medsdk_converters.export import to_tflite
    from medsdk_converters.training import predict_logits

    random = np.random.default_rng(recipe.seed)
    val, train_rows = prepared.indices("val"), prepared.indices("train", trainable=True)
    some = random.permutation(val)[:_CALIBRATION_PICTURES]
    content = to_tflite(model, prepared.pixels[some])
    val_out = infer(content, prepared.pixels[val], progress)
    reference_rows = random.permutation(train_rows)[:_REFERENCE_PICTURES]
    train_out = infer(content, prepared.pixels[reference_rows], progress)
    draft = _draft(recipe, prepared.sets, content, command)
    decide_on = np.array([place for place, i in enumerate(val) if prepared.examples[i].matches(recipe.decide.where)])
    fitted = fitting.fit(recipe, draft, val_out, prepared.labels[val], decide_on, train_out.pooled)
    reference = bundling.pack_reference(fitted.reference, _head_weights(model))
    card = msgspec.structs.replace(
        draft,
        calibration=fitted.calibration,
        decision=fitted.decision,
        rejection=fitted.rejection,
        reference=bundling.described(bundling.REFERENCE, reference),
    )
    positive = _positive(recipe)[prepared.labels[val]]
    exact = predict_logits(model, prepared.pixels[val], recipe.schedule.batch)
    gate.enforce([*gate.of_model(content, card), *gate.against_float(card, exact, val_out.logits, positive)])
    evaluations = tuple(evaluate(recipe, prepared, content, card, spec, progress) for spec in recipe.evaluate)
    return bundling.Parts(msgspec.structs.replace(card, evaluations=evaluations), content, reference)


def evaluate(
    recipe: Recipe, prepared: Prepared, content: bytes, card: Card, spec: EvaluationSpec, progress: Progress
) -> Evaluation:
    """One set's figures, the shortcut floors beside them."""
    rows = np.array(
        [
            i
            for i in prepared.indices(spec.split)
            if prepared.examples[i].matches(spec.where) and not (spec.without and prepared.examples[i].matches(spec.without))
        ],
        np.int64,
    )
    outputs = infer(content, prepared.pixels[rows], progress)
    truth = prepared.labels[rows]
    groups = [prepared.examples[i].group for i in rows]
    found = figures(truth, decision.probabilities(outputs.logits, card), groups, card)
    return Evaluation(
        spec.set,
        len(rows),
        len(set(groups)),
        int(_positive(recipe)[truth].sum()),
        {**found, **_floors(recipe, prepared, rows, groups, card)},
        spec.note,
    )


def _floors(recipe: Recipe, prepared: Prepared, rows: Indices, groups: Sequence[str], card: Card) -> dict[str, Estimate]:
    positive = _positive(recipe)[prepared.labels]
    if len(set(positive[rows])) < 2:
        return {}
    train_rows = prepared.indices("train", trainable=True)
    found = {}
    for name, describe in floors.FLOORS.items():
        chance = floors.scores(describe(prepared.thumbnails), positive, train_rows)[rows]
        # As a card of two labels, so that the same bootstrap gives the interval.
        two = np.zeros((len(rows), len(card.labels)))
        two[:, _first(recipe, wanted=True)] = chance
        two[:, _first(recipe, wanted=False)] = 1 - chance
        found[name] = figures(prepared.labels[rows], two, groups, card)["auc"]
    return found


def _first(recipe: Recipe, *, wanted: bool) -> int:
    return next(i for i, label in enumerate(recipe.labels) if label.positive is wanted)


def _positive(recipe: Recipe) -> npt.NDArray[np.bool_]:
    return np.array([label.positive for label in recipe.labels])


def _judge(recipe: Recipe, truth: Indices) -> Callable[[npt.NDArray[np.float32]], float]:
    """The figure on val that the best epoch is chosen by; higher is better."""
    from sklearn.metrics import accuracy_score, cohen_kappa_score, log_loss, roc_auc_score

    card = _shape_only(recipe)
    positive = _positive(recipe)[truth]

    def judge(logits: npt.NDArray[np.float32]) -> float:
        probability = decision.probabilities(logits, card)
        if recipe.choose == "auc":
            return float(roc_auc_score(positive, decision.positive_probability(probability, card)))
        if recipe.choose == "accuracy":
            return float(accuracy_score(truth, probability.argmax(axis=1)))
        if recipe.choose == "kappa":
            return float(cohen_kappa_score(truth, probability.argmax(axis=1), weights="quadratic"))
        return -float(log_loss(truth, probability, labels=list(range(len(recipe.labels)))))

    return judge


def _shape_only(recipe: Recipe) -> Card:
    return _draft(recipe, (), b"none", "none")


def _draft(recipe: Recipe, sets: tuple[DataSet, ...], content: bytes, command: str) -> Card:
    """The card before anything is fitted."""
    from importlib import metadata

    text = recipe.card
    return Card(
        schema_version=1,
        disease=recipe.disease,
        name=text.name,
        codes=text.codes,
        picture=text.picture,
        labels=recipe.labels,
        input=recipe.input,
        outputs=Outputs(activation=recipe.model.activation),
        decision=_UNFITTED,
        calibration=Calibration(),
        rejection=None,
        model=bundling.described(bundling.MODEL, content),
        reference=None,
        evaluations=(),
        training=Training(
            recipe.name,
            recipe.seed,
            datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            f"medsdk-converters {metadata.version('medsdk-converters')}",
            command,
            sets,
        ),
        licence=text.licence,
        intended_use=text.intended_use,
        limits=text.limits,
    )


def _head_weights(model: Any) -> npt.NDArray[np.float32] | None:
    """(c, k) of the last dense layer, where it stands right behind the pooled features; None otherwise."""
    layer = model.get_layer("logits")
    channels = model.get_layer("features").output.shape[-1]
    kernel = np.asarray(layer.kernel) if hasattr(layer, "kernel") else np.zeros((0, 0))
    return kernel.astype(np.float32) if kernel.shape[0] == channels else None


def _thumbnail(image: Pixels) -> Pixels:
    return cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
