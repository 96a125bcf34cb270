"""What speed.py times: the floor, the peer, and the pictures."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import medsdk
from medsdk.core.runtime import runtime

_SIZES = {"130 px PNG": (130, 130, ".png"), "1 MP JPEG": (1024, 1024, ".jpg"), "12 MP JPEG": (4000, 3000, ".jpg")}


def picture(folder: Path, name: str) -> str:
    """Coarse shapes and fine grain, about as hard to decode as a photograph; drawn once."""
    width, height, ending = _SIZES[name]
    path = folder / f"{width}x{height}{ending}"
    if not path.exists():
        random = np.random.default_rng(0)
        shapes = cv2.resize(random.integers(60, 220, (48, 48, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
        grain = random.normal(0, 3, shapes.shape)
        cv2.imwrite(str(path), np.clip(shapes + grain, 0, 255).astype(np.uint8))
    return str(path)


class Floor:
    """What somebody would write who needs nothing but the scores of pictures that are known to be good.

    A card that asks for more than the resize has its own steps run here too: they are the model's, not the SDK's.
    """

    def __init__(self, analyzer: medsdk.Analyzer) -> None:
        card = analyzer.card
        self._size = (card.input.width, card.input.height)
        self._steps = analyzer.plugin.preprocess if len(card.input.steps) > 1 else None
        self._interpreter = runtime().interpreter(model_content=analyzer.plugin.model, num_threads=1)
        self._interpreter.allocate_tensors()
        (self._input,) = (details["index"] for details in self._interpreter.get_input_details())
        self._outputs = [details["index"] for details in self._interpreter.get_output_details()]

    def __call__(self, path: str) -> list[Any]:
        decoded: Any = cv2.imread(path, cv2.IMREAD_COLOR)
        pixels: Any = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
        values = self._steps(pixels).values if self._steps else self._resized(pixels)
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def _resized(self, pixels: Any) -> Any:
        return cv2.resize(pixels, self._size, interpolation=cv2.INTER_AREA)[np.newaxis]


_PEER = """
import sys, time
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import ImageClassifier, ImageClassifierOptions
options = ImageClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]), max_results=-1)
with ImageClassifier.create_from_options(options) as classifier:
    print("ready", flush=True)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        classifier.classify(mp.Image.create_from_file(line.strip()))
        print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""


class Peer:
    """MediaPipe's ImageClassifier in another process, which times itself."""

    why_not = ""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    def start(cls, python: str, analyzer: medsdk.Analyzer) -> Peer | None:
        model = str(analyzer.plugin.bundle.folder / analyzer.card.model.file)
        log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process; a pipe would fill up
        process = subprocess.Popen(
            [python, "-c", _PEER, model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        if process.stdout.readline().strip() == "ready":
            return cls(process)
        process.communicate()
        log.seek(0)
        cls.why_not = (log.read().strip() or "it does not start").splitlines()[-1]
        return None

    def __call__(self, path: str) -> tuple[float, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(path + "\n")
        self._process.stdin.flush()
        wall, processor = self._process.stdout.readline().split()
        return float(wall), float(processor)

    def close(self) -> None:
        self._process.communicate()


def fake_distributions(folder: Path, count: int) -> None:
    """Plugins as pip would leave them, which nobody can import."""
    for number in range(count):
        info = folder / f"medsdk_fake{number:03}-1.0.{number}.dist-info"
        info.mkdir(parents=True)
        about = f"Metadata-Version: 2.1\nName: medsdk-fake{number:03}\nVersion: 1.0.{number}\n\n" + "A line of text.\n" * 60
        (info / "METADATA").write_text(about)
        (info / "entry_points.txt").write_text(f"[medsdk]\nfake{number:03} = medsdk_fake{number:03}\n")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
