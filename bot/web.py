"""The app's one loopback port: metrics, health, and expected trades for the executors.

Requests must name a loopback host and carry no foreign origin, so that a page in a browser cannot
reach it by way of a name that resolves here.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from bot.loopback import is_loopback, is_loopback_origin
from core.ports import StoreUnavailable

BODY_BYTES_MAX: Final = 32 * 1024
TOKEN_LENGTH_MAX: Final = 200
SHUTDOWN_S: Final = 2.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Expected = Callable[[str], Awaitable[list[dict[str, Any]] | None]]


class Web:
    """Serves until stopped; `url` is known after `start`."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        registry: CollectorRegistry,
        is_ready: Callable[[], str | None],
        expected: Expected,
    ) -> None:
        self._host = host
        self._port = port
        self._is_ready = is_ready
        self._expected = expected
        app = web.Application(middlewares=[_local_only], client_max_size=BODY_BYTES_MAX)
        app.add_routes(
            [
                web.get("/metrics", make_aiohttp_handler(registry)),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/api/v1/trades/expected", self._trades),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self.url = ""

    async def start(self) -> None:
        """Listen. Raises OSError where the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, _: web.Request) -> web.Response:
        waiting_for = self._is_ready()
        if waiting_for is not None:
            return web.json_response({"ready": False, "waiting_for": waiting_for}, status=503)
        return web.json_response({"ready": True})

    async def _trades(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_LENGTH_MAX:
            return _problem(401, "expected the header Authorization: Bearer <account token>")
        try:
            trades = await self._expected(token)
        except StoreUnavailable:
            return _problem(503, "the store is unavailable, try again")
        if trades is None:
            return _problem(401, "this token belongs to no account")
        return web.json_response({"trades": trades})


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    origin = request.headers.get("Origin")
    is_foreign = origin is not None and not is_loopback_origin(origin)
    if is_foreign or not is_loopback(request.headers.get("Host", "")):
        return _problem(403, "only this machine may ask")
    return await handler(request)


def _problem(status: int, detail: str) -> web.Response:
    return web.json_response(
        {"type": "about:blank", "status": status, "detail": detail},
        status=status,
        content_type="application/problem+json",
        headers={"WWW-Authenticate": "Bearer"} if status == 401 else None,  # noqa: PLR2004
    )
