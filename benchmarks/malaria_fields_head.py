"""Fits what tells infected cells from plain ones in a whole field: `python benchmarks/malaria_fields_head.py --data FOLDER`.

Writes plugins/malaria/medsdk_malaria/field_head.npz from the train fields of the pack malaria_fields and the shipped cell
model, whose context outputs it uses. Run it again whenever that model changes. A minute of computing for 170 fields.

Everything is chosen on train fields, cross-validated over blocks of consecutive fields: the threshold is where FALSE_CALLS
of the plain cells are called, and the false calls' beta distribution is fitted to the fields left out.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import malaria_fields
import malaria_fields_detection as detection
import msgspec
import numpy as np
import numpy.typing as npt
from medsdk_converters.bundling import described
from medsdk_converters.model_card import render
from medsdk_malaria.counting.counts import FalseCalls, Mistakes
from medsdk_malaria.counting.first_look import FirstLook, beside_the_median, choose
from medsdk_malaria.counting.head import FILE, FieldHead, relative
from sklearn.linear_model import LogisticRegression

import medsdk
from medsdk.core.card import DataSet, Estimate, Evaluation, encode_card
from medsdk.core.files import write_beside
from medsdk.evaluation.metrics import figures

BLOCKS = 8
REGULARISATION = 0.01
FALSE_CALLS = 0.003
"""Share of plain cells that may be called. Over blocks of ten train fields that were left out, .3 and .4 % follow the
annotated counts about alike, and better than .1, .2, .5 or 1 % (this program prints them); of the two it calls less.
"""
SPOT_REGULARISATION = 0.05
SPOTS_MISSED = 0.004
"""Share of infected train cells that the first look may take for plain: one of 256. The least with which a field still takes
less than 120 ms; for none of them, twice as many cells would have to be judged."""

SURE_FALSE_CALLS = 0.0005
"""The same for sure calls: of .0005 to .005 the one with most positive blocks of fields, and none without parasites."""

FIELDS = "malaria_fields"
LICENCE = "Released for research, no licence file; boxes and fields are not redistributed"
CITATION = "IML_Malaria, arXiv 2102.08708: Giemsa thin-smear fields; the field head alone was fitted on them"
SET = "test, cells found in whole fields (malaria_fields)"
NOTE = "Cells that the plugin found itself, against experts' boxes; the operating point is the field head's own."
COUNTING = "test, whole fields (malaria_fields)"
COUNTING_NOTE = (
    "Cells found against experts' boxes as benchmarks/malaria_fields_detection.py counts; parasitaemia over blocks of ten "
    "consecutive fields, of which there are five: its correlation is known as badly as its interval says."
)
NEAR = 0.1
RESAMPLES = 1000
LIMIT = (
    "In whole fields, infected cells are told by a linear head that was fitted on one laboratory's fields of one stain; "
    "its data was released for research, without a licence."
)

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Train:
    """Cells of all train fields, one behind the other: what is known of each, its field, and its block to be left out."""

    infected: Flags
    plain: Flags
    field: npt.NDArray[np.int64]
    block: npt.NDArray[np.int64]

    @classmethod
    def of(cls, seen: Sequence[malaria_fields.SeenField]) -> Train:
        field = np.concatenate([np.full(len(each.kinds), index) for index, each in enumerate(seen)])
        infected, plain = (np.concatenate([getattr(each, key) for each in seen]) for key in ("infected", "plain"))
        return cls(infected, plain, field, field * BLOCKS // len(seen))

    def left_out(self, values: Floats, usable: Flags, regularisation: float) -> Floats:
        """Log-odds of each usable cell by weights that were fitted without its block; -inf elsewhere."""
        found = np.full(len(values), -np.inf)
        for block in range(BLOCKS):
            fitted = usable & (self.infected | self.plain) & (self.block != block)
            weights, offset = fit_weights(values[fitted], self.infected[fitted], regularisation)
            rest = usable & (self.block == block)
            found[rest] = values[rest] @ weights + offset
        return found


def fit(seen: Sequence[malaria_fields.SeenField], model_sha256: str) -> tuple[FieldHead, str]:
    """The head, and what its cross-validation showed."""
    train = Train.of(seen)
    everything = np.ones(len(train.field), dtype=bool)
    known = train.infected | train.plain
    spots = np.concatenate([beside_the_median(each.spots) for each in seen])
    suspicion = train.left_out(spots, everything, SPOT_REGULARISATION)
    limit = float(np.quantile(suspicion[train.infected], SPOTS_MISSED))
    spot_weights, spot_offset = fit_weights(spots[known], train.infected[known], SPOT_REGULARISATION)

    # What is chosen here, too, is chosen without the field's own block.
    chosen = [choose(suspicion[train.field == index], limit) for index in range(len(seen))]
    judged = np.concatenate([each.judged for each in chosen])
    values = np.zeros((len(judged), seen[0].contexts.shape[1]))
    values[judged] = np.concatenate([relative(e.contexts[c.judged], c) for e, c in zip(seen, chosen, strict=True)])
    log_odds = train.left_out(values, judged, REGULARISATION)
    called, sure = (float(np.quantile(log_odds[train.plain], 1.0 - share)) for share in (FALSE_CALLS, SURE_FALSE_CALLS))
    mistakes = Mistakes(*(false_calls(train, log_odds >= limit) for limit in (called, sure)))
    weights, offset = fit_weights(values[judged & known], train.infected[judged & known], REGULARISATION)
    look = FirstLook(spot_weights, limit - spot_offset)
    head = FieldHead(weights, offset, chance(called), chance(sure), mistakes, model_sha256, look)
    infected, plain = log_odds[train.infected], log_odds[train.plain]
    notes = (
        f"cross-validated: {judged.mean():.3f} of the cells judged, {judged[train.infected].mean():.4f} of the infected\n"
        f"AUC {malaria_fields.auc(infected, plain):.4f}\n"
        f"sensitivity {np.mean(infected >= called):.4f} at {FALSE_CALLS:.1%} false calls\n"
        f"sensitivity {np.mean(infected >= sure):.4f} at {SURE_FALSE_CALLS:.2%} false calls\n"
        + "\n".join(_followed(seen, [log_odds[train.field == index] for index in range(len(seen))]))
    )
    return head, notes


def _followed(seen: Sequence[malaria_fields.SeenField], log_odds: Sequence[Floats]) -> Iterator[str]:
    """For each share of false calls, how the counts of the fields left out follow the annotated ones."""
    plain = np.concatenate([some[each.plain] for some, each in zip(log_odds, seen, strict=True)])
    for share in (0.001, 0.002, 0.003, 0.004, 0.005, 0.01):
        limit = float(np.quantile(plain, 1.0 - share))
        strict, annotated = malaria_fields.agreements(seen, [some >= limit for some in log_odds])
        yield f"{share:.1%} false calls: Pearson {strict.pearson:.3f}, where annotated {annotated.pearson:.3f}"


def fit_weights(values: Floats, infected: Flags, regularisation: float) -> tuple[Floats, float]:
    """Logistic regression on standardised numbers; weights and offset for the numbers as they are."""
    spread = values.std(axis=0) + 1e-6
    # Newton's method: the other solvers take minutes for the same weights.
    model = LogisticRegression(C=regularisation, max_iter=100, class_weight="balanced", solver="newton-cholesky")
    model.fit(values / spread, infected)
    # Balanced classes make a cell's prior one half; among red cells it is their share of the train fields.
    prior = float(np.log(infected.mean() / (1.0 - infected.mean())))
    return np.asarray(model.coef_[0] / spread), float(model.intercept_[0]) + prior


def false_calls(train: Train, called: Flags) -> FalseCalls:
    """How many of the plain cells are called, and how that differs between blocks of fields."""
    tens = train.field // malaria_fields.BLOCK
    false, plain = (np.bincount(tens[chosen], minlength=tens[-1] + 1) for chosen in (train.plain & called, train.plain))
    return spread_of(false.astype(float), plain.astype(float))


def spread_of(false: Floats, plain: Floats) -> FalseCalls:
    """Beta distribution of the rates of false calls in blocks of fields, by moments; never narrower than the calls allow."""
    rate = (false.sum() + 1.0) / plain.sum()
    excess = ((false - plain * rate) ** 2 - plain * rate * (1.0 - rate)).sum()
    # Variance of a beta-binomial count: n p q (1 + (n - 1) rho).
    rho = float(np.clip(excess / (plain * (plain - 1.0)).sum() / (rate * (1.0 - rate)), 1e-4, 0.5))
    size = 1.0 / rho - 1.0
    return FalseCalls(float(rate * size), float((1.0 - rate) * size))


def chance(log_odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def told(card: medsdk.Card, head: FieldHead, data: Path, fields: int, test: list[malaria_fields.SeenField]) -> medsdk.Card:
    """The card with the head's file, the pictures it was fitted on and what it is worth on the test fields."""
    with (data / "malaria_fields.tar").open("rb") as tar:
        digest = hashlib.sha256(tar.read()).hexdigest()
    source = DataSet(FIELDS, fields, LICENCE, CITATION, digest)
    others = tuple(each for each in card.training.data if each.name != FIELDS)
    return msgspec.structs.replace(
        card,
        files=(described(FILE, head.encode()),),
        training=msgspec.structs.replace(card.training, data=(*others, source)),
        evaluations=(*others_than(card), evaluation(card, head, test), counting(head, data, test)),
        limits=(*(each for each in card.limits if each != LIMIT), LIMIT),
    )


def others_than(card: medsdk.Card) -> list[Evaluation]:
    """The evaluations of single cells, which the converter wrote."""
    return [each for each in card.evaluations if each.set not in (SET, COUNTING)]


def evaluation(card: medsdk.Card, head: FieldHead, test: list[malaria_fields.SeenField]) -> Evaluation:
    """Infected against plain cells; resampled by field. Sensitivity and specificity are at the head's own threshold."""
    chance = np.concatenate([malaria_fields.judge(head, each).probability for each in test])
    infected = np.concatenate([each.infected for each in test])
    known = infected | np.concatenate([each.plain for each in test])
    groups = np.concatenate([np.full(len(each.contexts), each.name) for each in test])[known]
    at = msgspec.structs.replace(card.decision, threshold=head.threshold, inconclusive=(head.threshold, head.threshold))
    own = msgspec.structs.replace(card, decision=at)
    probability = np.stack([1 - chance, chance], axis=1)[known]
    found = figures(infected[known].astype(int), probability, list(groups), own)
    kept = {name: found[name] for name in ("auc", "sensitivity", "specificity")}
    return Evaluation(SET, int(known.sum()), len(test), int(infected.sum()), kept, NOTE)


def counting(head: FieldHead, data: Path, test: list[malaria_fields.SeenField]) -> Evaluation:
    """Whole fields: cells found, counted, and added up. Intervals by bootstrap over fields; Pearson's by Fisher."""
    tallies = [detection.tally(field) for field in detection.fields(data, "test")]
    hits = np.array([(each.found, each.false, each.missed) for each in tallies], float)
    near = np.array([abs(each.count_error) <= NEAR for each in tallies], float)
    drawn = np.random.default_rng(0).integers(0, len(tallies), (RESAMPLES, len(tallies)))
    strict, annotated = malaria_fields.parasitaemia(head, test)
    found = {
        "cells_f1_at_iou_0.5": _estimate(f1(hits.sum(axis=0)), f1(hits[drawn].sum(axis=1))),
        "fields_counted_within_10_percent": _estimate(near.mean(), near[drawn].mean(axis=1)),
        "parasitaemia_pearson_by_10_fields": Estimate(strict.pearson, *strict.interval),
        "parasitaemia_pearson_where_annotated": Estimate(annotated.pearson, *annotated.interval),
    }
    infected = sum(each.truth_infected > 0 for each in test)
    return Evaluation(COUNTING, len(tallies), len(tallies), infected, found, COUNTING_NOTE)


def f1(hits: Floats) -> Floats:
    """Of found, false and missed, the last axis."""
    return np.asarray(2 * hits[..., 0] / (2 * hits[..., 0] + hits[..., 1] + hits[..., 2]))


def _estimate(value: Floats, resampled: Floats) -> Estimate:
    return Estimate(float(value), *(float(each) for each in np.quantile(resampled, (0.025, 0.975))))


def ship(head: FieldHead, folder: Path, card: medsdk.Card) -> None:
    """Head, card and the card's README into the plugin."""
    write_beside(folder / FILE, head.encode())
    write_beside(folder / "card.json", encode_card(card))
    write_beside(folder.parent / "README.md", render(card, diagram=True).encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the packs")
    parser.add_argument("--cache", type=Path, help="an .npz that keeps the model's outputs between trials")
    parser.add_argument("--test-cache", type=Path, help="the same for the test fields, which are judged once at the end")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with medsdk.load("malaria") as analyzer:
        seen = malaria_fields.cached(analyzer, options.data, "train", options.cache)
        test = malaria_fields.cached(analyzer, options.data, "test", options.test_cache)
        card, folder = analyzer.card, analyzer.plugin.bundle.folder
    head, notes = fit(seen, card.model.sha256)
    ship(head, folder, told(card, head, options.data, len(seen), test))
    print(notes)
    print(f"thresholds {head.threshold:.4f} and {head.sure_threshold:.4f}, {head.mistakes}; written to {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
