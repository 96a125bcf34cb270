"""Losses over logits, in Keras operations only. Targets are rows over the labels, (b, labels), summing to 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import ops

from medsdk_converters.recipe import Loss, Recipe

Tensor: TypeAlias = Any
LossFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]


def build(recipe: Recipe) -> LossFunction:
    """(targets, logits) -> (b,) for the recipe's loss and activation."""
    if recipe.loss.kind == "ordinal":
        return lambda targets, logits: _ordinal(targets, logits, recipe.loss)
    if recipe.model.activation == "sigmoid":
        positive = next(i for i, label in enumerate(recipe.labels) if label.positive)
        return lambda targets, logits: _binary(targets[:, positive : positive + 1], logits, recipe.loss)
    return lambda targets, logits: _categorical(targets, logits, recipe.loss)


def _categorical(targets: Tensor, logits: Tensor, how: Loss) -> Tensor:
    labels = targets.shape[-1]
    smooth = targets * (1 - how.label_smoothing) + how.label_smoothing / labels
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
