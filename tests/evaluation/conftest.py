"""A card of any kind, labelled pictures on disk, and an analyzer whose model is plain to see."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core.card import (
    Calibration,
    Card,
    Codes,
    Decision,
    File,
    Input,
    Label,
    Outputs,
    Rejection,
    Training,
)
from medsdk.core.images import Picture
from medsdk.core.plugin import ModelOutputs
from medsdk.core.preprocessing import Tensor

SHA256 = "0" * 64

MakeCard = Callable[..., Card]


@pytest.fixture(scope="session")
def make_card() -> MakeCard:
    """`make_card([False, True], "softmax", .5)`: which labels are positive, the activation, the threshold."""

    def make(
        positive: Sequence[bool] = (False, True),
        activation: Any = "softmax",
        threshold: float = 0.5,
        band: tuple[float, float] | None = None,
    ) -> Card:
        return Card(
            schema_version=1,
            disease="redness",
            name="Redness <of> pictures",
            codes=Codes("Z00", "0"),
            picture="a red picture",
            labels=tuple(Label(f"l{at}", f"Label {at}", is_positive) for at, is_positive in enumerate(positive)),
            input=Input(8, 8),
            outputs=Outputs(activation=activation, features=None),
            decision=Decision(threshold, band or (threshold, threshold), "youden", "val"),
            calibration=Calibration(),
            rejection=Rejection(1.0, "blueness", "val"),
            model=File("model.tflite", 1, SHA256),
            reference=None,
            evaluations=(),
            training=Training("none", 0, "today", "nobody", "none", ()),
            licence="CC0",
            intended_use="tests",
            limits=(),
        )

    return make


class _Plugin(medsdk.DiseasePlugin):
    """Rejects what is blue: the distance stands in the outputs' features."""

    def __init__(self, card: Card) -> None:
        self.bundle = SimpleNamespace(card=card, reference={}, folder=Path("redness"))  # type: ignore[assignment]

    @property
    def model(self) -> bytes:
        return b""

    def distance(self, outputs: ModelOutputs) -> float | None:
        return None if outputs.features is None else float(outputs.features.mean())


class RednessAnalyzer(medsdk.Analyzer):
    """A real analyzer, but for the interpreter: the logit of label 1 is (red - 128) / 20, the distance blue / 128."""

    def _infer(self, tensors: Sequence[Tensor], views: Sequence[Picture]) -> list[ModelOutputs]:
        return [self._see(tensor, view) for tensor, view in zip(tensors, views, strict=True)]

    def _see(self, tensor: Tensor, picture: Picture) -> ModelOutputs:
        red, _, blue = picture.pixels.reshape(-1, 3).astype(np.float32).mean(axis=0)
        logits = np.array([0, (red - 128) / 20], np.float32)
        return ModelOutputs(logits, np.full((1, 1, 1), blue / 128, np.float32), tensor, picture)


@pytest.fixture(scope="session")
def redness(make_card: MakeCard) -> Iterator[medsdk.Analyzer]:
    with RednessAnalyzer(_Plugin(make_card(band=(0.4, 0.6)))) as analyzer:
        yield analyzer


@pytest.fixture(scope="session")
def png() -> Callable[[int, int], bytes]:
    """A picture of so much red and blue; its green has contrast, so that it is not blank."""

    def encode(red: int, blue: int = 0) -> bytes:
        pixels = np.zeros((8, 8, 3), np.uint8)
        pixels[..., 0], pixels[..., 2] = blue, red
        pixels[::2, :, 1] = 255
        return bytes(cv2.imencode(".png", pixels)[1])

    return encode


def _write_tar(path: Path, manifest: str, images: dict[str, bytes], folder: str = "") -> Path:
    with tarfile.open(path, "w") as tar:
        files = {"manifest.csv": manifest.encode(), **{f"images/{file}": data for file, data in images.items()}}
        for file, content in files.items():
            member = tarfile.TarInfo(folder + file)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def write_tar(tmp_path: Path) -> Callable[..., Path]:
    """`write_tar(manifest, images, folder)`: a pack."""
    return partial(_write_tar, tmp_path / "pack.tar")


@pytest.fixture(scope="session")
def red_pack(tmp_path_factory: pytest.TempPathFactory, png: Callable[..., bytes]) -> Path:
    """80 val and 80 test pictures, red ones ill, in 40 groups each and two sources; one of ten is blue."""
    random = np.random.default_rng(0)
    lines, images = ["file,label,group,source,split"], {}
    for split in ("val", "test"):
        for at in range(80):
            ill = at % 2
            red = int(np.clip(random.normal(150 if ill else 105, 25), 0, 255))
            name = f"{split}{at}.png"
            lines.append(f"{name},{'sick' if ill else 'l0'},{split}{at // 2},{'east' if at < 40 else 'west'},{split}")
            images[name] = png(red, 200 if at % 10 == 0 else 0)
    return _write_tar(tmp_path_factory.mktemp("red") / "pack.tar", "\n".join(lines), images)
