"""After a stop: what happened meanwhile is one message per account, and every deal is recorded."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain import alerts as a
from core.domain import alerts_money as m
from core.domain.absence import AWAY_MIN
from core.records import (
    AuditRow,
    CashFlowRow,
    DealRow,
    EpisodeRow,
    PositionSnapshotRow,
    ReconciliationLogRow,
    TradeRow,
)
from tests.engine.house import ADMIN_CHAT, ALICE, BEN, GBP, USD, House

D = Decimal
NIGHT = timedelta(hours=4, minutes=30)
NEWS = (a.PositionClosed, a.PositionsClosed, m.CashFlowSeen, m.ResultsBooked)


async def sleep(house: House, *events: Callable[[], Any], length: timedelta = NIGHT) -> None:
    """Stop, let things happen an hour apart, and start again after `length`."""
    await house.stop()
    stopped = house.clock.instant
    for n, event in enumerate(events, 1):
        house.clock.instant = stopped + timedelta(hours=n)
        event()
    house.clock.instant = stopped + length
    await house.start()
    await house.run(11)


async def away(house: House, chat_id: int) -> m.WhileAway:
    """The one message about the absence; nothing of it was told for itself."""
    said = await house.said(chat_id)
    assert [x for x in said if isinstance(x, NEWS)] == []
    (told,) = [x for x in said if isinstance(x, m.WhileAway)]
    return told


async def test_a_deposit_and_a_close_while_away_are_one_message_to_client_and_admins(
    house: House,
) -> None:
    await house.follow(BEN, USD)
    ticket = next(iter(house.sim.ledger.positions(USD)))
    last_read = (await house.state(USD)).observed_at
    await sleep(
        house, lambda: house.cash(USD, "1000"), lambda: house.close_position(USD, ticket, reason=1)
    )
    told = await away(house, BEN)
    assert (told.since, told.until - told.since >= NIGHT) == (last_read, True)
    assert told.counts == {"deposit": 1, "closed": 1}
    deposit, closed = told.items
    assert (deposit.what, deposit.amount) == ("deposit", D(1000))
    assert (closed.what, closed.symbol, closed.volume) == ("closed", "XAUUSD", D("0.10"))
    # Bought at the ask 1970.30, sold at the bid 1970.00: 10 oz lose 0.30 each.
    assert (closed.amount, closed.reason, told.result) == (D("-3.00"), "client_mobile", D("-3.00"))
    assert (told.positions_before, told.positions_count, told.uncertain) == (1, 0, True)
    assert await away(house, ADMIN_CHAT) == told

    (flow,) = await house.rows(CashFlowRow)
    assert (flow.kind, flow.amount) == ("deposit", D(1000))
    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.close_reason, trade.pnl) == ("closed", "client_mobile", D(-3))
    (log,) = await house.rows(ReconciliationLogRow, event_type="close")
    assert log.pnl == D(-3)
    state = await house.state(USD)
    assert (state.ledger_balance, state.written_off) == (D(12997), D(0))
    # The deposit is no gain and the loss is one: 3 of 12,000, as if nothing had been paid in.
    assert state.drawdown_percent == D("0.0250")


async def test_the_record_says_which_figures_are_uncertain(house: House) -> None:
    ticket = house.open(USD, "buy", "0.10")
    await house.run(11)
    await sleep(house, lambda: house.close_position(USD, ticket))
    text = "the lowest equity is unknown and the peak may be understated"
    (log,) = await house.rows(ReconciliationLogRow, status="partial")
    assert text in log.error_message
    gaps = [r for r in await house.rows(PositionSnapshotRow) if r.sync_error]
    assert [text in r.sync_error for r in gaps] == [True]
    (link,) = await house.rows(AuditRow, action="away")
    assert (link.detail["lowest_equity"], link.detail["happened"]) == ("unknown", {"closed": 1})


async def test_of_a_flat_account_no_figure_is_uncertain(house: House) -> None:
    await sleep(house, lambda: house.cash(USD, "-500"))
    told = await away(house, BEN)
    assert (told.counts, told.uncertain) == ({"withdrawal": 1}, False)
    (link,) = await house.rows(AuditRow, action="away")
    assert link.detail["lowest_equity"] == "known"
    assert (await house.state(USD)).drawdown_percent == 0


async def test_nothing_is_said_where_nothing_happened(house: House) -> None:
    await sleep(house, lambda: house.cash(USD, "10"))
    assert await house.said(ALICE) == []
    assert [x.login for x in await house.said(ADMIN_CHAT) if isinstance(x, m.WhileAway)] == [USD]
    assert await house.rows(AuditRow, action="away", account_id=house.ids[GBP]) == []


async def test_what_stayed_open_was_unguarded_and_that_is_said(house: House) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    await sleep(house)
    told = await away(house, BEN)
    assert (told.counts, told.items) == ({}, ())
    assert (told.positions_before, told.positions_count, told.uncertain) == (1, 1, True)


@pytest.mark.parametrize("short", [True, False])
async def test_a_stop_of_a_minute_is_told_and_a_shorter_one_is_not(
    house: House, *, short: bool
) -> None:
    """A short stop is no absence: its deals are news as ever."""
    await house.run(0)
    observed = (await house.state(USD)).observed_at
    assert observed is not None
    await house.stop()
    house.cash(USD, "100")
    house.clock.instant = observed + AWAY_MIN - timedelta(milliseconds=1 if short else 0)
    await house.start()
    await house.run(0)
    assert await house.kinds(BEN) == (["CashFlowSeen"] if short else ["WhileAway"])


async def test_a_position_opened_and_closed_unseen_is_told_and_logged(house: House) -> None:
    tickets: list[int] = []
    await sleep(
        house,
        lambda: tickets.append(house.open(USD, "sell", "0.20", "EURUSD", reason=0)),
        lambda: house.close_position(USD, tickets[0], reason=2),
    )
    told = await away(house, BEN)
    assert [i.what for i in told.items] == ["opened", "closed"]
    assert (told.items[0].side, told.items[1].side) == ("sell", "sell")
    assert (told.items[1].reason, told.uncertain) == ("client_web", True)
    (log,) = await house.rows(ReconciliationLogRow, event_type="close")
    assert (log.mt5_position_id, log.matched, log.pnl) == (tickets[0], False, told.result)


async def test_a_close_that_reckoner_had_sent_is_told_by_its_report_alone(house: House) -> None:
    """It was killed after the send; the job's own message has the result."""
    house.open(USD, "buy", "2.00")
    await house.run(11)

    def killed(verb: str) -> None:
        if verb == "send":
            raise KeyboardInterrupt

    house.gateway.after_call = killed
    house.price("1957.00", "1957.30")
    with pytest.raises(KeyboardInterrupt):
        await house.run(15)
    await sleep(house)
    assert (await away(house, BEN)).items == ()
    assert (await house.kinds(BEN)).count("CloseConfirmed") == 1


async def test_the_late_deal_of_a_close_after_a_stop_is_logged_as_the_end_of_the_whole_position(
    house: House,
) -> None:
    """Half a lot of two was closed by hand; Reckoner closed the rest, whose deal was late."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)
    house.close_position(USD, ticket, volume="0.50")
    await house.run(11)
    known = {deal.ticket for deal in house.sim.ledger.deals(USD)}
    house.gateway.hide(lambda d: d.ticket not in known)
    house.price("1949.00", "1949.30")
    await house.run(40)
    assert (await house.kinds(BEN)).count("CloseConfirmed") == 1
    assert await house.rows(ReconciliationLogRow, event_type="close") == []
    await house.stop()
    house.gateway.show_all()
    house.clock.instant += NIGHT
    await house.start()
    await house.run(11)
    (log,) = await house.rows(ReconciliationLogRow, event_type="close")
    assert (log.mt5_position_id, log.volume, log.close_reason) == (ticket, D("2.00"), "reckoner")


async def test_the_last_deal_of_a_position_given_up_as_gone_is_logged_with_its_other_deals(
    house: House,
) -> None:
    """An unknown position: its first exit was booked, the second came after it was given up."""
    ticket = house.open(USD, "buy", "1.00", reason=0)
    await house.run(11)
    house.close_position(USD, ticket, volume="0.30")
    await house.run(11)
    house.close_position(USD, ticket)
    late = house.sim.ledger.deals(USD)[-1].ticket
    house.gateway.hide(lambda d: d.ticket == late)
    await house.run(40)
    assert await house.rows(EpisodeRow, subject=str(ticket), resolved_at=None) == []
    assert await house.rows(ReconciliationLogRow, event_type="close") == []
    await house.stop()
    house.gateway.show_all()
    house.clock.instant += NIGHT
    await house.start()
    await house.run(11)
    (log,) = await house.rows(ReconciliationLogRow, event_type="close")
    assert (log.mt5_position_id, log.volume) == (ticket, D("1.00"))
    assert log.pnl == D("-30.00")  # 100 oz, bought at 1970.30 and sold at 1970.00


async def test_a_deal_that_comes_late_after_a_restart_is_told_when_it_comes(house: House) -> None:
    """The position is gone and no deal says why yet; an hour later one does."""
    await house.follow(BEN, USD)
    ticket = next(iter(house.sim.ledger.positions(USD)))
    await house.stop()
    house.clock.instant += NIGHT
    house.close_position(USD, ticket)
    late = house.sim.ledger.deals(USD)[-1].ticket
    house.clock.instant += NIGHT
    await house.start()
    house.gateway.hide(lambda d: d.ticket == late)
    await house.run(1)
    told = await away(house, BEN)
    assert (told.counts, told.vanished, told.unexplained) == ({}, 1, D("-3.00"))

    await house.run(30)
    house.clock.instant += timedelta(hours=1)
    house.gateway.show_all()
    await house.run(11)
    closes = [x for x in await house.said(BEN) if isinstance(x, a.PositionClosed)]
    assert [(x.pnl, x.close_reason) for x in closes] == [(D("-3.00"), "client_mobile")]
    kinds = await house.kinds(BEN)
    assert (kinds.count("BalanceUnexplained"), kinds.count("BalanceExplained")) == (1, 1)
    state = await house.state(USD)
    assert (state.written_off, state.ledger_balance) == (D(0), D(11997))


async def test_an_unexplained_balance_after_a_restart_is_told_and_then_counts(house: House) -> None:
    await house.stop()
    house.clock.instant += NIGHT
    house.cash(USD, "-600", "charge")
    late = house.sim.ledger.deals(USD)[-1].ticket
    await house.start()
    house.gateway.hide(lambda d: d.ticket == late)
    await house.run(1)
    told = await away(house, BEN)
    assert (told.unexplained, told.uncertain) == (D(-600), False)
    assert (await house.state(USD)).drawdown_percent == 0
    await house.run(20)
    assert await house.kinds(BEN) == ["WhileAway", "BalanceUnexplained"]
    assert (await house.state(USD)).drawdown_percent == 5  # 600 of 12,000


@pytest.mark.parametrize(
    ("kind", "amount", "flows", "drawdown"),
    [("bonus", "600", 1, "0"), ("tax", "-600", 0, "5"), ("correction", "-600", 0, "5")],
)
async def test_a_bonus_is_a_flow_and_a_tax_or_a_correction_a_result_while_away_too(
    house: House, kind: str, amount: str, flows: int, drawdown: str
) -> None:
    await sleep(house, lambda: house.cash(USD, amount, kind))
    told = await away(house, BEN)
    assert told.counts == {kind: 1}
    assert told.result == (0 if flows else D(amount))
    assert len(await house.rows(CashFlowRow)) == flows
    assert (await house.state(USD)).drawdown_percent == D(drawdown)


async def test_a_second_start_tells_nothing_of_the_first_absence(house: House) -> None:
    await sleep(house, lambda: house.cash(USD, "1000"))
    before = await house.rows(DealRow)
    await house.restart()
    await house.run(30)
    assert await house.rows(DealRow) == before
    await away(house, BEN)
