from __future__ import annotations

import subprocess
import sys

import pytest

import medsdk


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_medsdk_imports_next_to_nothing() -> None:
    heavy = "{'cv2', 'numpy', 'pluggy', 'msgspec', 'ai_edge_litert', 'tensorflow', 'medsdk_malaria', 'medsdk_retinopathy'}"
    assert run(f"import sys, medsdk; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_listing_imports_no_plugin() -> None:
    code = "import sys, medsdk; print(sorted(medsdk.diseases())); print([m for m in sys.modules if m.startswith('medsdk_')])"
    names, imported = run(code).splitlines()
    assert {"malaria", "retinopathy"} <= set(eval(names))
    assert imported == "[]"
    assert run("import sys; from medsdk.cli import main; main(['list'], standalone_mode=False)").count("medsdk-") >= 2


def test_every_public_name_is_there_sorted_and_documented() -> None:
    assert medsdk.__all__ == sorted(medsdk.__all__)
    for name in medsdk.__all__:
        value = getattr(medsdk, name)
        assert name == "hookimpl" or value.__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = medsdk.no_such_name


def test_what_type_checkers_see_is_what_is_there() -> None:
    from pathlib import Path

    text = Path(medsdk.__file__).read_text()
    promised = {line.split(" as ")[1] for line in text.splitlines() if line.startswith("    from ") and " as " in line}
    assert promised == set(medsdk.__all__)
