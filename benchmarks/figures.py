"""Runs the installed plugins over the test splits of the packs and writes what it measured.

    python benchmarks/figures.py --data FOLDER-OF-PACKS

It goes the user's way, from encoded bytes to prediction, so that it checks the cards' figures, which the converter measured
on preprocessed pixels, as well as rejection, identification, robustness and attention. Writes benchmarks/figures.json,
docs/reference/figures.md, the table in README.md, and what no training run can measure into each plugin's card and README.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import numpy as np
from figures_attention import covering, pairs_of_cells
from figures_foreign import refused
from figures_pages import overview, page, with_table
from figures_robustness import robustness, same_at_another_size

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "converters"))

from medsdk_converters import data as labelled  # noqa: E402
from medsdk_converters import recipes  # noqa: E402
from medsdk_converters.evaluating import asked  # noqa: E402
from medsdk_converters.model_card import render  # noqa: E402
from medsdk_converters.recipe import EvaluationSpec, read_recipe  # noqa: E402

import medsdk  # noqa: E402
from medsdk.core.card import Estimate, Evaluation, encode_card  # noqa: E402
from medsdk.core.files import write_beside  # noqa: E402
from medsdk.core.images import Pixels, decode  # noqa: E402
from medsdk.core.prediction import Prediction  # noqa: E402
from medsdk.evaluation.data import read_labelled  # noqa: E402

README = ROOT / "README.md"
MEASURED = ROOT / "benchmarks" / "figures.json"

CHEST = ("covid", "pneumonia", "tuberculosis")
MODALITIES = {
    "malaria_cells": ("malaria",),
    "chest": CHEST,
    "pneumonia": CHEST,
    "skin": ("skin",),
    "retina": ("retinopathy",),
    "retina_raw": ("retinopathy",),
}
REJECTION_PICTURES = 300
ROBUSTNESS_PICTURES = 300
ATTENTION_PICTURES = 200
IDENTIFIED_PICTURES = 60
CELL_PAIRS = 60
CAMERA = "retina_raw"


@dataclass(frozen=True)
class Judged:
    """A test picture with what the plugin said of it."""

    example: labelled.Example
    prediction: Prediction


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, help="Only this disease; the others' figures stay those of benchmarks/figures.json.")
def main(data: Path, only: tuple[str, ...]) -> None:
    """Measure every installed disease that has a recipe."""
    found = json.loads(MEASURED.read_text())["diseases"] if only else {}
    for disease in only or medsdk.diseases():
        click.echo(f"{disease} …", err=True)
        with medsdk.load(disease) as analyzer:
            found[disease] = measure(analyzer, data)
    identified = identification(data)
    everything = {"diseases": found, "identified": identified}
    write_beside(MEASURED, json.dumps(everything, indent=1).encode() + b"\n")
    write_beside(ROOT / "docs" / "reference" / "figures.md", page(found, identified).encode())
    write_beside(README, with_table(README.read_text(), "\n".join(overview(found))).encode())


def measure(analyzer: medsdk.Analyzer, data: Path) -> dict[str, object]:
    recipe = read_recipe(recipes.locate(analyzer.disease))
    examples, _ = labelled.gather(recipe, data)
    sets: dict[str, object] = {}
    for spec in recipe.evaluate:
        chosen = [
            example
            for example in examples
            if example.picture.split == spec.split
            and example.matches(spec.where)
            and not (spec.without and example.matches(spec.without))
        ]
        sets[spec.set] = evaluated(analyzer, judged(analyzer, chosen), spec)
    in_card = {e.set: {k: round(v.value, 4) for k, v in e.figures.items()} for e in analyzer.card.evaluations}
    test = [example for example in examples if example.picture.split == "test" and example.matches(recipe.decide.where)]
    tried = (changed(analyzer, test), resized(analyzer, test), looked_at(analyzer, test, data))
    measured = [each for each in tried if each is not None]
    ship(analyzer, measured)
    return {
        "model_sha256": analyzer.card.model.sha256,
        "sets": sets,
        "card": in_card,
        "rejected": rejection(analyzer, data) | refused(analyzer),
        "measured": {each.set: {"note": each.note, "figures": plain(each.figures)} for each in measured},
    }


def changed(analyzer: medsdk.Analyzer, test: list[labelled.Example]) -> Evaluation:
    chosen = spread(test, ROBUSTNESS_PICTURES)
    return robustness(analyzer, decoded(chosen), len({example.group for example in chosen}))


def resized(analyzer: medsdk.Analyzer, test: list[labelled.Example]) -> Evaluation | None:
    """Where a set holds whole photographs at the camera's own colours."""
    chosen = [example for example in test if example.data == CAMERA]
    if not chosen:
        return None
    return same_at_another_size(analyzer, decoded(chosen), len({example.group for example in chosen}))


def looked_at(analyzer: medsdk.Analyzer, test: list[labelled.Example], data: Path) -> Evaluation | None:
    ill = [example for example in test if analyzer.card.labels[example.label].positive]
    chosen = spread(ill, ATTENTION_PICTURES)
    pairs = list(pairs_of_cells(data, CELL_PAIRS)) if analyzer.disease == "malaria" else []
    return covering(analyzer, decoded(chosen), len({example.group for example in chosen}), pairs)


def decoded(examples: list[labelled.Example]) -> list[Pixels]:
    return [decode(example.picture.read(), example.picture.name) for example in examples]


def ship(analyzer: medsdk.Analyzer, measured: list[Evaluation]) -> None:
    """Into the card and its README, in place of what was measured before."""
    card, folder = analyzer.card, analyzer.plugin.bundle.folder
    new = {each.set for each in measured}
    card = msgspec.structs.replace(card, evaluations=(*(e for e in card.evaluations if e.set not in new), *measured))
    write_beside(folder / "card.json", encode_card(card))
    write_beside(folder.parent / "README.md", render(card, diagram=True).encode())


def identification(data: Path) -> dict[str, float]:
    """How often a disease of the right kind of picture comes first, by pack."""
    shares = {}
    for name, right in MODALITIES.items():
        pictures = [p for p in read_labelled(data / f"{name}.tar") if p.split == "test"]
        matches = [medsdk.identify(picture.read()) for picture in spread(pictures, IDENTIFIED_PICTURES)]
        shares[name] = round(float(np.mean([bool(found) and found[0].disease in right for found in matches])), 4)
    return shares


def plain(estimates: dict[str, Estimate]) -> dict[str, list[float]]:
    return {name: [round(x, 4) for x in (e.value, e.low, e.high)] for name, e in estimates.items()}


def judged(analyzer: medsdk.Analyzer, examples: list[labelled.Example]) -> list[Judged]:
    predictions = analyzer.predict_many((example.picture.read() for example in examples), threads=2)
    return [Judged(example, prediction) for example, prediction in zip(examples, predictions, strict=True)]


def evaluated(analyzer: medsdk.Analyzer, results: list[Judged], spec: EvaluationSpec) -> dict[str, object]:
    """Figures over the pictures that were not rejected, and the share that was."""
    accepted = [result for result in results if result.prediction.verdict != "rejected"]
    order = [label.id for label in analyzer.card.labels]
    probability = np.array(
        [[{s.label: s.probability for s in r.prediction.scores}[name] for name in order] for r in accepted]
    )
    truth = np.array([result.example.label for result in accepted])
    found = asked(spec, truth, probability, [result.example.group for result in accepted], analyzer.card)
    return {
        "pictures": len(results),
        "rejected": round(1 - len(accepted) / len(results), 4),
        "inconclusive": round(float(np.mean([r.prediction.verdict == "inconclusive" for r in results])), 4),
        "figures": plain(found),
    }


def rejection(analyzer: medsdk.Analyzer, data: Path) -> dict[str, float]:
    """Share of each pack's test pictures that the plugin refuses."""
    shares = {}
    for name in MODALITIES:
        pictures = [p for p in read_labelled(data / f"{name}.tar") if p.split == "test"]
        chosen = (picture.read() for picture in spread(pictures, REJECTION_PICTURES))
        verdicts = [prediction.verdict == "rejected" for prediction in analyzer.predict_many(chosen, threads=2)]
        shares[name] = round(float(np.mean(verdicts)), 4)
    return shares


def spread(items: list, count: int) -> list:  # type: ignore[type-arg]
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]


if __name__ == "__main__":
    main()
