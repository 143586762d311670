"""The broker's half of the world: the simulation with its routes, its market's loop and executors.

`build` is what the world calls. With recorded ticks the market follows the file and market time is
everyone's; without, the market walks or stands, in real time.
"""

import asyncio
import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.sandbox.broker_routes import BrokerRoutes
from bot.sandbox.executor import Executors
from bot.sandbox.part import CLOCK_PATH, Loop, Part, WorldOptions
from bot.sandbox.people import BROKER_SERVER, Client, People, Spare
from bot.sandbox.replay import Replay, market_clock, replay_symbols
from bot.sandbox.store import WorldStore
from bot.sandbox.terminal_routes import TerminalRoutes
from core.sim.ledger import Account
from core.sim.simulation import Opening, Simulation
from core.sim.ticks import TickFile

DEPOSITS: Final = {
    50001: Decimal(10_000),
    50002: Decimal(12_000),
    50003: Decimal(8_000),
    50004: Decimal(9_000),
}
DEPOSIT_OTHERWISE: Final = Decimal(10_000)
WALK_S: Final = 0.3
SAVE_S: Final = 1.0
"""How often quotes that merely walked are committed; what they cause is committed at once."""


class WallClock:
    """Real time, which never goes back: deals stay in order when the machine's clock does."""

    def __init__(self) -> None:
        self._last_ms = 0

    def now_ms(self) -> int:
        """True UTC milliseconds."""
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms


class BrokerPart:
    """Implements `Part` and `Looping`."""

    def __init__(self, simulation: Simulation, data_dir: Path, replay: Replay | None) -> None:
        self.simulation = simulation
        self.replay = replay
        self.executors = Executors(simulation, data_dir)
        self.terminals = TerminalRoutes(simulation, replay.read if replay else _unread)
        self._broker = BrokerRoutes(simulation)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes to register."""
        return [
            *self._broker.routes(),
            *self.terminals.routes(),
            web.get(CLOCK_PATH, self._clock),
            web.post(f"{CLOCK_PATH}/advance", self._advance),
        ]

    async def start(self) -> None:
        """Bring a replay to its instant and make the accounts durable."""
        if self.replay is not None:
            self.replay.at_mark = self.executors.poll_all
            self.replay.start()
        self.simulation.journal.commit()

    async def stop(self) -> None:
        """Let go of files and connections; quotes are kept as they stand."""
        if self.replay is not None:
            self.replay.stop()
        self.simulation.market.save()
        await self.executors.stop()

    def loops(self, base_url: str) -> Iterable[Loop]:
        """The walking market and the executors.

        A replay runs both inside its advances, and once its file has ended the executors alone.
        """
        del base_url
        if self.replay is None:
            return [self._walk, *self.executors.loops()]
        return [self._after(self.replay, loop) for loop in self.executors.loops()]

    @staticmethod
    def _after(replay: Replay, loop: Loop) -> Loop:
        async def run() -> None:
            await replay.over.wait()
            await loop()

        return run

    def told(self) -> dict[str, object]:
        """How far a replay is, for `/sim/state`."""
        return {} if self.replay is None else {"replay": self.replay.told()}

    async def _walk(self) -> None:
        saved_at = time.monotonic()
        while True:
            await asyncio.sleep(WALK_S)
            fills = self.simulation.walk()
            if fills or time.monotonic() - saved_at >= SAVE_S:
                self.simulation.market.save()
                self.simulation.journal.commit()
                saved_at = time.monotonic()

    async def _clock(self, _request: web.Request) -> web.Response:
        if self.replay is not None:
            return _json(self.replay.state())
        return _json({"now_ms": self.simulation.now_ms(), "ended": False, "replay": False})

    async def _advance(self, request: web.Request) -> web.Response:
        if self.replay is None:
            return _json({"error": "clock: this world lives in real time, nothing to advance"}, 409)
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.DecodeError:
            body = {}
        until_ms = body.get("until_ms")
        if isinstance(until_ms, bool) or not isinstance(until_ms, int):
            return _json({"error": "until_ms: expected whole UTC milliseconds"}, 400)
        return _json(await self.replay.advance(until_ms))


def build(store: WorldStore, options: WorldOptions, people: People) -> Part:
    """Make the broker's part over a store. Raises TickFileError for ticks it cannot replay."""
    openings = [_opening(client) for client in people.clients]
    openings += [_spare(spare) for spare in people.spares]
    data_dir = store.path.parent
    if options.ticks_file is None:
        clock = WallClock()
        simulation = Simulation(
            store, clock.now_ms, openings, mode=options.market, seed=options.seed
        )
        return BrokerPart(simulation, data_dir, None)
    ticks = TickFile(
        options.ticks_file,
        symbol=options.ticks_symbol,
        date=options.ticks_date,
        utc_offset_s=options.ticks_utc_offset_s,
    )
    market_time = market_clock(ticks, store)
    simulation = Simulation(
        store,
        market_time.now_ms,
        openings,
        mode="manual",
        seed=options.seed,
        symbols=replay_symbols(ticks),
    )
    replay = Replay(ticks, simulation, market_time, data_dir, speed=options.ticks_speed)
    return BrokerPart(simulation, data_dir, replay)


def _opening(client: Client) -> Opening:
    account = Account(
        login=client.login,
        name=client.person.first_name,
        server=BROKER_SERVER,
        currency=client.currency,
        margin_mode=client.margin_mode,
    )
    return Opening(account=account, deposit=DEPOSITS.get(client.login, DEPOSIT_OTHERWISE))


def _spare(spare: Spare) -> Opening:
    account = Account(
        login=spare.login,
        name="Spare",
        server=BROKER_SERVER,
        currency=spare.currency,
        margin_mode=spare.margin_mode,
        password=spare.password,
    )
    return Opening(account=account, deposit=DEPOSIT_OTHERWISE)


def _unread(_login: int) -> None:
    """Nobody writes down reads outside a replay."""


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
