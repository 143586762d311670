"""The listener: who asks, how often, how much; then the route."""

import asyncio
import math
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.api import problems
from bot.api.limits import FAILURES_PER_MINUTE, PER_TOKEN_PER_MINUTE, Buckets
from bot.api.openapi import document
from bot.api.problems import Denied
from bot.api.routes import PERSON, Ports, Routes, bearer
from core.ports import StoreUnavailable
from core.services.errors import Refused
from core.services.expected import token_digest

BODY_BYTES_MAX: Final = 32 * 1024
SHUTDOWN_S: Final = 2.0
OPEN_PATHS: Final = frozenset({"/api/v1/openapi.json"})
SELF_PROVING: Final = frozenset({"/api/v1/signals", "/api/v1/trades/expected"})
"""Paths whose own handler says who asks: by a signature, or by an account's token."""
FAILURES: Final = frozenset({401, 403})
log = structlog.get_logger(__name__)


class ApiServer:
    """Serves until stopped; `url` is known after `start`."""

    def __init__(
        self,
        ports: Ports,
        *,
        host: str,
        port: int,
        version: str,
        per_token_per_minute: int = PER_TOKEN_PER_MINUTE,
        failures_per_minute: int = FAILURES_PER_MINUTE,
    ) -> None:
        self._ports = ports
        self._host = host
        self._port = port
        self._tokens = Buckets(per_token_per_minute)
        self._failures = Buckets(failures_per_minute)
        self._document = document(
            version,
            signals=ports.signals is not None,
            expected=ports.expected is not None,
        )
        self._runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=SHUTDOWN_S
        )
        self.url = ""

    def _application(self) -> web.Application:
        routes = Routes(self._ports)
        app = web.Application(
            middlewares=[self._answer, self._admit], client_max_size=BODY_BYTES_MAX
        )
        app.add_routes(
            [
                web.get("/api/v1/openapi.json", self._openapi),
                web.get("/api/v1/reconciliation/status", routes.reconciliation),
                web.get("/api/v1/positions", routes.positions),
                web.get("/api/v1/guards/status", routes.guards),
                web.get("/api/v1/logs/{user_id}", routes.logs),
                web.get("/api/v1/trades/expected", routes.expected),
                web.post("/api/v1/reconciliation/sync", routes.sync),
                web.post("/api/v1/signals", routes.signals),
            ]
        )
        return app

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

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.json_response(self._document)

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give every refusal one form, and count those that prove nothing about who asks."""
        peer = _peer(request)
        try:
            response = await handler(request)
        except Refused as error:
            denied = problems.refused(error)
        except Denied as error:
            denied = error
        except StoreUnavailable:
            denied = Denied(
                503, "no_store", "the database is not available, try again", Retry_After="5"
            )
        except web.HTTPRequestEntityTooLarge:
            denied = Denied(413, "too_large", f"at most {BODY_BYTES_MAX} bytes are taken")
        except web.HTTPException as error:
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            denied = Denied(error.status, "not_found", error.reason, **allow)
        else:
            response.headers["Cache-Control"] = "no-store"
            return response
        if denied.status in FAILURES:
            # Only what proves nothing is held up: others may ask from the same address.
            if self._failures.wait_s(peer, _now_s()) > 0:
                denied = Denied(429, "limited", "too many refused requests", Retry_After="60")
            log.info("api_refused", path=request.path[:200], status=denied.status, peer=peer)
        return problems.answer(denied.status, denied.code, denied.detail, denied.headers)

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Know the person, and how often they asked; nothing else is told to anybody else."""
        if request.match_info.http_exception is not None or request.path in OPEN_PATHS:
            return await handler(request)
        if request.path in SELF_PROVING:
            header = request.headers.get("Authorization", "")
            self._count(token_digest(header) if header else _peer(request))
            return await handler(request)
        token = bearer(request)
        person = await self._ports.whose(token)
        if person is None:
            raise Denied(401, "bad_token", "this token is not good (any more)")
        self._count(token_digest(token))
        request[PERSON] = person
        return await handler(request)

    def _count(self, asker: str) -> None:
        wait_s = self._tokens.wait_s(asker, _now_s())
        if wait_s > 0:
            seconds = str(math.ceil(wait_s))
            raise Denied(429, "limited", f"too often; again in {seconds} s", Retry_After=seconds)


def _peer(request: web.Request) -> str:
    """The address that connects. Headers of proxies are not believed: anybody can write them."""
    return request.remote or "unknown"


def _now_s() -> float:
    return asyncio.get_running_loop().time()
