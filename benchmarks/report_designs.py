"""Latency and size of the original report's six designs beside the models that medsdk ships, as a Markdown table.

    python benchmarks/report_designs.py [--invocations 50] [--int8]

The designs are built with random weights, which changes neither figure; it needs medsdk-converters. One thread, one
picture, the median of many invocations. Trust ratios and not milliseconds: a busy machine slows all of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from medsdk.core.bundle import Bundle
from medsdk.core.runtime import Model, runtime

PLUGINS = Path(__file__).parent.parent / "plugins"
WARM_UP = 5


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
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    rows = [*designs(arguments.invocations, arguments.int8), *shipped(arguments.invocations)]
    print(table(rows))


def designs(invocations: int, int8: bool) -> Iterator[Row]:
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
            content = export.to_tflite(model, pixels, precision)
            yield measured(design.name, content, precision, invocations)


def shipped(invocations: int) -> Iterator[Row]:
    """The bundles in plugins/, whichever there are."""
    for card in sorted(PLUGINS.glob("*/medsdk_*/card.json")):
        bundle = Bundle(card.parent)
        precision = "int8" if bundle.card.input.dtype == "uint8" else "float"
        yield measured(f"medsdk: {bundle.card.disease}", bundle.model(), precision, invocations)


def measured(name: str, content: bytes, precision: str, invocations: int) -> Row:
    with Model(content, name) as model:
        shape, dtype = model.input_shape, model.input_dtype
        picture: Any = np.random.default_rng(1).integers(0, 256, shape).astype(dtype)
        times = []
        for number in range(WARM_UP + invocations):
            begin = time.perf_counter()
            model.run(picture)
            if number >= WARM_UP:
                times.append(time.perf_counter() - begin)
    return Row(name, shape[1], precision, len(content) / 1e6, 1000 * median(times))


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
