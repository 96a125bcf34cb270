"""Losses over logits, in Keras operations only. Targets are rows over the labels, (b, labels), summing to 1.

Where a recipe compares labels within a column, the targets are twice as wide: behind each row stands which labels it is
compared with, 1 or 0 (`compared`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from medsdk_converters.recipe import Loss, Recipe

Tensor: TypeAlias = Any
LossFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]

# Added to the logit of a label that a picture is not compared with: its share of the softmax is then nothing in float32.
_OUT = -30.0


def build(recipe: Recipe) -> LossFunction:
    """(targets, logits) -> (b,) for the recipe's loss and activation."""
    if recipe.loss.kind == "ordinal":
        return lambda targets, logits: _ordinal(targets, logits, recipe.loss)
    if recipe.model.activation == "sigmoid":
        positive = next(i for i, label in enumerate(recipe.labels) if label.positive)
        return lambda targets, logits: _binary(targets[:, positive : positive + 1], logits, recipe.loss)
    if recipe.loss.within is None:
        return lambda targets, logits: _categorical(targets, logits, recipe.loss)
    return _partly_within(len(recipe.labels), recipe.loss, recipe.loss.within.share)


def compared(values: Sequence[str], labels: Sequence[int], count: int) -> npt.NDArray[np.float32]:
    """(n, count) 1 for the labels that occur with a row's value, 0 for others; of a value with one label only, all are 1."""
    there: dict[str, set[int]] = {}
    for value, label in zip(values, labels, strict=True):
        there.setdefault(value, set()).add(int(label))
    every = set(range(count))
    rows = [there[value] if len(there[value]) > 1 else every for value in values]
    return np.array([[label in row for label in range(count)] for row in rows], np.float32)


def _partly_within(count: int, how: Loss, share: float) -> LossFunction:
    def loss(targets: Tensor, logits: Tensor) -> Tensor:
        wanted, among = targets[:, :count], targets[:, count:]
        within = _categorical(wanted, logits + _OUT * (1 - among), how, among)
        return share * within + (1 - share) * _categorical(wanted, logits, how)

    return loss


def _categorical(targets: Tensor, logits: Tensor, how: Loss, among: Tensor = 1.0) -> Tensor:
    """`among` (b, labels) is 1 for the labels over which the target is smoothed."""
    even = ops.ones_like(targets) * among
    smooth = targets * (1 - how.label_smoothing) + how.label_smoothing * even / ops.sum(even, axis=-1, keepdims=True)
    log_probability = ops.log_softmax(logits, axis=-1)
    if how.kind == "focal":
        # Lin et al. 2017: what is already known well counts less.
        log_probability = log_probability * (1 - ops.exp(log_probability)) ** how.gamma
    return -ops.sum(smooth * log_probability, axis=-1)


def _binary(target: Tensor, logit: Tensor, how: Loss) -> Tensor:
    smooth = target * (1 - how.label_smoothing) + how.label_smoothing / 2
    loss = keras.ops.binary_crossentropy(smooth, logit, from_logits=True)
    if how.kind == "focal":
        right = ops.sigmoid(logit) * target + ops.sigmoid(-logit) * (1 - target)
        loss = loss * (1 - right) ** how.gamma
    return ops.mean(loss, axis=-1)


def _ordinal(targets: Tensor, logits: Tensor, how: Loss) -> Tensor:
    """One binary question for each step of severity: 'worse than label k?' (Frank & Hall 2001)."""
    worse = 1 - ops.cumsum(targets, axis=-1)[:, :-1]
    smooth = worse * (1 - how.label_smoothing) + how.label_smoothing / 2
    return ops.mean(ops.binary_crossentropy(smooth, logits, from_logits=True), axis=-1)
