"""Runs on the emulated machine, and exits with 1 where it does not say the same: compare.py FOLDER [LOGITS].

Three things, from the strictest: the model on the very same input gives the same logits; the preprocessing gives the same
input but for single grey levels, because OpenCV rounds differently where a CPU has other instructions; the verdicts agree.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

import medsdk
from medsdk.core.runtime import Model, runtime

# The int8 part is exact; the last float32 steps may round differently on another CPU.
LOGITS = 1e-5
GREY_LEVELS = 2


def main(folder: Path, limit: float = LOGITS) -> int:
    expected = json.loads((folder / "expected.json").read_text())
    print(f"{len(expected)} shipped models on {platform.machine()}, {runtime()}")
    agreed = [_agrees(disease, pictures, folder, limit) for disease, pictures in expected.items()]
    return 0 if all(agreed) else 1


def _agrees(disease: str, pictures: list[dict[str, Any]], folder: Path, limit: float) -> bool:
    logits = grey = 0.0
    verdicts = 0
    with medsdk.load(disease) as analyzer, Model(analyzer.plugin.model, disease) as model:
        for seed, said in enumerate(pictures):
            theirs = np.load(folder / f"{disease}_{seed}.npy")
            outputs = analyzer.outputs(folder / f"{seed}.png")
            found = model.run(theirs)[analyzer.card.outputs.logits]
            logits = max(logits, float(np.abs(found - np.array(said["logits"], np.float32)).max()))
            grey = max(grey, float(np.abs(outputs.tensor.values.astype(float) - theirs).max()))
            verdicts += analyzer.predict(folder / f"{seed}.png").verdict == said["verdict"]
    print(f"{disease}: logits on one input off by {logits:.2g}, inputs by {grey:g}, verdicts {verdicts} of {len(pictures)}")
    # Where another limit is given the runtime rounds int8 otherwise, and so may the finder of lungs before a model.
    alike = grey <= GREY_LEVELS and verdicts == len(pictures)
    return logits <= limit and (alike or limit > LOGITS)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(float, sys.argv[2:])))
