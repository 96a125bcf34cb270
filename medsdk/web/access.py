"""Who may ask: the token, the host names that the server answers to, and requests from other sites' pages."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from medsdk.web.problems import ForbiddenError, UnauthorisedError

COOKIE = "medsdk_session"
SHORTEST_TOKEN = 16

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def new_token() -> str:
    """A token that cannot be guessed: 192 bits."""
    return secrets.token_urlsafe(24)


def is_loopback(host: str) -> bool:
    """True if nothing but this machine can reach a server bound to `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def session_of(token: str) -> str:
    """What the cookie holds: proof of the token, from which the token cannot be had back."""
    return hmac.new(token.encode(), b"medsdk session", hashlib.sha256).hexdigest()


def is_token(given: str, token: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode(), token.encode())


def check_token(headers: Mapping[str, str], token: str | None) -> None:
    """Raises UnauthorisedError unless the request carries the token or the cookie that stands for it."""
    if token is None:
        return
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and is_token(given.strip(), token):
        return
    if hmac.compare_digest(_cookie(headers).encode(), session_of(token).encode()):
        return
    raise UnauthorisedError(
        "This server asks for a token.",
        "Send the header 'Authorization: Bearer TOKEN'; the token was printed when the server was started.",
        {"WWW-Authenticate": "Bearer"},
    )


def check_host(headers: Mapping[str, str], names: tuple[str, ...]) -> None:
    """Raises ForbiddenError for a name that is not ours.

    A page of another site that has its own name point at this machine (DNS rebinding) would otherwise be taken for
    one of our own pages. An address cannot be rebound, so every address will do.
    """
    if not _is_ours(headers.get("host", ""), names):
        raise ForbiddenError(
            "This server does not answer to that name.", "Use its address, or start it with --name and this name."
        )


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Raises ForbiddenError for a request that another site's page sends in a person's name.

    Browsers say where a request comes from (Sec-Fetch-Site, or Origin in old ones); programs say neither.
    """
    if method in _READING:
        return
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    same = site in ("same-origin", "none") if site else origin is None or urlsplit(origin).netloc == headers.get("host")
    if not same:
        raise ForbiddenError("The request comes from another site.", "Use this server's own pages, or a program.")


@lru_cache(maxsize=1)
def own_names() -> frozenset[str]:
    """The names by which a local network knows this machine."""
    name = socket.gethostname().lower()
    return frozenset({name, f"{name.split('.')[0]}.local"})


@lru_cache(maxsize=64)
def _is_ours(header: str, names: tuple[str, ...]) -> bool:
    host = _host(header)
    return host in {"localhost", *own_names(), *(name.lower() for name in names)} or _is_address(host)


def _host(header: str) -> str:
    """The Host header without its port, lower case, an IPv6 address without its brackets."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
