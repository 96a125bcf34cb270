"""Latency and size of the original report's six designs beside the models that medsdk ships, as a Markdown table.

    python benchmarks/report_designs.py [--invocations 50] [--int8] [--trained FOLDER] [--out benchmarks/report_designs.md]

The designs are built with random weights, which changes neither figure; it needs medsdk-converters. One thread, one
picture, the median of many invocations. Trust ratios and not milliseconds: a busy machine slows all of them. The models are
taken in turn, a few invocations each, so that other programs disturb all alike.

Each shipped model is also timed against its plain int8 backbone: the same network at the same size with logits alone, in
place of the feature map and the averages of earlier blocks that attention and rejection want.

With --trained, what the two hand-made networks of the report reach stands beside ours: FOLDER holds the bundles that
`medsdk train report_malaria` and `medsdk train report_tuberculosis` wrote (`FOLDER/report_malaria`, …).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from medsdk.core.bundle import Bundle
from medsdk.core.card import Estimate, read_card
from medsdk.core.files import write_beside
from medsdk.core.runtime import Model, runtime

PLUGINS = Path(__file__).parent.parent / "plugins"
PREFIX = "medsdk: "
WARM_UP = 5
HEAD = """# The original report's designs beside medsdk's models

Written by `python benchmarks/report_designs.py --trained FOLDER --out benchmarks/report_designs.md`. A design is timed with
random weights; ratios carry over to another machine, milliseconds do not. The two networks that the report made by hand were
trained by `converters/recipes/report_malaria.toml` and `report_tuberculosis.toml`, on the same splits as ours."""
TRAINED = ("malaria", "tuberculosis")
COMPARED = ("auc", "accuracy", "sensitivity", "specificity")


@dataclass(frozen=True)
class Design:
    """A network of the report: its backbone here, the picture's side in pixels, and its head."""

    name: str
    backbone: str
    side: int
    outputs: int
    head: str = "linear"
    hidden: tuple[int, ...] = ()


DESIGNS = (
    Design("VGG16 + dense 1024/512", "vgg16", 224, 2, "dense", (1024, 512)),
    Design("ResNet50", "resnet50", 224, 2),
    Design("InceptionV3 + attention", "inception_v3", 299, 5, "gwap"),
    Design("MobileNetV2", "mobilenet_v2", 224, 7),
    Design("tuberculosis CNN + dense 256", "report_tuberculosis", 96, 2, "dense", (256,)),
    Design("malaria CNN + dense 120/60/10", "report_malaria", 125, 1, "dense", (120, 60, 10)),
)


@dataclass(frozen=True)
class Subject:
    """A model file to be timed, and the picture's side in pixels."""

    name: str
    content: bytes
    side: int
    precision: str


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    side: int
    precision: str
    megabytes: float
    milliseconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invocations", type=int, default=50)
    parser.add_argument("--int8", action="store_true", help="the report's designs in int8 as well")
    parser.add_argument("--trained", type=Path, help="folder of the bundles report_malaria and report_tuberculosis")
    parser.add_argument("--out", type=Path, help="write the tables here as well")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    subjects = [*designs(arguments.int8), *shipped()]
    lines = [table(rows(subjects, arguments.invocations)), "", *against_plain(arguments.invocations)]
    if arguments.trained is not None:
        lines += ["", *compared(arguments.trained)]
    text = "\n".join(lines)
    print(text)
    if arguments.out is not None:
        write_beside(arguments.out, f"{HEAD}\n\n{text}\n".encode())


def designs(int8: bool) -> Iterator[Subject]:
    from medsdk_converters import backbones, export

    for design in DESIGNS:
        print(design.name, file=sys.stderr)
        model = backbones.build(
            design.backbone,
            height=design.side,
            width=design.side,
            outputs=design.outputs,
            weights=None,
            head=design.head,  # type: ignore[arg-type]
            hidden=design.hidden,
        )
        pixels = np.random.default_rng(1).integers(0, 256, (4, design.side, design.side, 3)).astype(np.uint8)
        for precision in ("float32", "int8") if int8 else ("float32",):
            yield Subject(design.name, export.to_tflite(model, pixels, precision), design.side, precision)


def shipped() -> Iterator[Subject]:
    """The bundles in plugins/, whichever there are."""
    for card in sorted(PLUGINS.glob("*/medsdk_*/card.json")):
        bundle = Bundle(card.parent)
        precision = "int8" if bundle.card.input.dtype == "uint8" else "float"
        yield Subject(f"{PREFIX}{bundle.card.disease}", bundle.model(), bundle.card.input.height, precision)


def rows(subjects: list[Subject], invocations: int) -> list[Row]:
    times = timed(subjects, invocations)
    return [
        Row(each.name, each.side, each.precision, len(each.content) / 1e6, 1000 * median(seconds))
        for each, seconds in zip(subjects, times, strict=True)
    ]


def timed(subjects: list[Subject], invocations: int) -> list[list[float]]:
    """Seconds of each subject's invocations, all subjects in turn, round after round."""
    with ExitStack() as stack:
        models = [stack.enter_context(Model(subject.content, subject.name)) for subject in subjects]
        rounds = [[once(model) for model in models] for _ in range(WARM_UP + invocations)][WARM_UP:]
        return [list(seconds) for seconds in zip(*rounds, strict=True)]


def against_plain(invocations: int) -> Iterator[str]:
    """What attention and rejection cost: the median of the ratios of one round each."""
    yield "| model | ms | its plain backbone, ms | ratio |"
    yield "| --- | --- | --- | --- |"
    for subject in shipped():
        ours, plain = timed([subject, plain_backbone(subject)], 4 * invocations)
        ratio = median(mine / bare for mine, bare in zip(ours, plain, strict=True))
        yield f"| {subject.name} | {1000 * median(ours):.2f} | {1000 * median(plain):.2f} | {ratio:.3f} |"


def plain_backbone(subject: Subject) -> Subject:
    import keras
    from medsdk_converters import backbones, export, recipes
    from medsdk_converters.recipe import read_recipe

    recipe = read_recipe(recipes.locate(subject.name.removeprefix(PREFIX)))
    side = recipe.input.height
    model = backbones.build(recipe.model.backbone, height=side, width=side, outputs=recipe.logits, weights=None)
    image = keras.Input(batch_shape=(1, side, side, 3), name="image")
    pixels = np.random.default_rng(1).integers(0, 256, (4, side, side, 3)).astype(np.uint8)
    plain = keras.Model(image, model(image)[0], name="plain")
    return Subject("plain", export.convert(plain, pixels, "int8", export.PLAIN_RANGE), side, "int8")


def once(model: Model) -> float:
    picture: Any = np.random.default_rng(1).integers(0, 256, model.input_shape).astype(model.input_dtype)
    model.run(picture)  # the one before belonged to another model, whose weights are in the cache
    begin = time.perf_counter()
    model.run(picture)
    return time.perf_counter() - begin


def compared(folder: Path) -> Iterator[str]:
    """The report's networks and ours on the same test pictures, from the cards."""
    yield "| set | figure | the report's network | medsdk |"
    yield "| --- | --- | --- | --- |"
    for disease in TRAINED:
        theirs = read_card(folder / f"report_{disease}" / "card.json")
        ours = {each.set: each for each in read_card(PLUGINS / disease / f"medsdk_{disease}" / "card.json").evaluations}
        for evaluation in theirs.evaluations:
            for name in COMPARED:
                mine = ours[evaluation.set].figures.get(name) if evaluation.set in ours else None
                if name in evaluation.figures and mine is not None:
                    yield f"| {disease}: {evaluation.set} | {name} | {said(evaluation.figures[name])} | {said(mine)} |"


def said(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def table(rows: list[Row]) -> str:
    lines = [
        f"Measured on {platform.machine()} with {runtime()}, one thread, median.",
        "",
        "| model | pixels | precision | MB | ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {r.name} | {r.side} | {r.precision} | {r.megabytes:.1f} | {r.milliseconds:.1f} |" for r in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
