"""The broker's part served over real HTTP on a free port, and a stand-in for the app."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.sandbox.broker_part import BrokerPart, build
from bot.sandbox.part import WorldOptions
from bot.sandbox.people import DEMO_PEOPLE
from bot.sandbox.store import WorldStore

ALICE, BEN, CARLA, DAI = 50001, 50002, 50003, 50004
WAIT_S = 20.0


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    """Listen on a free port of the loopback."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return runner, f"http://{host}:{port}"


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait for an effect, at most `WAIT_S`."""
    async with asyncio.timeout(WAIT_S):
        while not await check():
            await asyncio.sleep(0.01)


class Desk:
    """One world's broker over a data dir; use as an async context manager.

    Leaving it without `stop` of the store's changes is a crash: only what was committed stays.
    """

    def __init__(
        self, data_dir: Path, options: WorldOptions | None = None, *, loops: bool = False
    ) -> None:
        self.data_dir = data_dir
        self.store = WorldStore(data_dir / "world.db")
        try:
            part = build(self.store, options or WorldOptions(market="manual"), DEMO_PEOPLE)
        except BaseException:
            self.store.close()
            raise
        assert isinstance(part, BrokerPart)
        self.part = part
        self._loops = loops
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.part.start()
        app = web.Application()
        app.add_routes(self.part.routes())
        self._runner, self.base_url = await serve(app)
        self.session = aiohttp.ClientSession(self.base_url)
        if self._loops:
            self._tasks = [
                asyncio.create_task(_run(loop)) for loop in self.part.loops(self.base_url)
            ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()
        await self.part.stop()
        await self._runner.cleanup()
        self.store.close()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:  # noqa: ANN401
        """One request; answers the status and the JSON."""
        async with self.session.request(method, path, json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:  # noqa: ANN401
        """GET what must be there."""
        status, body = await self.ask("GET", path)
        assert status == 200, body
        return body

    async def post(self, path: str, **body: Any) -> Any:  # noqa: ANN401
        """POST what must be accepted."""
        status, answer = await self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    async def buy(self, login: int, volume: float = 0.1, **more: Any) -> int:
        """A person buys gold; answers the ticket."""
        body = {"symbol": "XAUUSD", "side": "buy", "volume": volume, **more}
        return int((await self.post(f"/broker/{login}/open", **body))["ticket"])

    async def read(self, login: int, epoch: int = 1, **more: Any) -> tuple[int, Any]:
        """A snapshot as Reckoner asks for it."""
        body = {"epoch": epoch, "owner": "t", "server": "Reckoner-Demo", "deals_since_ms": 0}
        return await self.ask("POST", f"/terminal/{login}/snapshot", {**body, **more})

    async def close(self, login: int, ticket: int, epoch: int = 1) -> tuple[int, Any]:
        """A close of 0.1 lots of bought gold as Reckoner sends it."""
        request = {
            "action": 1,
            "symbol": "XAUUSD",
            "volume": 0.1,
            "type": 1,
            "position": ticket,
            "type_filling": 1,
            "comment": "rc:1",
        }
        body = {"epoch": epoch, "owner": "t", "server": "Reckoner-Demo", "request": request}
        return await self.ask("POST", f"/terminal/{login}/send", body)


async def _run(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()


class App:
    """Stands in for the app: hands out expected trades to whoever has the account's token."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "app.json"
        self.trades: dict[int, list[dict[str, Any]]] = {}
        self.asked: list[int] = []
        self.status = 200

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.get("/api/v1/trades/expected", self._expected)])
        self._runner, self.base_url = await serve(app)
        tokens = {str(login): f"secret-{login}" for login in (ALICE, BEN, CARLA, DAI)}
        body = {"pid": 1, "base_url": self.base_url, "tokens": tokens}
        self._file.write_text(json.dumps(body), encoding="utf-8")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _expected(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        assert scheme == "Bearer"
        login = int(token.removeprefix("secret-"))
        self.asked.append(login)
        return web.json_response({"trades": self.trades.get(login, [])}, status=self.status)


def expected(magic: int, **more: Any) -> dict[str, Any]:
    """An expected trade as the app hands it out."""
    return {
        "trade_id": magic,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": "0.10",
        "stop_loss": "1950.00",
        "take_profit": "1990.00",
        "magic": magic,
        "comment": f"rk:{magic}",
        "deadline_at": "2100-01-01T00:00:00Z",
        "expected_entry": "1970.30",
        **more,
    }
