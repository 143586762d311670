"""The market guard: what a gap and a wide spread are, and a warning's life."""

from typing import Any

import pytest

from core.domain.broker import Tick
from core.domain.market import Alarm, MarketPolicy, WarningKind, advance, answer, gap, spread
from core.records import MarketWarningRow
from tests.unit.domain.make import EURUSD, USDJPY, D, at, spec, tick

POLICY = MarketPolicy(
    gap_percent=D(5),
    spread_pips=D("2.5"),
    spread_pips_by_symbol={"XAUUSD": D(10)},
    pip_by_symbol={"XAUUSD": D("0.10")},
    grace_s=120,
    hold_s=900,
)
STATES = ("open", "held", "dismissed", "closing", "resolved")


def gold(bid: str, ask: str, s: float = 1) -> Tick:
    """A quote of gold."""
    return tick("XAUUSD", bid, ask, s)


@pytest.mark.parametrize(
    ("before", "bid", "ask", "figure"),
    [
        (("1999", "2001"), "2099", "2101", "5.00"),  # exactly 5 % up
        (("1999", "2001"), "2098.99", "2100.99", None),  # a cent less
        (("1999", "2001"), "1899", "1901", "5.00"),  # and down
        (("1999", "2001"), "1899.01", "1901.01", None),
        (("1999", "2001"), "2899", "3101", "50.00"),
        (("0", "0"), "2000", "2001", None),  # no market before
        (("1999", "2001"), "0", "0", None),  # no market now: nothing to close at, no jump
        (("1999", "2001"), "0", "2001", None),
        (("2001", "1999"), "2899", "3101", None),  # crossed
        (("1999", "2001"), "3101", "2899", None),
    ],
)
def test_a_gap_is_a_jump_of_the_mid_between_two_markets(
    before: tuple[str, str], bid: str, ask: str, figure: str | None
) -> None:
    alarm = gap(gold(*before, s=0), gold(bid, ask), POLICY)
    assert (alarm and alarm.figure) == (figure and D(figure))


@pytest.mark.parametrize(("s", "seen"), [(-1, False), (0, False), (0.001, True)])
def test_only_a_fresh_tick_can_jump(*, s: float, seen: bool) -> None:
    assert (gap(gold("2000", "2000", s=0), gold("3000", "3000", s=s), POLICY) is not None) is seen
    assert gap(None, gold("3000", "3000", s=s), POLICY) is None


@pytest.mark.parametrize(
    ("symbol", "bid", "ask", "figure"),
    [
        ("XAUUSD", "1970.00", "1971.00", None),  # 10 pips of 0.10: at the limit
        ("XAUUSD", "1970.00", "1971.01", "10.10"),
        ("EURUSD", "1.10000", "1.10025", None),  # 2.5 pips of 0.0001
        ("EURUSD", "1.10000", "1.10026", "2.60"),
        ("USDJPY", "150.000", "150.025", None),  # 2.5 pips of 0.01
        ("USDJPY", "150.000", "150.026", "2.60"),
        ("EURUSD", "0", "1.10026", None),  # one side is no market
        ("EURUSD", "1.10026", "1.10000", None),  # crossed
    ],
)
def test_a_spread_is_too_wide_past_its_limit(
    symbol: str, bid: str, ask: str, figure: str | None
) -> None:
    known = {"XAUUSD": spec(), "EURUSD": EURUSD, "USDJPY": USDJPY}[symbol]
    alarm = spread(tick(symbol, bid, ask), known, POLICY)
    assert (alarm and alarm.figure) == (figure and D(figure))


def warning(state: str = "open", kind: str = "gap", **changes: Any) -> MarketWarningRow:
    """A warning of the tests' present, held by account 1."""
    facts: dict[str, Any] = {
        "id": 1,
        "server": "Sim",
        "symbol": "XAUUSD",
        "kind": kind,
        "state": state,
        "version": 3,
        "figure": D(6),
        "limit": D(5),
        "worst": D(7),
        "account_ids": [1],
        "opened_at": at(0),
        "deadline_at": at(120),
        "hold_until": at(900) if state == "held" else None,
        **changes,
    }
    return MarketWarningRow(**facts)


def alarm(figure: str = "6", kind: str = "spread") -> Alarm:
    """The quote is still wrong."""
    return Alarm(kind=WarningKind(kind), figure=D(figure), limit=D(5))


@pytest.mark.parametrize(
    ("kind", "state", "s", "becomes", "close", "again"),
    [
        ("gap", "open", 119.999, None, False, False),
        ("gap", "open", 120, "closing", True, False),  # unanswered
        ("gap", "held", 899.999, None, False, False),
        ("gap", "held", 900, "open", False, True),  # the hold is over: asked anew
        ("gap", "closing", 5000, None, False, False),
        ("spread", "open", 119.999, None, False, False),
        ("spread", "open", 120, "open", False, True),  # told again, never closed
        ("spread", "held", 899.999, None, False, False),
        ("spread", "held", 900, "open", False, True),
        ("spread", "dismissed", 5000, None, False, False),
    ],
)
def test_what_time_does_to_a_warning(
    *, kind: str, state: str, s: float, becomes: str | None, close: bool, again: bool
) -> None:
    row = warning(state, kind)
    change = advance(row, alarm() if kind == "spread" else None, [1], at(s), POLICY)
    if becomes is None:
        assert change is None
        return
    assert change is not None
    assert (change.warning.state, change.close, change.again) == (becomes, close, again)
    assert change.warning.version == 4
    if again:
        assert change.warning.deadline_at == at(s + 120)
        assert change.warning.hold_until is None


@pytest.mark.parametrize("state", ["open", "held", "dismissed", "closing"])
@pytest.mark.parametrize(
    ("kind", "wrong_still", "holders", "over"),
    [
        ("gap", False, [1], False),  # a jump is not undone by the next quote
        ("gap", False, [], True),
        ("spread", True, [1], False),
        ("spread", False, [1], True),
        ("spread", True, [], True),
    ],
)
def test_when_a_warning_is_over(
    *, state: str, kind: str, wrong_still: bool, holders: list[int], over: bool
) -> None:
    change = advance(warning(state, kind), alarm() if wrong_still else None, holders, at(1), POLICY)
    assert (change is not None) is over
    if change is not None:
        assert change.warning.resolved_at == at(1)
        assert change.warning.state == ("dismissed" if state == "dismissed" else "resolved")
        assert (change.close, change.warning.version) == (False, 4)


@pytest.mark.parametrize("kind", ["gap", "spread"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", ["hold", "dismiss", "close", "anything"])
def test_what_a_press_does(verb: str, state: str, kind: str) -> None:
    """`Close now` is a gap's; a warning whose closing began or that is over takes no answer."""
    change = answer(warning(state, kind), verb, 11, at(50), POLICY)
    offered = {"hold", "dismiss", "close"} if kind == "gap" else {"hold", "dismiss"}
    if state in {"closing", "resolved"} or verb not in offered:
        assert change is None
        return
    assert change is not None
    after = change.warning
    assert after.state == {"hold": "held", "dismiss": "dismissed", "close": "closing"}[verb]
    assert (after.answered_by, after.answered_at) == (11, at(50))
    assert after.version > 3
    assert change.close is (verb == "close")
    if verb == "hold":
        assert after.hold_until == at(950)
    assert (after.resolved_at is not None) is (verb == "dismiss" and kind == "gap")


def test_the_worst_figure_is_kept_and_the_latest_shown() -> None:
    for figure, worst in (("6.5", "7"), ("9", "9")):
        change = advance(warning(kind="spread"), alarm(figure), [1], at(120), POLICY)
        assert change is not None
        assert (change.warning.figure, change.warning.worst) == (D(figure), D(worst))


def test_another_holder_is_remembered_and_not_told() -> None:
    change = advance(warning(), None, [1, 2], at(1), POLICY)
    assert change is not None
    assert (change.warning.account_ids, change.told, change.warning.version) == ([1, 2], False, 3)
