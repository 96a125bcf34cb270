"""What this machine says of the drawn pictures, for every bundle that is shipped: expected.py FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.append(str(Path(__file__).parents[2]))

import medsdk
from tests.arm64.pictures import COUNT, drawn


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(COUNT):
        # PNG, because JPEG decoders may differ by one grey level from machine to machine.
        (folder / f"{seed}.png").write_bytes(cv2.imencode(".png", drawn(seed)[..., ::-1])[1].tobytes())
    found = {}
    for path in sorted(Path(__file__).parents[2].glob("plugins/*/*/card.json")):
        disease = json.loads(path.read_text(encoding="utf-8"))["disease"]
        with medsdk.load(disease) as analyzer:
            found[disease] = [_said(analyzer, folder, seed) for seed in range(COUNT)]
    (folder / "expected.json").write_text(json.dumps(found))


def _said(analyzer: medsdk.Analyzer, folder: Path, seed: int) -> dict[str, object]:
    picture = folder / f"{seed}.png"
    outputs = analyzer.outputs(picture)
    np.save(folder / f"{analyzer.disease}_{seed}.npy", outputs.tensor.values)
    return {"verdict": analyzer.predict(picture).verdict, "logits": [float(x) for x in outputs.logits]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
