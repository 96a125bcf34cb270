"""What the web tests share: throwaway plugins, and a real server that has them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

for _name in ("fastapi", "uvicorn", "jinja2", "prometheus_client", "httpx"):
    pytest.importorskip(_name, reason="the extra medsdk[web] is not installed")

# The modules beside this one, which pytest's importlib mode does not find.
sys.path.insert(0, str(Path(__file__).parent))

from serving import Running, install_all, serving  # noqa: E402

if TYPE_CHECKING:
    from browsing import Open

ONLY = "medsdk-spots,medsdk-marks,medsdk-broken"


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugins")
    install_all(folder)
    return folder


@pytest.fixture(scope="session")
def running(plugins: Path) -> Iterator[Running]:
    """A server as `medsdk serve` starts it, with the throwaway plugins only."""
    with serving(plugins, ONLY) as server:
        yield server


@pytest.fixture(scope="session")
def few(plugins: Path) -> Iterator[Running]:
    """The same with one disease, so that there is nothing to choose."""
    with serving(plugins, "medsdk-spots") as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium; skips the test where there is none."""
    from browsing import started

    with started() as chromium:
        yield chromium


@pytest.fixture
def opened(browser: Any, running: Running) -> Iterator[Open]:
    """Opens pages of `running`, or of another server."""
    from browsing import opening

    with opening(browser, running.address) as open_page:
        yield open_page
