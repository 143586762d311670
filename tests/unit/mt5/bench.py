"""A gateway over agents in memory, with a clock that the test moves."""

import asyncio
import random
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.shared import Limits
from core.domain.broker import AccountSnapshot
from core.ports import (
    BrokerUnavailable,
    Secret,
    SnapshotRequest,
    TerminalHealth,
    TerminalLink,
    TerminalStarting,
)
from tests.fakes.agents import LOGIN, OFFSET_S, SERVER, FakeAgents, FakeDirectory
from tests.fakes.clock import FixedClock
from tests.fakes.metrics import CountingMetrics

SOON_S = 10.0
PASSWORD = "correct horse"
LIMITS = Limits(read_s=10, send_s=20, start_s=120, patience_s=SOON_S)


class Bench:
    """The gateway and all that stands around it."""

    def __init__(self, limits: Limits = LIMITS, starts_at_once_max: int = 8) -> None:
        self.clock = FixedClock()
        self.agents = FakeAgents(self.clock)
        self.directory = FakeDirectory(
            TerminalLink(
                login=LOGIN,
                server=SERVER,
                path="C:/mt5/terminal64.exe",
                password=Secret(PASSWORD),
                server_offset_s=OFFSET_S,
            )
        )
        self.metrics = CountingMetrics()
        self.tasks: set[asyncio.Task[None]] = set()
        self.gateway = Mt5Gateway(
            directory=self.directory,
            open_channel=self.agents.open,
            epoch=7,
            owner="here:1",
            clock=self.clock,
            metrics=self.metrics,
            spawn=self.spawn,
            limits=limits,
            starts_at_once_max=starts_at_once_max,
            chance=random.Random(1),  # noqa: S311 - a test's spread
        )

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def read(
        self, *symbols: str, since_s: float = 600, login: int = LOGIN
    ) -> AccountSnapshot:
        """Read the account: deals of the last while, and these symbols."""
        return await self.gateway.snapshot(
            SnapshotRequest(
                account_id=1,
                login=login,
                server=SERVER,
                deals_since=self.clock.now() - timedelta(seconds=since_s),
                symbols=symbols,
            )
        )

    async def read_after_rest(self, *symbols: str) -> AccountSnapshot:
        """Read until the terminal has rested; one rest is a minute at most."""
        self.clock.move(60)
        return await self.read(*symbols)

    def health(self) -> TerminalHealth:
        found = self.gateway.health(LOGIN, SERVER)
        assert found is not None
        return found

    def counted(self, word: str) -> int:
        """How many agents ended for this reason."""
        return self.metrics.counts.get(("restarted", word), 0)

    async def settle(self) -> None:
        """Let everything that was started in the background come to its end."""
        async with asyncio.timeout(SOON_S):
            while self.tasks:
                await asyncio.wait(self.tasks)

    async def close(self) -> None:
        await self.gateway.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def starting(bench: Bench) -> None:
    """Ask once, without waiting; the start goes on in the background."""
    with pytest.raises((TerminalStarting, BrokerUnavailable)):
        await bench.read()
