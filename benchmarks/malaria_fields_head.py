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
from pathlib import Path

import cv2
import malaria_fields
import msgspec
import numpy as np
import numpy.typing as npt
from medsdk_converters.bundling import described
from medsdk_converters.model_card import render
from medsdk_malaria.counting.counts import FalseCalls, Mistakes
from medsdk_malaria.counting.head import FILE, FieldHead, relative
from sklearn.linear_model import LogisticRegression

import medsdk
from medsdk.core.card import DataSet, Evaluation, encode_card
from medsdk.core.files import write_beside
from medsdk.evaluation.metrics import figures

BLOCKS = 8
REGULARISATION = 0.01
FALSE_CALLS = 0.005
"""Share of plain cells that may be called: of .001 to .01 the one whose counts followed the annotated ones best."""

SURE_FALSE_CALLS = 0.0005
"""The same for sure calls: of .0005 to .005 the one with most positive blocks of fields, and none without parasites."""

FIELDS = "malaria_fields"
LICENCE = "Released for research, no licence file; boxes and fields are not redistributed"
CITATION = "IML_Malaria, arXiv 2102.08708: Giemsa thin-smear fields; the field head alone was fitted on them"
SET = "test, cells found in whole fields (malaria_fields)"
NOTE = "Cells that the plugin found itself, against experts' boxes; the operating point is the field head's own."
LIMIT = (
    "In whole fields, infected cells are told by a linear head that was fitted on one laboratory's fields of one stain; "
    "its data was released for research, without a licence."
)

Floats = npt.NDArray[np.float64]


def fit_weights(values: Floats, infected: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """Logistic regression on standardised numbers; weights and offset for the numbers as they are."""
    spread = values.std(axis=0) + 1e-6
    model = LogisticRegression(C=REGULARISATION, max_iter=500, class_weight="balanced").fit(values / spread, infected)
    # Balanced classes make a cell's prior one half; among red cells it is their share of the train fields.
    prior = float(np.log(infected.mean() / (1.0 - infected.mean())))
    return np.asarray(model.coef_[0] / spread), float(model.intercept_[0]) + prior


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
        evaluations=(*(each for each in card.evaluations if each.set != SET), evaluation(card, head, test)),
        limits=(*(each for each in card.limits if each != LIMIT), LIMIT),
    )


def evaluation(card: medsdk.Card, head: FieldHead, test: list[malaria_fields.SeenField]) -> Evaluation:
    """Infected against plain cells; resampled by field. Sensitivity and specificity are at the head's own threshold."""
    chance = np.concatenate([head(list(each.contexts)).probability for each in test])
    infected = np.concatenate([each.infected for each in test])
    known = infected | np.concatenate([each.plain for each in test])
    groups = np.concatenate([np.full(len(each.contexts), each.name) for each in test])[known]
    at = msgspec.structs.replace(card.decision, threshold=head.threshold, inconclusive=(head.threshold, head.threshold))
    own = msgspec.structs.replace(card, decision=at)
    probability = np.stack([1 - chance, chance], axis=1)[known]
    found = figures(infected[known].astype(int), probability, list(groups), own)
    kept = {name: found[name] for name in ("auc", "sensitivity", "specificity")}
    return Evaluation(SET, int(known.sum()), len(test), int(infected.sum()), kept, NOTE)


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
    values = np.concatenate([relative(each.contexts) for each in seen])
    infected = np.concatenate([each.infected for each in seen])
    labelled = np.concatenate([each.infected | each.plain for each in seen])
    block = np.concatenate([np.full(len(each.plain), index * BLOCKS // len(seen)) for index, each in enumerate(seen)])
    log_odds = np.zeros(len(values))
    for left_out in range(BLOCKS):
        train = labelled & (block != left_out)
        weights, offset = fit_weights(values[train], infected[train])
        log_odds[block == left_out] = values[block == left_out] @ weights + offset
    plain = labelled & ~infected
    limit, sure = (float(np.quantile(log_odds[plain], 1.0 - share)) for share in (FALSE_CALLS, SURE_FALSE_CALLS))
    tens = np.concatenate([np.full(len(each.plain), index // malaria_fields.BLOCK) for index, each in enumerate(seen)])
    false = np.bincount(tens[plain & (log_odds >= sure)], minlength=tens[-1] + 1).astype(float)
    mistakes = Mistakes(float(np.mean(log_odds[plain] >= limit)), spread_of(false, np.bincount(tens[plain]).astype(float)))
    weights, offset = fit_weights(values[labelled], infected[labelled])
    head = FieldHead(weights, offset, chance(limit), chance(sure), mistakes, card.model.sha256)
    ship(head, folder, told(card, head, options.data, len(seen), test))
    print(f"cross-validated: AUC {malaria_fields.auc(log_odds[infected], log_odds[plain]):.4f}")
    print(f"sensitivity {np.mean(log_odds[infected] >= limit):.4f} at {FALSE_CALLS:.1%} false calls")
    print(f"sensitivity {np.mean(log_odds[infected] >= sure):.4f} at {SURE_FALSE_CALLS:.2%} false calls")
    print(f"thresholds {head.threshold:.4f} and {head.sure_threshold:.4f}, {head.mistakes}; written to {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
