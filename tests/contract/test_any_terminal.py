r"""What a terminal must do for Reckoner to guard through it, tried on whichever there is.

The simulated one always; a real demo account under Windows where these variables say so:

    set MT5_TEST_PATH=C:\MT5 Demo\terminal64.exe
    set MT5_TEST_LOGIN=12345678
    set MT5_TEST_SERVER=Broker-Demo
    set MT5_TEST_PASSWORD=...            (left out: the terminal remembers its login)
    uv run pytest -n 0 -m mt5 tests/contract/test_any_terminal.py

It buys and sells the smallest volume of EURUSD, on a demo account only, while the market is open.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
import pytest_asyncio

from core.adapters.mt5.channel import AgentProcess, Channel
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.shared import Limits
from core.domain.broker import AccountSnapshot, Position, Side
from core.domain.close_request import filling_modes
from core.ports import (
    BrokerUnavailable,
    CloseRequest,
    NotSent,
    Secret,
    SendResult,
    SnapshotRequest,
    TerminalLink,
)
from tests.contract.terminals import AGENT, Background, Directory, Now, agent_command
from tests.fakes.metrics import CountingMetrics
from tests.wire.broker.desk import ALICE, Desk

REAL_LIMITS: Final = Limits(read_s=20.0, send_s=30.0, start_s=150.0, patience_s=160.0)
SYMBOL: Final = "EURUSD"
BUY: Final = 0
INVALID_FILL: Final = 10030
DEMO: Final = 0
D = Decimal
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Executor(Protocol):
    """Who opens positions, as a client's own program does: Reckoner opens nothing."""

    async def buy(self) -> int:
        """Buy the smallest volume of EURUSD; answers the ticket."""
        ...


class SimulatedExecutor:
    """A person at the simulated broker."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def buy(self) -> int:
        """Buy."""
        bought = await self._desk.post(
            f"/broker/{ALICE}/open", symbol=SYMBOL, side="buy", volume=0.01
        )
        return int(bought["ticket"])


class RealExecutor:
    """The official library, in this process, on the same terminal."""

    def __init__(self, link: TerminalLink) -> None:
        self._mt5: Any = importlib.import_module("MetaTrader5")
        if not self._mt5.initialize(link.path):
            pytest.fail(f"the terminal cannot be reached: {self._mt5.last_error()}")
        account = self._mt5.account_info()
        if account.trade_mode != DEMO:
            pytest.fail("this is no demo account: nothing is traded on it")

    async def buy(self) -> int:
        """Buy, in the filling mode that the symbol takes."""
        self._mt5.symbol_select(SYMBOL)
        volume = self._mt5.symbol_info(SYMBOL).volume_min
        result = None
        for filling in (1, 0, 2):
            request = {
                "action": self._mt5.TRADE_ACTION_DEAL,
                "symbol": SYMBOL,
                "volume": volume,
                "type": BUY,
                "price": self._mt5.symbol_info_tick(SYMBOL).ask,
                "deviation": 50,
                "type_filling": filling,
            }
            result = self._mt5.order_send(request)
            if result is not None and result.retcode != INVALID_FILL:
                break
        assert result is not None, self._mt5.last_error()
        assert result.retcode == self._mt5.TRADE_RETCODE_DONE, result
        return int(result.order)


class Ground:
    """A terminal, who trades on it, and Reckoner's way to it."""

    def __init__(self, link: TerminalLink, executor: Executor, gateway: Mt5Gateway) -> None:
        self.link = link
        self.executor = executor
        self.gateway = gateway

    async def read(self) -> AccountSnapshot:
        """Read, waiting for a terminal that starts and for fresh prices."""
        request = SnapshotRequest(
            account_id=1,
            login=self.link.login,
            server=self.link.server,
            deals_since=datetime.now(UTC) - timedelta(minutes=10),
            symbols=(SYMBOL,),
        )
        async with asyncio.timeout(200):
            while True:
                try:
                    return await self.gateway.snapshot(request)
                except BrokerUnavailable:
                    await asyncio.sleep(0.2)

    async def position(self, ticket: int) -> Position:
        """The open position with this ticket, once it is shown."""
        async with asyncio.timeout(20):
            while True:
                for each in (await self.read()).positions:
                    if each.ticket == ticket:
                        return each
                await asyncio.sleep(0.2)

    async def close(self, position: Position, **more: Any) -> SendResult:
        """Close it, in each filling mode until one is taken."""
        read = await self.read()
        for filling in filling_modes(read.symbols[position.symbol]):
            answer = await self.gateway.send(self.request(position, read, filling, **more))
            if answer.retcode != INVALID_FILL:
                return answer
        raise AssertionError("no filling mode was taken")

    def request(
        self, position: Position, read: AccountSnapshot, filling: int, **more: Any
    ) -> CloseRequest:
        """The request that closes it."""
        tick = read.ticks[position.symbol]
        fields: dict[str, Any] = {
            "login": self.link.login,
            "server": self.link.server,
            "ticket": position.ticket,
            "symbol": position.symbol,
            "position_side": position.side,
            "volume": position.volume,
            "price": tick.bid if position.side is Side.BUY else tick.ask,
            "deviation_points": 50,
            "filling": filling,
            "comment": "rc:test",
        }
        return CloseRequest(**(fields | more))

    async def is_gone(self, ticket: int) -> None:
        """Wait until the terminal shows it no more."""
        async with asyncio.timeout(20):
            while any(each.ticket == ticket for each in (await self.read()).positions):
                await asyncio.sleep(0.2)


@asynccontextmanager
async def _gateway(
    link: TerminalLink, command: list[str], folder: Path
) -> AsyncIterator[Mt5Gateway]:
    background = Background()

    async def open_channel(_: TerminalLink) -> Channel:
        return await AgentProcess.start(command, folder / "agent.log")

    opened = Mt5Gateway(
        directory=Directory(link),
        open_channel=open_channel,
        epoch=1,
        clock=Now(),
        metrics=CountingMetrics(),
        spawn=background.spawn,
        limits=REAL_LIMITS,
        owner="contract",
    )
    try:
        yield opened
    finally:
        await opened.close()
        await background.close()


def _real_link() -> TerminalLink:
    if sys.platform != "win32":
        pytest.skip("a real terminal and the official library run under Windows")
    missing = [n for n in ("PATH", "LOGIN", "SERVER") if not os.environ.get(f"MT5_TEST_{n}")]
    if missing:
        pytest.skip(f"no demo account: MT5_TEST_{missing[0]} is not set")
    password = os.environ.get("MT5_TEST_PASSWORD")
    return TerminalLink(
        login=int(os.environ["MT5_TEST_LOGIN"]),
        server=os.environ["MT5_TEST_SERVER"],
        path=os.environ["MT5_TEST_PATH"],
        password=Secret(password) if password else None,
    )


@pytest_asyncio.fixture(
    params=["simulated", pytest.param("real", marks=pytest.mark.mt5)],
    scope="module",
    loop_scope="module",
)
async def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """The terminal, nothing of ours open on it."""
    folder = tmp_path_factory.mktemp(request.param)
    state = folder / "agents"
    if request.param == "real":
        link = _real_link()
        command = [sys.executable, str(AGENT), "--state-dir", str(state)]
        async with _gateway(link, command, folder) as gateway:
            yield Ground(link, RealExecutor(link), gateway)
        return
    async with Desk(folder) as desk:
        path = f"{desk.base_url}/terminal/{ALICE}"
        link = TerminalLink(login=ALICE, server="Reckoner-Demo", path=path, server_offset_s=10_800)
        async with _gateway(link, agent_command(state), folder) as gateway:
            yield Ground(link, SimulatedExecutor(desk), gateway)


async def test_what_was_bought_is_read_and_closed_and_its_deals_tell_both(ground: Ground) -> None:
    ticket = await ground.executor.buy()
    position = await ground.position(ticket)

    assert (position.symbol, position.side) == (SYMBOL, Side.BUY)
    answer = await ground.close(position)

    assert answer.retcode == 10009
    await ground.is_gone(ticket)
    async with asyncio.timeout(30):
        while True:
            deals = [d for d in (await ground.read()).deals if d.position_id == position.identifier]
            if len(deals) == 2:
                break
            await asyncio.sleep(0.2)
    assert [(deal.entry, deal.deal_type) for deal in deals] == [(0, 0), (1, 1)]
    assert {deal.volume for deal in deals} == {position.volume}
    age = datetime.now(UTC) - deals[-1].executed_at
    assert abs(age) < timedelta(minutes=1), "the broker's clock was told wrong"


async def test_a_close_is_checked_and_nothing_is_sent(ground: Ground) -> None:
    """By `order_check`, through the agent: in one of the filling modes it would be taken."""
    ticket = await ground.executor.buy()
    position = await ground.position(ticket)

    read = await ground.read()
    requests = [ground.request(position, read, filling) for filling in filling_modes(None)]
    answers = [(await ground.gateway.check(request)).retcode for request in requests]

    assert 0 in answers
    assert any(each.ticket == ticket for each in (await ground.read()).positions)
    await ground.close(position)
    await ground.is_gone(ticket)


async def test_what_is_closed_cannot_be_closed_again(ground: Ground) -> None:
    ticket = await ground.executor.buy()
    position = await ground.position(ticket)
    assert (await ground.close(position)).retcode == 10009
    await ground.is_gone(ticket)
    before = len((await ground.read()).deals)

    try:
        answer = await ground.close(position)
    except NotSent:
        pass
    else:
        assert answer.retcode == 10036

    read = await ground.read()
    assert len(read.deals) == before
    assert all(each.ticket != ticket for each in read.positions)


async def test_more_than_is_held_is_not_closed_and_opens_nothing(ground: Ground) -> None:
    ticket = await ground.executor.buy()
    position = await ground.position(ticket)

    try:
        answer = await ground.close(position, volume=position.volume * 2)
    except NotSent:
        pass
    else:
        assert answer.retcode == 10038

    assert (await ground.position(ticket)).volume == position.volume
    assert (await ground.close(position)).retcode == 10009
    await ground.is_gone(ticket)


async def test_figures_agree_with_one_another(ground: Ground) -> None:
    ticket = await ground.executor.buy()
    await ground.position(ticket)
    read = await ground.read()
    state = read.state

    floating = sum((p.profit + p.swap for p in read.positions), D(0))
    cent = D(1).scaleb(-state.currency_digits)
    assert abs(state.equity - state.balance - state.credit - floating) <= cent * 2
    assert state.margin > 0
    assert read.ticks[SYMBOL].bid < read.ticks[SYMBOL].ask
    assert abs(datetime.now(UTC) - read.ticks[SYMBOL].at) < timedelta(minutes=2)

    assert (await ground.close(await ground.position(ticket))).retcode == 10009
