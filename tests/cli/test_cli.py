from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from medsdk.cli import main


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, prog_name="medsdk")


@pytest.fixture
def eye(fundus: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "eye.png"
    cv2.imwrite(str(path), cv2.resize(fundus, (600, 600), interpolation=cv2.INTER_AREA)[..., ::-1])
    return path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.png"
    path.write_text("no picture")
    return path


def test_list_names_what_is_installed() -> None:
    lines = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert {"malaria", "retinopathy"} <= {line["id"] for line in lines}
    assert "medsdk-malaria" in run("list").stdout
    assert next(csv.DictReader(io.StringIO(run("list", "--csv").stdout)))["distribution"].startswith("medsdk-")


def test_info_shows_the_card() -> None:
    assert json.loads(run("info", "malaria", "--json").stdout)["card"]["disease"] == "malaria"
    shown = run("info", "malaria").stdout
    assert "95 % interval" in shown
    assert "limit " in shown
    assert {row["figure"] for row in csv.DictReader(io.StringIO(run("info", "malaria", "--csv").stdout))} >= {"auc"}


def test_predict_prints_one_readable_block(eye: Path) -> None:
    result = run("predict", "retinopathy", eye)
    assert result.exit_code == 0
    assert "operating point" in result.stdout
    assert "not a diagnosis" in result.stdout


def test_predict_as_json_and_csv(eye: Path) -> None:
    as_json = json.loads(run("predict", "retinopathy", eye, "--json").stdout)
    as_csv = next(csv.DictReader(io.StringIO(run("predict", "retinopathy", eye, "--csv").stdout)))
    assert as_json["verdict"] == as_csv["verdict"]
    assert float(as_csv["probability"]) == pytest.approx(as_json["probability"])
    assert as_csv["model_sha256"] == as_json["provenance"]["model_sha256"]


def test_predict_reads_standard_input(eye: Path) -> None:
    from_file = json.loads(run("predict", "retinopathy", eye, "--json").stdout)
    from_input = json.loads(run("predict", "retinopathy", "-", "--json", stdin=eye.read_bytes()).stdout)
    assert from_input["scores"] == from_file["scores"]


def test_the_overlay_is_written(eye: Path, tmp_path: Path) -> None:
    target = tmp_path / "overlay.png"
    assert run("predict", "retinopathy", eye, "--attention", target).exit_code == 0
    assert cv2.imread(str(target)).shape == (600, 600, 3)


def test_a_rejected_picture_has_no_overlay(eye: Path, tmp_path: Path) -> None:
    target = tmp_path / "overlay.png"
    result = run("predict", "malaria", eye, "--attention", target)
    assert "rejected" in result.stdout
    assert "not written" in result.stderr
    assert not target.exists()


def test_exit_codes(eye: Path, text: Path, tmp_path: Path) -> None:
    assert run("predict", "retinopathy", eye, "--fail-on", "positive").exit_code in (0, 10)
    assert run("predict").exit_code == 2
    assert run("predict", "retinopathy", eye, eye, "--attention", tmp_path / "x.png").exit_code == 2
    assert run("predict", "retinopathy", text).exit_code == 3
    assert run("predict", "nonesuch", eye).exit_code == 4
    many = run("predict", "retinopathy", eye, text, "--json")
    assert many.exit_code == 6
    assert [json.loads(line)["error"] is None for line in many.stdout.splitlines()] == [True, False]
    assert "text.png" in many.stderr


def test_errors_go_to_standard_error(text: Path) -> None:
    result = run("predict", "retinopathy", text)
    assert result.stdout == ""
    assert "text.png" in result.stderr
    assert "Convert it" in result.stderr


def test_identify(eye: Path, text: Path) -> None:
    assert "retinopathy" in run("identify", eye).stdout
    assert json.loads(run("identify", eye, "--json").stdout)["diseases"][0]["disease"] == "retinopathy"
    assert "retinopathy" in run("identify", eye, "--csv").stdout
    assert run("identify", text).exit_code == 3
    assert run("identify", eye, text).exit_code == 6


def test_doctor_is_content() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    for part in ("runtime", "malaria", "retinopathy", "numpy"):
        assert part in result.stdout
    assert all(json.loads(line)["state"] == "ok" for line in run("doctor", "--json").stdout.splitlines())


def test_every_command_has_help() -> None:
    assert "Commands:" in run("--help").stdout
    for name in ("list", "info", "predict", "identify", "doctor"):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "Usage: medsdk" in result.stdout
