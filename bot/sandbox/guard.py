"""Loopback only, also against a browser: a web page must not drive the world by DNS rebinding."""

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.loopback import is_loopback, is_loopback_origin


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 403 a Host or an Origin that is not loopback."""
    host = request.headers.get("Host", "")
    origin = request.headers.get("Origin")
    if not is_loopback(host):
        return web.json_response({"error": f"Host must be loopback, was {host[:80]!r}"}, status=403)
    if origin is not None and not is_loopback_origin(origin):
        error = f"Origin must be loopback, was {origin[:80]!r}"
        return web.json_response({"error": error}, status=403)
    return await handler(request)
