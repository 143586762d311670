"""Loopback only, also against a browser: a web page must not drive the world by DNS rebinding."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(authority: str) -> bool:
    """Whether ``host[:port]`` names this machine's loopback, by one of its usual names."""
    try:
        return urlsplit(f"//{authority}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def _origin_is_loopback(origin: str) -> bool:
    scheme, _, authority = origin.partition("://")
    return scheme in {"http", "https"} and is_loopback(authority)


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 403 a Host or an Origin that is not loopback."""
    host = request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if not is_loopback(host):
        return web.json_response({"error": f"Host must be loopback, was {host[:80]!r}"}, status=403)
    if origin is not None and not _origin_is_loopback(origin):
        error = f"Origin must be loopback, was {origin[:80]!r}"
        return web.json_response({"error": error}, status=403)
    return await handler(request)
