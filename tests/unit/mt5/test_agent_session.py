"""What the child makes of each verb, over a stand-in for the module."""

from collections.abc import Callable
from typing import Any

import pytest

from core.adapters.mt5 import agent
from tests.fakes.metatrader5_stub import (
    LOGIN,
    NOW_S,
    PASSWORD,
    SERVER,
    Struct,
    StubTerminal,
    order,
    position,
    symbol,
)

DAY_S = 86_400
CONFIG = {
    "terminal": {"path": "C:\\MT5\\terminal64.exe", "portable": True},
    "login": LOGIN,
    "server": SERVER,
    "password": PASSWORD,
    "timeout_ms": 5000,
}
SNAPSHOT = {"verb": "snapshot", "deals_from_s": NOW_S - DAY_S, "symbols": ["GBPUSD", "NOPE"]}
READS = [
    "account_info",
    "terminal_info",
    "positions_get",
    "orders_get",
    "positions_total",
    "orders_total",
    "history_deals_get",
]


@pytest.fixture
def terminal() -> StubTerminal:
    return StubTerminal()


@pytest.fixture
def session(terminal: StubTerminal) -> agent.Session:
    """One that is connected; what it did for that is forgotten."""
    made = agent.Session(terminal, CONFIG, lambda: NOW_S * 1000 + 999)
    assert "body" in made.handle({"verb": "connect"})
    terminal.calls.clear()
    return made


def failed(session: agent.Session, request: dict[str, Any]) -> dict[str, Any]:
    answer = session.handle(request)
    assert "body" not in answer
    error: dict[str, Any] = answer["error"]
    return error


def test_connect_initialises_by_path_and_tells_the_account(terminal: StubTerminal) -> None:
    answer = agent.Session(terminal, CONFIG).handle({"verb": "connect"})
    assert terminal.made("initialize") == [
        (
            ("C:\\MT5\\terminal64.exe",),
            {
                "login": LOGIN,
                "server": SERVER,
                "password": PASSWORD,
                "timeout": 5000,
                "portable": True,
            },
        )
    ]
    assert answer["body"]["account"]["balance"] == 1000.0
    assert answer["body"]["terminal"]["connected"] is True
    assert answer["body"]["version"] == [500, 5640, "21 Nov 2025"]
    assert answer["body"]["module_version"] == "5.0.6231"
    assert answer["head"] == {
        "login": LOGIN,
        "server": SERVER,
        "build": 5640,
        "freshest_tick_ms": None,
    }


def test_without_a_password_the_terminal_keeps_its_login(terminal: StubTerminal) -> None:
    """Naming a login would switch to it; that can switch AutoTrading off (facts: mt5, 2)."""
    agent.Session(terminal, CONFIG | {"password": None}).handle({"verb": "connect"})
    ((_, named),) = terminal.made("initialize")
    assert named == {"timeout": 5000, "portable": True}


def test_an_initialize_that_answers_false_is_an_error_with_its_reason(
    terminal: StubTerminal,
) -> None:
    terminal.faults["initialize"] = lambda: terminal.fail(-6, "Terminal: Authorization failed", 0)
    assert failed(agent.Session(terminal, CONFIG), {"verb": "connect"}) == {
        "kind": "mt5",
        "text": "Terminal: Authorization failed",
        "code": -6,
        "call": "initialize",
    }


@pytest.mark.parametrize(("login", "server"), [(2002, SERVER), (LOGIN, "Other-Live")])
def test_another_account_is_left_alone_at_once(
    terminal: StubTerminal, login: int, server: str
) -> None:
    terminal.account = Struct(login=login, server=server, balance=5.0, credit=0.0)
    session = agent.Session(terminal, CONFIG)
    answer = session.handle({"verb": "connect"})
    assert answer["error"]["kind"] == "wrong_account"
    assert f"{login} at {server}" in answer["error"]["text"]
    assert (answer["head"]["login"], answer["head"]["server"]) == (login, server)
    assert terminal.calls[-1][0] == "shutdown"
    assert failed(session, SNAPSHOT)["kind"] == "not_connected"


@pytest.mark.parametrize("call", ["account_info", "terminal_info", "version"])
def test_a_connection_that_cannot_be_looked_at_is_none(terminal: StubTerminal, call: str) -> None:
    terminal.faults[call] = terminal.fail
    session = agent.Session(terminal, CONFIG)
    assert failed(session, {"verb": "connect"})["call"] == call
    assert terminal.calls[-1][0] == "shutdown"
    assert failed(session, {"verb": "symbols"})["kind"] == "not_connected"


@pytest.mark.parametrize("verb", ["snapshot", "symbols", "deals", "check", "send"])
def test_nothing_is_called_before_connect(terminal: StubTerminal, verb: str) -> None:
    assert failed(agent.Session(terminal, CONFIG), {"verb": verb})["kind"] == "not_connected"
    assert terminal.calls == []


def test_a_snapshot_is_whole(session: agent.Session, terminal: StubTerminal) -> None:
    answer = session.handle(SNAPSHOT)
    body = answer["body"]
    assert body["account"] == terminal.account._asdict()
    assert body["terminal"] == terminal.terminal._asdict()
    assert body["positions"] == [position()._asdict()]
    assert body["orders"] == [order()._asdict()]
    assert [deal["ticket"] for deal in body["deals"]] == [70]
    assert list(body["symbols"]) == ["EURUSD", "GBPUSD", "XAUUSD"], "held, asked for, resting"
    assert list(body["ticks"]) == ["EURUSD", "XAUUSD"], "no tick of GBPUSD has come yet"
    assert body["reads"] == 1
    assert answer["head"]["freshest_tick_ms"] == NOW_S * 1000
    assert b"NaN" not in agent.encode(answer)


def test_an_empty_account_is_empty_lists(session: agent.Session, terminal: StubTerminal) -> None:
    terminal.positions, terminal.orders, terminal.deals = [], [], []
    body = session.handle(SNAPSHOT | {"symbols": []})["body"]
    assert (body["positions"], body["orders"], body["deals"]) == ([], [], [])
    assert (body["symbols"], body["ticks"]) == ({}, {})


@pytest.mark.parametrize("call", READS)
def test_a_read_that_answers_none_is_an_error_and_no_empty_list(
    session: agent.Session, terminal: StubTerminal, call: str
) -> None:
    terminal.faults[call] = terminal.fail
    assert failed(session, SNAPSHOT) == {
        "kind": "mt5",
        "text": "IPC recv failed",
        "code": -10002,
        "call": call,
    }
    calls = [name for name, _, _ in terminal.calls]
    assert calls[calls.index(call) + 1] == "last_error", "asked before anything overwrites it"


@pytest.mark.parametrize("call", [*READS, "symbol_info", "symbol_info_tick"])
def test_a_read_that_raises_is_the_agents_failure(
    session: agent.Session, terminal: StubTerminal, call: str
) -> None:
    def fault() -> None:
        raise SystemError("returned a result with an exception set")

    terminal.faults[call] = fault
    error = failed(session, SNAPSHOT)
    assert error["kind"] == "internal"
    assert "SystemError: returned a result" in error["text"]


def test_deals_are_asked_for_by_whole_seconds_without_names(
    session: agent.Session, terminal: StubTerminal
) -> None:
    """Dates are positional only; a datetime would mean the host's own zone (facts: mt5, 1.1, 2)."""
    session.handle(SNAPSHOT)
    assert terminal.made("history_deals_get") == [((NOW_S - DAY_S, NOW_S + 2 * DAY_S), {})]
    assert all(type(each) is int for each in terminal.made("history_deals_get")[0][0])


def test_deals_are_read_to_two_days_past_the_server_where_the_hosts_clock_is_behind(
    terminal: StubTerminal,
) -> None:
    session = agent.Session(terminal, CONFIG, lambda: (NOW_S - 30 * DAY_S) * 1000)
    session.handle({"verb": "connect"})
    first_s = NOW_S - 40 * DAY_S
    for _ in range(2):
        session.handle(SNAPSHOT | {"deals_from_s": first_s})
    asked = [args for args, _ in terminal.made("history_deals_get")]
    assert asked == [(first_s, NOW_S - 28 * DAY_S), (first_s, NOW_S + 2 * DAY_S)]


@pytest.mark.parametrize(
    ("from_s", "to_s", "asked"),
    [
        (-1, 5, (0, 5)),
        (0, 2**31 - 1, (0, 2_147_483_647)),
        (5, 2**31, (5, 2_147_483_647)),
        (-(2**63) + 1, 2**63 - 1, (0, 2_147_483_647)),
    ],
)
def test_dates_stay_within_what_the_wheel_takes(
    session: agent.Session, terminal: StubTerminal, from_s: int, to_s: int, asked: tuple[int, int]
) -> None:
    """Others raise SystemError, or wrap around to a false "none" (facts: mt5, 1.1, 2)."""
    answer = session.handle({"verb": "deals", "from_s": from_s, "to_s": to_s})
    assert len(answer["body"]["deals"]) == 1
    assert terminal.made("history_deals_get") == [(asked, {})]


def test_a_window_that_ends_before_it_begins_is_refused(session: agent.Session) -> None:
    """It would answer "none"."""
    assert failed(session, {"verb": "deals", "from_s": 6, "to_s": 5})["kind"] == "bad_request"
    late = SNAPSHOT | {"deals_from_s": NOW_S + 2 * DAY_S + 1}
    assert failed(session, late)["kind"] == "bad_request"
    assert "body" in session.handle(late | {"deals_from_s": NOW_S + 2 * DAY_S})


def test_deals_of_one_position_are_asked_for_by_its_identifier(
    session: agent.Session, terminal: StubTerminal
) -> None:
    answer = session.handle({"verb": "deals", "position": 7})
    assert [deal["ticket"] for deal in answer["body"]["deals"]] == [70]
    assert terminal.made("history_deals_get") == [((), {"position": 7})]


def change(terminal: StubTerminal, **parts: Any) -> None:
    terminal.account = Struct(**terminal.account._asdict() | parts)


def change_balance(terminal: StubTerminal) -> None:
    change(terminal, balance=terminal.account.balance + 1)


def change_credit(terminal: StubTerminal) -> None:
    change(terminal, credit=terminal.account.credit + 1)


def open_another(terminal: StubTerminal) -> None:
    terminal.positions.append(position(100 + len(terminal.positions)))


def rest_another(terminal: StubTerminal) -> None:
    terminal.orders.append(order(200 + len(terminal.orders)))


CHANGES = [change_balance, change_credit, open_another, rest_another]


def during(terminal: StubTerminal, changes: list[Callable[[StubTerminal], None]]) -> None:
    """Make one change during each reading of the deals, which lies amid the whole."""

    def fault() -> tuple[Struct, ...]:
        if changes:
            changes.pop(0)(terminal)
        return tuple(terminal.deals)

    terminal.faults["history_deals_get"] = fault


@pytest.mark.parametrize("work", CHANGES)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_changes_during_the_reading_is_read_again(
    session: agent.Session,
    terminal: StubTerminal,
    work: Callable[[StubTerminal], None],
    times: int,
) -> None:
    during(terminal, [work] * times)
    body = session.handle(SNAPSHOT)["body"]
    assert body["reads"] == times + 1
    assert body["account"] == terminal.account._asdict()
    assert len(body["positions"]) == len(terminal.positions)
    assert len(body["orders"]) == len(terminal.orders)


@pytest.mark.parametrize("work", CHANGES)
def test_an_account_that_changes_during_each_of_four_reads_is_unstable(
    session: agent.Session, terminal: StubTerminal, work: Callable[[StubTerminal], None]
) -> None:
    during(terminal, [work] * 4)
    assert failed(session, SNAPSHOT)["kind"] == "unstable"
    assert len(terminal.made("history_deals_get")) == 4


@pytest.mark.parametrize("verb", ["snapshot", "symbols", "deals", "check"])
def test_a_login_that_changes_during_a_reading_spoils_it(
    session: agent.Session, terminal: StubTerminal, verb: str
) -> None:
    def switch(answer: object) -> Callable[[], object]:
        def fault() -> object:
            change(terminal, login=2002)
            return answer

        return fault

    terminal.faults["history_deals_get"] = switch(())
    terminal.faults["symbols_get"] = switch(())
    terminal.faults["order_check"] = switch(Struct(retcode=0))
    close = {"action": 1, "position": 7, "symbol": "EURUSD", "volume": 0.5, "type": 1}
    answer = session.handle(SNAPSHOT | {"verb": verb, "request": close, "from_s": 1, "to_s": 2})
    assert answer["error"]["kind"] == "wrong_account"
    assert answer["head"]["login"] == 2002


def test_a_symbol_is_selected_before_its_figures_are_believed(
    session: agent.Session, terminal: StubTerminal
) -> None:
    terminal.symbols_by_name["GBPUSD"] = symbol("GBPUSD", select=False)

    def select() -> bool:
        terminal.symbols_by_name["GBPUSD"] = symbol("GBPUSD", select=True)
        terminal.ticks["GBPUSD"] = Struct(time_msc=5, bid=1.3, ask=1.4)
        return True

    terminal.faults["symbol_select"] = select
    body = session.handle(SNAPSHOT)["body"]
    assert terminal.made("symbol_select") == [(("GBPUSD", True), {})]
    assert body["symbols"]["GBPUSD"]["select"] is True
    assert body["ticks"]["GBPUSD"]["bid"] == 1.3


@pytest.mark.parametrize("call", ["symbol_info", "symbol_select"])
def test_a_symbol_held_that_the_terminal_does_not_tell_is_an_error(
    session: agent.Session, terminal: StubTerminal, call: str
) -> None:
    terminal.symbols_by_name["EURUSD"] = symbol("EURUSD", select=False)
    terminal.faults[call] = lambda: terminal.fail(-4, "Terminal: Not found")
    error = failed(session, SNAPSHOT)
    assert (error["kind"], error["call"], error["code"]) == ("mt5", call, -4)


def test_a_symbol_asked_for_that_the_terminal_does_not_have_is_not_listed(
    session: agent.Session, terminal: StubTerminal
) -> None:
    terminal.positions, terminal.orders = [], []
    terminal.faults["symbol_info"] = lambda: terminal.fail(-4, "Terminal: Not found")
    assert session.handle(SNAPSHOT)["body"]["symbols"] == {}


@pytest.mark.parametrize("code", [1, 0, -1, -2, -3, -4, -5, -9999])
def test_a_symbol_asked_for_that_cannot_be_selected_does_not_cost_the_reading(
    session: agent.Session, terminal: StubTerminal, code: int
) -> None:
    """An account whose broker hides one currency pair would be guarded no more."""
    terminal.positions, terminal.orders = [], []
    terminal.symbols_by_name["GBPUSD"] = symbol("GBPUSD", select=False)
    terminal.faults["symbol_select"] = lambda: terminal.fail(code, "Terminal: Call failed")
    body = session.handle(SNAPSHOT)["body"]
    assert (body["symbols"], body["ticks"]) == ({}, {})


@pytest.mark.parametrize("code", [-10000, -10001, -10002, -10004, -10005])
def test_a_lost_connection_at_a_selection_is_an_error(
    session: agent.Session, terminal: StubTerminal, code: int
) -> None:
    terminal.positions, terminal.orders = [], []
    terminal.symbols_by_name["GBPUSD"] = symbol("GBPUSD", select=False)
    terminal.faults["symbol_select"] = lambda: terminal.fail(code, "no")
    error = failed(session, SNAPSHOT)
    assert (error["kind"], error["call"], error["code"]) == ("mt5", "symbol_select", code)


@pytest.mark.parametrize("code", [1, 0, -1, -2, -3, -5, -10000, -10001, -10002, -10004, -10005])
@pytest.mark.parametrize("call", ["symbol_info", "symbol_info_tick"])
def test_a_call_that_failed_is_not_a_missing_symbol(
    session: agent.Session, terminal: StubTerminal, call: str, code: int
) -> None:
    """Only -4, not found, says that there is none (law 1)."""
    terminal.positions, terminal.orders = [], []
    terminal.faults[call] = lambda: terminal.fail(code, "no")
    error = failed(session, SNAPSHOT)
    assert (error["kind"], error["call"], error["code"]) == ("mt5", call, code)


def test_a_symbol_held_without_a_tick_is_left_to_whoever_asks(
    session: agent.Session, terminal: StubTerminal
) -> None:
    terminal.ticks.clear()
    body = session.handle(SNAPSHOT)["body"]
    assert body["ticks"] == {}
    assert set(body["symbols"]) == {"EURUSD", "XAUUSD", "GBPUSD"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_named_and_not_sent_on(
    session: agent.Session, terminal: StubTerminal, value: float
) -> None:
    terminal.positions = [position(), position(8, volume=value)]
    error = failed(session, SNAPSHOT)
    assert error["kind"] == "internal"
    assert "positions[1].volume" in error["text"]


def test_half_a_character_in_a_brokers_comment_does_not_spoil_the_line(
    session: agent.Session, terminal: StubTerminal
) -> None:
    terminal.positions = [position(comment="cut \ud834")]
    body = session.handle(SNAPSHOT)["body"]
    assert body["positions"][0]["comment"] == "cut \N{REPLACEMENT CHARACTER}"


def test_the_catalogue_tells_each_symbol_in_short(session: agent.Session) -> None:
    body = session.handle({"verb": "symbols"})["body"]
    assert [row["name"] for row in body["catalogue"]] == ["EURUSD", "XAUUSD", "GBPUSD"]
    assert body["catalogue"][0] == {
        "name": "EURUSD",
        "path": "Forex\\EURUSD",
        "currency_base": "EUR",
        "currency_profit": "USD",
        "currency_margin": "EUR",
        "trade_calc_mode": 0,
        "trade_mode": 4,
        "digits": 5,
        "select": True,
        "custom": False,
    }


def test_shutdown_ends_the_connection(session: agent.Session, terminal: StubTerminal) -> None:
    assert session.handle({"verb": "shutdown"})["body"] == {}
    assert terminal.calls[-1][0] == "shutdown"
    assert failed(session, SNAPSHOT)["kind"] == "not_connected"


def test_connect_again_forgets_what_was_known(
    session: agent.Session, terminal: StubTerminal
) -> None:
    assert session.handle(SNAPSHOT)["head"]["freshest_tick_ms"] == NOW_S * 1000
    assert session.handle({"verb": "connect"})["head"]["freshest_tick_ms"] is None
