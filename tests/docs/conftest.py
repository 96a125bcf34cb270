"""A folder with what the pages' code asks for, all of it drawn or shipped by a package."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import medsdk
from medsdk.core import analyzer
from medsdk.core.card import Calibration, Decision
from medsdk.core.site import Site, write_site

ROOT = Path(__file__).parents[2]
DOTS = ROOT / "tests" / "testing" / "bundle"
# The pages that need a model to accept what can be drawn: malaria's own rejects every drawing, as it should.
STAND_IN = ("docs/how-to/evaluate.md", "docs/how-to/watch-a-camera.md")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of the code: pictures, a labelled set, a video, a site's settings."""
    data = pytest.importorskip("skimage.data")
    cv2.imwrite(str(tmp_path / "fundus.png"), data.retina()[..., ::-1])
    cv2.imwrite(str(tmp_path / "field.jpg"), _field())
    (tmp_path / "pictures").mkdir()
    rows = ["file,label,group"]
    for number in range(8):
        cv2.imwrite(str(tmp_path / "pictures" / f"{number}.png"), _disc(number, dots=bool(number % 2)))
        rows.append(f"pictures/{number}.png,{number % 2},patient {number}")
    shutil.copy(tmp_path / "pictures" / "0.png", tmp_path / "cell.png")
    (tmp_path / "slides.csv").write_text("\n".join(rows).replace(",0,", ",uninfected,"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stand_in(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`medsdk.load("malaria")` opens the tests' model of drawn discs, and camera 0 is a video of one."""
    bundle = _as_malaria(desk / "malaria")
    load, watch = analyzer.load, medsdk.watch
    monkeypatch.setattr(medsdk, "load", lambda _, **options: load(medsdk.Bundle(bundle), **options))
    monkeypatch.setattr(medsdk, "watch", lambda judge, _, **options: watch(judge, desk / "camera.avi", **options))
    video = cv2.VideoWriter(str(desk / "camera.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 4.0, (96, 96))
    for _ in range(12):
        video.write(_disc(0, dots=True))
    video.release()
    sha256 = medsdk.Bundle(bundle).card.model.sha256
    decision = Decision(0.5, (0.5, 0.5), "youden", "val")
    counts = {"pictures": 8, "groups": 8, "positives": 4}
    made = {"data": "slides.csv", "made": "2026-01-01", "tool": "medsdk"}
    site = Site(disease="malaria", model_sha256=sha256, calibration=Calibration(), decision=decision, **counts, **made)
    write_site(site, desk / "site.json")


def _as_malaria(folder: Path) -> Path:
    shutil.copytree(DOTS, folder)
    card: dict[str, Any] = json.loads((folder / "card.json").read_bytes())
    card["disease"] = "malaria"
    card["labels"][0]["id"], card["labels"][1]["id"] = "uninfected", "parasitized"
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def _disc(seed: int, dots: bool) -> np.ndarray:
    """BGR (96, 96, 3): what the tests' model knows."""
    random = np.random.default_rng(seed)
    image = np.zeros((96, 96, 3), np.uint8)
    cv2.circle(image, (48, 48), 38, (160, 150, 220), -1)
    for angle in range(0, 360, 60) if dots else ():
        x, y = (int(48 + 18 * f(np.radians(angle))) for f in (np.cos, np.sin))
        cv2.circle(image, (x, y), 5, (90, 30, 90), -1)
    return np.clip(image + random.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)


def _field() -> np.ndarray:
    """BGR (960, 1280, 3): red cells on a slide, some with a dark ring."""
    picture = np.full((960, 1280, 3), (195, 220, 205), np.uint8)
    for number, (x, y) in enumerate((x, y) for y in range(70, 900, 95) for x in range(70, 1230, 120)):
        cv2.circle(picture, (x, y), 33, (150, 140, 190), -1)
        if 20 <= number < 25:
            cv2.circle(picture, (x - 6, y + 4), 11, (130, 40, 95), 4)
            cv2.circle(picture, (x + 5, y - 4), 6, (90, 10, 60), -1)
    noise = np.random.default_rng(0).normal(0, 2, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.2) + noise, 0, 255).astype(np.uint8)
