"""A house whose terminals are reached through agents, one of whose questions goes wrong.

What goes wrong is said by verb, by how many of its kind pass first, and by the way it fails: before
or after the agent had done what it was asked.
"""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from core.adapters.mt5.channel import Answer, Channel, Lost, LostHow, Message
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.local import LocalAgents, own_copy
from core.adapters.mt5.shared import Limits
from core.ports import TerminalGateway, TerminalLink
from core.sim.peer import Peer
from tests.contract.terminals import MODULE, SERVER_OFFSET_S, Background, Directory, Soon
from tests.engine.house import ACCOUNTS, GBP, SERVER, House

LIMITS: Final = Limits(read_s=10.0, send_s=10.0, start_s=10.0, patience_s=10.0)
LOST: Final = {
    "dies": LostHow.DIED,
    "freezes": LostHow.FROZEN,
    "babbles": LostHow.MALFORMED,
}
"""Ways in which no answer comes of the agent any more."""
REPORTED: Final = ("timeout", "child_died")
"""Ways in which the supervisor tells that its child is gone."""
FAILED_CALLS: Final = (-1, -10000, -10001, -10002, -10004, -10005)
"""`last_error()` codes of a call that answered None."""


class Fault(Struct, frozen=True, kw_only=True):
    """One question that goes wrong: the `skip`-th one of `verb`, counted from 0 once armed."""

    verb: str
    kind: str
    after: bool = False
    skip: int = 0
    code: int = 0

    def __str__(self) -> str:
        moment = "after" if self.after else "before"
        code = f"{self.code}" if self.code else ""
        return f"{self.verb}-{self.skip}-{self.kind}{code}-{moment}"


class SpoiledAgent:
    """A `Channel` whose questions may go wrong."""

    def __init__(self, inner: Channel, house: "AgentHouse", login: int) -> None:
        self._inner = inner
        self._house = house
        self._login = login

    @property
    def usable(self) -> bool:
        """Whether it can still be asked."""
        return self._inner.usable

    async def ask(self, message: Message, within_s: float) -> Answer:
        """Ask, unless this is the question that goes wrong."""
        fault = self._house.take(self._login, message["verb"])
        if fault is None:
            return await self._inner.ask(message, within_s)
        if fault.kind in LOST:
            if fault.after:
                await self._inner.ask(message, within_s)
            await self._inner.kill()
            raise Lost(LOST[fault.kind], f"test: the agent {fault.kind}")
        # Only the head is of use where the question was not put: the agent is asked something mild.
        mild = {**message, "verb": "deals", "from_s": 0, "to_s": 0}
        if "request" in mild or "terminal" in mild:
            mild = {name: mild[name] for name in ("verb", "epoch", "owner", "deadline_ms")}
            mild |= {"from_s": 0, "to_s": 0}
        answer = dict(await self._inner.ask(message if fault.after else mild, within_s))
        answer["verb"] = message["verb"]
        return _spoiled(answer, fault)

    def last_words(self) -> str:
        """None."""
        return ""

    async def kill(self) -> None:
        """End it."""
        await self._inner.kill()


def _spoiled(answer: dict[str, Any], fault: Fault) -> Answer:
    """The answer as it comes of a terminal or an agent that fails in this way."""
    if fault.kind == "wrong_account":
        return _of_another_account(answer)
    if fault.kind == "empty":
        return {**answer, "positions": [], "orders": []}
    if fault.kind == "disconnected":
        return {**answer, "terminal": {**answer["terminal"], "connected": False}}
    calls = {"send": "order_send", "connect": "initialize", "symbols": "symbols_get"}
    kind = "mt5" if fault.kind == "call_fails" else fault.kind
    error = {
        "kind": kind,
        "text": f"test: {kind}",
        "code": fault.code or None,
        "call": calls.get(fault.verb, "positions_get") if kind == "mt5" else None,
    }
    kept = ("id", "verb", "protocol", "agent_pid", "child_pid", "agent_clock_ms", "epoch_max")
    head = {name: answer[name] for name in kept}
    return {**head, "ok": False, "error": error}


def _of_another_account(answer: Mapping[str, Any]) -> Answer:
    """As if another account's flat terminal had answered."""
    other = deepcopy(dict(answer))
    other["login"] = other.get("login", 0) + 1
    if isinstance(other.get("account"), dict):
        other["account"]["login"] += 1
        other["account"] |= {"margin": 0.0, "profit": 0.0, "equity": other["account"]["balance"]}
    for name in ("positions", "orders", "deals"):
        if name in other:
            other[name] = []
    return other


class AgentHouse(House):
    """The real services over agents in this process, over the simulated module."""

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, **settings)
        self.spoiling: Fault | None = None
        self.asked: list[str] = []
        self.background = Background()
        self._passed = 0
        links = (
            TerminalLink(
                login=login, server=SERVER, path=f"{login}", server_offset_s=SERVER_OFFSET_S
            )
            for login, *_ in ACCOUNTS
        )
        self.directory = Directory(*links)
        """Outlives a restart, as the table of terminals does."""

    def arm(self, fault: Fault | None) -> None:
        """From now on let a question go wrong; those asked are counted anew."""
        self.spoiling, self._passed = fault, 0
        self.asked = []

    def take(self, login: int, verb: str) -> Fault | None:
        """The fault of this question, used up; only the first account's agent has faults."""
        if login != GBP:
            return None
        self.asked.append(verb)
        fault = self.spoiling
        if fault is None or fault.verb != verb:
            return None
        self._passed += 1
        if self._passed <= fault.skip:
            return None
        self.spoiling = None
        return fault

    def _open_gateway(self) -> TerminalGateway:
        def module_of(link: TerminalLink) -> object:
            module = own_copy(MODULE)
            module.plug(link.path, Peer(self.sim, link.login))
            return module

        agents = LocalAgents(module_of, self.folder / "agents", self.now_ms, inline=True)

        async def open_channel(link: TerminalLink) -> Channel:
            return SpoiledAgent(await agents.open(link), self, link.login)

        self.agents = Mt5Gateway(
            directory=self.directory,
            open_channel=open_channel,
            epoch=self.epoch,
            clock=self.clock,
            metrics=self.metrics,
            spawn=self.background.spawn,
            limits=LIMITS,
            owner=f"house {self.epoch}",
            chance=Soon(),
        )
        return self.agents

    async def stop(self) -> None:
        """Close the app's store and its agents; the world stays."""
        await self.agents.close()
        await self.background.close()
        await super().stop()
