"""From a recipe and pictures to a bundle: every step of it, in order."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.checking import golden
from medsdk.core import decision
from medsdk.core.card import Calibration, Card, DataSet, Decision, Outputs, Training
from medsdk.core.preprocessing import Pipeline
from medsdk.core.runtime import Model
from medsdk_converters import bundling, context, evaluating, fitting, gate, head_bias, sampling
from medsdk_converters.errors import DataError, GateError
from medsdk_converters.export import PLAIN_RANGE, Precision, Range, to_tflite
from medsdk_converters.inference import float_logits, infer
from medsdk_converters.preparation import Indices, Prepared, Progress, prepare
from medsdk_converters.recipe import Quantise, Recipe

__all__ = ["Export", "Prepared", "bundle", "fit_head_bias", "prepare", "train"]

Report = Callable[[str], None]

_CALIBRATION_PICTURES = 200
_REFERENCE_PICTURES = 4000
_UNFITTED = Decision(0.5, (0.5, 0.5), "none", "none")


@dataclass(frozen=True)
class Export:
    """How a float model becomes a file.

    `value_range` is what black and white are to the model. `quantise` is ptq (rounded after training), qat (fine-tuned
    to bear it, first) or auto (ptq, and qat where the gate fails). `accept` names checks that may fail.
    """

    precision: Precision = "int8"
    value_range: Range = PLAIN_RANGE
    quantise: Quantise = "auto"
    mobile: bool = False
    accept: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """An exported model, everything that was fitted to it, and what the gate says."""

    content: bytes
    card: Card
    reference: bytes
    checks: list[gate.Check]


def train(recipe: Recipe, prepared: Prepared, work: Path, report: Report) -> Any:
    """The trained Keras model; the state of the run is in `work`."""
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
    # The epoch is chosen where the operating point is: labels that may not move the one may not choose the other.
    val = val[prepared.places(val, recipe.decide.where)]
    examples = training.TrainingSet(
        prepared.pixels[chosen],
        _targets(recipe, prepared, chosen),
        sampling.by_phase(recipe, [prepared.examples[i] for i in chosen]),
    )
    judge = _judge(recipe, prepared.labels[val])
    training.Run(recipe, model, examples, prepared.pixels[val], judge, work, report).to_end()
    return model


def _targets(recipe: Recipe, prepared: Prepared, rows: Indices) -> npt.NDArray[np.float32]:
    """One row for each picture, as medsdk_converters.losses wants them."""
    from medsdk_converters import losses

    targets = np.eye(len(recipe.labels), dtype=np.float32)[prepared.labels[rows]]
    if recipe.loss.within is None:
        return targets
    column = recipe.loss.within.column
    values = [prepared.examples[i].value(column) for i in rows]
    if not any(values):
        raise DataError(f"No training picture has a value in the column {column!r}.", "Correct loss.within in the recipe.")
    return np.concatenate([targets, losses.compared(values, prepared.labels[rows].tolist(), len(recipe.labels))], axis=1)


def fit_head_bias(recipe: Recipe, prepared: Prepared, model: Any) -> None:
    """Change the trained model in place, where the recipe asks for it: before it is saved for `check` to compare with."""
    if not recipe.calibrate.head_bias:
        return
    val = prepared.indices("val")
    head_bias.fit(model, float_logits(model, prepared.pixels[val]), prepared.labels[val], recipe.model.activation)


def bundle(
    recipe: Recipe,
    prepared: Prepared,
    model: Any,
    command: str,
    progress: Progress,
    how: Export = Export(),
    report: Report | None = None,
) -> bundling.Parts:
    """Export, calibrate, fit, pass the gate, evaluate. `model` may be fine-tuned in place. Raises GateError."""
    exact = float_logits(model, prepared.pixels[prepared.indices("val")], how.value_range)
    candidate = _candidate(recipe, prepared, model, command, progress, how, exact, report or _nobody)
    worst = () if not gate.failed(candidate.checks, how.accept) else _worst(prepared, model, how, recipe.seed)
    gate.enforce(candidate.checks, how.accept, worst)
    judged = [
        evaluating.judge(recipe, prepared, candidate.content, candidate.card, spec, progress, how.value_range)
        for spec in recipe.evaluate
    ]
    evaluations = tuple(
        evaluating.evaluation(prepared, candidate.card, spec, said)
        for spec, said in zip(recipe.evaluate, judged, strict=True)
    )
    card = msgspec.structs.replace(candidate.card, evaluations=evaluations)
    drawing = evaluating.diagram(recipe, prepared, card, judged[0]) if judged else None
    siblings = _siblings(prepared, model, card, how, drawing, recipe.seed)
    return bundling.Parts(card, candidate.content, candidate.reference, siblings)


def _candidate(
    recipe: Recipe,
    prepared: Prepared,
    model: Any,
    command: str,
    progress: Progress,
    how: Export,
    exact: npt.NDArray[np.float32],
    report: Report,
) -> _Candidate:
    """Exported as asked for; once more after quantisation-aware fine-tuning, where that is asked for or needed."""

    def make() -> _Candidate:
        content = to_tflite(model, _calibration(prepared, recipe.seed), how.precision, how.value_range)
        return _fitted(recipe, prepared, model, content, command, progress, how, exact)

    candidate = None
    if how.quantise != "qat" or how.precision != "int8":
        candidate = make()
        lost = [check for check in gate.failed(candidate.checks, how.accept) if check.name in gate.AGAINST_FLOAT]
        if not lost or how.quantise == "ptq" or how.precision != "int8":
            return candidate
        report(f"int8 loses too much ({'; '.join(f'{check.name}: {check.message}' for check in lost)}).")
    from medsdk_converters import quantisation_aware

    if not quantisation_aware.can_learn(model):
        if candidate is None:
            raise GateError("This model cannot be fine-tuned: it holds no Keras layers.", "Give it as a .keras file.")
        return candidate
    report("Fine-tuning for quantisation.")
    pixels = prepared.pixels[prepared.indices("train", trainable=True)]
    quantisation_aware.finetune(model, pixels, value_range=how.value_range, seed=recipe.seed, report=report)
    return make()


def _fitted(
    recipe: Recipe,
    prepared: Prepared,
    model: Any,
    content: bytes,
    command: str,
    progress: Progress,
    how: Export,
    exact: npt.NDArray[np.float32],
) -> _Candidate:
    val, train_rows = prepared.indices("val"), prepared.indices("train", trainable=True)
    val_out = infer(content, prepared.pixels[val], progress, how.value_range)
    chosen = np.random.default_rng([recipe.seed, 1]).permutation(train_rows)[:_REFERENCE_PICTURES]
    train_out = infer(content, prepared.pixels[chosen], progress, how.value_range)
    draft = _draft(recipe, prepared.sets, content, command, how, _outputs(recipe, content))
    decide_on = prepared.places(val, recipe.decide.where)
    fitted = fitting.fit(recipe, draft, val_out, prepared.labels[val], decide_on, train_out.pooled)
    samples = golden.samples(Pipeline(recipe.input, recipe.name))
    head_weights = _head_weights(model) if recipe.export.attention else None
    reference = bundling.pack_reference(fitted.reference, head_weights, samples)
    card = msgspec.structs.replace(
        draft,
        calibration=fitted.calibration,
        decision=fitted.decision,
        rejection=fitted.rejection,
        reference=bundling.described(bundling.REFERENCE, reference),
    )
    positive = evaluating.positive_labels(recipe)[prepared.labels[val]]
    checks = [*gate.of_model(content, card), *gate.against_float(card, exact, val_out.logits, positive)]
    return _Candidate(content, card, reference, checks)


def _nobody(text: str) -> None:
    """The reader where none was given."""


def _siblings(prepared: Prepared, model: Any, card: Card, how: Export, drawing: bytes | None, seed: int) -> dict[str, bytes]:
    from medsdk_converters import mobile, model_card

    files = {bundling.README: model_card.render(card, diagram=drawing is not None).encode()}
    if drawing is not None:
        files[bundling.DIAGRAM] = drawing
    if how.mobile:
        files[bundling.MOBILE] = mobile.make(model, card, _calibration(prepared, seed), how.precision, how.value_range)
    return files


def _worst(prepared: Prepared, model: Any, how: Export, seed: int) -> tuple[str, ...]:
    from medsdk_converters import blame

    if how.precision != "int8":
        return ()
    return tuple(str(found) for found in blame.worst_layers(model, _calibration(prepared, seed), how.value_range))


def _calibration(prepared: Prepared, seed: int) -> npt.NDArray[np.uint8]:
    rows: Indices = np.random.default_rng(seed).permutation(prepared.indices("val"))[:_CALIBRATION_PICTURES]
    return prepared.pixels[rows]


def _judge(recipe: Recipe, truth: Indices) -> Callable[[npt.NDArray[np.float32]], float]:
    """The figure on val that the best epoch is chosen by; higher is better."""
    from sklearn.metrics import accuracy_score, cohen_kappa_score, log_loss, roc_auc_score

    card = shape_only(recipe)
    positive = evaluating.positive_labels(recipe)[truth]

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


def shape_only(recipe: Recipe) -> Card:
    """A card of the recipe's labels and activation, at temperature 1, of no model."""
    return _draft(recipe, (), b"none", "none", Export(), Outputs(activation=recipe.model.activation))


def _outputs(recipe: Recipe, content: bytes) -> Outputs:
    """What the exported model puts out."""
    with Model(content, "the exported model") as model:
        there = model.output_shapes
    return Outputs(
        activation=recipe.model.activation,
        features="features" if "features" in there else None,
        context=context.names_in(content),
    )


def _draft(recipe: Recipe, sets: tuple[DataSet, ...], content: bytes, command: str, how: Export, outputs: Outputs) -> Card:
    """The card before anything is fitted."""
    from importlib import metadata

    text = recipe.card
    given = recipe.input
    if how.precision != "int8":
        given = msgspec.structs.replace(given, dtype="float32", value_range=how.value_range)
    return Card(
        schema_version=1,
        disease=recipe.disease,
        name=text.name,
        codes=text.codes,
        picture=text.picture,
        labels=recipe.labels,
        input=given,
        outputs=outputs,
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
    if len(model.outputs) < 2:
        return None
    channels = model.outputs[1].shape[-1]
    layers = [layer for layer in model.layers if getattr(layer, "kernel", None) is not None]
    kernel = np.asarray(layers[-1].kernel) if layers else np.zeros((0, 0))
    return kernel.astype(np.float32) if kernel.ndim == 2 and kernel.shape[0] == channels else None
