"""The figures of a classifier on a labelled set, each with a 95 % interval.

scikit-learn says the figures themselves. For the intervals every figure is also written as a function of weights, so
that a thousand resamples are a few products of matrices; the tests hold the two equal.

Figures, all in 0..1 but for kappa (-1..1). "Positive" is the sum of the positive labels' probabilities, and a picture
is called positive where that is at or above the card's threshold, inside the inconclusive band or not:

    auc, average_precision                              ranking, whatever the threshold
    accuracy, balanced_accuracy, sensitivity,
    specificity, precision, f1                          positive against not, at the card's threshold
    label_accuracy                                      the most probable label is the true one
    ece                                                 expected calibration error, see `calibration_error`
    quadratic_weighted_kappa                            ordinal cards only: most probable grade against the true one
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from medsdk.core.card import Card, Estimate
from medsdk.core.decision import positive_probability
from medsdk.evaluation.bootstrap import intervals, share_estimate, widened
from medsdk.evaluation.extra import need

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ECE_BINS = 15
WITHOUT_THRESHOLD = ("auc", "average_precision", "ece")


def figures(
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    groups: Sequence[str],
    card: Card,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every figure that the set defines, with its interval over resampled groups.

    truth (n,): indices of the card's labels. probability (n, labels): calibrated, rows sum to 1. groups (n,): what
    was kept together. A figure that the set cannot define (AUC where only one class is there, precision where nothing
    is called positive) is left out; none is NaN.

    The percentile interval is widened to hold the value itself (ECE is biased upwards in resamples). Where a share's
    interval has no width (every picture right, or one group only), Wilson's over the number of groups takes its place:
    a perfect score on few patients is not certainty.
    """
    weighted = WeightedFigures(truth, probability, card)
    if len(groups) != len(weighted.truth):
        raise ValueError(f"{len(groups)} groups for {len(weighted.truth)} pictures")
    bounds = intervals(weighted, groups, resamples=resamples, seed=seed)
    counted = weighted.counted()
    found = {}
    for name, value in _values(weighted).items():
        if name in counted:
            found[name] = share_estimate(value, bounds.get(name), np.asarray(list(groups))[counted[name]].tolist())
        else:
            found[name] = widened(value, bounds.get(name, (value, value)))
    return found


def label_figures(
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    groups: Sequence[str],
    card: Card,
    label: str,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """How well the label's own probability tells it from all other labels: auc, average_precision and ece.

    As `figures`, but for the figures that hang on the card's threshold, which is not this label's. Raises KeyError if the
    card has no such label.
    """
    found = figures(truth, probability, groups, asking_for(card, label), resamples=resamples, seed=seed)
    return {name: found[name] for name in WITHOUT_THRESHOLD if name in found}


def asking_for(card: Card, label: str) -> Card:
    """The card as if this label alone were positive; its figures at the threshold mean nothing. Raises KeyError."""
    if label not in {each.id for each in card.labels}:
        raise KeyError(label)
    labels = tuple(msgspec.structs.replace(each, positive=each.id == label) for each in card.labels)
    outputs = msgspec.structs.replace(card.outputs, activation="softmax")
    return msgspec.structs.replace(card, labels=labels, outputs=outputs)


def calibration_error(positive: Bools, chance: Floats) -> float:
    """Expected calibration error (Naeini et al. 2015) of the positive probability, in 0..1.

    The probabilities (n,) fall into 15 bins of equal width over 0..1 (1.0 into the last); the error is the mean over
    pictures of |mean probability - share of positives| in a picture's bin.
    """
    bins = _bin_table(chance)
    return float(np.abs(chance @ bins - positive.astype(np.float64) @ bins).sum() / len(chance))


class WeightedFigures:
    """The figures as functions of how often each picture counts; raises ValueError on arrays that do not fit.

    Called with weights (b, n) it gives each figure as (b,), NaN where a row leaves it undefined.
    """

    def __init__(self, truth: npt.ArrayLike, probability: npt.ArrayLike, card: Card) -> None:
        self.truth, self.probability = _checked(truth, probability, card)
        self.ordinal = card.outputs.activation == "ordinal"
        self.labels = len(card.labels)
        self.positive: Bools = np.array([label.positive for label in card.labels])[self.truth]
        self.chance: Floats = positive_probability(self.probability, card)
        self.called: Bools = self.chance >= card.decision.threshold
        self.named: Ints = self.probability.argmax(axis=1)
        self._order, self._ties = _ranked(self.chance)
        self._bins = _bin_table(self.chance)

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        """Each figure (b,) at the weights (b, n)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self._at_threshold(weights) | self._ranking(weights) | {"ece": self._ece(weights)}
            if self.ordinal:
                found["quadratic_weighted_kappa"] = self._kappa(weights)
        return found

    def counted(self) -> dict[str, Bools]:
        """The figures that are plain shares, each with the pictures (n,) that it is a share of."""
        every = np.ones_like(self.positive)
        return {
            "accuracy": every,
            "label_accuracy": every,
            "sensitivity": self.positive,
            "specificity": ~self.positive,
            "precision": self.called,
        }

    def _at_threshold(self, weights: Floats) -> dict[str, Floats]:
        columns = (self.positive, self.called, self.positive & self.called, self.named == self.truth)
        positives, called, hits, right = (weights @ np.stack(columns, axis=1).astype(np.float64)).T
        total = weights.sum(axis=1)
        sensitivity = hits / positives
        specificity = 1 - (called - hits) / (total - positives)
        return {
            "accuracy": (total - positives - called + 2 * hits) / total,
            "balanced_accuracy": (sensitivity + specificity) / 2,
            "sensitivity": sensitivity,
            "specificity": specificity,
            "precision": hits / called,
            "f1": 2 * hits / (positives + called),
            "label_accuracy": right / total,
        }

    def _ranking(self, weights: Floats) -> dict[str, Floats]:
        """AUC as the chance that a positive outranks a negative (ties count half); precision averaged over recall."""
        ranked = weights[:, self._order]
        positives = np.add.reduceat(ranked * self.positive[self._order], self._ties, axis=1)
        negatives = np.add.reduceat(ranked, self._ties, axis=1) - positives
        hits, false_alarms = positives.cumsum(axis=1), negatives.cumsum(axis=1)
        all_positives, all_negatives = hits[:, -1], false_alarms[:, -1]
        below = all_negatives[:, np.newaxis] - false_alarms + negatives / 2
        # Scores that a resample does not hold have neither hits nor false alarms at the very top: no precision there.
        precision = hits / np.maximum(hits + false_alarms, 1)
        return {
            "auc": (positives * below).sum(axis=1) / (all_positives * all_negatives),
            "average_precision": (positives * precision).sum(axis=1) / all_positives,
        }

    def _ece(self, weights: Floats) -> Floats:
        surplus = self._bins * (self.chance - self.positive)[:, np.newaxis]
        return np.asarray(np.abs(weights @ surplus).sum(axis=1) / weights.sum(axis=1))

    def _kappa(self, weights: Floats) -> Floats:
        """Cohen's kappa with quadratic weights (Cohen 1968): 1 - observed / chance disagreement."""
        grades = np.arange(self.labels)
        true, named = np.eye(self.labels)[self.truth], np.eye(self.labels)[self.named]
        observed = weights @ np.square(self.truth - self.named).astype(np.float64)
        apart = np.square(grades[:, np.newaxis] - grades[np.newaxis]).astype(np.float64)
        by_chance = np.einsum("bi,ij,bj->b", weights @ true, apart, weights @ named) / weights.sum(axis=1)
        return np.asarray(1 - observed / by_chance)


def _values(weighted: WeightedFigures) -> dict[str, float]:
    """The figures themselves, those that the set defines."""
    metrics = need("sklearn.metrics")
    positive, called, chance = weighted.positive, weighted.called, weighted.chance
    found = {
        "accuracy": metrics.accuracy_score(positive, called),
        "label_accuracy": metrics.accuracy_score(weighted.truth, weighted.named),
        "ece": calibration_error(positive, chance),
    }
    if positive.any():
        found["sensitivity"] = metrics.recall_score(positive, called)
    if not positive.all():
        found["specificity"] = metrics.recall_score(~positive, ~called)
    if positive.any() and not positive.all():
        found["auc"] = metrics.roc_auc_score(positive, chance)
        found["average_precision"] = metrics.average_precision_score(positive, chance)
        found["balanced_accuracy"] = metrics.balanced_accuracy_score(positive, called)
        found["f1"] = metrics.f1_score(positive, called, zero_division=0.0)
        if called.any():
            found["precision"] = metrics.precision_score(positive, called)
    if weighted.ordinal and len(np.unique(weighted.truth)) > 1:
        found["quadratic_weighted_kappa"] = metrics.cohen_kappa_score(
            weighted.truth, weighted.named, weights="quadratic", labels=range(weighted.labels)
        )
    return {name: float(value) for name, value in found.items()}


def _checked(truth: npt.ArrayLike, probability: npt.ArrayLike, card: Card) -> tuple[Ints, Floats]:
    true, chances = np.asarray(truth), np.asarray(probability, np.float64)
    labels = len(card.labels)
    if not len(true):
        raise ValueError("there are no pictures")
    if not np.issubdtype(true.dtype, np.integer) or true.min() < 0 or true.max() >= labels:
        raise ValueError(f"truth must hold indices of the card's {labels} labels")
    if chances.shape != (len(true), labels):
        raise ValueError(f"probability must be {(len(true), labels)} (pictures, labels), not {chances.shape}")
    if not np.isfinite(chances).all():
        raise ValueError("probability holds values that are not finite")
    return true.astype(np.int64), chances


def _ranked(chance: Floats) -> tuple[Ints, Ints]:
    """The order of falling probability, and where in it each run of equal ones begins."""
    order = np.argsort(-chance, kind="stable")
    ranked = chance[order]
    begins = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    return order.astype(np.int64), begins.astype(np.int64)


def _bin_table(chance: Floats) -> Floats:
    """(n, 15): 1 where a probability lies in a bin."""
    index = np.clip((chance * ECE_BINS).astype(np.int64), 0, ECE_BINS - 1)
    return np.asarray(np.eye(ECE_BINS)[index])
