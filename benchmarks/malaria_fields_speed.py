"""What a whole field costs: time by part, peak memory by size, and whether a changed picture gives the same count.

    python benchmarks/malaria_fields_speed.py --data FOLDER [--only time|memory|invariance]

Time is the process's own, on one core; every part is told as the median over test fields. The same number of cells alone
goes through the model beside it, so that a busy machine shows in both. Memory is the peak of a new process that judges one
test field, scaled to the size. Invariance compares the red cells counted by `predict` in a field and in its copy that was
turned, mirrored, darkened or scaled, from 1280x960 pixels; a copy that is refused counts as one hundred percent away.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import malaria_fields_detection as detection
import numpy as np
import numpy.typing as npt

import medsdk

Image = npt.NDArray[np.uint8]

SIZES = {"1.2 MP": 1.0, "5 MP": 2.0, "8 MP": 2.6, "12 MP": 3.2}
WITHIN = 0.05


def scaled(image: Image, factor: float) -> Image:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=how), dtype=np.uint8)


CHANGES: dict[str, Callable[[Image], Image]] = {
    "turned by 90 degrees": lambda image: np.ascontiguousarray(np.rot90(image)),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "20 % darker": lambda image: (image * 0.8).astype(np.uint8),
    "at half size": lambda image: scaled(image, 0.5),
    "at 0.7 of its size": lambda image: scaled(image, 0.7),
    "at 1.4 times its size": lambda image: scaled(image, 1.4),
    "at double size": lambda image: scaled(image, 2.0),
}


def some_fields(data: Path, every: int) -> list[Image]:
    return [field.image for index, field in enumerate(detection.fields(data, "test")) if index % every == 0]


def timed(call: Callable[[], object]) -> tuple[object, float]:
    start = time.process_time()
    return call(), 1000.0 * (time.process_time() - start)


def parts(analyzer: medsdk.Analyzer, image: Image, seen: Image) -> dict[str, float]:
    """Milliseconds of one field."""
    found, regions = timed(lambda: analyzer.plugin.regions(image))
    assert isinstance(found, medsdk.Regions)
    _, invokes = timed(lambda: [analyzer.outputs(seen) for _ in found.judged])
    return {
        "cells": len(found.items),
        "shown to the model": len(found.judged),
        "regions: segmentation, first look, cutouts": regions,
        "preprocess and invoke": invokes,
        "the whole way": whole_way(analyzer, image),
        "per invoke": invokes / max(1, len(found.judged)),
    }


def whole_way(analyzer: medsdk.Analyzer, image: Image) -> float:
    """Milliseconds."""
    return timed(lambda: analyzer.predict(image))[1]


def times(analyzer: medsdk.Analyzer, data: Path) -> None:
    images = some_fields(data, 4)
    cell = np.full((70, 70, 3), 120, np.uint8)
    analyzer.predict(images[0])
    found = [parts(analyzer, image, cell) for image in images]
    for name in found[0]:
        values = [each[name] for each in found]
        print(f"{name:44} median {np.median(values):7.1f}   least {min(values):7.1f}")
    for name, factor in SIZES.items():
        costs = [whole_way(analyzer, scaled(image, factor)) for image in images[:4]]
        print(f"{'the whole way, ' + name:44} median {np.median(costs):7.1f}   least {min(costs):7.1f}")


CODE = """
import sys, medsdk
from medsdk.bench.measure import peak_memory_mb
found = medsdk.load("malaria").predict(sys.argv[1], as_regions=True)
print(f"{peak_memory_mb():.0f} MB, {found.details.get('red_cells', found.reason)}")
"""


def memory(data: Path) -> None:
    image = some_fields(data, 60)[0]
    with tempfile.TemporaryDirectory() as folder:
        for name, factor in SIZES.items():
            path = Path(folder) / "field.jpg"
            cv2.imwrite(str(path), cv2.cvtColor(scaled(image, factor), cv2.COLOR_RGB2BGR))
            done = subprocess.run([sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=True)
            print(f"peak of one process, {name:8} {done.stdout.strip()} red cells")


def invariance(analyzer: medsdk.Analyzer, data: Path, every: int) -> None:
    images = some_fields(data, every)

    def count(image: Image) -> int:
        return int(analyzer.predict(image, as_regions=True).details.get("red_cells", 0))

    counts = [count(image) for image in images]
    for name, change in CHANGES.items():
        away = np.abs([count(change(image)) / one - 1.0 for image, one in zip(images, counts, strict=True)])
        print(f"count, {name:24} within 5 % {np.mean(away <= WITHIN):.3f} of {len(away)}   largest {away.max():.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the packs")
    parser.add_argument("--only", choices=("time", "memory", "invariance"), action="append")
    parser.add_argument("--every", type=int, default=1, help="of the test fields, one in so many for the invariance")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    chosen = options.only or ["time", "memory", "invariance"]
    with medsdk.load("malaria") as analyzer:
        if "time" in chosen:
            times(analyzer, options.data)
        if "memory" in chosen:
            memory(options.data)
        if "invariance" in chosen:
            invariance(analyzer, options.data, options.every)
    return 0


if __name__ == "__main__":
    sys.exit(main())
