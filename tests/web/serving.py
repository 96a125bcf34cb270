"""Real servers on loopback in a thread, with throwaway plugins that need no trained model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import uvicorn

SPOTS = Path(__file__).parent / "spots"

_PLUGIN = """
import medsdk
class Plugin(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle({bundle!r})
@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Plugin())
"""


_FIELDS = """
import medsdk
import numpy as np

class Fields(medsdk.DiseasePlugin):
    bundle = medsdk.Bundle({bundle!r})

    def regions(self, image):
        return medsdk.Regions(tuple(medsdk.Region((x, 40, 200, 150), image[40:190, x:x + 200]) for x in (20, 320, 620)))

    def fold(self, regions, outputs, picture):
        def explain():
            made = medsdk.Attention(np.zeros(picture.pixels.shape[:2], np.float32), picture.reopen)
            made.marks = tuple(medsdk.Mark(region.box, place == 1) for place, region in enumerate(regions.items))
            return made
        details = dict(red_cells=3, infected_cells=1, parasitaemia_percent=33.333, parasitaemia_low=6.149,
                       parasitaemia_high=79.234)
        return medsdk.Prediction("fields", picture.name, "inconclusive", details=details, explain=explain)

@medsdk.hookimpl
def medsdk_register_diseases(register):
    register(Fields())
"""


@dataclass(frozen=True)
class Running:
    """A server that answers; `client` speaks to it as a program does."""

    address: str
    client: httpx.Client
    server: uvicorn.Server


def install(folder: Path, disease: str, source: str) -> None:
    """A distribution as pip would leave it: a module and its metadata."""
    (folder / f"medsdk_{disease}.py").write_text(source)
    metadata = folder / f"medsdk_{disease}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: medsdk-{disease}\nVersion: 0.1.0\n")
    (metadata / "entry_points.txt").write_text(f"[medsdk]\n{disease} = medsdk_{disease}\n")


def install_all(folder: Path) -> None:
    """`spots`, which is in the repository; `marks`, the same model under another card; and `broken`."""
    install(folder, "spots", _PLUGIN.format(bundle=str(SPOTS)))
    # A third party's texts are as much input as a picture is.
    marks = _bundle(folder, "marks", "Marks <script>alert(1)</script> 100% & more")
    install(folder, "marks", _PLUGIN.format(bundle=marks))
    install(folder, "broken", "raise RuntimeError('not today')")


def install_fields(folder: Path) -> None:
    """`fields`: it always finds three places in a picture, of which the middle one is ill."""
    install(folder, "fields", _FIELDS.replace("{bundle!r}", repr(_bundle(folder, "fields", "Spots in fields"))))


def _bundle(folder: Path, disease: str, name: str) -> str:
    bundle = folder / disease
    bundle.mkdir()
    for file in ("model.tflite", "reference.npz"):
        (bundle / file).write_bytes((SPOTS / file).read_bytes())
    card = json.loads((SPOTS / "card.json").read_text()) | {"disease": disease, "name": name}
    (bundle / "card.json").write_text(json.dumps(card))
    return str(bundle)


@contextmanager
def serving(plugins: Path | None, only: str | None = None, **settings: object) -> Iterator[Running]:
    """A server with the throwaway plugins, or with what is installed; `only` is MEDSDK_PLUGINS."""
    from medsdk.web.server import new_server
    from medsdk.web.settings import Settings

    with pytest.MonkeyPatch.context() as patch:
        if plugins is not None:
            patch.syspath_prepend(str(plugins))
        if only is not None:
            patch.setenv("MEDSDK_PLUGINS", only)
        server = new_server(replace(Settings(port=0), **settings))  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert server.started, "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            yield Running(address, client, server)
    finally:
        server.should_exit = True
        thread.join(60)
