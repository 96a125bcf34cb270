"""The public API is the reviewed list in api.txt, no more and no less."""

from __future__ import annotations

import runpy
from difflib import unified_diff
from pathlib import Path

HERE = Path(__file__).parent


def test_the_public_api_is_the_reviewed_list() -> None:
    reviewed = (HERE / "api.txt").read_text(encoding="utf-8").splitlines()
    found = list(runpy.run_path(str(HERE / "describe.py"))["describe"]())
    difference = "\n".join(unified_diff(reviewed, found, "api.txt, reviewed", "medsdk, found", lineterm="", n=0))
    assert found == reviewed, (
        f"The public API has changed:\n{difference}\n"
        "If that is meant, read docs/reference/stability.md, write a line in CHANGELOG.md, then: "
        "python tests/api/describe.py > tests/api/api.txt"
    )


def test_no_promised_signature_names_a_private_module() -> None:
    text = (HERE / "api.txt").read_text(encoding="utf-8")
    assert "medsdk.core." not in text
    assert " at 0x" not in text
