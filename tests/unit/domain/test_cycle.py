"""One reading thought through: what several rules together must get right."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.domain.cycle import Cycle, Known, limits_in_force, think
from core.domain.episodes import Lasting, Opened, Resolved
from core.domain.findings import Kind
from core.domain.reconciliation import Policy
from core.records import AccountStateRow, EpisodeRow
from tests.fakes.rows import account_row
from tests.unit.domain.make import NOW, D, at, deal, money, position, snapshot, state, trade

POLICY = Policy(slippage_pips_max=D(5), missing_observations_min=3, pip_by_symbol={})
ACCOUNT = account_row(id=1, created_at=NOW)
KNOWN = AccountStateRow(id=1, peak_equity=D(10000), peak_at=at(-500), ledger_balance=D(10000))


def read(before: AccountStateRow, balance: str, s: float, deposit_at: float | None = None) -> Cycle:
    """A reading of a flat account; a deposit's deal of 2,500 in it where it is dated."""
    known = Known(
        account=ACCOUNT,
        state=before,
        trades=(),
        episodes={},
        deals={},
        deal_tickets=frozenset(),
        closed_by_us=frozenset(),
        absent={},
        inhibited=False,
    )
    deals = () if deposit_at is None else (money(1, "2500", executed_at=at(deposit_at)),)
    reading = snapshot(state=state(balance=D(balance)), deals=deals, began=s)
    return think(known, reading, at(s), POLICY, explanation_wait_s=10)


def test_a_deposit_is_no_gain() -> None:
    cycle = read(KNOWN, "12500", 1, deposit_at=0)
    assert (cycle.state.peak_equity, cycle.verdict.drawdown_percent) == (D(12500), D(0))


def test_a_deposit_whose_deal_comes_late_does_not_raise_the_peak_twice() -> None:
    """Once it is 12,500; twice it would be 15,625, and 20 % down at once."""
    waiting = read(KNOWN, "12500", 1)
    assert (waiting.state.peak_equity, waiting.ledger.trusted) == (D(10000), False)
    counted = read(waiting.state, "12500", 11)
    assert (counted.state.peak_equity, counted.ledger.lost) == (D(10000), D(2500))
    late = read(counted.state, "12500", 30, deposit_at=0)
    assert (late.state.peak_equity, late.verdict.broken) == (D(12500), None)
    assert late.state.written_off == 0


@pytest.mark.parametrize(
    ("rate", "minimum"), [("1", "100"), ("0.8", "125"), ("3", "33.33333333"), (None, None)]
)
def test_the_minimum_stands_in_the_accounts_own_currency(
    rate: str | None, minimum: str | None
) -> None:
    limits = limits_in_force(ACCOUNT, None if rate is None else Decimal(rate))
    assert limits.minimum_equity == (None if minimum is None else D(minimum))


def looked(
    *held: int, episodes: Mapping[tuple[str, str], EpisodeRow] | None = None, **changes: Any
) -> Cycle:
    """A reading that shows these positions, none of them a trade's."""
    known: dict[str, Any] = {
        "account": ACCOUNT,
        "state": KNOWN,
        "trades": (),
        "episodes": episodes or {},
        "deals": {},
        "deal_tickets": frozenset(),
        "closed_by_us": frozenset(),
        "absent": {},
        "inhibited": False,
    }
    shown = changes.pop("shown", ())
    positions = tuple(position(ticket, magic=0, comment="") for ticket in held)
    reading = snapshot(state=state(), positions=positions, deals=shown, began=1)
    known |= changes
    return think(Known(**known), reading, at(1), POLICY, explanation_wait_s=10)


def told(cycle: Cycle) -> dict[tuple[str, str], EpisodeRow]:
    """The episodes that a cycle opened."""
    return {
        e.finding.key: EpisodeRow(
            account_id=1,
            kind=e.finding.kind.value,
            subject=e.finding.subject,
            trade_id=None,
            material=e.finding.material,
            detail=msgspec.to_builtins(e.finding),
            opened_at=NOW,
            changed_at=NOW,
        )
        for e in cycle.events
        if isinstance(e, Opened)
    }


def test_while_the_account_is_being_closed_no_difference_begins() -> None:
    """Its consequences are the close's to tell, not alarms of their own."""
    (opened,) = looked(900001).events
    assert isinstance(opened, Opened)
    assert opened.finding.kind is Kind.UNKNOWN_POSITION
    assert looked(900001, inhibited=True).events == ()


def test_an_unmatched_position_is_gone_only_after_as_many_readings_as_any_other() -> None:
    """Law 3: missed in three complete readings, or explained by a deal."""
    episodes = told(looked(900001))
    first = looked(episodes=episodes)
    assert (first.events, first.absent) == ((), {"900001": 1})
    second = looked(episodes=episodes, absent=first.absent)
    assert (second.events, second.absent) == ((), {"900001": 2})
    (third,) = looked(episodes=episodes, absent=second.absent).events
    assert isinstance(third, Resolved)


@pytest.mark.parametrize("inhibited", [True, False])
def test_nobody_is_told_that_a_difference_lasts_while_it_is_being_closed(
    *, inhibited: bool
) -> None:
    """It is told afterwards, if it still does: what is kept of it is the same."""
    stranger = position(77, comment="rk-1")  # an orphan: our tag, and no trade that is known
    known = Known(
        account=ACCOUNT,
        state=KNOWN,
        trades=(),
        episodes={},
        deals={},
        deal_tickets=frozenset(),
        closed_by_us=frozenset(),
        absent={},
        inhibited=False,
    )
    begun = think(known, snapshot(stranger), NOW, POLICY, explanation_wait_s=10)
    (opened,) = begun.events
    assert isinstance(opened, Opened)
    row = EpisodeRow(
        account_id=1,
        kind=opened.finding.kind.value,
        subject=opened.finding.subject,
        material=opened.finding.material,
        detail=msgspec.to_builtins(opened.finding),
        opened_at=NOW,
        changed_at=NOW,
    )
    later = msgspec.structs.replace(known, episodes={opened.finding.key: row}, inhibited=inhibited)
    cycle = think(later, snapshot(stranger, began=901), at(901), POLICY, explanation_wait_s=10)
    assert [type(e) for e in cycle.events] == ([] if inhibited else [Lasting])


ROUND_TRIP = (deal(1, deal_type=0, entry=0), deal(2))
"""A tenth of a lot bought and sold at one price, between two readings."""


def test_an_end_that_nobody_saw_is_one_and_what_is_still_there_has_none() -> None:
    assert list(looked(shown=ROUND_TRIP).closures) == ["900001"]
    assert looked(900001, shown=ROUND_TRIP).closures == {}


def test_what_ended_before_the_first_reading_is_in_the_balance_that_the_books_begin_with() -> None:
    never_read = msgspec.structs.replace(KNOWN, ledger_balance=None)
    assert looked(shown=ROUND_TRIP, state=never_read).closures == {}


def test_the_end_of_a_trade_is_told_once() -> None:
    """As the trade's, whether its position was seen or only its deals."""
    row = trade(status="open", position_id=900001, observed_volume=D("0.10"))
    cycle = looked(shown=ROUND_TRIP, trades=(row,))
    assert [g.trade.id for g in cycle.reconciliation.gone] == [row.id]
    assert cycle.closures == {}
