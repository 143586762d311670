"""Cadence, rates, pips, episodes, speech and audit: the small rules, each at its boundary."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_closing as c
from core.domain import alerts_money as m
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t
from core.domain.audit import GENESIS, digest, plain
from core.domain.audit_check import verify
from core.domain.broker import Side
from core.domain.cadence import Cadence, Situation, interval_s
from core.domain.money import percent_of
from core.domain.pips import entry_slippage_pips, in_pips, pip_size
from core.domain.rates import to_gbp
from core.domain.speech import EDIT, NEW, REPLY, deliver
from core.records import AuditRow
from tests.fakes.alerts import every_alert
from tests.fakes.alerts_terminal import ACCOUNT, EARLIER, blocked, cannot_close
from tests.unit.domain.make import EURUSD, NOW, USDJPY, D, spec

# --- cadence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "seconds", "why"),
    [
        ({}, 10, "nothing held"),
        ({"awaits_trade": True}, 3, "a trade is to come"),
        ({"holds_anything": True}, 3, "something held"),
        ({"unsettled": True}, 1, "something waits for its explanation"),
        ({"holds_anything": True, "drawdown_percent": D("7.4999")}, 3, "short of half the way"),
        ({"holds_anything": True, "drawdown_percent": D("7.5")}, 1, "half way to the warning"),
        ({"drawdown_percent": D(19)}, 10, "nothing held can fall"),
        ({"holds_anything": True, "margin_level_percent": D(200)}, 3, "at twice its margin"),
        ({"holds_anything": True, "margin_level_percent": D("199.99")}, 1, "under it"),
        ({"margin_level_percent": D(100)}, 10, "nothing held"),
    ],
)
def test_the_nearer_to_a_limit_the_sooner(changes: dict[str, Any], seconds: int, why: str) -> None:
    facts: dict[str, Any] = {
        "holds_anything": False,
        "awaits_trade": False,
        "unsettled": False,
        "drawdown_percent": D(0),
        "warn_percent": D(15),
        "margin_level_percent": None,
        **changes,
    }
    cadence = Cadence(idle_s=10, open_s=3, fast_s=1)
    assert interval_s(cadence, Situation(**facts)) == seconds, why


# --- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "rate", "pounds"),
    [("10", "0.8", "8.00"), ("0.125", "1", "0.12"), ("0.135", "1", "0.14"), (None, "1", None)],
)
def test_pounds_and_pence(amount: str | None, rate: str | None, pounds: str | None) -> None:
    assert to_gbp((amount and D(amount)) or None, (rate and D(rate)) or None) == (
        None if pounds is None else D(pounds)
    )
    assert to_gbp(D(1), None) is None


# --- pips and money -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "pip"),
    [
        (EURUSD, "0.0001"),
        (USDJPY, "0.01"),
        (spec("EURUSD4", digits=4, point=D("0.0001")), "0.0001"),
        (spec("USDJPY2", digits=2, point=D("0.01")), "0.01"),
        (spec("US30", digits=1, point=D("0.1")), "1.0"),
        (spec("XAUUSD"), "0.10"),
        (spec("XAUUSD", digits=3, point=D("0.001")), "0.10"),
        (spec("GOLD.r", canonical="XAUUSD", digits=3, point=D("0.001")), "0.10"),
        (spec("US30", canonical="XAUUSD", digits=3), "1.0"),  # the broker's own name first
        (spec("EURNEW", digits=5, point=D(0)), "0.0001"),  # not selected: its digits say it
    ],
)
def test_a_pip(symbol: Any, pip: str) -> None:  # noqa: ANN401 - a spec
    assert pip_size(symbol, {"XAUUSD": D("0.10"), "US30": D("1.0")}) == D(pip)


def test_slippage_is_adverse_positive_on_both_sides() -> None:
    assert entry_slippage_pips(Side.BUY, D("1.1"), D("1.1003"), D("0.0001")) == 3
    assert entry_slippage_pips(Side.SELL, D("1.1"), D("1.1003"), D("0.0001")) == -3
    assert in_pips(D("-0.00025"), D("0.0001")) == D("-2.50")


def test_percentages() -> None:
    assert percent_of(D(1), D(3)) == D("33.3333")
    assert percent_of(D(1), D(0)) == 0


# --- speech ---------------------------------------------------------------------------------------


def test_every_alert_has_a_delivery() -> None:
    kinds = {type(alert) for alert in every_alert()}
    assert kinds == set(get_args(a.Alert)), "an example of each kind"
    for alert in every_alert():
        delivery = deliver(alert)
        assert delivery.mode in {NEW, EDIT, REPLY}
        assert delivery.thread.count(":") >= 1


def test_what_the_guard_does_and_what_keeps_it_from_it_go_first() -> None:
    first = {type(x) for x in every_alert() if deliver(x).priority is a.Priority.CRITICAL}
    guards = {a.GuardBreached, a.CloseConfirmed, a.CloseTrouble, a.LatchedReappeared}
    grave = {
        a.DivergenceOpened,
        a.DivergencesOpened,
        a.PositionClosed,
        m.BalanceUnexplained,
    }  # where the taxonomy says so
    guards |= {c.CloseStalled}
    assert first == guards | grave | {t.CannotClose, t.TerminalBlocked, r.GuardBlind}


@pytest.mark.parametrize(("positions", "priority"), [(1, "CRITICAL"), (0, "WARNING")])
def test_an_obstacle_is_critical_while_something_is_open(positions: int, priority: str) -> None:
    alert = cannot_close("autotrading_off", positions_count=positions)
    assert deliver(alert).priority is a.Priority[priority]


def test_what_is_told_of_one_obstacle_or_block_hangs_together() -> None:
    cleared = t.TerminalCleared(**ACCOUNT, by="Ada", closing="", blocked_at=EARLIER, at=NOW)
    first, again = cannot_close("api_disabled"), cannot_close("api_disabled", news="reminder")
    threads: tuple[tuple[a.Alert, ...], ...] = (
        (first, again, t.CanCloseAgain(**ACCOUNT, since=EARLIER, at=NOW)),
        (blocked(), blocked(right_again=True), cleared),
    )
    for thread in threads:
        assert len({deliver(alert).thread for alert in thread}) == 1
        assert [deliver(alert).mode for alert in thread] == [NEW, REPLY, REPLY]


# --- audit ----------------------------------------------------------------------------------------


class Level(IntEnum):
    """A number with a name."""

    HIGH = 2


def chain(length: int) -> list[AuditRow]:
    """A sound chain."""
    rows: list[AuditRow] = []
    for sequence in range(1, length + 1):
        row = AuditRow(
            account_id=1,
            sequence=sequence,
            actor="engine",
            action="x",
            detail={"n": sequence},
            created_at=NOW,
            prev_hash=rows[-1].hash if rows else GENESIS,
            hash="",
        )
        rows.append(replace(row, hash=digest(row)))
    return rows


def test_a_sound_chain_and_its_shorter_beginnings_hold() -> None:
    rows = chain(4)
    assert [verify(rows[:n]) for n in range(5)] == [None] * 5


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_chain_breaks_where_it_was_touched(place: int) -> None:
    rows = chain(4)
    touched = replace(rows[place], detail={"n": 99})
    assert verify([*rows[:place], touched, *rows[place + 1 :]]) == place + 1
    assert verify([*rows[:place], *rows[place + 1 :]]) == (place + 1 if place < 3 else None)
    rehashed = replace(touched, hash=digest(touched))
    after = [*rows[:place], rehashed, *rows[place + 1 :]]
    assert verify(after) == (place + 2 if place < 3 else None)
    foreign = replace(rows[place], account_id=2)
    assert verify([*rows[:place], replace(foreign, hash=digest(foreign))]) == place + 1


def test_the_identity_of_a_row_covers_every_figure() -> None:
    row = chain(1)[0]
    others: dict[str, Any] = {
        "account_id": 2,
        "sequence": 2,
        "actor": "x",
        "action": "y",
        "detail": {},
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "prev_hash": "f" * 64,
    }
    hashes = {digest(replace(row, **{name: value})) for name, value in others.items()}
    assert len(hashes | {digest(row)}) == len(others) + 1


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Side.BUY, "buy"),
        (Level.HIGH, 2),
        ((1, None, True), [1, None, True]),
        ({"a": {"b": (Decimal(1),)}}, {"a": {"b": ["1"]}}),
        (NOW, "2026-03-04T10:00:00.000000+00:00"),
    ],
)
def test_audit_values_are_plain(value: object, becomes: object) -> None:
    assert plain(value) == becomes


@pytest.mark.parametrize("value", [1.5, {1: 2}, b"x", datetime(2026, 1, 1), {1}, object()])  # noqa: DTZ001 - a naive instant is what must be refused
def test_what_has_no_place_in_an_audit_row(value: object) -> None:
    with pytest.raises(ValueError, match=r"audit row|aware"):
        plain(value)
