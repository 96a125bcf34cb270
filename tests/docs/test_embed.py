"""docs/how-to/embed.md: its three programs answer, and refuse what is no picture."""

from __future__ import annotations

import queue
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "embed.md"
FILES = dict(re.findall(r"^```python (\S+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def program(name: str) -> dict[str, Any]:
    given: dict[str, Any] = {"__name__": name.removesuffix(".py")}
    exec(compile(FILES[name], name, "exec", dont_inherit=True), given)
    return given


def test_every_file_of_the_page_is_run_here() -> None:
    assert set(FILES) == {"flask_app.py", "fastapi_app.py", "desktop.py"}


def test_flask(desk: Path) -> None:
    pytest.importorskip("flask")
    client = program("flask_app.py")["app"].test_client()
    answer = client.post("/judge", data=Path("fundus.png").read_bytes())
    assert answer.json["verdict"] in ("positive", "negative", "inconclusive")
    refused = client.post("/judge", data=b"no picture")
    assert refused.status_code == 422
    assert refused.json["remedy"]


def test_fastapi(desk: Path) -> None:
    pytest.importorskip("httpx")
    testclient = pytest.importorskip("fastapi.testclient")
    client = testclient.TestClient(program("fastapi_app.py")["app"])
    headers = {"Content-Type": "application/octet-stream"}
    answer = client.post("/judge", content=Path("fundus.png").read_bytes(), headers=headers)
    assert answer.json()["verdict"] in ("positive", "negative", "inconclusive")
    refused = client.post("/judge", content=b"no picture", headers=headers)
    assert refused.status_code == 422
    assert refused.json()["remedy"]


def test_a_desktop_program_is_told_in_its_own_thread(desk: Path) -> None:
    posted: queue.Queue[Callable[[], None]] = queue.Queue()
    shown: list[str] = []
    judge = program("desktop.py")["Judge"]("retinopathy", posted.put, shown.append)
    for picture in ("fundus.png", "gone.png"):
        judge.ask(picture)
        call = posted.get(timeout=60)
        before = len(shown)
        call()
        assert len(shown) == before + 1
    judge.close()
    assert shown[0].startswith(("positive, ", "negative, ", "The probability lies"))
    assert "gone.png" in shown[1]
