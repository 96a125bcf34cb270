"""Runs the installed plugins over the test splits of the packs and writes what it measured.

    python benchmarks/figures.py --data FOLDER-OF-PACKS

It goes the user's way, from encoded bytes to prediction, so that it checks the cards' figures, which the converter measured
on preprocessed pixels, as well as rejection, identification and robustness. Writes benchmarks/figures.json and
docs/reference/figures.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "converters"))

from medsdk_converters import data as labelled  # noqa: E402
from medsdk_converters import recipes  # noqa: E402
from medsdk_converters.recipe import read_recipe  # noqa: E402

import medsdk  # noqa: E402
from medsdk.core.files import write_beside  # noqa: E402
from medsdk.core.images import decode  # noqa: E402
from medsdk.core.prediction import Prediction  # noqa: E402
from medsdk.evaluation.data import read_labelled  # noqa: E402
from medsdk.evaluation.metrics import figures  # noqa: E402

README = ROOT / "README.md"
OPEN, CLOSE = "<!-- figures -->", "<!-- /figures -->"

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
SHOWN = (
    "auc",
    "accuracy",
    "sensitivity",
    "specificity",
    "ece",
    "quadratic_weighted_kappa",
    "floor_border_auc",
    "floor_colour_auc",
)

Pixels = np.ndarray


def turned(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 5, 1)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def jpeg(image: Pixels) -> Pixels:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG quality 50": jpeg,
    "20 % darker": lambda image: (image * 0.8).astype(np.uint8),
    "20 % brighter": lambda image: np.clip(image * 1.2, 0, 255).astype(np.uint8),
    "5° turned": turned,
    "half resolution": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "slight blur": lambda image: cv2.GaussianBlur(image, (0, 0), 0.8),
}


@dataclass(frozen=True)
class Judged:
    """A test picture with what the plugin said of it."""

    example: labelled.Example
    prediction: Prediction


@click.command()
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data: Path) -> None:
    """Measure every installed disease that has a recipe."""
    found = {}
    for disease in medsdk.diseases():
        click.echo(f"{disease} …", err=True)
        with medsdk.load(disease) as analyzer:
            found[disease] = measure(analyzer, data)
    write_beside(ROOT / "benchmarks" / "figures.json", json.dumps(found, indent=1, sort_keys=True).encode() + b"\n")
    write_beside(ROOT / "docs" / "reference" / "figures.md", page(found).encode())
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
        sets[spec.set] = evaluated(analyzer, judged(analyzer, chosen))
    in_card = {e.set: {k: round(v.value, 4) for k, v in e.figures.items()} for e in analyzer.card.evaluations}
    test = [example for example in examples if example.picture.split == "test" and example.matches(recipe.decide.where)]
    return {
        "model_sha256": analyzer.card.model.sha256,
        "sets": sets,
        "card": in_card,
        "rejected": rejection(analyzer, data),
        "unchanged": robustness(analyzer, spread(test, ROBUSTNESS_PICTURES)),
    }


def judged(analyzer: medsdk.Analyzer, examples: list[labelled.Example]) -> list[Judged]:
    predictions = analyzer.predict_many((example.picture.read() for example in examples), threads=2)
    return [Judged(example, prediction) for example, prediction in zip(examples, predictions, strict=True)]


def evaluated(analyzer: medsdk.Analyzer, results: list[Judged]) -> dict[str, object]:
    """Figures over the pictures that were not rejected, and the share that was."""
    accepted = [result for result in results if result.prediction.verdict != "rejected"]
    order = [label.id for label in analyzer.card.labels]
    probability = np.array(
        [[{s.label: s.probability for s in r.prediction.scores}[name] for name in order] for r in accepted]
    )
    truth = np.array([result.example.label for result in accepted])
    found = figures(truth, probability, [result.example.group for result in accepted], analyzer.card)
    return {
        "pictures": len(results),
        "rejected": round(1 - len(accepted) / len(results), 4),
        "inconclusive": round(float(np.mean([r.prediction.verdict == "inconclusive" for r in results])), 4),
        "figures": {name: [round(x, 4) for x in (v.value, v.low, v.high)] for name, v in found.items()},
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


def robustness(analyzer: medsdk.Analyzer, examples: list[labelled.Example]) -> dict[str, float]:
    """Share of test pictures whose verdict a change of the picture leaves as it was."""
    images = [decode(example.picture.read(), example.picture.name) for example in examples]
    before = [p.verdict for p in analyzer.predict_many(images, threads=2)]
    shares = {}
    for name, change in CHANGES.items():
        after = [p.verdict for p in analyzer.predict_many((change(image) for image in images), threads=2)]
        shares[name] = round(float(np.mean([a == b for a, b in zip(before, after, strict=True)])), 4)
    return shares


def spread(items: list, count: int) -> list:  # type: ignore[type-arg]
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]


def page(found: dict[str, dict]) -> str:  # type: ignore[type-arg]
    lines = [
        "# Figures",
        "",
        "Written by `make figures`, which runs the shipped plugins over the test splits from encoded picture to prediction.",
        "Intervals are 95 % bootstrap intervals by patient, lesion or whatever the set keeps together. Figures are over the",
        "pictures that were not rejected; the floors (logistic regression on the border alone, or on six colour statistics)",
        "are the converter's, from the card.",
        "",
    ]
    for disease, result in sorted(found.items()):
        lines += [f"## {disease}", "", f"Model {result['model_sha256'][:16]}…", ""]
        for name, values in result["sets"].items():
            lines += [f"**{name}**: {values['pictures']} pictures, {values['rejected']:.1%} rejected, "
                      f"{values['inconclusive']:.1%} inconclusive", ""]  # fmt: skip
            lines += table(
                ("figure", "value", "95 % interval"), figure_rows(values["figures"], result["card"].get(name, {}))
            )
        lines += ["Rejected, by pack:", ""]
        lines += table(("pack", "rejected"), ((k, f"{v:.1%}") for k, v in result["rejected"].items()))
        lines += ["Verdict unchanged after a change of the picture:", ""]
        lines += table(("change", "unchanged"), ((k, f"{v:.1%}") for k, v in result["unchanged"].items()))
    return "\n".join(lines).rstrip() + "\n"


def overview(found: dict[str, dict]) -> list[str]:  # type: ignore[type-arg]
    """The README's table: each disease's sets, with the border floor of its card."""
    rows = []
    for disease, result in sorted(found.items()):
        for name, values in result["sets"].items():
            floor = result["card"].get(name, {}).get("floor_border_auc")
            auc, low, high = values["figures"].get("auc", [float("nan")] * 3)
            rest = [f"{values['figures'][k][0]:.2f}" for k in ("sensitivity", "specificity")]
            shown = f"{floor:.2f}" if floor is not None else "–"
            rows.append((f"`{disease}`", name, f"{auc:.3f} ({low:.3f} to {high:.3f})", *rest, shown))
    return table(("plugin", "set", "AUC", "sensitivity", "specificity", "floor"), rows)


def with_table(text: str, table_text: str) -> str:
    before, rest = text.split(OPEN)
    return f"{before}{OPEN}\n\n{table_text}\n{CLOSE}{rest.split(CLOSE)[1]}"


def figure_rows(values: dict[str, list[float]], card: dict[str, float]) -> Iterable[tuple[str, ...]]:
    for name in SHOWN:
        if name in values:
            value, low, high = values[name]
            yield name, f"{value:.3f}", f"{low:.3f} to {high:.3f}"
        elif name in card:
            yield name, f"{card[name]:.3f}", "(card)"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(row)} |" for row in lines] + [""]


if __name__ == "__main__":
    main()
