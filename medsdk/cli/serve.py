"""`medsdk serve`."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medsdk.cli.site import sites_option

if TYPE_CHECKING:
    from medsdk.web.settings import Settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 serves the network, and asks for a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--token", envvar="MEDSDK_TOKEN", show_envvar=True, help="Asked of everybody; made up where none is given.")
@click.option("--no-token", is_flag=True, help="Serve the network without a token: everybody in it may use this server.")
@click.option("--name", "names", multiple=True, help="A host name that the server answers to; repeatable.")
@sites_option
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM; serves https.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The certificate's key.")
@click.option("--workers", type=click.IntRange(1), help="Pictures judged at once; by default one a core.")
@click.option("--queue", type=click.IntRange(0), help="Requests that may wait; the next is refused with 503.")
@click.option("--max-upload", type=click.IntRange(1), metavar="MIB", help="The largest request; 25 by default.")
@click.option("--max-megapixels", type=click.IntRange(1), help="The largest picture; 25 by default.")
@click.option("--quiet", is_flag=True, help="No line a request on standard error.")
def command(
    host: str,
    port: int,
    token: str | None,
    no_token: bool,
    names: tuple[str, ...],
    sites: tuple[Path, ...],
    certificate: Path | None,
    key: Path | None,
    workers: int | None,
    queue: int | None,
    max_upload: int | None,
    max_megapixels: int | None,
    quiet: bool,
) -> None:
    """The web platform: pages for people, an HTTP API for programs. Nothing is stored."""
    from medsdk.web import access
    from medsdk.web.settings import MEBIBYTE, Settings

    if token is not None and no_token:
        raise click.UsageError("--token and --no-token exclude each other.")
    if token is not None and len(token) < access.SHORTEST_TOKEN:
        raise click.UsageError(f"The token must have at least {access.SHORTEST_TOKEN} characters.")
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together.")
    if token is None and not no_token and not access.is_loopback(host):
        token = access.new_token()
    limits = {
        "workers": workers,
        "queue": queue,
        "max_bytes": max_upload and max_upload * MEBIBYTE,
        "max_pixels": max_megapixels and max_megapixels * 1_000_000,
    }
    given: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    settings = Settings(host=host, port=port, token=token, names=names, **given)
    # OpenCV reads it once, when it is imported. A header that lies about the size must not get past our own check.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(settings.max_pixels))
    from medsdk.web.server import bind, new_server
    from medsdk.web.sites import by_disease

    settings = replace(settings, sites=by_disease(sites))

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING if quiet else logging.INFO)
    server = new_server(settings, certificate, key)
    with bind(settings) as listening:
        _say_where(settings, listening.getsockname()[1], "https" if certificate else "http")
        server.run(sockets=[listening])
    if not server.started:
        sys.exit(1)


def _say_where(settings: Settings, port: int, scheme: str) -> None:
    """Where the server is, and how one gets in. The token stands behind the #, which browsers send to nobody."""
    from medsdk.web.access import is_loopback

    address = f"[{settings.host}]" if ":" in settings.host else settings.host
    if address in ("0.0.0.0", "[::]"):
        address = _own_address()
    base = f"{scheme}://{address}:{port}"
    _say(f"medsdk: open {base}/{f'sign-in#{settings.token}' if settings.token else ''}")
    if settings.token:
        _say(f"medsdk: programs send 'Authorization: Bearer {settings.token}'")
    elif not is_loopback(settings.host):
        _say("medsdk: no token: everybody in this network can use this server.")
    if scheme == "http" and not is_loopback(settings.host):
        _say("medsdk: pictures cross the network unencrypted; --certificate and --key make it https.")


def _own_address() -> str:
    """The address by which this machine is reached; nothing is sent to find it."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: an address that nobody has
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def _say(text: str) -> None:
    click.echo(text, err=True)
