"""Going an account's way step by step: what is told where it ends, and what is looked at on it."""

import copy
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.adapters.mt5.channel import Channel, Lost, LostHow, NotAsked
from core.adapters.mt5.probe import CLOSES_MAX, WATCH_KNOWN_S, WATCH_S, Probe, Wanted
from core.adapters.mt5.shared import Limits
from core.domain.readiness import Found, Stage
from core.ports import Secret, TerminalLink
from tests.fakes.clock import FixedClock
from tests.unit.terminal.wire import BEGAN, BODY, LOGIN, OFFSET_S, SERVER, SERVER_MS

Script = dict[str, Callable[[dict[str, Any]], Any]]
LINK = TerminalLink(
    login=LOGIN, server=SERVER, path="C:/t.exe", portable=True, password=Secret("hunter2")
)
LIMITS = Limits(read_s=20.0, send_s=20.0, start_s=150.0)


class Talk:
    """An agent that answers from a script, and notes what it was asked and for how long."""

    def __init__(self, clock: FixedClock, script: Script) -> None:
        self.clock = clock
        self.asked: list[dict[str, Any]] = []
        self.within_s: dict[str, float] = {}
        self.killed = 0
        self.usable = True
        self._script = _whole(self) | script

    async def ask(self, message: dict[str, Any], within_s: float) -> dict[str, Any]:
        self.asked.append(message)
        self.within_s[message["verb"]] = within_s
        answer = self._script[message["verb"]](message)
        if isinstance(answer, Exception):
            raise answer
        head = {"ok": "error" not in answer, "build": 5640, "login": LOGIN, "server": SERVER}
        return {**head, **answer}

    def snapshot(self) -> dict[str, Any]:
        """A reading whose price is as fresh as the clock."""
        body = copy.deepcopy(BODY)
        moved_ms = int((self.clock.now() - BEGAN).total_seconds() * 1000)
        body["ticks"]["XAUUSD"]["time_msc"] = SERVER_MS + moved_ms
        return body

    def last_words(self) -> str:
        return ""

    async def kill(self) -> None:
        self.killed += 1


def _listed(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "path": f"All\\{name}",
        "currency_base": name[:3],
        "currency_profit": name[3:],
        "currency_margin": name[3:],
        "trade_calc_mode": 2,
        "trade_mode": 4,
        "digits": 2,
        "select": True,
        "custom": False,
    }


def _whole(talk: Talk) -> Script:
    return {
        "hello": lambda _: {"python": "3.11.9", "platform": "win32", "module": "MetaTrader5"},
        "connect": lambda _: {"terminal": BODY["terminal"], "account": BODY["account"]},
        "symbols": lambda _: {"catalogue": [_listed("XAUUSD")]},
        "snapshot": lambda _: talk.snapshot(),
        "check": lambda _: {"result": {"retcode": 0, "comment": "Done"}},
        "shutdown": lambda _: {},
    }


async def _go(known_s: int | None = OFFSET_S, /, **script: Any) -> tuple[Found, Talk]:
    clock = FixedClock(BEGAN)
    talk = Talk(clock, script)

    async def start(argv: Sequence[str], log_path: Path) -> Channel:
        assert list(argv) == ["agent"]
        return talk

    async def rest(span_s: float) -> None:
        clock.move(span_s)

    probe = Probe(epoch=7, owner="me:1", clock=clock, start=start, rest=rest)
    link = TerminalLink(
        login=LOGIN,
        server=SERVER,
        path="C:/t.exe",
        portable=True,
        password=Secret("hunter2"),
        server_offset_s=known_s,
    )
    wanted = Wanted(
        link=link,
        argv=["agent"],
        log_path=Path("log"),
        limits=LIMITS,
        needed=("XAUUSD",),
        named=("US30",),
    )
    return await probe(wanted), talk


def _refusal(kind: str, text: str = "no", **more: Any) -> Callable[[Any], dict[str, Any]]:
    return lambda _: {"error": {"kind": kind, "text": text, **more}}


def _foreign(kind: str) -> Callable[[Any], dict[str, Any]]:
    """A refusal by another account's terminal."""
    return lambda _: {"error": {"kind": kind, "text": "no"}, "server": "Elsewhere"}


async def test_the_whole_way_is_gone_once_and_left_as_it_was() -> None:
    found, talk = await _go()
    assert found.trouble is None
    assert (found.obstacles, found.offset_s, found.offset_is_fresh) == ((), OFFSET_S, True)
    assert found.symbols is not None
    assert found.symbols.found == {"XAUUSD": "XAUUSD"}
    assert found.symbols.unused == ("US30",)
    assert found.rate is not None
    assert found.rate.gbp_per_unit == 1
    verbs = [message["verb"] for message in talk.asked]
    assert verbs == ["hello", "connect", "symbols", "snapshot", "snapshot", "check", "shutdown"]
    assert all((m["epoch"], m["owner"]) == (7, "me:1") for m in talk.asked)
    assert talk.killed == 1


async def test_the_terminal_gets_the_time_that_was_set_and_the_password_once() -> None:
    _, talk = await _go()
    hello, connect = talk.asked[0], talk.asked[1]
    assert hello["password"] == "hunter2"
    assert hello["terminal"] == {"path": "C:/t.exe", "portable": True}
    assert hello["timeout_ms"] == 60_000
    assert (connect["deadline_ms"], talk.within_s["connect"]) == (149_000, 150)
    assert not any("hunter2" in str(message) for message in talk.asked[1:])


async def test_an_unknown_clock_is_learned_from_prices_that_agree() -> None:
    found, talk = await _go(None)
    assert (found.offset_s, found.offset_is_fresh) == (OFFSET_S, True)
    assert talk.clock.now() - BEGAN < timedelta(seconds=WATCH_S)


@pytest.mark.parametrize(("known_s", "watch_s"), [(None, WATCH_S), (OFFSET_S, WATCH_KNOWN_S)])
async def test_prices_that_stand_still_are_watched_for_a_bounded_time(
    known_s: int | None, watch_s: float
) -> None:
    found, talk = await _go(known_s, snapshot=lambda _: copy.deepcopy(BODY))
    assert (found.offset_s, found.offset_is_fresh) == (known_s, False)
    assert talk.clock.now() - BEGAN == timedelta(seconds=watch_s)
    assert ("check" in talk.within_s) == (known_s is not None)


async def test_without_a_connection_no_price_is_waited_for() -> None:
    apart = {"connected": False, "trade_allowed": True, "tradeapi_disabled": False}
    found, talk = await _go(
        connect=lambda _: {"terminal": apart, "account": BODY["account"]},
        snapshot=lambda _: BODY | {"terminal": apart},
    )
    assert found.obstacles == ("disconnected",)
    assert found.trouble is not None
    assert (found.trouble.stage, found.trouble.kind) == (Stage.READING, "unavailable")
    assert talk.clock.now() == BEGAN


@pytest.mark.parametrize(
    ("verb", "answer", "stage", "kind"),
    [
        ("hello", _refusal("module_missing"), Stage.AGENT, "module_missing"),
        ("hello", _refusal("terminal_locked"), Stage.AGENT, "terminal_locked"),
        ("hello", lambda _: Lost(LostHow.DIED, "ended"), Stage.AGENT, "lost"),
        ("hello", lambda _: NotAsked("ended"), Stage.AGENT, "lost"),
        ("connect", _refusal("mt5", code=-10003), Stage.TERMINAL, "mt5"),
        ("connect", _refusal("mt5", code=-10005), Stage.LOGIN, "mt5"),
        ("connect", _refusal("mt5", code=-6), Stage.LOGIN, "mt5"),
        ("connect", _refusal("wrong_account"), Stage.LOGIN, "wrong_account"),
        ("connect", _refusal("timeout"), Stage.TERMINAL, "timeout"),
        ("connect", lambda _: {}, Stage.READING, "lost"),
        ("connect", lambda _: {"login": 5}, Stage.LOGIN, "wrong_account"),
        ("symbols", lambda _: {"catalogue": [{}]}, Stage.READING, "lost"),
        ("symbols", lambda _: {"catalogue": []}, Stage.READING, "unavailable"),
        ("symbols", lambda _: {"login": 5}, Stage.LOGIN, "wrong_account"),
        ("snapshot", lambda _: BODY | {"server": "X"}, Stage.LOGIN, "wrong_account"),
        ("snapshot", lambda _: BODY | {"login": None}, Stage.READING, "lost"),
        ("snapshot", lambda _: {"error": None}, Stage.READING, "lost"),
        ("check", lambda _: {"login": 5}, Stage.LOGIN, "wrong_account"),
        ("check", _foreign("refused"), Stage.LOGIN, "wrong_account"),
        ("snapshot", _refusal("unstable"), Stage.READING, "unstable"),
        ("snapshot", lambda _: BODY | {"positions": []}, Stage.READING, "unavailable"),
        ("check", _refusal("mt5", code=-10004), Stage.READING, "mt5"),
    ],
)
async def test_where_the_way_ends_is_told_and_the_agent_is_ended(
    verb: str, answer: Callable[[Any], Any], stage: Stage, kind: str
) -> None:
    found, talk = await _go(**{verb: answer})
    assert found.trouble is not None
    assert (found.trouble.stage, found.trouble.kind) == (stage, kind)
    assert "hunter2" not in str(found)
    assert talk.killed == 1


async def test_a_good_bye_that_fails_takes_nothing_back() -> None:
    found, talk = await _go(shutdown=lambda _: Lost(LostHow.FROZEN, "no answer"))
    assert found.trouble is None
    assert talk.killed == 1


async def test_a_broker_that_wants_the_oldest_closed_first_is_told() -> None:
    fifo = BODY["account"] | {"fifo_close": True}
    found, _ = await _go(connect=lambda _: {"terminal": BODY["terminal"], "account": fifo})
    assert found.fifo_close
    assert not (await _go())[0].fifo_close


async def test_an_account_without_symbols_of_its_own_learns_the_clock_from_any_market() -> None:
    """As the gateway does: some market's price moves whenever any market is open."""
    _, talk = await _go(symbols=lambda _: {"catalogue": [_listed("EURUSD"), _listed("XAUUSD")]})
    asked = [m["symbols"] for m in talk.asked if m["verb"] == "snapshot"]
    assert all("EURUSD" in names for names in asked)


async def test_deals_are_asked_for_as_the_gateway_does() -> None:
    _, talk = await _go()
    hour_earlier_s = int(BEGAN.timestamp()) - 3600 + OFFSET_S
    first = next(m for m in talk.asked if m["verb"] == "snapshot")
    assert first["deals_from_s"] == hour_earlier_s


async def test_a_command_that_is_no_program_ends_at_the_agent() -> None:
    async def start(argv: Sequence[str], log_path: Path) -> Channel:
        raise FileNotFoundError(2, "No such file or directory")

    probe = Probe(epoch=7, owner="me:1", clock=FixedClock(BEGAN), start=start)
    found = await probe(Wanted(link=LINK, argv=["nowhere"], log_path=Path("log"), limits=LIMITS))
    assert found.trouble is not None
    assert (found.trouble.kind, found.trouble.text) == (
        "start",
        "nowhere: No such file or directory",
    )


async def test_a_close_is_tried_as_it_would_be_sent_and_in_every_filling() -> None:
    refused = {"result": {"retcode": 10030, "comment": "Unsupported filling mode"}}
    found, talk = await _go(check=lambda _: refused)
    tried = [m["request"] for m in talk.asked if m["verb"] == "check"]
    assert {request["type_filling"] for request in tried} == {0, 1, 2}
    for request in tried:
        assert (request["action"], request["position"]) == (1, 900001)
        assert (request["type"], request["volume"], request["symbol"]) == (0, 0.1, "XAUUSD")
    (close,) = found.closes
    assert (close.ticket, close.volume, close.retcode) == (900001, Decimal("0.1"), 10030)


@pytest.mark.parametrize("count", [CLOSES_MAX, CLOSES_MAX + 1])
async def test_only_so_many_closes_are_tried(count: int) -> None:
    body = copy.deepcopy(BODY)
    body["positions"] = [
        BODY["positions"][0] | {"ticket": n, "identifier": n} for n in range(count, 0, -1)
    ]
    found, _ = await _go(snapshot=lambda _: body)
    assert [close.ticket for close in found.closes] == list(range(1, CLOSES_MAX + 1))
