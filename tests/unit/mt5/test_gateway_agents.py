"""The gateway over real agents: processes beside a terminal, and the same code in this process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.adapters.clock import SystemClock
from core.adapters.mt5.channel import AgentProcess, Channel
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.local import LocalAgents, own_copy
from core.adapters.mt5.shared import Limits
from core.domain.broker import AccountSnapshot, Side
from core.ports import (
    BrokerUnavailable,
    CloseRequest,
    Secret,
    SnapshotRequest,
    StaleEpoch,
    TerminalLink,
    TerminalStarting,
    TerminalState,
    WrongAccount,
)
from tests.fakes.agents import FakeDirectory
from tests.fakes.cheap_terminal import OFFSET_S, SERVER
from tests.fakes.metrics import CountingMetrics

ROOT = Path(__file__).parents[3]
AGENT = ROOT / "core" / "adapters" / "mt5" / "agent.py"
MODULE = "tests.fakes.cheap_terminal"
LIMITS = Limits(read_s=5, send_s=5, start_s=20, patience_s=20)


class Office:
    """Opens gateways over agents of a kind, whose epochs lie in one folder."""

    def __init__(self, kind: str, folder: Path, module: str = MODULE) -> None:
        self._folder = folder
        self._module = module
        self._local = LocalAgents(lambda _link: own_copy(module), folder / "state")
        self._open = self._local.open if kind == "local" else self._start
        self.opened: list[Channel] = []
        self.metrics = CountingMetrics()

    async def _start(self, link: TerminalLink) -> Channel:
        words = [sys.executable, str(AGENT), "--module", self._module]
        words += ["--state-dir", str(self._folder / "state")]
        return await AgentProcess.start(words, self._folder / f"{link.login}.log")

    async def _opening(self, link: TerminalLink) -> Channel:
        self.opened.append(await self._open(link))
        return self.opened[-1]

    @asynccontextmanager
    async def gateway(
        self, *links: TerminalLink, epoch: int = 1, limits: Limits = LIMITS
    ) -> AsyncIterator[Mt5Gateway]:
        tasks: set[asyncio.Task[None]] = set()

        def spawn(work: Coroutine[Any, Any, None]) -> None:
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        gateway = Mt5Gateway(
            directory=FakeDirectory(*links),
            open_channel=self._opening,
            epoch=epoch,
            clock=SystemClock(),
            metrics=self.metrics,
            spawn=spawn,
            limits=limits,
        )
        yield gateway
        await gateway.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(params=["process", "local"])
def office(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Office:
    monkeypatch.chdir(ROOT)  # where an agent looks for a module with a dot in its name
    return Office(request.param, tmp_path)


def link(path: str = "/cheap/17", login: int = 17) -> TerminalLink:
    return TerminalLink(
        login=login,
        server=SERVER,
        path=path,
        password=Secret("correct horse"),
        server_offset_s=OFFSET_S,
    )


async def read(gateway: Mt5Gateway, login: int = 17) -> AccountSnapshot:
    return await gateway.snapshot(
        SnapshotRequest(
            account_id=1,
            login=login,
            server=SERVER,
            deals_since=SystemClock().now() - timedelta(minutes=10),
            symbols=("BTCUSD",),
        )
    )


def state(gateway: Mt5Gateway, login: int = 17) -> TerminalState:
    health = gateway.health(login, SERVER)
    assert health is not None
    return health.state


CLOSE = CloseRequest(
    login=17,
    server=SERVER,
    ticket=7,
    symbol="EURUSD",
    position_side=Side.BUY,
    volume=Decimal("0.01"),
    price=Decimal("1.10099"),
    deviation_points=20,
    filling=1,
    comment="RQ1",
)


async def test_an_account_is_read_and_a_position_closed(office: Office) -> None:
    async with office.gateway(link()) as gateway:
        snapshot = await read(gateway)
        result = await gateway.send(CLOSE)

    assert (snapshot.state.login, snapshot.state.equity) == (17, Decimal("943.91"))
    assert snapshot.ticks.keys() == {"EURUSD", "GBPUSD", "BTCUSD"}
    assert timedelta(0) <= snapshot.observed_at - snapshot.ticks["BTCUSD"].at < timedelta(seconds=2)
    assert result.retcode == 10009


async def test_a_terminal_of_another_account_is_told(office: Office) -> None:
    async with office.gateway(link(path="/cheap/18")) as gateway:
        with pytest.raises(WrongAccount, match="the terminal has 18 at Cheap-Demo"):
            await read(gateway)


async def test_a_module_that_is_missing_is_told(tmp_path: Path) -> None:
    office = Office("process", tmp_path, module="no_such_module")
    async with office.gateway(link()) as gateway:
        with pytest.raises(TerminalStarting, match="no_such_module"):
            await read(gateway)


async def test_a_newer_owner_takes_the_terminal_over(office: Office) -> None:
    async with office.gateway(link()) as old:
        await read(old)
        if isinstance(office.opened[0], AgentProcess):
            async with office.gateway(link(), epoch=2) as new:
                assert (await read(new)).state.login == 17
                with pytest.raises((StaleEpoch, BrokerUnavailable)):
                    await read(old)
    async with office.gateway(link(), epoch=3) as new:
        await read(new)
    async with office.gateway(link(), epoch=2) as lower:
        with pytest.raises(StaleEpoch):
            await read(lower)


async def test_a_terminal_that_hangs_is_ended_and_comes_back(tmp_path: Path) -> None:
    """Its fourth look at the positions never ends; a new child begins to count anew.

    The first reading takes two looks: what converts its currency is read with the second.
    """
    office = Office("process", tmp_path)
    limits = Limits(read_s=0.5, send_s=5, start_s=20, patience_s=20)
    async with office.gateway(link(path="/cheap/17/hang"), limits=limits) as gateway:
        await read(gateway)
        await read(gateway)
        with pytest.raises(BrokerUnavailable, match="did not end in time"):
            await read(gateway)
        assert state(gateway) is TerminalState.RESTING
        assert office.metrics.counts == {("restarted", "timeout"): 1}

        async with asyncio.timeout(20):
            while True:
                try:
                    await read(gateway)
                    break
                except TerminalStarting:
                    await asyncio.sleep(0.02)
        assert len(office.opened) == 1
