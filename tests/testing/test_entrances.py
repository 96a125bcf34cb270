"""The ways into the kit: a class in a test module, `pytest --medsdk`, and `verify` without pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from medsdk.testing import Conformance, verify
from medsdk.testing.checks import CHECKS

MODULE = """
from medsdk.testing import Conformance

class TestDots(Conformance):
    disease = "dots"
    own = {own!r}
"""


def _pytest(folder: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_class_has_a_test_for_every_check() -> None:
    tests = [name for name in vars(Conformance) if name.startswith("test_")]
    assert tests == [f"test_{check.__name__}" for check in CHECKS]
    assert all(getattr(Conformance, name).__doc__ for name in tests)


def test_a_class_in_a_test_module_writes_its_golden_file_and_then_passes(publish: Any, own: Path, tmp_path: Path) -> None:
    site = publish("healthy")
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_dots.py").write_text(MODULE.format(own=str(own)))
    first = _pytest(tests, site, "-k", "golden")
    assert first.returncode == 1
    assert "pytest --medsdk-golden" in first.stdout
    assert _pytest(tests, site, "-k", "golden", "--medsdk-golden").returncode == 0
    whole = _pytest(tests, site)
    assert whole.returncode == 0, whole.stdout
    assert f"{len(CHECKS) - 1} passed, 1 skipped" in whole.stdout


def test_an_installed_disease_is_checked_without_a_test_file(publish: Any, tmp_path: Path) -> None:
    site = publish("swallows_everything")
    done = _pytest(tmp_path, site, "--medsdk", "dots")
    assert done.returncode == 1
    assert f"1 failed, {len(CHECKS) - 4} passed, 3 skipped" in done.stdout
    assert "foreign pictures are rejected" in done.stdout


def test_of_a_disease_that_is_not_installed_only_the_cause_is_told(tmp_path: Path) -> None:
    done = _pytest(tmp_path, tmp_path, "--medsdk", "no_such_disease")
    assert "2 failed" in done.stdout
    assert "pip install -e ." in done.stdout


def test_the_pytest_plugin_loads_nothing_of_medsdk(tmp_path: Path) -> None:
    code = "import sys, medsdk.testing.plugin; print(sorted({'numpy', 'cv2', 'medsdk.core'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_verify_answers_every_check_without_pytest(publish: Any) -> None:
    publish("paints_on_the_picture")
    outcomes = {outcome.check: outcome for outcome in verify("dots")}
    assert list(outcomes) == [check.__name__ for check in CHECKS]
    assert outcomes["preprocessing"].state == "failed"
    assert "changes the array" in outcomes["preprocessing"].message
    assert outcomes["registration"].state == "passed"
    assert outcomes["preprocessing_golden"].state == "skipped"
    assert all(outcome.question for outcome in outcomes.values())
