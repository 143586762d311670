"""Figures that are not to be believed at once: stale, contradictory, or without a deal."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.cycle import Cycle, Known, think
from core.domain.drawdown import GuardMemory, Limits, Reading, Rule, Verdict, judge
from core.records import AccountStateRow
from tests.unit.domain.make import D, at, position, snapshot, state, tick
from tests.unit.domain.test_cycle import ACCOUNT, KNOWN, POLICY

LIMITS = Limits(max_drawdown_percent=D(20), warn_drawdown_percent=D(15), minimum_equity=D(100))
EQUITY = st.integers(1, 2_000_000).map(lambda n: D(n) / 100)


def judged(equity: Decimal, *, before: str = "12", warned: bool = False, **more: Any) -> Verdict:
    """A trusted reading of an account whose peak is 10,000."""
    facts = {"flow": D(0), "trusted": True, "consistent": True, **more}
    memory = GuardMemory(
        peak_equity=D(10000), warned=warned, withdrawal_exempt=False, drawdown_percent=D(before)
    )
    reading = Reading(
        equity=equity, margin_level_percent=None, stop_out_level_percent=None, **facts
    )
    return judge(memory, reading, LIMITS)


@given(EQUITY, st.booleans())
def test_a_stale_reading_raises_no_peak_lowers_no_drawdown_and_ends_no_warning(
    equity: Decimal,
    warned: bool,  # noqa: FBT001 - hypothesis gives it by position
) -> None:
    verdict = judged(equity, warned=warned, stale=True)
    assert verdict.memory.peak_equity == D(10000)
    assert verdict.drawdown_percent >= 12
    assert not verdict.warning_eased


def test_a_stale_reading_may_show_a_drawdown_deeper_and_break_a_limit() -> None:
    """A stale loss is a loss at least; a breach is confirmed by a second reading anyway."""
    verdict = judged(D(7900), stale=True)
    assert (verdict.drawdown_percent, verdict.broken) == (D(21), Rule.DRAWDOWN)


def test_a_fresh_reading_does_all_of_it() -> None:
    verdict = judged(D(11000), warned=True)
    assert verdict.memory.peak_equity == D(11000)
    assert (verdict.drawdown_percent, verdict.warning_eased) == (D(0), True)


def test_money_without_a_deal_does_not_lift_the_guard() -> None:
    """Down 19 %, and 5,000 come without a deal: still 19 %, and a cent over 20 % still closes."""
    gain: dict[str, Any] = {"unexplained_gain": D(5000)}
    assert judged(D(13100), **gain).drawdown_percent == D(19)
    assert judged(D("13000.01"), **gain).broken is None
    assert judged(D(13000), **gain).broken is Rule.DRAWDOWN
    assert judged(D(12800), **gain).hurry == "far_past_limit"


def test_the_minimum_equity_counts_all_money_that_is_there() -> None:
    """90 of 150 have no deal yet: it is there, and nothing is closed for being poor."""
    verdict = judged(D(150), unexplained_gain=D(90))
    assert verdict.broken is Rule.DRAWDOWN
    assert judged(D(99), unexplained_gain=D(90)).broken is Rule.MINIMUM_EQUITY


def cycle(
    equity: str,
    doubt: Decimal | None,
    before: AccountStateRow = KNOWN,
    *,
    swap: str = "0",
    quoted_s: float = 0,
) -> Cycle:
    """A reading of an account with balance 10,000 and a position without profit."""
    known = Known(
        account=ACCOUNT,
        state=before,
        trades=(),
        episodes={},
        deals={},
        deal_tickets={},
        closed_by_us=frozenset(),
        absent={},
        inhibited=False,
        doubt=doubt,
    )
    held = position(profit=D(0), swap=D(swap))
    figures = state(balance=D(10000), profit=D(0), equity=D(equity))
    reading = snapshot(held, state=figures, ticks={"XAUUSD": tick(s=quoted_s)}, began=1)
    return think(known, reading, at(1), POLICY, explanation_wait_s=10)


def test_an_equity_that_contradicts_the_rest_raises_the_peak_when_it_is_read_again() -> None:
    first = cycle("10500", D(0))
    assert (first.state.peak_equity, first.doubt) == (D(10000), D(500))
    again = cycle("10500", first.doubt, first.state)
    assert again.state.peak_equity == D(10500)
    other = cycle("10900", first.doubt, first.state)
    assert (other.state.peak_equity, other.doubt) == (D(10000), D(900))


@pytest.mark.parametrize("swap", ["3.20", "-3.20"])
def test_swap_beside_the_profit_is_no_contradiction(swap: str) -> None:
    seen = cycle(str(D(10000) + D(swap)), None, swap=swap)
    assert seen.doubt == 0
    assert seen.state.peak_equity == max(D(10000), D(10000) + D(swap))


def test_a_quote_of_five_minutes_ago_raises_no_peak() -> None:
    """500 more, read twice, with prices that stand still."""
    assert cycle("10500", D(500), quoted_s=-299).state.peak_equity == D(10000)
    assert cycle("10500", D(500), quoted_s=-298).state.peak_equity == D(10500)
