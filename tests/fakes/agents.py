"""Agents that answer from memory, and fail where a test says so, as `AgentProcess` would."""

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from core.adapters.mt5.channel import Answer, Lost, LostHow, Message, NotAsked
from core.ports import Clock, StoreUnavailable, TerminalLink

LOGIN, SERVER = 90001, "Broker-Live"
OFFSET_S = 7200
CATALOGUE = [
    {
        "name": name,
        "path": f"{folder}\\{name}",
        "currency_base": name[:3],
        "currency_profit": name[3:6],
        "currency_margin": name[:3],
        "trade_calc_mode": 0,
        "trade_mode": 4,
        "digits": digits,
        "select": True,
        "custom": False,
    }
    for folder, name, digits in (
        ("Forex", "EURUSD.r", 5),
        ("Forex", "GBPUSD.r", 5),
        ("Forex", "USDJPY.r", 3),
        ("Metals", "XAUUSD.r", 2),
    )
]
PRICES = {"EURUSD.r": 1.10099, "GBPUSD.r": 1.27, "USDJPY.r": 150.1, "XAUUSD.r": 2420.07}

Edit = Callable[[dict[str, Any]], None]
Act = Callable[["FakeAgent", dict[str, Any]], Coroutine[Any, Any, Answer]]


def ms(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def refusing(kind: str, text: str = "", **error: Any) -> Act:
    """Answer not ok. `login` and `server` stand in the head, the rest in the error."""

    async def act(agent: "FakeAgent", message: dict[str, Any]) -> Answer:
        head = agent.head(message)
        head.update({k: error[k] for k in ("login", "server") if k in error})
        told = {"kind": kind, "text": text, "code": None, "call": None, **error}
        return {**head, "ok": False, "error": told}

    return act


def losing(how: LostHow) -> Act:
    """Be lost while the question is under way."""

    async def act(agent: "FakeAgent", message: dict[str, Any]) -> Answer:
        raise Lost(how, f"{how.value} during {message['verb']}")

    return act


def answering(edit: Edit) -> Act:
    """Answer, with something else in it."""

    async def act(agent: "FakeAgent", message: dict[str, Any]) -> Answer:
        answer = dict(copy.deepcopy(agent.answer(message)))
        edit(answer)
        return answer

    return act


class Gate:
    """Holds answers back until it is opened; counts who waits."""

    def __init__(self) -> None:
        self.waiting = 0
        self.waiting_max = 0
        self._open = asyncio.Event()

    async def act(self, agent: "FakeAgent", message: dict[str, Any]) -> Answer:
        """Wait, then answer."""
        self.waiting += 1
        self.waiting_max = max(self.waiting, self.waiting_max)
        try:
            await self._open.wait()
        finally:
            self.waiting -= 1
        return agent.answer(message)

    def open(self) -> None:
        """Let all through."""
        self._open.set()


class FakeAgent:
    """One agent, with the account that its world has."""

    def __init__(self, world: "FakeAgents", link: TerminalLink) -> None:
        self.world = world
        self.link = link
        self.usable = True
        self.connected = False
        self.words = ""
        self._asked = 0

    async def ask(self, message: Message, within_s: float) -> Answer:
        """Answer, or fail as told."""
        if not self.usable:
            raise NotAsked("the agent has ended")
        self._asked += 1
        self.world.said.append(message)
        acts = self.world.acts.get(message["verb"])
        try:
            return await acts.popleft()(self, message) if acts else self.answer(message)
        except BaseException:
            self.usable = False
            raise

    def head(self, message: dict[str, Any]) -> dict[str, Any]:
        """What every answer bears."""
        known = {"login": self.link.login, "server": self.link.server} if self.connected else {}
        return {
            "id": self._asked,
            "verb": message["verb"],
            "ok": True,
            "protocol": 1,
            "epoch_max": message["epoch"],
            **known,
        }

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """As a sound agent does."""
        if message["verb"] == "connect":
            self.connected = True
        head = self.head(message)
        match str(message["verb"]):
            case "symbols":
                return {**head, "catalogue": copy.deepcopy(self.world.catalogue)}
            case "snapshot":
                return {**head, **self.world.account(self.link, set(message["symbols"]))}
            case "send":
                return {**head, "result": dict(self.world.result)}
            case "shutdown":
                self.usable = False
                return head
            case _:
                return head

    def last_words(self) -> str:
        """What the test put there."""
        return self.words

    async def kill(self) -> None:
        """Be gone."""
        self.usable = False


class FakeAgents:
    """Opens agents. `acts`: by verb, what the next ones do instead of answering."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.opened: list[FakeAgent] = []
        self.said: list[dict[str, Any]] = []
        self.acts: dict[str, deque[Act]] = {}
        self.failures: deque[Exception] = deque()
        self.door = asyncio.Event()
        """Nobody comes in while it is not set."""
        self.door.set()
        self.at_the_door = 0
        self.catalogue = copy.deepcopy(CATALOGUE)
        self.positions: list[dict[str, Any]] = []
        self.deals: list[dict[str, Any]] = []
        self.currency = "GBP"
        self.offset_s = OFFSET_S
        self.is_market_open = True
        self.tick_ms = 0
        self.result = {
            "retcode": 10009,
            "deal": 7,
            "order": 8,
            "volume": 0.1,
            "price": 1.10099,
            "comment": "done",
        }

    async def open(self, link: TerminalLink) -> FakeAgent:
        """Start one."""
        if self.failures:
            raise self.failures.popleft()
        self.at_the_door += 1
        await self.door.wait()
        self.at_the_door -= 1
        self.opened.append(FakeAgent(self, link))
        return self.opened[-1]

    def will(self, verb: str, *acts: Act) -> None:
        """Let the next answers to a verb be these."""
        self.acts.setdefault(verb, deque()).extend(acts)

    def verbs(self) -> list[str]:
        """What was asked, in order."""
        return [message["verb"] for message in self.said]

    def position(self, ticket: int = 11, symbol: str = "EURUSD.r", side: int = 1) -> None:
        """Hold a position: MetaQuotes' sample, 0.01 lots sold at 1.09301 (facts: mt5, 9)."""
        opened_ms = ms(self.clock.now()) + self.offset_s * 1000 - 60_000
        self.positions.append(
            {
                "ticket": ticket,
                "identifier": ticket,
                "time_msc": opened_ms,
                "type": side,
                "magic": 0,
                "reason": 0,
                "volume": 0.01,
                "price_open": 1.09301,
                "sl": 0.0,
                "tp": 0.0,
                "price_current": 1.10104,
                "swap": 0.0,
                "profit": -8.03,
                "symbol": symbol,
                "comment": "",
            }
        )

    def deal(self, ticket: int, at: datetime, offset_s: int | None = None) -> None:
        """Book a deposit at an instant."""
        stamped_ms = ms(at) + (self.offset_s if offset_s is None else offset_s) * 1000
        self.deals.append(
            {
                "ticket": ticket,
                "order": 0,
                "position_id": 0,
                "type": 2,
                "entry": 0,
                "magic": 0,
                "reason": 0,
                "time_msc": stamped_ms,
                "volume": 0.0,
                "price": 0.0,
                "commission": 0.0,
                "swap": 0.0,
                "profit": 100.0,
                "fee": 0.0,
                "symbol": "",
                "comment": "",
            }
        )

    def account(self, link: TerminalLink, asked: set[str]) -> dict[str, Any]:
        """The account, whole."""
        if self.is_market_open:
            self.tick_ms = ms(self.clock.now()) + self.offset_s * 1000 - 100
        held = {each["symbol"] for each in self.positions}
        names = sorted((asked & PRICES.keys()) | held)
        profit = sum(each["profit"] for each in self.positions)
        return {
            "terminal": {"connected": True, "trade_allowed": True, "tradeapi_disabled": False},
            "account": {
                "login": link.login,
                "server": link.server,
                "currency": self.currency,
                "currency_digits": 2,
                "margin_mode": 2,
                "margin_so_mode": 0,
                "balance": 941.54,
                "credit": 0.0,
                "profit": profit,
                "equity": 941.54 + profit,
                "margin": 2.36 if self.positions else 0.0,
                "margin_free": 941.54 + profit,
                "margin_level": 39996.18 if self.positions else 0.0,
                "margin_so_so": 50.0,
                "trade_allowed": True,
                "trade_expert": True,
                "fifo_close": False,
            },
            "positions": copy.deepcopy(self.positions),
            "orders": [],
            "deals": copy.deepcopy(self.deals),
            "ticks": {name: self._tick(name) for name in names},
            "symbols": {name: self._symbol(name) for name in names},
            "reads": 1,
        }

    def _tick(self, name: str) -> dict[str, Any]:
        return {"bid": PRICES[name], "ask": PRICES[name] + 0.01, "time_msc": self.tick_ms}

    def _symbol(self, name: str) -> dict[str, Any]:
        line = next(each for each in CATALOGUE if each["name"] == name)
        return {
            **line,
            "point": 10.0 ** -int(str(line["digits"])),
            "trade_contract_size": 100000.0,
            "volume_min": 0.01,
            "volume_step": 0.01,
            "volume_max": 100.0,
            "volume_limit": 0.0,
            "trade_tick_value": 1.0,
            "trade_tick_size": 10.0 ** -int(str(line["digits"])),
            "trade_stops_level": 0,
            "trade_freeze_level": 0,
            "filling_mode": 3,
            "trade_exemode": 2,
        }


class FakeDirectory:
    """Links in memory."""

    def __init__(self, *links: TerminalLink) -> None:
        self.links = {(link.login, link.server): link for link in links}
        self.kept: list[tuple[int, str, int, datetime]] = []
        self.store_is_lost = False
        self.failures: deque[Exception] = deque()

    async def find(self, login: int, server: str) -> TerminalLink | None:
        if self.failures:
            raise self.failures.popleft()
        return self.links.get((login, server))

    async def keep_offset(self, login: int, server: str, offset_s: int, at: datetime) -> None:
        if self.store_is_lost:
            raise StoreUnavailable("the disk is full")
        self.kept.append((login, server, offset_s, at))
