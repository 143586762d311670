"""Every fault does what its name says, `times` times and not once more, to its side only."""

from decimal import Decimal
from typing import Any

import pytest

from core.sim.faults import DELAY_MS_MAX, KINDS, TIMES_MAX, BadFault, parse_fault
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, Bench

D = Decimal
ASK_OPEN = {"action": 1, "symbol": "XAUUSD", "volume": 0.1, "type": 0, "type_filling": 1}

REFUSING = [
    ("requote", 10004),
    ("reject", 10006),
    ("timeout_not_executed", 10012),
    ("market_closed", 10018),
    ("autotrading_off", 10027),
    ("invalid_fill", 10030),
    ("disconnected", 10031),
]


def snapshot(bench: Bench, login: int = HEDGING_USD) -> dict[str, Any]:
    """Read as Reckoner does."""
    return bench.terminal.snapshot(login, 0, ["XAUUSD"])


@pytest.mark.parametrize("source", ["reckoner", "executor"])
@pytest.mark.parametrize(("kind", "retcode"), REFUSING)
def test_a_refusing_fault_counts_sends_and_executes_none(
    bench: Bench, kind: str, retcode: int, source: str
) -> None:
    bench.fault(HEDGING_USD, kind, times=2, to=source)
    codes = [bench.send(HEDGING_USD, source, **ASK_OPEN).retcode for _ in range(3)]
    assert codes == [retcode, retcode, 10009]
    assert len(bench.positions(HEDGING_USD)) == 1


@pytest.mark.parametrize(("kind", "retcode"), REFUSING)
def test_a_fault_meets_neither_the_other_side_nor_a_person(
    bench: Bench, kind: str, retcode: int
) -> None:
    bench.fault(HEDGING_USD, kind)
    assert bench.send(HEDGING_USD, "executor", **ASK_OPEN).retcode == 10009
    assert bench.send(HEDGING_USD, "person", **ASK_OPEN).retcode == 10009
    assert bench.send(HEDGING_GBP, "reckoner", **ASK_OPEN).retcode == 10009
    assert bench.send(HEDGING_USD, "reckoner", **ASK_OPEN).retcode == retcode


def test_without_times_a_fault_lasts_until_cleared(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "requote")
    codes = {bench.send(HEDGING_USD, "reckoner", **ASK_OPEN).retcode for _ in range(20)}
    assert codes == {10004}
    bench.sim.clear_faults(HEDGING_USD)
    assert bench.send(HEDGING_USD, "reckoner", **ASK_OPEN).retcode == 10009


@pytest.mark.parametrize(
    ("side", "points", "price"),
    [(0, 25, "1970.55"), (1, 25, "1969.75"), (0, -10, "1970.20")],
)
def test_slippage_is_adverse_points(bench: Bench, side: int, points: int, price: str) -> None:
    bench.fault(HEDGING_USD, "slippage", points=points, times=1)
    bench.send(HEDGING_USD, "reckoner", **{**ASK_OPEN, "type": side})
    assert bench.positions(HEDGING_USD)[0].price_open == D(price)


@pytest.mark.parametrize(
    ("asked", "filled", "retcode"),
    [(0.10, "0.05", 10010), (0.07, "0.03", 10010), (0.02, "0.01", 10010), (0.01, "0.01", 10009)],
)
def test_a_partial_fill_is_about_half_on_the_grid(
    bench: Bench, asked: float, filled: str, retcode: int
) -> None:
    bench.fault(HEDGING_USD, "partial_fill", times=1, to="executor")
    sent = bench.send(HEDGING_USD, "executor", **{**ASK_OPEN, "volume": asked})
    assert sent.retcode == retcode
    assert sent.result is not None
    assert sent.result["volume"] == float(filled)
    assert bench.positions(HEDGING_USD)[0].volume == D(filled)


def test_a_timeout_after_execution_executed_and_says_nothing(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "timeout_after_execution", times=1)
    sent = bench.send(HEDGING_USD, "reckoner", **ASK_OPEN)
    assert (sent.result, sent.error) == (None, (-10002, "IPC recv failed"))
    assert len(bench.positions(HEDGING_USD)) == 1
    assert bench.send(HEDGING_USD, "reckoner", **ASK_OPEN).retcode == 10009


def test_a_delayed_deal_hides_while_its_money_shows(bench: Bench) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.10)
    bench.fault(HEDGING_USD, "deal_delayed", ms=5_000, times=1)
    bench.trade(HEDGING_USD, "sell", 0.10, position=ticket)
    read = snapshot(bench)
    assert read["positions"] == []
    assert read["account"]["balance"] == 11_997.0
    assert [deal["entry"] for deal in read["deals"]] == [0, 0]
    bench.now += 4_999
    assert len(snapshot(bench)["deals"]) == 2
    bench.now += 1
    assert [deal["entry"] for deal in snapshot(bench)["deals"]] == [0, 0, 1]


def test_a_read_that_fails_says_which_call(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "read_fails", times=1)
    assert snapshot(bench) == {
        "login": HEDGING_USD,
        "server": "Sim",
        "failed": "positions_get",
        "error": [-10002, "IPC recv failed"],
    }
    assert "failed" not in snapshot(bench)


def test_an_empty_read_keeps_the_account_figures(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 0.10)
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=2, price=1960.0)
    bench.fault(HEDGING_USD, "empty_read", times=1)
    read = snapshot(bench)
    assert (read["positions"], read["orders"]) == ([], [])
    assert read["account"]["margin"] == 197.03
    assert read["account"]["profit"] == -3.0
    assert len(snapshot(bench)["positions"]) == 1


def test_a_wrong_login_answers_for_another_and_executes_nothing(bench: Bench) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.10)
    bench.fault(HEDGING_USD, "wrong_login", times=2)
    read = snapshot(bench)
    assert (read["login"], read["account"]["login"]) == (50003, 50003)
    close = {**ASK_OPEN, "type": 1, "position": ticket}
    assert bench.terminal.head_for_send(HEDGING_USD)["login"] == 50003
    assert bench.terminal.send(HEDGING_USD, close, 1).retcode == 10036
    assert len(bench.positions(HEDGING_USD)) == 1
    _, entry = bench.store.log(f"sim.sends.{HEDGING_USD}")[-1]
    assert (entry["retcode"], entry["deal"]) == (10036, 0)
    assert snapshot(bench)["login"] == HEDGING_USD


def test_a_disconnected_terminal_reads_its_cache_while_trading_goes_on(bench: Bench) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.10, sl=1960.0)
    bench.fault(HEDGING_USD, "disconnected")
    cached = snapshot(bench)
    bench.now += 60_000
    bench.price("XAUUSD", "1950.00", "1950.30")
    assert bench.positions(HEDGING_USD) == []
    stale = snapshot(bench)
    assert stale["terminal"]["connected"] is False
    for part in ("account", "positions", "deals", "ticks"):
        assert stale[part] == cached[part]
    assert [one["ticket"] for one in stale["positions"]] == [ticket]
    bench.sim.clear_faults(HEDGING_USD)
    fresh = snapshot(bench)
    assert fresh["terminal"]["connected"] is True
    assert fresh["positions"] == []
    assert fresh["deals"][-1]["reason"] == 4


def test_autotrading_off_shows_in_the_terminal_and_reads_do_not_use_it_up(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "autotrading_off", times=1)
    assert [snapshot(bench)["terminal"]["trade_allowed"] for _ in range(3)] == [False] * 3
    bench.send(HEDGING_USD, "reckoner", **ASK_OPEN)
    assert snapshot(bench)["terminal"]["trade_allowed"] is True


def test_a_new_fault_of_a_kind_replaces_the_old(bench: Bench) -> None:
    bench.fault(HEDGING_USD, "requote")
    bench.fault(HEDGING_USD, "requote", times=1)
    codes = [bench.send(HEDGING_USD, "reckoner", **ASK_OPEN).retcode for _ in range(2)]
    assert codes == [10004, 10009]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "nope"}, "kind"),
        ({"kind": "requote", "to": "person"}, "to"),
        ({"kind": "empty_read", "to": "executor"}, "to"),
        ({"kind": "requote", "times": 0}, "times"),
        ({"kind": "requote", "times": TIMES_MAX + 1}, "times"),
        ({"kind": "requote", "times": True}, "times"),
        ({"kind": "requote", "times": 1.5}, "times"),
        ({"kind": "slow", "when": "before", "verb": "send"}, "ms"),
        ({"kind": "slow", "ms": DELAY_MS_MAX + 1, "when": "before", "verb": "send"}, "ms"),
        ({"kind": "slow", "ms": 5, "when": "during", "verb": "send"}, "when"),
        ({"kind": "slow", "ms": 5, "when": "after", "verb": "logon"}, "verb"),
        ({"kind": "slippage"}, "points"),
        ({"kind": "deal_delayed"}, "ms"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_by_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(BadFault, match=f"^{field}: expected "):
        parse_fault(body, 0)


def test_the_bounds_themselves_are_accepted() -> None:
    body = {"ms": DELAY_MS_MAX, "times": TIMES_MAX, "when": "after", "verb": "snapshot"}
    fault = parse_fault({"kind": "slow", **body}, 0)
    assert (fault.ms, fault.times) == (DELAY_MS_MAX, TIMES_MAX)


def test_every_kind_of_the_issue_exists() -> None:
    assert {
        "read_fails", "empty_read", "wrong_login", "disconnected", "slow", "requote", "reject",
        "slippage", "partial_fill", "invalid_fill", "market_closed", "autotrading_off",
        "timeout_not_executed", "timeout_after_execution", "deal_delayed",
    } <= KINDS  # fmt: skip
