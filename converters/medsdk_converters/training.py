"""The training loop: phases, epochs, the best weights by val, and a state on disk that a killed run goes on from."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from medsdk.core.files import write_beside
from medsdk.core.images import Pixels
from medsdk_converters import backbones, losses, sampling, training_curves
from medsdk_converters.augmentation import augment
from medsdk_converters.errors import DataError
from medsdk_converters.recipe import Phase, Recipe

Floats: TypeAlias = npt.NDArray[np.float32]
Report: TypeAlias = Callable[[str], None]
Judge: TypeAlias = Callable[[Floats], float]

_STATE = "training.state"
_AHEAD = 3


@dataclass
class History:
    """One entry an epoch: mean training loss, and the figure on val that the recipe chooses by."""

    loss: list[float] = field(default_factory=list)
    val: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingSet:
    """pixels (n, h, w, 3) uint8, targets (n, ...) as the loss wants them, chances (n,) of each to be drawn, by phase."""

    pixels: npt.NDArray[np.uint8]
    targets: Floats
    chances: Sequence[npt.NDArray[np.float64]]


def normalise(pixels: npt.NDArray[np.uint8]) -> Floats:
    """0..255 to -1..1: what every backbone is fed, and what the exported model's input quantisation means."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def forget(work: Path) -> None:
    """Remove what an earlier run left, so that the next one starts anew."""
    (work / _STATE).unlink(missing_ok=True)


@dataclass
class Run:
    """One training. The state after each epoch lies in `work`; a run that finds one there goes on from it, to the same end.

    `val_pixels` are (n, h, w, 3) uint8, and `judge` makes of their logits (n, k) the figure by which the best epoch is
    chosen; higher is better.
    """

    recipe: Recipe
    model: keras.Model
    examples: TrainingSet
    val_pixels: npt.NDArray[np.uint8]
    judge: Judge
    work: Path
    report: Report
    history: History = field(default_factory=History, init=False)
    # Epochs are numbered as if none had stopped early: what is drawn and augmented hangs on the number.
    _next_epoch: int = field(default=0, init=False)
    _best: tuple[float, list[Any]] | None = field(default=None, init=False)
    _average: list[Any] | None = field(default=None, init=False)
    _pending_optimizer: list[Any] | None = field(default=None, init=False)
    _trainable: list[bool] = field(init=False)

    def __post_init__(self) -> None:
        # Frozen batch norms are how the model was built; a phase must not thaw them.
        self._trainable = [layer.trainable for layer in self.model.layers]

    def to_end(self) -> None:
        """Train in place; at the end the model holds the weights of the best epoch."""
        self._restore()
        first_epoch = 0
        for number, phase in enumerate(self.recipe.schedule.phases):
            if first_epoch + phase.epochs > self._next_epoch:
                self._phase(number, phase, first_epoch)
            first_epoch += phase.epochs
        self._finish()

    def _phase(self, number: int, phase: Phase, first_epoch: int) -> None:
        keras.utils.set_random_seed(self.recipe.seed + number)
        lower, upper = self._split(phase)
        steps = self._steps_an_epoch()
        rate = keras.optimizers.schedules.CosineDecay(
            phase.learning_rate / 20, steps * phase.epochs, warmup_target=phase.learning_rate, warmup_steps=steps // 4
        )
        optimizer = keras.optimizers.AdamW(rate, weight_decay=self.recipe.schedule.weight_decay, clipnorm=5.0)
        upper.compile(optimizer=optimizer, loss=losses.build(self.recipe), jit_compile=False)
        optimizer.build(upper.trainable_variables)
        # A run that was killed between two phases holds the optimiser of the one that is over.
        if self._pending_optimizer is not None and self._next_epoch > first_epoch:
            _assign(optimizer.variables, self._pending_optimizer)
        self._pending_optimizer = None
        source = _Batches(self, lower, number)
        for epoch in range(max(first_epoch, self._next_epoch), first_epoch + phase.epochs):
            if self._is_stale(epoch - first_epoch):
                break
            loss = self._epoch(upper, source, epoch)
            self._judge_and_save(epoch, loss, optimizer)
        self._next_epoch = first_epoch + phase.epochs

    def _restore(self) -> None:
        try:
            state = pickle.loads((self.work / _STATE).read_bytes())  # our own file, in the user's work folder
        except FileNotFoundError:
            return
        if state["recipe"] != self.recipe.training_key:
            self.report("The saved state is of another recipe: starting anew.")
            return
        self.history, self._best, self._average = state["history"], state["best"], state["average"]
        self._next_epoch = state.get("next_epoch", len(self.history.loss))
        self._pending_optimizer = state["optimizer"]
        _assign(self.model.variables, state["model"])
        self.report(f"Going on behind epoch {self._next_epoch}.")

    def _finish(self) -> None:
        if self._best is not None:
            _assign(self.model.variables, self._best[1])
        write_beside(self.work / "history.json", json.dumps(asdict(self.history), indent=1).encode() + b"\n")
        drawing = training_curves.draw(self.history.loss, self.history.val, self.recipe.choose)
        write_beside(self.work / "curves.svg", drawing)

    def _split(self, phase: Phase) -> tuple[keras.Model | None, keras.Model]:
        """(frozen lower part or None, trained upper part); both share their weights with the model."""
        for layer, trainable in zip(self.model.layers, self._trainable, strict=True):
            layer.trainable = trainable
        if phase.train_from == "all":
            return None, _only_logits(self.model)
        if phase.train_from == "head":
            features = self.model.get_layer("features").output
            return keras.Model(self.model.input, features), keras.Model(features, _logits(self.model.output))
        lower, upper = backbones.split(self.model, at=phase.train_from)
        return lower, _only_logits(upper)

    def _steps_an_epoch(self) -> int:
        pictures = self.recipe.sampling.pictures or len(self.examples.pixels)
        return max(1, pictures // self.recipe.schedule.batch)

    def _epoch(self, upper: keras.Model, source: _Batches, epoch: int) -> float:
        total = 0.0
        steps = self._steps_an_epoch()
        epochs = sum(phase.epochs for phase in self.recipe.schedule.phases)
        # On a terminal only (None); what the epoch gave is reported when it is over.
        named = f"epoch {epoch + 1} of {epochs}"
        for inputs, targets in tqdm(source.epoch(epoch), named, steps, leave=False, disable=None):
            loss = upper.train_on_batch(inputs, targets)
            value = float(loss[0] if isinstance(loss, (list, tuple)) else loss)
            if not np.isfinite(value):
                raise DataError("The loss is not a number any more.", "Lower the learning rate.")
            total += value
            self._follow()
        return total / steps

    def _follow(self) -> None:
        """Exponential moving average of the weights, which often generalises better than the last ones."""
        share = self.recipe.schedule.average
        if not share:
            return
        now = self.model.trainable_variables
        if self._average is None or len(self._average) != len(now):
            self._average = [np.array(v) for v in now]
            return
        for mean, variable in zip(self._average, now, strict=True):
            mean += (1 - share) * (np.asarray(variable) - mean)

    def _judge_and_save(self, epoch: int, loss: float, optimizer: keras.Optimizer) -> None:
        current = _values(self.model.variables)
        if self._average is not None:
            _assign(self.model.trainable_variables, self._average)
        score = self.judge(predict_logits(self.model, self.val_pixels, self.recipe.schedule.batch))
        if self._best is None or score > self._best[0]:
            self._best = (score, _values(self.model.variables))
        _assign(self.model.variables, current)
        self.history.loss.append(loss)
        self.history.val.append(score)
        self._next_epoch = epoch + 1
        self.report(f"epoch {epoch + 1}: loss {loss:.4f}, val {self.recipe.choose} {score:.4f}")
        state = {
            "recipe": self.recipe.training_key,
            "history": self.history,
            "next_epoch": self._next_epoch,
            "best": self._best,
            "average": self._average,
            "model": current,
            "optimizer": _values(optimizer.variables),
        }
        write_beside(self.work / _STATE, pickle.dumps(state))

    def _is_stale(self, epochs_of_phase: int) -> bool:
        """No better for `patience` epochs of this phase; what an earlier phase reached does not end the next one."""
        patience = self.recipe.schedule.patience
        val = self.history.val[len(self.history.val) - epochs_of_phase :]
        return bool(patience) and len(val) > patience and max(val[-patience:]) <= max(val[:-patience])


class _Batches:
    """Augmented batches, made by threads while the network computes."""

    def __init__(self, run: Run, lower: keras.Model | None, phase: int) -> None:
        self.run, self.views = run, run.recipe.schedule.phases[phase].views
        self.chance = run.examples.chances[phase]
        self.features = None if lower is None else self._cached(lower)

    def epoch(self, number: int) -> Iterator[tuple[Any, Floats]]:
        recipe, examples = self.run.recipe, self.run.examples
        drawn = sampling.epoch(recipe.sampling, self.chance, recipe.seed, number)
        size = recipe.schedule.batch
        batches = [drawn[i * size : (i + 1) * size] for i in range(max(1, len(drawn) // size))]
        if self.features is not None:
            for batch in batches:
                yield self.features[number % self.views][batch].astype(np.float32), examples.targets[batch]
            return
        with ThreadPoolExecutor(1) as pool:
            waiting = [pool.submit(self._augmented, batch, number) for batch in batches[:_AHEAD]]
            for i in range(len(batches)):
                inputs, targets = waiting.pop(0).result()
                if i + _AHEAD < len(batches):
                    waiting.append(pool.submit(self._augmented, batches[i + _AHEAD], number))
                yield inputs, targets

    def _augmented(self, batch: npt.NDArray[np.int64], number: int) -> tuple[Floats, Floats]:
        recipe, examples = self.run.recipe, self.run.examples
        randoms = [np.random.default_rng([recipe.seed, number, int(i), place]) for place, i in enumerate(batch)]
        pictures = [
            augment(examples.pixels[i], recipe.augmentation, random) for i, random in zip(batch, randoms, strict=True)
        ]
        inputs, targets = normalise(np.stack(pictures)), examples.targets[batch]
        mixup = recipe.sampling.mixup
        if mixup:
            return _mixed(inputs, targets, mixup, np.random.default_rng([recipe.seed, number, int(batch[0]), 1 << 20]))
        return inputs, targets

    def _cached(self, lower: keras.Model) -> list[npt.NDArray[np.float16]]:
        """The frozen part's features over each view; the first view is the picture itself."""
        return [self._view(lower, view) for view in range(self.views)]

    def _view(self, lower: keras.Model, view: int) -> npt.NDArray[np.float16]:
        pixels, how, seed = self.run.examples.pixels, self.run.recipe.augmentation, self.run.recipe.seed
        parts = []
        for start in range(0, len(pixels), 64):
            block: list[Pixels] = list(pixels[start : start + 64])
            if view:
                block = [augment(p, how, np.random.default_rng([seed, view, start + i])) for i, p in enumerate(block)]
            parts.append(np.asarray(lower.predict_on_batch(normalise(np.stack(block)))).astype(np.float16))
        return np.concatenate(parts)


def predict_logits(model: keras.Model, pixels: npt.NDArray[np.uint8], batch: int) -> Floats:
    """Float logits (n, k) of preprocessed pixels (n, h, w, 3)."""
    parts = [
        np.asarray(_logits(model.predict_on_batch(normalise(pixels[i : i + batch])))) for i in range(0, len(pixels), batch)
    ]
    return np.concatenate(parts)


def _only_logits(model: keras.Model) -> keras.Model:
    """The same layers with one output: training needs no features."""
    return keras.Model(model.input, _logits(model.output))


def _logits(outputs: Any) -> Any:
    if isinstance(outputs, dict):
        return outputs["logits"]
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def _mixed(inputs: Floats, targets: Floats, share: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Mixup (Zhang et al. 2018) of each picture with the one behind it in the batch."""
    weight = np.maximum(w := random.beta(share, share, len(inputs)).astype(np.float32), 1 - w)
    w4 = weight[:, np.newaxis, np.newaxis, np.newaxis]
    mixed = inputs * w4 + np.roll(inputs, 1, axis=0) * (1 - w4)
    w2 = weight[:, np.newaxis]
    return mixed, targets * w2 + np.roll(targets, 1, axis=0) * (1 - w2)


def _values(variables: Sequence[Any]) -> list[Any]:
    return [np.array(variable) for variable in variables]


def _assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
