"""Running the application under uvicorn: quiet logs, watched connections, a stop that finishes what it began."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import uvicorn

from medsdk.core.errors import MedsdkError
from medsdk.web.app import create_app
from medsdk.web.connection import PROTOCOL
from medsdk.web.settings import Settings

# Beyond this many open connections uvicorn itself answers 503 at once.
_CONNECTIONS = 512


def bind(settings: Settings) -> socket.socket:
    """The socket that listens where the settings say. Raises MedsdkError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only where it is: 40 ms an answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(_CONNECTIONS)
    except OSError as error:
        listening.close()
        problem = f"{settings.host}, port {settings.port}, cannot be served ({error.strerror})."
        raise MedsdkError(problem, "Choose another --host or --port.") from None
    return listening


def new_server(settings: Settings, certificate: Path | None = None, key: Path | None = None) -> uvicorn.Server:
    """A server that is not running yet."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http=PROTOCOL,
        ws="none",
        lifespan="on",
        log_level=logging.WARNING,
        # uvicorn's own access log would hold addresses with whatever a client writes into them.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        ssl_certfile=certificate,
        ssl_keyfile=str(key) if key else None,
    )
    return uvicorn.Server(config)
