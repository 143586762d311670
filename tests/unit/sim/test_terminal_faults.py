"""Faults as the MetaTrader5 module meets them, and the same ones over the old terminal protocol."""

import time
from typing import Any

import pytest

from core.sim.codes import LAST_ERROR_TEXT, RETCODE_TEXT
from core.sim.faults import FUNCTIONS, HANG_MS, HANG_MS_MAX, JUMP_S_MAX, BadFault, parse_fault
from core.sim.peer import PIPE_BROKEN
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, START_MS, Bench
from tests.unit.sim.surface import BROKEN, CLOSED, FINE, Surface, deal

CLOSE: dict[str, Any] = {**deal("sell"), "position": 900_001}
SENT_ALL = 2**31 - 1

ASKING: dict[str, tuple[tuple[Any, ...], Any]] = {
    "login": ((HEDGING_USD,), False),
    "version": ((), None),
    "terminal_info": ((), None),
    "account_info": ((), None),
    "symbols_total": ((), None),
    "symbols_get": ((), None),
    "symbol_info": (("XAUUSD",), None),
    "symbol_info_tick": (("XAUUSD",), None),
    "symbol_select": (("XAUUSD",), False),
    "orders_total": ((), None),
    "orders_get": ((), None),
    "order_calc_margin": ((0, "XAUUSD", 0.1, 1970.0), None),
    "order_calc_profit": ((0, "XAUUSD", 0.1, 1970.0, 1971.0), None),
    "order_check": ((deal(),), None),
    "order_send": ((deal(),), None),
    "positions_total": ((), None),
    "positions_get": ((), None),
    "history_orders_total": ((0, SENT_ALL), None),
    "history_orders_get": ((0, SENT_ALL), None),
    "history_deals_total": ((0, SENT_ALL), None),
    "history_deals_get": ((0, SENT_ALL), None),
}
"""Every function but `initialize`, how it is asked here, and what it answers when it fails."""


def test_every_function_that_a_fault_may_name_is_tried_here() -> None:
    assert {*ASKING, "initialize"} == set(FUNCTIONS)


@pytest.mark.parametrize("function", ASKING)
def test_any_call_may_fail_and_the_next_one_works(
    mt5: Surface, bench: Bench, function: str
) -> None:
    args, failure = ASKING[function]
    bench.fault(HEDGING_USD, "call_fails", verb=function, code=-1, times=1)
    assert getattr(mt5, function)(*args) is failure
    assert mt5.last_error() == (-1, "Terminal: Call failed")
    assert bench.positions(HEDGING_USD) == []
    mt5.symbol_select("XAUUSD")
    answer = getattr(mt5, function)(*args)
    assert answer is not None
    assert answer is not False
    assert mt5.last_error() == FINE


@pytest.mark.parametrize("code", LAST_ERROR_TEXT)
def test_every_last_error_may_come_and_some_break_the_pipe(
    mt5: Surface, bench: Bench, code: int
) -> None:
    bench.fault(HEDGING_USD, "call_fails", verb="positions_get", code=code, times=1)
    assert mt5.positions_get() is None
    assert mt5.last_error() == (code, LAST_ERROR_TEXT[code])
    if code in PIPE_BROKEN:
        assert (mt5.positions_get(), mt5.last_error()) == (None, CLOSED)
        assert mt5.initialize(mt5.path(HEDGING_USD))
    assert mt5.positions_get() == ()


def test_which_failures_break_the_pipe() -> None:
    """The facts' 1.3: sending, receiving, initialising and having none."""
    assert {-10001, -10002, -10003, -10004} == PIPE_BROKEN


@pytest.mark.parametrize("code", [-6, -10003, -10005])
def test_connecting_may_fail(mt5: Surface, bench: Bench, code: int) -> None:
    bench.fault(HEDGING_USD, "call_fails", verb="initialize", code=code, times=1)
    assert mt5.initialize(mt5.path(HEDGING_USD)) is False
    assert mt5.last_error() == (code, LAST_ERROR_TEXT[code])
    assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)
    assert mt5.initialize(mt5.path(HEDGING_USD)) is True


@pytest.mark.parametrize(("when", "held"), [("before", 0), ("after", 1)])
def test_a_send_may_fail_before_and_after_its_execution(
    mt5: Surface, bench: Bench, when: str, held: int
) -> None:
    bench.fault(HEDGING_USD, "call_fails", verb="order_send", code=-10002, when=when, times=1)
    assert (mt5.send(**deal()), mt5.last_error()) == (None, BROKEN)
    assert len(bench.positions(HEDGING_USD)) == held
    bench.fault(HEDGING_USD, "call_fails", verb="order_send", code=-10000, when=when, times=1)
    sent = bench.terminal.send(HEDGING_USD, deal(), 1)
    assert (sent.result, sent.error) == (None, (-10000, "IPC call failed"))
    assert len(bench.positions(HEDGING_USD)) == 2 * held


@pytest.mark.parametrize("kind", ["link_drops", "timeout_after_execution"])
def test_the_link_drops_after_the_execution_until_it_is_made_again(
    mt5: Surface, bench: Bench, kind: str
) -> None:
    """Facts, row 4."""
    mt5.open()
    bench.fault(HEDGING_USD, kind, times=1)
    assert (mt5.send(**CLOSE), mt5.last_error()) == (None, BROKEN)
    assert bench.positions(HEDGING_USD) == []
    for _ in range(2):
        assert (mt5.positions_get(), mt5.last_error()) == (None, CLOSED)
    assert mt5.initialize(mt5.path(HEDGING_USD))
    assert mt5.positions_get() == ()
    assert mt5.send(**CLOSE).retcode == 10036


def test_over_the_old_protocol_the_next_read_finds_no_link(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.fault(HEDGING_USD, "link_drops", times=1)
    sent = bench.terminal.send(HEDGING_USD, CLOSE, 1)
    assert (sent.result, sent.error) == (None, BROKEN)
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert (read["failed"], read["error"]) == ("account_info", list(CLOSED))
    assert bench.terminal.snapshot(HEDGING_USD, 0, [])["positions"] == []


def test_a_link_does_not_drop_where_nothing_was_executed(mt5: Surface, bench: Bench) -> None:
    bench.fault(HEDGING_USD, "link_drops", times=1)
    bench.fault(HEDGING_USD, "requote", times=1)
    assert mt5.send(**deal()).retcode == 10004
    assert mt5.send(**deal()) is None


@pytest.mark.parametrize("retcode", RETCODE_TEXT)
@pytest.mark.parametrize(("when", "held"), [("before", 0), ("after", 1)])
def test_every_retcode_may_be_answered_with_and_without_execution(
    mt5: Surface, bench: Bench, retcode: int, when: str, held: int
) -> None:
    bench.fault(HEDGING_USD, "retcode", code=retcode, when=when, times=1)
    sent = mt5.send(**deal())
    assert (sent.retcode, sent.comment) == (retcode, RETCODE_TEXT[retcode])
    assert (sent.deal, sent.order, sent.volume, sent.price) == (0, 0, 0.0, 0.0)
    assert len(bench.positions(HEDGING_USD)) == held
    assert mt5.send(**deal()).retcode == 10009


def test_done_comes_before_the_position_disappears(mt5: Surface, bench: Bench) -> None:
    ticket = mt5.open()
    before = (mt5.positions_get(), mt5.account_info(), mt5.history_deals_get(0, SENT_ALL))
    bench.fault(HEDGING_USD, "done_early", ms=1_500, times=1)
    assert mt5.send(**CLOSE).retcode == 10009
    assert bench.positions(HEDGING_USD) == []
    bench.now += 1_499
    shown = (mt5.positions_get(), mt5.account_info(), mt5.history_deals_get(0, SENT_ALL))
    assert shown == before
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert [one["ticket"] for one in read["positions"]] == [ticket]
    assert [one["entry"] for one in read["deals"]] == [0, 0]
    assert read["account"]["balance"] == 12_000.0
    assert len(mt5.history_orders_get(0, SENT_ALL)) == 1
    # A second close meanwhile is told the truth.
    assert mt5.send(**CLOSE).retcode == 10036
    bench.now += 1
    assert mt5.positions_get() == ()
    assert mt5.account_info().balance == 11_997.0
    assert len(mt5.history_deals_get(position=ticket)) == 2


def test_what_is_shown_late_survives_the_world(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    bench.fault(HEDGING_USD, "done_early", ms=1_500, times=1)
    bench.send(HEDGING_USD, "reckoner", **CLOSE)
    bench.reopen()
    assert len(bench.terminal.snapshot(HEDGING_USD, 0, [])["positions"]) == 1
    bench.sim.clear_faults(HEDGING_USD)
    assert bench.terminal.snapshot(HEDGING_USD, 0, [])["positions"] == []


def test_a_disconnected_terminal_answers_from_its_cache(mt5: Surface, bench: Bench) -> None:
    mt5.open(sl=1960.0)
    bench.fault(HEDGING_USD, "disconnected")

    def shown() -> tuple[Any, ...]:
        return (
            mt5.positions_get(),
            mt5.orders_get(),
            mt5.account_info(),
            mt5.history_deals_get(0, SENT_ALL),
            mt5.history_orders_get(0, SENT_ALL),
            mt5.symbol_info_tick("XAUUSD"),
            mt5.symbol_info("XAUUSD").bid,
            mt5.positions_total(),
        )

    cached = shown()
    bench.now += 60_000
    bench.price("XAUUSD", "1950.00", "1950.30")
    assert bench.positions(HEDGING_USD) == []
    assert shown() == cached
    assert mt5.terminal_info().connected is False
    assert mt5.send(**CLOSE).retcode == 10031
    bench.sim.clear_faults(HEDGING_USD)
    assert mt5.terminal_info().connected is True
    assert mt5.positions_get() == ()


def test_a_second_disconnection_does_not_freshen_the_cache(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.1)
    first, second = (parse_fault({"kind": "disconnected", "to": "reckoner"}, 0) for _ in range(2))
    bench.sim.set_fault(HEDGING_USD, first)
    bench.trade(HEDGING_USD, "sell", 0.1, position=900_001)
    bench.sim.set_fault(HEDGING_USD, second)
    bench.sim.end_fault(HEDGING_USD, first)
    assert len(bench.terminal.snapshot(HEDGING_USD, 0, [])["positions"]) == 1
    bench.sim.end_fault(HEDGING_USD, second)
    assert bench.terminal.snapshot(HEDGING_USD, 0, [])["positions"] == []


def test_an_empty_cache_is_empty_in_all_its_parts_for_one_reading(
    mt5: Surface, bench: Bench
) -> None:
    mt5.open()
    bench.send(HEDGING_USD, **{**deal(), "action": 5, "type": 2, "price": 1960.0})
    bench.fault(HEDGING_USD, "empty_read", times=1)
    empty = (mt5.positions_get(), mt5.orders_get(), mt5.positions_total(), mt5.orders_total())
    assert empty == ((), (), 0, 0)
    assert mt5.account_info().margin == 197.03
    assert len(mt5.positions_get()) == mt5.positions_total() == mt5.orders_total() == 1


def test_a_read_that_fails_breaks_the_pipe(mt5: Surface, bench: Bench) -> None:
    bench.fault(HEDGING_USD, "read_fails", times=1)
    assert mt5.account_info() is not None
    assert (mt5.positions_get(), mt5.last_error()) == (None, BROKEN)
    assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)


def test_another_accounts_data_for_as_many_calls(mt5: Surface, bench: Bench) -> None:
    ticket = mt5.open()
    bench.fault(HEDGING_USD, "wrong_login", times=3)
    assert mt5.account_info().login == NETTING_EUR
    assert mt5.positions_get() == ()
    assert mt5.send(**CLOSE).retcode == 10036
    assert mt5.account_info().login == HEDGING_USD
    assert [one.ticket for one in mt5.positions_get()] == [ticket]


def test_another_accounts_data_for_one_moment_of_a_reading(mt5: Surface, bench: Bench) -> None:
    """The account is right before and after: only the positions are another's."""
    mt5.open()
    other = bench.trade(NETTING_EUR, "sell", 0.2, "EURUSD")
    bench.fault(HEDGING_USD, "wrong_login", verb="positions_get", times=1)
    assert mt5.account_info().login == HEDGING_USD
    assert [one.ticket for one in mt5.positions_get()] == [other]
    assert mt5.account_info().login == HEDGING_USD
    bench.fault(HEDGING_USD, "wrong_login", verb="positions_get", times=1)
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert (read["login"], read["account"]["login"]) == (HEDGING_USD, HEDGING_USD)
    assert [one["ticket"] for one in read["positions"]] == [other]
    assert len(bench.terminal.snapshot(HEDGING_USD, 0, [])["positions"]) == 1


RIGHTS = [
    # kind, what account and terminal show, what a send is answered
    ("investor", {"trade_allowed": False}, {}, 10017),
    ("trade_disabled", {"trade_allowed": False}, {}, 10017),
    ("expert_disabled", {"trade_expert": False}, {}, 10026),
    ("autotrading_off", {}, {"trade_allowed": False}, 10027),
]


@pytest.mark.parametrize(("kind", "account", "terminal", "retcode"), RIGHTS)
def test_missing_rights_show_and_refuse(
    mt5: Surface, bench: Bench, kind: str, account: dict[str, bool], terminal: dict[str, bool],
    retcode: int,
) -> None:  # fmt: skip
    bench.fault(HEDGING_USD, kind)
    shown, runs = mt5.account_info()._asdict(), mt5.terminal_info()._asdict()
    assert {name: shown[name] for name in ("trade_allowed", "trade_expert")} == {
        "trade_allowed": True, "trade_expert": True, **account,
    }  # fmt: skip
    assert runs["trade_allowed"] is terminal.get("trade_allowed", True)
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert {name: read["account"][name] for name in account} == account
    assert mt5.send(**deal()).retcode == retcode
    assert bench.terminal.send(HEDGING_USD, deal(), 1).retcode == retcode
    assert bench.send(HEDGING_USD, "executor", **deal()).retcode == 10009
    bench.sim.clear_faults(HEDGING_USD)
    assert mt5.send(**deal()).retcode == 10009


def test_a_terminal_may_forbid_its_python_interface(mt5: Surface, bench: Bench) -> None:
    disabled = (-8, "Auto-Trading using Python API disabled in Terminal")
    bench.fault(HEDGING_USD, "tradeapi_disabled")
    assert mt5.terminal_info().tradeapi_disabled is True
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert read["terminal"]["tradeapi_disabled"] is True
    assert (mt5.send(**deal()), mt5.last_error()) == (None, disabled)
    assert (mt5.order_check(deal()), mt5.last_error()) == (None, disabled)
    assert bench.terminal.send(HEDGING_USD, deal(), 1).error == disabled
    # The pipe is whole.
    assert mt5.positions_get() == ()


def test_a_broker_overwrites_comments(mt5: Surface, bench: Bench) -> None:
    bench.fault(HEDGING_USD, "comment_overwritten", text="broker", times=1)
    sent = mt5.send(**deal(), comment="rc:12", magic=77)
    assert sent.request.comment == "rc:12"
    (held,) = mt5.positions_get()
    assert (held.comment, held.magic) == ("broker", 77)
    assert mt5.history_deals_get(0, SENT_ALL)[-1].comment == "broker"
    mt5.open(comment="rc:13")
    assert mt5.positions_get()[-1].comment == "rc:13"


@pytest.mark.parametrize(("ticket", "renumbered"), [(0, 2), (900_001, 1), (5, 0)])
def test_a_rollover_gives_new_tickets(
    mt5: Surface, bench: Bench, ticket: int, renumbered: int
) -> None:
    first, second = mt5.open(sl=1950.0, comment="rc:1"), mt5.open()
    before = {one.identifier: one for one in mt5.positions_get()}
    bench.fault(HEDGING_USD, "rollover_renumber", ticket=ticket)
    after = {one.identifier: one for one in mt5.positions_get()}
    assert set(after) == {first, second}
    assert sum(after[one].ticket != before[one].ticket for one in after) == renumbered
    for identifier, one in after.items():
        kept = ("volume", "price_open", "sl", "comment", "time", "type")
        was = before[identifier]._asdict()
        assert {name: one._asdict()[name] for name in kept} == {name: was[name] for name in kept}
    if renumbered:
        assert mt5.send(**CLOSE).retcode == 10036
        assert mt5.send(**{**CLOSE, "position": after[first].ticket}).retcode == 10009
    assert bench.sim.faults.active(HEDGING_USD) == []


def test_the_servers_clock_jumps_and_the_past_stays(mt5: Surface, bench: Bench) -> None:
    mt5.open()
    opened = mt5.positions_get()[0].time_msc
    bench.now += 60_000
    bench.fault(HEDGING_USD, "clock_jump", s=-3600)
    assert mt5.symbol_info_tick("XAUUSD").time_msc == START_MS + 60_000 + 7_200_000
    assert mt5.positions_get()[0].time_msc == opened == START_MS + 10_800_000
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert (read["server_offset_s"], read["agent_clock_ms"]) == (7_200, START_MS + 60_000)
    assert bench.terminal.snapshot(HEDGING_GBP, 0, [])["server_offset_s"] == 7_200


def test_the_agents_clock_jumps_alone(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "clock_jump", of="agent", s=90)
    bench.reopen()
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert (read["server_offset_s"], read["agent_clock_ms"]) == (10_800, START_MS + 90_000)
    assert bench.terminal.snapshot(HEDGING_GBP, 0, [])["agent_clock_ms"] == START_MS
    bench.sim.clear_faults(HEDGING_USD)
    assert bench.terminal.snapshot(HEDGING_USD, 0, [])["agent_clock_ms"] == START_MS


@pytest.mark.parametrize("kind", ["slow", "hang"])
@pytest.mark.parametrize(("when", "held"), [("before", 1), ("after", 1)])
def test_a_call_takes_its_time(mt5: Surface, bench: Bench, kind: str, when: str, held: int) -> None:
    bench.fault(HEDGING_USD, kind, ms=30, verb="send", when=when, times=1)
    began = time.monotonic()
    sent = mt5.send(**deal())
    assert time.monotonic() - began >= 0.03
    if kind == "hang":
        assert (sent, mt5.last_error()) == (None, BROKEN)
        held -= when == "before"
    assert len(bench.positions(HEDGING_USD)) == held


@pytest.mark.parametrize("function", ["account_info", "history_deals_get"])
def test_a_connection_drops_at_any_call(mt5: Surface, bench: Bench, function: str) -> None:
    bench.fault(HEDGING_USD, "drop_connection", verb=function, when="after", times=1)
    args, _ = ASKING[function]
    assert (getattr(mt5, function)(*args), mt5.last_error()) == (None, BROKEN)
    assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)


@pytest.mark.parametrize("function", ["account_info", "positions_get", "symbol_info_tick"])
def test_a_failing_function_fails_the_old_protocols_reading(bench: Bench, function: str) -> None:
    bench.fault(HEDGING_USD, "call_fails", verb=function, code=-10005, times=1)
    read = bench.terminal.snapshot(HEDGING_USD, 0, [])
    assert (read["failed"], read["error"]) == (function, [-10005, "IPC timeout"])
    assert "failed" not in bench.terminal.snapshot(HEDGING_USD, 0, [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "call_fails", "verb": "snapshot", "code": -1}, "verb"),
        ({"kind": "call_fails", "verb": "positions_get"}, "code"),
        ({"kind": "call_fails", "verb": "positions_get", "code": 1}, "code"),
        ({"kind": "call_fails", "verb": "order_send", "code": -1, "when": "during"}, "when"),
        ({"kind": "retcode"}, "code"),
        ({"kind": "retcode", "code": 10005}, "code"),
        ({"kind": "retcode", "code": 10037}, "code"),
        ({"kind": "retcode", "code": 10012, "when": "during"}, "when"),
        ({"kind": "done_early"}, "ms"),
        ({"kind": "hang", "verb": "send", "ms": HANG_MS_MAX + 1}, "ms"),
        ({"kind": "hang"}, "verb"),
        ({"kind": "wrong_login", "verb": "trade"}, "verb"),
        ({"kind": "trade_mode", "mode": 0}, "symbol"),
        ({"kind": "trade_mode", "symbol": "XAUUSD", "mode": 5}, "mode"),
        ({"kind": "comment_overwritten", "text": "x" * 30}, "text"),
        ({"kind": "rollover_renumber", "ticket": -1}, "ticket"),
        ({"kind": "clock_jump"}, "s"),
        ({"kind": "clock_jump", "s": JUMP_S_MAX + 1}, "s"),
        ({"kind": "clock_jump", "s": 1, "of": "moon"}, "of"),
        ({"kind": "link_drops", "to": "executor"}, "to"),
        ({"kind": "investor", "to": "executor"}, "to"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadFault, match=f"^{field}: expected "):
        parse_fault(body, 0)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "hang", "verb": "send", "ms": HANG_MS_MAX},
        {"kind": "clock_jump", "s": JUMP_S_MAX},
        {"kind": "clock_jump", "s": -JUMP_S_MAX},
        {"kind": "comment_overwritten", "text": "x" * 29},
        {"kind": "trade_mode", "symbol": "XAUUSD", "mode": 4},
    ],
)
def test_the_bounds_themselves_are_accepted(body: dict[str, Any]) -> None:
    parse_fault(body, 0)


def test_a_hang_lasts_longer_than_any_deadline() -> None:
    """docs/agent-protocol.md: at most 600000 ms."""
    assert parse_fault({"kind": "hang", "verb": "send"}, 0).ms == HANG_MS > 600_000
