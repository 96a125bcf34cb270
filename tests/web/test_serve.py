"""`medsdk serve` from outside: what it prints, what it asks for, how it stops."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import drawing
import httpx
import pytest
from click.testing import CliRunner

from medsdk.cli.serve import command
from medsdk.core.errors import MedsdkError
from medsdk.web.server import bind
from medsdk.web.settings import Settings

SLIDE = drawing.encoded(drawing.slide(7, seed=107))
PREDICT = "/api/v1/diseases/spots/predict"


@contextmanager
def started(
    plugins: Path, *arguments: str, verify: ssl.SSLContext | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program and its address, when it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(plugins), "MEDSDK_PLUGINS": "medsdk-spots"}
    program = subprocess.Popen(
        [sys.executable, "-c", "from medsdk.cli.serve import command; command()", "--port", str(port), *arguments],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = f"{'https' if verify else 'http'}://127.0.0.1:{port}"
    try:
        _wait(program, address, verify or True)
        yield program, address
    finally:
        program.kill()
        program.communicate()


def _wait(program: subprocess.Popen[str], address: str, verify: ssl.SSLContext | bool) -> None:
    deadline = time.monotonic() + 60
    while program.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/api/v1/readiness", verify=verify).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")


def stop(program: subprocess.Popen[str], how: signal.Signals) -> tuple[int, str]:
    program.send_signal(how)
    _, said = program.communicate(timeout=60)
    return program.returncode, said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_loopback_without_a_token_and_stops_cleanly(plugins: Path, how: signal.Signals) -> None:
    with started(plugins) as (program, address):
        assert httpx.post(address + PREDICT, content=SLIDE).json()["verdict"] == "positive"
        _, said = stop(program, how)
    assert f"open {address}/\n" in said
    assert "POST /api/v1/diseases/{disease}/predict 200" in said
    assert "Traceback" not in said


def test_the_network_needs_the_token_that_it_prints(plugins: Path) -> None:
    with started(plugins, "--host", "0.0.0.0") as (program, address):
        refused = httpx.post(address + PREDICT, content=SLIDE)
        _, said = stop(program, signal.SIGTERM)
    assert refused.status_code == 401
    printed = re.search(r"/sign-in#(\S+)", said)
    assert printed
    assert f"Authorization: Bearer {printed[1]}" in said
    assert "unencrypted" in said


def test_a_token_from_the_environment_is_asked_for(plugins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = "from-the-environment"
    monkeypatch.setenv("MEDSDK_TOKEN", token)
    with started(plugins, "--quiet") as (program, address):
        assert httpx.get(f"{address}/api/v1/diseases").status_code == 401
        headers = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{address}/api/v1/diseases", headers=headers).status_code == 200
        _, said = stop(program, signal.SIGTERM)
    assert " 200 " not in said


def test_the_network_without_a_token_must_be_asked_for(plugins: Path) -> None:
    with started(plugins, "--host", "0.0.0.0", "--no-token") as (program, address):
        assert httpx.post(address + PREDICT, content=SLIDE).status_code == 200
        _, said = stop(program, signal.SIGTERM)
    assert "everybody in this network" in said


def test_a_port_in_use_is_an_error_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MedsdkError, match=f"port {port}, cannot be served .* Choose another"):
            bind(Settings(port=port))


def test_answers_are_not_held_back_by_nagles_algorithm() -> None:
    """asyncio turns it off only on sockets that name their protocol; with it each answer takes 40 ms more."""
    with bind(Settings(port=0)) as listening:
        assert listening.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--token", "short"], "at least 16"),
        (["--token", "long-enough-for-a-token", "--no-token"], "exclude each other"),
        (["--certificate", __file__], "go together"),
        (["--workers", "0"], "x>=1"),
    ],
)
def test_wrong_usage_says_what_is_wrong(arguments: list[str], complaint: str) -> None:
    ended = CliRunner().invoke(command, arguments)
    assert ended.exit_code == 2
    assert complaint in ended.output


def test_without_the_extra_it_says_how_to_get_it() -> None:
    """In a Python in which FastAPI cannot be found."""
    code = (
        "import sys, importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'fastapi' else find(name, *a)\n"
        "from medsdk.core.errors import MissingExtraError\n"
        "try:\n    import medsdk.web\nexcept MissingExtraError as error:\n    print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "[web]'" in said


def test_the_library_and_the_command_line_do_not_need_the_extra() -> None:
    code = (
        "import medsdk.cli.serve, medsdk.core.analyzer, sys; assert not {'fastapi', 'uvicorn', 'jinja2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_a_certificate_makes_it_https(plugins: Path, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run([openssl, *make, "-out", certificate, "-keyout", key], check=True, capture_output=True, timeout=60)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with started(plugins, "--certificate", str(certificate), "--key", str(key), verify=trusting) as (program, address):
        assert httpx.post(address + PREDICT, content=SLIDE, verify=trusting).json()["verdict"] == "positive"
        _, said = stop(program, signal.SIGTERM)
    assert f"open {address}/\n" in said
