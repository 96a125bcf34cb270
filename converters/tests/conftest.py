"""A small set of drawn pictures, and a recipe that a tiny network learns it by in seconds."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

SIDE = 48

RECIPE = """
name = "spots-1"
disease = "spots"
seed = 3
choose = "auc"

[model]
backbone = "report_malaria"
weights = "none"
batch_norm = "train"
dropout = 0.1

[input]
height = 48
width = 48
steps = [{ name = "resize" }]

[[labels]]
id = "plain"
name = "a plain disc"
positive = false

[[labels]]
id = "spotted"
name = "a disc with a spot"
positive = true

[[data]]
name = "spots"
labels = { plain = "plain", spotted = "spotted" }
licence = "CC0-1.0"
citation = "drawn by this test"

[augmentation]
flip_horizontal = true

[schedule]
batch = 16
phases = [{ epochs = 3, learning_rate = 0.003 }]

[reject]
components = 4

[card]
name = "Spots"
codes = { icd10 = "Z00", snomed_ct = "0" }
picture = "a drawn disc"
licence = "CC0-1.0"
intended_use = "To show that the factory works."
limits = ["It knows nothing but drawings."]
"""


def draw(spotted: bool, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A disc on a mottled ground, RGB uint8; a spotted one has a dark spot somewhere in the disc."""
    ground = random.integers(40, 140, (6, 6, 3)).astype(np.uint8)
    picture = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    x, y = (int(v) for v in random.integers(20, 29, 2))
    cv2.circle(picture, (x, y), 17, tuple(int(v) for v in random.integers(170, 250, 3)), -1)
    if spotted:
        dx, dy = (int(v) for v in random.integers(-8, 9, 2))
        cv2.circle(picture, (x + dx, y + dy), 5, (20, 10, 60), -1)
    return np.asarray(picture, np.uint8)


def write_pictures(folder: Path, count: int, random: np.random.Generator, prefix: str = "") -> list[Path]:
    """`count` pictures of each label in folder/label/."""
    files = []
    for label in ("plain", "spotted"):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            files.append(folder / label / f"{prefix}{i:03d}.png")
            cv2.imwrite(str(files[-1]), cv2.cvtColor(draw(label == "spotted", random), cv2.COLOR_RGB2BGR))
    return files


def write_manifest(folder: Path, rows: list[dict[str, Any]]) -> None:
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session")
def spots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train, val and test of drawn discs."""
    folder = tmp_path_factory.mktemp("data") / "spots"
    random = np.random.default_rng(5)
    for split, count in (("train", 48), ("val", 24), ("test", 24)):
        write_pictures(folder / split, count, random)
    return folder


@pytest.fixture(scope="session")
def unsplit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same kind of pictures without splits, three to a group."""
    folder = tmp_path_factory.mktemp("unsplit") / "spots"
    files = write_pictures(folder, 60, np.random.default_rng(6))
    write_manifest(
        folder,
        [{"file": f.relative_to(folder).as_posix(), "label": f.parent.name, "group": f"p{int(f.stem) // 3}"} for f in files],
    )
    return folder


@pytest.fixture
def two_hospitals(tmp_path: Path) -> Path:
    """Pictures of two sources, both with both labels in every split."""
    folder, rows = tmp_path / "two" / "spots", []
    for seed, source in enumerate(("north", "south")):
        for place, split in enumerate(("train", "val", "test")):
            files = write_pictures(folder, 24, np.random.default_rng([seed, place]), f"{source}-{split}-")
            rows += [
                {
                    "file": f.relative_to(folder).as_posix(),
                    "label": f.parent.name,
                    "group": str(f),
                    "source": source,
                    "split": split,
                }
                for f in files
            ]
    write_manifest(folder, rows)
    return folder


@pytest.fixture
def recipe_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the recipe with some of its text replaced."""

    def write(*replacements: tuple[str, str], name: str = "spots.toml") -> Path:
        text = RECIPE
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # TensorFlow's own variables under NumPy 2, and its SWIG types under Python 3.12; nothing here can change them.
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning"))


@pytest.fixture(scope="session")
def trained(spots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle `b`, its work folder `b.work` and the recipe, as `medsdk train --mobile` leaves them."""
    pytest.importorskip("tensorflow")
    from click.testing import CliRunner
    from medsdk_converters import cli

    folder = tmp_path_factory.mktemp("trained")
    (folder / "spots.toml").write_text(RECIPE)
    arguments = [str(folder / "spots.toml"), "--data", str(spots), "--out", str(folder / "b"), "--mobile"]
    result = CliRunner().invoke(cli.train, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder
