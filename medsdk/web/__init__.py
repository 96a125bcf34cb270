"""The web platform: `medsdk serve`. Pages for people and the same judgement over HTTP for programs.

It needs the extra `medsdk[web]`; without it, importing this package raises MissingExtraError.
"""

from __future__ import annotations

from importlib.util import find_spec

from medsdk.core.errors import MissingExtraError

_NEEDED = ("fastapi", "jinja2", "prometheus_client", "python_multipart", "uvicorn")

if any(find_spec(name) is None for name in _NEEDED):
    raise MissingExtraError("web", "The web server")
