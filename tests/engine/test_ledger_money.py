"""Every operation on the money is read once, typed, recorded, and told for what it is (law 9)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.domain import alerts_money as m
from core.domain.broker import AccountSnapshot
from core.domain.deal_window import OVERLAP
from core.records import (
    AuditRow,
    CashFlowRow,
    DealRow,
    EpisodeRow,
    OutboxRow,
    ReconciliationLogRow,
)
from tests.engine.house import ADMIN_CHAT, BEN, USD, House

D = Decimal
MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("kind", "amount", "operation"),
    [
        ("balance", "600", "deposit"),
        ("balance", "-600", "withdrawal"),
        ("credit", "600", "credit"),
        ("bonus", "600", "bonus"),
    ],
)
async def test_a_flow_moves_the_peak_and_is_told_for_what_it_is(
    house: House, kind: str, amount: str, operation: str
) -> None:
    """12,000 and 600 in or out: the peak moves alike and nothing is won or lost."""
    house.cash(USD, amount, kind)
    await house.run(11)
    (flow,) = await house.rows(CashFlowRow)
    assert (flow.kind, flow.amount) == (operation, D(amount))
    (told,) = await house.said(BEN)
    assert isinstance(told, m.CashFlowSeen)
    assert (told.operation, told.amount) == (operation, D(amount))
    state = await house.state(USD)
    assert (state.peak_equity, state.drawdown_percent) == (12000 + D(amount), D(0))
    assert state.ledger_balance == D(12000) + D(amount)


@pytest.mark.parametrize(
    ("kind", "amount", "peak", "drawdown"),
    [
        ("tax", "-1200", "12000", "10"),
        ("charge", "-1200", "12000", "10"),
        ("commission", "-1200", "12000", "10"),
        ("correction", "-1200", "12000", "10"),
        ("correction", "1200", "13200", "0"),
        ("dividend", "1200", "13200", "0"),
        ("interest", "1200", "13200", "0"),
    ],
)
async def test_all_else_is_won_or_lost_and_told_as_that(
    house: House, kind: str, amount: str, peak: str, drawdown: str
) -> None:
    house.cash(USD, amount, kind)
    await house.run(11)
    assert await house.rows(CashFlowRow) == []
    (told,) = await house.said(BEN)
    assert isinstance(told, m.ResultsBooked)
    assert [(i.operation, i.amount) for i in told.items] == [(kind, D(amount))]
    (link,) = await house.rows(AuditRow, action="result_booked")
    assert (link.detail["kind"], D(link.detail["amount"])) == (kind, D(amount))
    state = await house.state(USD)
    assert (state.peak_equity, state.drawdown_percent) == (D(peak), D(drawdown))
    assert await house.said(ADMIN_CHAT) == []


async def test_operations_of_one_reading_are_one_message(house: House) -> None:
    for n in range(12):
        house.cash(USD, str(n + 1), "dividend")
    house.cash(USD, "-8", "tax")
    await house.run(11)
    (told,) = await house.said(BEN)
    assert isinstance(told, m.ResultsBooked)
    assert (told.count, told.total, len(told.items)) == (13, D(78 - 8), 10)
    assert len(await house.rows(AuditRow, action="result_booked")) == 13


def hide(house: House, ticket: int) -> None:
    """Keep a deal from being shown until something else is put in this place."""

    def without(snapshot: AccountSnapshot) -> AccountSnapshot:
        return replace(snapshot, deals=tuple(d for d in snapshot.deals if d.ticket != ticket))

    house.gateway.as_read = without


def show_all(house: House) -> None:
    """Show every deal there is again."""
    house.gateway.show_all()


async def test_a_mismatch_is_told_once_lasts_a_restart_and_ends_with_its_deal(
    house: House,
) -> None:
    house.cash(USD, "-600", "charge")
    late = house.sim.ledger.deals(USD)[-1].ticket
    hide(house, late)
    await house.run(40)
    await house.restart()
    hide(house, late)
    house.clock.instant += timedelta(hours=1)
    await house.run(11)
    (episode,) = await house.rows(EpisodeRow)
    assert (episode.kind, episode.subject, episode.resolved_at) == ("pnl_mismatch", "account", None)
    (told,) = await house.said(BEN)
    assert isinstance(told, m.BalanceUnexplained)
    assert (told.amount, told.again) == (D(-600), False)
    (log,) = await house.rows(ReconciliationLogRow, divergence_reason="pnl_mismatch")
    assert (log.pnl, log.status) == (D(-600), "warning")

    house.clock.instant += timedelta(hours=4)  # then it is told once more
    await house.run(11)
    assert await house.kinds(BEN) == ["BalanceUnexplained"] * 2
    again = (await house.said(BEN))[1]
    assert isinstance(again, m.BalanceUnexplained)
    assert again.again

    show_all(house)
    await house.run(11)
    kinds = ["BalanceUnexplained", "BalanceUnexplained", "ResultsBooked", "BalanceExplained"]
    assert await house.kinds(BEN) == kinds
    (over,) = await house.rows(EpisodeRow)
    assert over.resolved_at is not None
    state = await house.state(USD)
    assert (state.written_off, state.ledger_balance) == (D(0), D(11400))


async def test_deals_are_looked_for_from_where_the_balance_was_last_explained(
    house: House,
) -> None:
    """Newer deals do not move the cursor past the one that is missing."""
    before = (await house.state(USD)).deals_cursor_at
    house.cash(USD, "-600", "charge")
    hide(house, house.sim.ledger.deals(USD)[-1].ticket)
    for _ in range(3):
        house.clock.instant += timedelta(hours=1)
        house.cash(USD, "10")
        await house.run(15)
        assert (await house.state(USD)).deals_cursor_at == before
    show_all(house)
    await house.run(11)
    state = await house.state(USD)
    assert (state.written_off, state.ledger_balance) == (D(0), D(11430))
    assert before is not None
    assert state.deals_cursor_at is not None
    assert state.deals_cursor_at > before + timedelta(hours=3)


async def snapshot_of_tables(house: House) -> dict[str, list[object]]:
    """Everything that a deal leaves behind."""
    kinds = (DealRow, CashFlowRow, EpisodeRow, OutboxRow, ReconciliationLogRow, AuditRow)
    return {kind.__name__: await house.rows(kind) for kind in kinds}


async def test_the_same_deals_again_in_any_order_change_nothing(house: House) -> None:
    """Shown twice in a reading, backwards, and anew after a restart."""
    house.close_position(USD, house.open(USD, "buy", "0.10"))
    house.cash(USD, "500")
    house.cash(USD, "-20", "tax")
    await house.run(30)
    before = await snapshot_of_tables(house)
    state = await house.state(USD)
    for _ in range(2):
        house.gateway.as_read = twice_and_backwards
        await house.run(30)
        await house.restart()
    house.gateway.as_read = twice_and_backwards
    await house.run(11)
    assert await snapshot_of_tables(house) == before
    after = await house.state(USD)
    assert (after.ledger_balance, after.peak_equity) == (state.ledger_balance, state.peak_equity)


def twice_and_backwards(snapshot: AccountSnapshot) -> AccountSnapshot:
    """A reading that shows every deal twice, the newest first."""
    return replace(snapshot, deals=(*snapshot.deals[::-1], *snapshot.deals[::-1]))


@pytest.mark.parametrize(("past", "kept"), [(timedelta(0), True), (MOMENT, False)])
async def test_tickets_are_kept_while_their_deals_can_be_shown_again_and_no_longer(
    house: House, *, past: timedelta, kept: bool
) -> None:
    """Asked for from 75 min before the newest, known from as much before that: 150 min."""
    house.cash(USD, "1")
    await house.run(11)
    memory = house.engine.desk.peek(house.ids[USD])
    assert memory is not None
    first = house.sim.ledger.deals(USD)[-1].ticket
    house.clock.instant = memory.deal_tickets[first] + 2 * OVERLAP + past
    house.cash(USD, "1")
    await house.run(11)
    assert (first in memory.deal_tickets) is kept


async def test_days_of_trading_leave_no_more_behind_than_the_window_holds(house: House) -> None:
    memory = house.engine.desk.peek(house.ids[USD])
    assert memory is not None
    for _ in range(24):
        house.close_position(USD, house.open(USD, "buy", "0.01"))
        await house.run(11)
        house.clock.instant += timedelta(minutes=30)
    # 150 minutes, both ends included, at 30:11 each: four rounds of two deals and the last.
    assert len(memory.deal_tickets) == 10
    assert len(memory.deals) <= 5
    assert len(await house.rows(DealRow, account_id=house.ids[USD])) == 49  # and the deposit


async def test_still_prices_are_told_once_and_are_over_once(house: House) -> None:
    """Twenty minutes without a quote in a session, then one."""
    house.open(USD, "buy", "0.10")
    await house.run(11)
    said = len(await house.said(BEN))
    stopped = house.clock.now()

    def frozen(snapshot: AccountSnapshot) -> AccountSnapshot:
        ticks = {n: replace(t, at=min(t.at, stopped)) for n, t in snapshot.ticks.items()}
        return replace(snapshot, ticks=ticks)

    house.gateway.as_read = frozen
    await house.run(1195)
    assert len(await house.said(BEN)) == said
    await house.run(600)
    (told,) = (await house.said(BEN))[said:]
    assert isinstance(told, m.PricesStill)
    assert (told.since, told.positions_count) == (stopped, 1)
    assert "PricesStill" in await house.kinds(ADMIN_CHAT)

    house.gateway.show_all()
    await house.run(11)
    assert [type(x) for x in (await house.said(BEN))[said:]] == [m.PricesStill, m.PricesMove]
    (episode,) = [e for e in await house.rows(EpisodeRow) if e.kind == "stale_data"]
    assert episode.resolved_at is not None


async def test_an_equity_that_contradicts_the_rest_is_believed_when_it_is_read_again(
    house: House,
) -> None:
    """500 more than balance, credit and profit: once a glitch, twice the broker's figure."""
    house.open(USD, "buy", "0.10")
    await house.run(11)

    def shown(excess: int) -> None:
        def more(snapshot: AccountSnapshot) -> AccountSnapshot:
            figures = snapshot.state
            return replace(snapshot, state=replace(figures, equity=figures.equity + excess))

        house.gateway.as_read = more

    async def peak_of_next_reading() -> Decimal | None:
        house.clock.instant += timedelta(seconds=1)
        await house.engine.sync(house.ids[USD])
        return (await house.state(USD)).peak_equity

    shown(500)
    assert await peak_of_next_reading() == D(12000)
    shown(0)
    assert await peak_of_next_reading() == D(12000)
    shown(500)
    assert await peak_of_next_reading() == D(12000)
    assert await peak_of_next_reading() == D("12497.00")  # 12,000 - 3.00 of spread + 500
