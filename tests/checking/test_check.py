"""`medsdk check`: every question can fail, nothing damaged is imported, and the exit code tells."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner, Result

from medsdk.checking import Check, all_passed, check_bundle
from medsdk.cli import check as command
from medsdk.cli import main
from medsdk.core import runtime
from medsdk.core.card import read_card

DOTS = Path(__file__).parents[1] / "testing" / "bundle"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)], prog_name="medsdk")


def answers(checks: list[Check]) -> dict[str, bool | None]:
    return {check.name: check.passed for check in checks}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DOTS, tmp_path / "dots"))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK without the converter."""
    monkeypatch.setitem(command.command.__dict__, "fuller", None)


def change_card(bundle: Path, **changes: Any) -> None:
    path = bundle / "card.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def change_reference(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Other arrays, and the hash that goes with them: damage that a hash cannot find."""
    import hashlib

    arrays = dict(np.load(bundle / "reference.npz"))
    change(arrays)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    (bundle / "reference.npz").write_bytes(buffer.getvalue())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    change_card(bundle, reference={"file": "reference.npz", "bytes": len(buffer.getvalue()), "sha256": digest})


def test_a_whole_bundle_passes_every_question() -> None:
    checks = check_bundle(DOTS)
    assert answers(checks) == dict.fromkeys(
        ("schema", "sha256", "signature", "delegate", "size", "reference", "preprocessing"), True
    )


def test_no_card_at_all(tmp_path: Path) -> None:
    assert answers(check_bundle(tmp_path)) == {"schema": False}


def test_a_damaged_model_ends_the_questions(bundle: Path) -> None:
    model = bundle / "model.tflite"
    model.write_bytes(model.read_bytes()[:-1] + b"\1")
    checks = check_bundle(bundle)
    assert answers(checks) == {"schema": True, "sha256": False}
    assert "model.tflite" in checks[-1].message


def test_a_file_that_the_card_names_besides(bundle: Path) -> None:
    change_card(bundle, files=[{"file": "more.npz", "bytes": 1, "sha256": "0" * 64}])
    checks = check_bundle(bundle)
    assert answers(checks) == {"schema": True, "sha256": False}
    assert "more.npz" in checks[-1].message


def test_a_model_of_another_shape(bundle: Path) -> None:
    card = msgspec.to_builtins(read_card(bundle / "card.json"))
    change_card(bundle, input={**card["input"], "height": 32})
    assert answers(check_bundle(bundle))["signature"] is False


def test_a_file_that_is_no_model(bundle: Path) -> None:
    import hashlib

    (bundle / "model.tflite").write_bytes(b"nothing")
    digest = hashlib.sha256(b"nothing").hexdigest()
    change_card(bundle, model={"file": "model.tflite", "bytes": 7, "sha256": digest})
    assert answers(check_bundle(bundle)) == {"schema": True, "sha256": True, "signature": False}


def test_rejection_without_its_numbers(bundle: Path) -> None:
    change_reference(bundle, lambda arrays: arrays.pop("components"))
    assert answers(check_bundle(bundle))["reference"] is False


def test_numbers_that_are_none(bundle: Path) -> None:
    change_reference(bundle, lambda arrays: arrays.update(mean=arrays["mean"] * np.nan))
    assert answers(check_bundle(bundle))["reference"] is False


def test_preprocessing_that_has_changed_since_training(bundle: Path) -> None:
    change_reference(bundle, lambda arrays: arrays.update(golden=arrays["golden"] // 2))
    assert answers(check_bundle(bundle))["preprocessing"] is False


def test_a_trained_model_without_golden_samples(bundle: Path) -> None:
    change_reference(bundle, lambda arrays: arrays.pop("golden"))
    assert answers(check_bundle(bundle))["preprocessing"] is False
    change_card(bundle, status="untrained")
    assert answers(check_bundle(bundle))["preprocessing"] is None


def test_a_step_that_nobody_has(bundle: Path) -> None:
    card = msgspec.to_builtins(read_card(bundle / "card.json"))
    change_card(bundle, input={**card["input"], "steps": [{"name": "no_such_step"}, {"name": "resize"}]})
    assert answers(check_bundle(bundle))["preprocessing"] is False


def test_too_large_for_a_small_device(monkeypatch: pytest.MonkeyPatch) -> None:
    from medsdk.checking import model

    monkeypatch.setitem(model.MAX_BYTES, "int8", 1000)
    assert answers(check_bundle(DOTS))["size"] is False


def test_another_runtime_cannot_tell_of_delegates(monkeypatch: pytest.MonkeyPatch) -> None:
    from medsdk.checking import model

    other = dataclasses.replace(runtime.runtime(), name="tflite-runtime")
    monkeypatch.setattr(model, "runtime", lambda: other)
    checks = check_bundle(DOTS)
    assert answers(checks)["delegate"] is None
    assert all_passed(checks)


def test_an_installed_plugin_passes(publish: Any) -> None:
    publish("healthy")
    result = run("dots", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["disease"], told["distribution"], told["passed"]) == ("dots", "medsdk-dots", True)
    assert [check["name"] for check in told["checks"]][::8] == ["files", "plugin"]
    assert all(check["passed"] for check in told["checks"])


def test_all_tells_of_each_and_fails_for_one(publish: Any) -> None:
    publish("fails_on_import")
    result = run("--all")
    assert result.exit_code == 1
    assert "dots medsdk-dots 1.0: FAIL" in result.stdout
    assert "malaria medsdk-malaria 0.1.0: ok" in result.stdout
    lines = [json.loads(line) for line in run("--all", "--json").stdout.splitlines()]
    assert {line["disease"]: line["passed"] for line in lines}["dots"] is False
    assert all(line["passed"] for line in lines if line["disease"] != "dots")


def test_what_was_changed_after_installing_is_not_imported(publish: Any) -> None:
    site = publish("healthy")
    package = site / "medsdk_dots_healthy"
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    result = run("dots")
    assert result.exit_code == 1
    assert "NOT as installed: changed: medsdk_dots_healthy/__init__.py" in result.stdout
    assert "not imported" in result.stdout
    assert "medsdk_dots_healthy" not in sys.modules


def test_a_card_that_is_none_is_found_without_its_id(publish: Any) -> None:
    site = publish("healthy")
    (site / "medsdk_dots_healthy" / "card.json").write_text("{")
    checks = json.loads(run("dots", "--json").stdout)["checks"]
    assert {check["name"]: check["passed"] for check in checks} == {"files": False, "schema": False, "plugin": None}
    assert "the card is invalid" in checks[1]["message"]


def test_an_id_that_two_claim_fails(publish: Any) -> None:
    publish("healthy", entry_points="[medsdk]\ndots = {module}\nmalaria = {module}\n")
    result = run("--all")
    assert result.exit_code == 1
    assert "claimed by" in result.stdout


def test_nothing_to_check_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSDK_PLUGINS", "")
    result = run("--all")
    assert result.exit_code == 4
    assert "none is allowed" in result.stderr


@pytest.mark.usefixtures("alone")
def test_a_folder_without_the_converter(bundle: Path) -> None:
    assert run(bundle).exit_code == 0
    (bundle / "model.tflite").write_bytes(b"")
    result = run(bundle, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["passed"] is False


@pytest.mark.usefixtures("alone")
def test_without_the_converter_its_options_are_not_there(bundle: Path) -> None:
    assert "--float" not in run("--help").stdout
    assert run(bundle, "--float", "x.keras").exit_code == 2


def test_with_the_converter_a_folder_is_asked_its_questions(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    @click.command("check")
    @click.argument("bundle")
    @click.option("--float", "float_model")
    @click.option("--json", "as_json", is_flag=True)
    def fuller(**given: Any) -> None:
        asked.append(given)

    monkeypatch.setitem(command.command.__dict__, "fuller", fuller)
    assert "--float" in run("--help").stdout
    assert run(bundle, "--float", "x.keras", "--json").exit_code == 0
    assert asked == [{"bundle": bundle, "float_model": "x.keras", "as_json": True}]
    refused = run("malaria", "--float", "x.keras")
    assert refused.exit_code == 2
    assert "--float goes with the folder of one bundle" in refused.stderr


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--all", "malaria"), 2), (("no_such",), 4)])
def test_wrong_usage(arguments: tuple[str, ...], code: int) -> None:
    assert run(*arguments).exit_code == code
