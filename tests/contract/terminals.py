"""The ways to one simulated broker that must not differ, for the contract's tests.

`http`: the terminal protocol over HTTP. `agent`: a real agent process, whose child calls the
simulated module. `local`: the agent's own session in this process. Each is a `TerminalGateway`.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from bot.sandbox.people import BROKER_SERVER
from core.adapters.mt5.channel import AgentProcess, Channel
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.local import LocalAgents, own_copy
from core.adapters.mt5.shared import Limits, OpenChannel
from core.adapters.terminal.http_gateway import HttpTerminalGateway
from core.ports import TerminalGateway, TerminalLink
from core.sim.peer import Peer
from tests.fakes.metrics import CountingMetrics
from tests.wire.broker.desk import ALICE, Desk

ROOT: Final = Path(__file__).parents[2]
AGENT: Final = ROOT / "core" / "adapters" / "mt5" / "agent.py"
LIMITS: Final = Limits(read_s=10.0, send_s=10.0, start_s=20.0, patience_s=20.0)
MODULE: Final = "core.sim.metatrader5"
SERVER_OFFSET_S: Final = 10_800
KINDS: Final = ("http", "agent", "local")


class Now:
    """Real time."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """The same."""
        return self.now().timestamp()

    async def rest_until(self, due: datetime) -> bool:
        """Leave it to time."""
        del due
        return False


class Directory:
    """Links that change only in what is kept of the broker's clock; tests look at that."""

    def __init__(self, *links: TerminalLink) -> None:
        self.links = {(link.login, link.server): link for link in links}
        self.offsets: list[int] = []

    async def find(self, login: int, server: str) -> TerminalLink | None:
        """The link, if any."""
        return self.links.get((login, server))

    async def keep_offset(self, login: int, server: str, offset_s: int, at: datetime) -> None:
        """Keep it."""
        del at
        self.offsets.append(offset_s)
        link = self.links[login, server]
        self.links[login, server] = replace(link, server_offset_s=offset_s)


class Background:
    """Runs what a gateway does beside its answers, and ends it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def agent_command(state: Path) -> list[str]:
    """An agent on the simulated module."""
    words = [sys.executable, str(AGENT), "--module", MODULE]
    return [*words, "--state-dir", str(state)]


class Soon(random.Random):
    """Waits are drawn by chance; tests draw short ones."""

    def random(self) -> float:
        """Nearly nothing."""
        return 0.02


def processes(folder: Path) -> OpenChannel:
    """Agents of their own, on the simulated module, reached over pipes."""

    async def open_channel(link: TerminalLink) -> Channel:
        log = folder / f"{link.login}.log"
        return await AgentProcess.start(agent_command(folder / "agents"), log)

    return open_channel


def in_this_process(desk: Desk, folder: Path) -> OpenChannel:
    """The agent's own code without a process, over the simulated module's pipe."""

    def module_of(link: TerminalLink) -> object:
        module = own_copy(MODULE)
        module.plug(link.path, Peer(desk.part.simulation, link.login))
        return module

    return LocalAgents(module_of, folder / "agents", inline=True).open


@asynccontextmanager
async def agents(
    desk: Desk,
    open_channel: OpenChannel,
    *,
    epoch: int = 1,
    limits: Limits = LIMITS,
    logins: tuple[int, ...] = (ALICE,),
    where: str = "",
) -> AsyncIterator[Mt5Gateway]:
    """A gateway over agents of this broker; their terminals' paths begin with `where`."""
    background = Background()
    links = [
        TerminalLink(
            login=each,
            server=BROKER_SERVER,
            path=f"{where or desk.base_url}/terminal/{each}",
            server_offset_s=SERVER_OFFSET_S,
        )
        for each in logins
    ]
    gateway = Mt5Gateway(
        directory=Directory(*links),
        open_channel=open_channel,
        epoch=epoch,
        clock=Now(),
        metrics=CountingMetrics(),
        spawn=background.spawn,
        limits=limits,
        owner="contract",
        chance=Soon(),
    )
    try:
        yield gateway
    finally:
        await gateway.close()
        await background.close()


@asynccontextmanager
async def gateway_of(
    kind: str, desk: Desk, folder: Path, *, epoch: int = 1
) -> AsyncIterator[TerminalGateway]:
    """The gateway of a kind to the broker."""
    if kind == "http":
        over_http = HttpTerminalGateway(
            desk.base_url, epoch=epoch, clock=Now(), read_timeout_s=10.0, send_timeout_s=10.0
        )
        yield over_http
        await over_http.close()
    else:
        # A pipe to this process's own world would wait for itself.
        opened, where = (
            (processes(folder), "") if kind == "agent" else (in_this_process(desk, folder), "here")
        )
        async with agents(desk, opened, epoch=epoch, where=where) as over_agents:
            yield over_agents
