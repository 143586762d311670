"""The clients' executors: the EA of each account, which places the trades its client approved.

An executor asks the app for expected trades and places each one once. It keeps no memory of its
own: a trade is placed when its magic number stands on a position, an order or a deal, looked up and
executed within one commit, so that a crash of the world at any moment cannot place it twice.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from bot.sandbox.app_probe import read_app_file
from bot.sandbox.part import Loop
from core.sim.codes import Action, Filling, OrderType, Retcode
from core.sim.faults import EXECUTOR, SEND
from core.sim.simulation import Simulation
from core.sim.symbols import SymbolTerms

POLL_S: Final = 0.5
POLL_TIMEOUT_S: Final = 2.0
BACKOFF_FIRST_MS: Final = 1_000
BACKOFF_MAX_MS: Final = 8_000
ANSWER_BYTES_MAX: Final = 1024 * 1024
HTTP_OK: Final = 200


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """One trade the app expects. Volume and prices are decimal strings, the deadline ISO UTC."""

    trade_id: int
    symbol: str
    side: str
    volume: str
    stop_loss: str | None = None
    take_profit: str | None = None
    magic: int
    comment: str = ""
    deadline_at: datetime


class ExpectedList(msgspec.Struct, frozen=True):
    """The app's answer."""

    trades: list[Expected]


class _Retry(msgspec.Struct):
    pause_ms: int
    due_ms: int


class Executor:
    """One account's EA. Places on the simulation directly; asks the app over HTTP."""

    def __init__(self, simulation: Simulation, login: int) -> None:
        self._sim = simulation
        self.login = login
        self._retries: dict[int, _Retry] = {}

    def is_placed(self, magic: int) -> bool:
        """Whether this trade left a trace on the account, hidden deals included."""
        ledger = self._sim.ledger
        return (
            any(one.magic == magic for one in ledger.positions(self.login).values())
            or any(one.magic == magic for one in ledger.orders(self.login).values())
            or any(one.magic == magic for one in ledger.deals(self.login))
        )

    def due(self, trades: list[Expected]) -> list[Expected]:
        """What is to be sent now: not placed, before its deadline, not resting after a refusal."""
        wanted = {trade.magic for trade in trades}
        self._retries = {magic: one for magic, one in self._retries.items() if magic in wanted}
        now = self._sim.now_ms()
        return [
            trade
            for trade in trades
            if trade.deadline_at.timestamp() * 1000 > now
            and not ((rest := self._retries.get(trade.magic)) and rest.due_ms > now)
            and not self.is_placed(trade.magic)
        ]

    def place(self, trade: Expected) -> bool:
        """Send one trade unless it is placed, and commit. Answers whether it is placed now."""
        if self.is_placed(trade.magic):
            return True
        terms = self._sim.market.symbols.get(trade.symbol)
        for filling in _fillings(terms):
            sent = self._sim.submit(self.login, EXECUTOR, _request(trade, filling))
            if sent.retcode != Retcode.INVALID_FILL:
                break
        self._sim.journal.commit()
        # An answer that got lost may stand for a fill: the account itself says.
        if self.is_placed(trade.magic):
            self._retries.pop(trade.magic, None)
            return True
        self._rest(trade.magic)
        return False

    def _rest(self, magic: int) -> None:
        before = self._retries.get(magic)
        pause = min(before.pause_ms * 2, BACKOFF_MAX_MS) if before else BACKOFF_FIRST_MS
        self._retries[magic] = _Retry(pause, self._sim.now_ms() + pause)

    async def work(self, trades: list[Expected]) -> None:
        """Place what is due, one after the other, as slowly as a fault wants it."""
        for trade in self.due(trades):
            await self._wait("before")
            self.place(trade)
            await self._wait("after")

    async def _wait(self, when: str) -> None:
        slow = self._sim.faults.take(self.login, EXECUTOR, "slow", SEND, when)
        if slow is not None:
            self._sim.journal.commit()
            await asyncio.sleep(slow.ms / 1000)


def _fillings(terms: SymbolTerms | None) -> list[int]:
    """The filling modes of the symbol, as an EA reads them; FOK where it is unknown."""
    if terms is None:
        return [Filling.FOK]
    return [mode for mode, bit in Filling.BIT.items() if terms.filling_mode & bit]


def _request(trade: Expected, filling: int) -> dict[str, object]:
    return {
        "action": Action.DEAL,
        "symbol": trade.symbol,
        "volume": float(trade.volume),
        "type": OrderType.BUY if trade.side == "buy" else OrderType.SELL,
        "sl": float(trade.stop_loss or 0),
        "tp": float(trade.take_profit or 0),
        "type_filling": filling,
        "magic": trade.magic,
        "comment": trade.comment,
    }


class Executors:
    """All accounts' EAs and their connection to the app, which may come and go."""

    def __init__(self, simulation: Simulation, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._executors = [Executor(simulation, login) for login in simulation.logins]
        self._session: aiohttp.ClientSession | None = None

    def loops(self) -> list[Loop]:
        """One endless loop per account."""
        return [self._loop(executor) for executor in self._executors]

    def _loop(self, executor: Executor) -> Loop:
        async def run() -> None:
            while True:
                await self.poll(executor)
                await asyncio.sleep(POLL_S)

        return run

    async def poll_all(self) -> None:
        """Let all executors ask together and place in order: what a replay does at its marks."""
        answers = await asyncio.gather(*(self._ask(one.login) for one in self._executors))
        for executor, trades in zip(self._executors, answers, strict=True):
            await executor.work(trades)

    async def poll(self, executor: Executor) -> None:
        """Ask the app what one account is to hold, and place it. Quiet while there is no app."""
        await executor.work(await self._ask(executor.login))

    async def _ask(self, login: int) -> list[Expected]:
        app = read_app_file(self._data_dir)
        token = app.tokens.get(str(login)) if app else None
        if app is None or token is None:
            return []
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=POLL_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        url = f"{app.base_url}/api/v1/trades/expected"
        try:
            async with self._session.get(
                url, headers={"Authorization": f"Bearer {token}"}
            ) as answer:
                if answer.status != HTTP_OK:
                    return []
                body = bytearray()
                async for chunk in answer.content.iter_any():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        return []
                return msgspec.json.decode(body, type=ExpectedList).trades
        except (aiohttp.ClientError, TimeoutError, ValueError, msgspec.DecodeError):
            return []

    async def stop(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
