from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from medsdk.cli import main


def bench(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["bench", "retinopathy", "--repeats", "10", "--threads", "1", *map(str, arguments)])


@pytest.fixture
def picture(drawn: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "drawn.png"
    cv2.imwrite(str(path), drawn[..., ::-1])
    return path


def test_a_result_is_kept_and_compared_with(picture: Path, tmp_path: Path) -> None:
    first = bench("--picture", picture, "--json")
    assert first.exit_code == 0
    kept = tmp_path / "before.json"
    kept.write_text(first.stdout)
    assert {"decode", "preprocess", "invoke", "postprocess", "total"} == json.loads(first.stdout)["stages"].keys()
    compared = bench("--picture", picture, "--json", "--compare", kept)
    assert json.loads(compared.stdout)["compared"]["ratios"]["total median"] > 0
    shown = bench("--picture", picture, "--compare", kept).stdout
    assert "p99" in shown
    assert "total median" in shown


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"stages": 1, "throughput": 2}'])
def test_another_file_is_not_compared_with(picture: Path, tmp_path: Path, content: str) -> None:
    other = tmp_path / "other.json"
    other.write_text(content)
    result = bench("--picture", picture, "--compare", other)
    assert result.exit_code == 2
    assert "is not what `medsdk bench --json` prints" in result.stderr
