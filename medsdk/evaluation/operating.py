"""What turns scores into decisions, chosen on a validation set: temperature, threshold, inconclusive band."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from medsdk.core.errors import MedsdkError
from medsdk.evaluation.extra import need

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Activation: TypeAlias = Literal["softmax", "sigmoid", "ordinal"]

RULES = "youden, accuracy, sensitivity>=0.95 or specificity>=0.97 (any share in 0..1)"
TEMPERATURES = (0.05, 20.0)

_DEMAND = re.compile(r"(sensitivity|specificity)\s*>=\s*([0-9.]+)")
# Log-odds of a probability of 0 or 1 stop here: beyond double precision's resolution near 1.
_NEAREST = 1e-12
# What an undecided picture costs, where a wrong verdict costs 1: ten people looked at again for one error less.
_COST_OF_UNDECIDED = 0.1


class Rule(NamedTuple):
    """`figure` is maximised where `at_least` is None; else it must reach that, at the best of the other figure."""

    figure: str
    at_least: float | None


class OperatingPoint(NamedTuple):
    """A threshold, and the sensitivity, specificity, accuracy and youden that it has on the set it was chosen on."""

    threshold: float
    achieved: dict[str, float]


def parse_rule(rule: str) -> Rule:
    """How an operating point is chosen, from its text. Raises MedsdkError with the rules there are."""
    text = rule.strip().lower()
    if text in ("youden", "accuracy"):
        return Rule(text, None)
    demand = _DEMAND.fullmatch(text)
    try:
        share = float(demand[2]) if demand else -1.0
    except ValueError:
        share = -1.0
    if demand is None or not 0 <= share <= 1:
        raise MedsdkError(f"{rule!r} is no rule for an operating point.", f"Use {RULES}.")
    return Rule(demand[1], share)


def operating_point(truth_positive: npt.ArrayLike, chance: npt.ArrayLike, rule: str) -> OperatingPoint:
    """The threshold that a rule asks for; at or above it is positive.

    truth_positive (n,) bool, chance (n,) the positive probability. Thresholds are tried midway between neighbouring
    scores, and beyond the outermost. youden maximises sensitivity + specificity - 1 (Youden 1950), accuracy the share
    that is right; sensitivity>=s is the highest threshold that reaches s, specificity>=s the lowest. Of equally good
    thresholds the lowest is taken: it misses fewest.

    Raises MedsdkError if the set holds one class only, or no threshold in 0..1 fulfils the rule.
    """
    parsed = parse_rule(rule)
    positive, scores = _checked(truth_positive, chance)
    thresholds = _midway(scores)
    reached = _at_thresholds(positive, scores, thresholds)
    if parsed.at_least is None:
        best = int(np.argmax(reached[parsed.figure]))
    else:
        best = _demanded(reached[parsed.figure] >= parsed.at_least, parsed, rule)
    return OperatingPoint(float(thresholds[best]), {name: float(values[best]) for name, values in reached.items()})


def fit_temperature(logits: npt.ArrayLike, truth: npt.ArrayLike, activation: Activation) -> float:
    """The temperature that minimises the negative log likelihood (Guo et al. 2017), in .05..20.

    logits (n, k) as the card's activation has them, truth (n,) indices of the card's labels.
    """
    values, true = _checked_logits(logits, truth)
    search = need("scipy.optimize").minimize_scalar(
        lambda logarithm: negative_log_likelihood(values / np.exp(logarithm), true, activation),
        bounds=np.log(TEMPERATURES),
        method="bounded",
    )
    return float(np.exp(search.x))


def fit_bias(logits: npt.ArrayLike, truth: npt.ArrayLike, activation: Activation) -> Floats:
    """What to add to each logit (k,), so that how often the model names a label is how often it is true of the set.

    A model that was trained on balanced labels expects them balanced. Bias and temperature are fitted together to the
    least negative log likelihood (bias-corrected temperature scaling, Alexandari et al. 2020), under a standard normal prior
    on each bias, which keeps a label that the set does not hold from being ruled out. Arguments as in fit_temperature.
    """
    values, true = _checked_logits(logits, truth)
    outputs = values.shape[1]

    def loss(fitted: Floats) -> float:
        bias, temperature = fitted[:outputs], np.exp(fitted[outputs])
        prior = float(bias @ bias) / (2 * len(true))
        return negative_log_likelihood((values + bias) / temperature, true, activation) + prior

    limits = [(None, None)] * outputs + [tuple(np.log(TEMPERATURES))]
    found = need("scipy.optimize").minimize(loss, np.zeros(outputs + 1), method="L-BFGS-B", bounds=limits)
    return np.asarray(found.x[:outputs])


def _checked_logits(logits: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.integer]]:
    values, true = np.asarray(logits, np.float64), np.asarray(truth)
    if values.ndim != 2 or true.shape != values.shape[:1] or not len(true):
        raise ValueError(f"logits must be (n, k) and truth (n,), not {values.shape} and {true.shape}")
    if not np.isfinite(values).all():
        raise MedsdkError("The logits hold values that are not finite.", "The model is broken: train it again.")
    return values, true


def negative_log_likelihood(logits: Floats, truth: npt.NDArray[np.integer], activation: Activation) -> float:
    """Mean over pictures of -ln p(true label), at temperature 1; probabilities as in medsdk.core.decision."""
    rows = np.arange(len(truth))
    if activation == "softmax":
        shifted = logits - logits.max(axis=1, keepdims=True)
        return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, truth]).mean())
    if activation == "sigmoid":
        towards = np.where(truth == 1, logits[:, 0], -logits[:, 0])
        return float(np.logaddexp(0, -towards).mean())
    # 'worse than label k' can only become less likely as k rises.
    worse = np.minimum.accumulate(0.5 * (1 + np.tanh(logits / 2)), axis=1)
    edges = np.pad(worse, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
    return float(-np.log(np.maximum(edges[rows, truth] - edges[rows, truth + 1], _NEAREST)).mean())


def inconclusive_band(
    chance: npt.ArrayLike, truth_positive: npt.ArrayLike, threshold: float, share: float = 0.05
) -> tuple[float, float]:
    """The band (low, high) around the threshold inside which the calibrated evidence is weak.

    It is symmetric in log-odds around the threshold, for that is what evidence adds up in, and strictly inside it lie
    at most `share` of the pictures. Of such bands it is the cheapest by Chow's rule (Chow 1970): a wrong verdict costs
    as much as ten undecided ones, so that the band grows for as long as more than one in ten of what it adds would
    have been wrong; of equals, the widest. Where that is nowhere so the band is (threshold, threshold).

    chance (n,) positive probability, truth_positive (n,) bool: the validation set that the threshold was chosen on.
    """
    positive, scores = _checked(truth_positive, chance)
    if not 0 < threshold < 1:
        return threshold, threshold
    away = np.abs(_log_odds(scores) - _log_odds(np.array(threshold)))
    order = np.argsort(away, kind="stable")
    away, wrong = away[order], ((scores >= threshold) != positive)[order].cumsum()
    best, half_width = 0.0, 0.0
    for inside in range(1, min(int(share * len(scores)), len(scores) - 1) + 1):
        saved = float(wrong[inside - 1]) - _COST_OF_UNDECIDED * inside
        if away[inside] > away[inside - 1] and saved > 0 and saved >= best:
            best, half_width = saved, float((away[inside - 1] + away[inside]) / 2)
    centre = float(_log_odds(np.array(threshold)))
    if half_width == 0:
        return threshold, threshold
    return min(threshold, _share(centre - half_width)), max(threshold, _share(centre + half_width))


def _checked(truth_positive: npt.ArrayLike, chance: npt.ArrayLike) -> tuple[Bools, Floats]:
    positive, scores = np.asarray(truth_positive, np.bool_), np.asarray(chance, np.float64)
    if positive.shape != scores.shape or positive.ndim != 1:
        raise ValueError(f"truth_positive and chance must be (n,), not {positive.shape} and {scores.shape}")
    # A sum of probabilities may exceed 1 in its last digit.
    if not np.isfinite(scores).all() or np.abs(scores - 0.5).max(initial=0) > 0.5 + 1e-9:
        raise ValueError("chance must lie in 0..1")
    scores = np.clip(scores, 0, 1)
    if positive.all() or not positive.any():
        raise MedsdkError(
            "An operating point needs positive and negative pictures; the set holds one kind only.",
            "Add pictures of the other kind, or check how the labels are mapped.",
        )
    return positive, scores


def _midway(scores: Floats) -> Floats:
    """Thresholds in 0..1, rising: one below all scores, one between each two neighbours, one above all."""
    distinct = np.unique(scores)
    between = (distinct[:-1] + distinct[1:]) / 2
    # Neighbours one float apart have no middle: the upper one itself parts them, since a threshold is inclusive.
    between = np.where(between > distinct[:-1], between, distinct[1:])
    below = [distinct[0] / 2]
    above = [] if distinct[-1] == 1 else [max((distinct[-1] + 1) / 2, np.nextafter(distinct[-1], 1))]
    return np.concatenate([below, between, above])


def _at_thresholds(positive: Bools, scores: Floats, thresholds: Floats) -> dict[str, Floats]:
    ill, well = np.sort(scores[positive]), np.sort(scores[~positive])
    hits = len(ill) - np.searchsorted(ill, thresholds)
    passes = np.searchsorted(well, thresholds)
    sensitivity, specificity = hits / len(ill), passes / len(well)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "accuracy": (hits + passes) / len(scores),
        "youden": sensitivity + specificity - 1,
    }


def _demanded(fulfilled: Bools, rule: Rule, text: str) -> int:
    candidates = np.flatnonzero(fulfilled)
    if not len(candidates):
        raise MedsdkError(f"No threshold reaches {text}.", "Ask for less, or train a better model.")
    # Sensitivity falls as the threshold rises and specificity rises, so that the edge is best for the other figure.
    return int(candidates[-1] if rule.figure == "sensitivity" else candidates[0])


def _log_odds(chance: Floats) -> Floats:
    inside = np.clip(chance, _NEAREST, 1 - _NEAREST)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def _share(log_odds: float) -> float:
    return float(0.5 * (1 + np.tanh(log_odds / 2)))
