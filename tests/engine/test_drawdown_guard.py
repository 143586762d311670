"""The drawdown guard, end to end: warned, breached, counted down, closed, proved, latched."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain import alerts as a
from core.domain.audit_check import verify
from core.records import (
    AuditRow,
    CardRow,
    CashFlowRow,
    CloseJobRow,
    CloseOrderRow,
    DrawdownAlertRow,
    TradeRow,
)
from core.services.errors import Refused
from tests.engine.house import ADMIN_CHAT, BEN, EUR, USD, House
from tests.fakes.audit_keys import AUDIT_KEYS

D = Decimal

# Ben holds 2.00 lots of gold (200 oz) bought at 1970.30 with 12,000.00 USD: each dollar the bid
# falls costs 200. Equity at bid b is 12,000 - 200 x (1970.30 - b); the peak is 12,000.
OZ = 200
ENTRY = D("1970.30")


def equity(bid: str) -> Decimal:
    """Ben's equity in USD at a bid."""
    return D(12000) - OZ * (ENTRY - D(bid))


async def hold_gold(house: House) -> int:
    """Ben buys two lots himself."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)  # a flat account is read each 10 s
    return ticket


async def fall(house: House, bid: str) -> None:
    """Gold falls to a bid, spread unchanged."""
    house.price(bid, str(D(bid) + D("0.30")))


async def test_the_warning_comes_at_15_percent_once(house: House) -> None:
    """12,000 x 0.85 = 10,200 is reached at a fall of 9.00."""
    await hold_gold(house)
    await fall(house, "1961.31")
    await house.run(5)
    assert "DrawdownWarning" not in await house.kinds(BEN)
    await fall(house, "1961.30")
    await house.run(30)
    warnings = [x for x in await house.said(BEN) if isinstance(x, a.DrawdownWarning)]
    assert [w.equity for w in warnings] == [equity("1961.30")] == [D(10200)]
    assert warnings[0].headroom == D(10200) - D(9600)  # the floor is 80 % of 12,000
    rows = await house.rows(DrawdownAlertRow)
    assert [(r.alert_type, r.action_taken) for r in rows] == [("warning", "warning_sent")]


async def test_a_breach_counts_down_closes_and_proves(house: House) -> None:
    """At 20 %: message and latch first, closes at the deadline, then proof, then the report."""
    ticket = await hold_gold(house)
    await fall(house, "1958.20")  # equity 9,580: 20.17 %
    await house.run(4)
    (breached,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert breached.deadline_at == breached.at + timedelta(seconds=10)
    assert house.sends(USD) == []
    await house.run(5)
    assert house.sends(USD) == []  # still counting
    await house.run(8)

    (sent,) = house.sends(USD)
    assert (sent["request"]["position"], sent["request"]["volume"]) == (ticket, 2.0)
    assert house.sim.ledger.positions(USD) == {}
    (confirmed,) = [x for x in await house.said(BEN) if isinstance(x, a.CloseConfirmed)]
    (result,) = confirmed.results
    assert (result.ticket, result.outcome, result.attempts) == (ticket, "closed", 1)
    assert confirmed.total_pnl == equity("1958.20") - 12000 == D(-2420)
    assert confirmed.latched
    (job,) = await house.rows(CloseJobRow)
    assert job.state == "flat"
    # Law 7: two complete reads at least a second apart, begun after the last send.
    assert job.finished_at - job.flat_read_at >= timedelta(seconds=1)
    (row,) = await house.rows(DrawdownAlertRow, alert_type="execution")
    assert (row.action_taken, row.status, row.positions_closed_count, row.total_loss) == (
        "positions_closed",
        "success",
        1,
        D(-2420),
    )
    audit = await house.rows(AuditRow, account_id=house.ids[USD])
    assert verify(audit, AUDIT_KEYS) is None
    actions = [r.action for r in audit]
    assert actions[-4:] == ["close_started", "close_intended", "close_answered", "close_confirmed"]


async def test_a_pinned_card_is_looked_at_again_at_once_when_the_guard_acts(house: House) -> None:
    """It would say for half a minute that there is room left."""
    ben = await house.person(BEN)
    later = house.clock.instant + timedelta(hours=1)
    async with house.store.writing() as tx:
        await tx.insert(CardRow(user_id=ben.user_id, next_at=later))
    await hold_gold(house)
    await fall(house, "1958.20")
    await house.run(5)
    assert "GuardBreached" in await house.kinds(BEN)
    (card,) = await house.rows(CardRow, user_id=ben.user_id)
    assert card.next_at <= house.clock.instant


async def test_no_recovery_cancels_a_breach(house: House) -> None:
    """Once confirmed by the second reading, the price coming back changes nothing."""
    await hold_gold(house)
    await fall(house, "1958.20")
    await house.run(4)
    await fall(house, "1970.00")
    await house.run(15)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.state(USD)).latched_at is not None


async def test_a_blip_that_the_second_reading_denies_is_no_breach(house: House) -> None:
    """A breach needs two trusted readings in a row."""
    await hold_gold(house)
    await fall(house, "1958.20")
    calls = iter(range(100))

    def recover(verb: str) -> None:
        if verb == "snapshot" and next(calls) == 0:
            house.sim.set_price("XAUUSD", D("1970.00"), D("1970.30"))

    house.gateway.after_call = recover
    await house.run(15)
    assert "GuardBreached" not in await house.kinds(BEN)
    assert (await house.state(USD)).latched_at is None


@pytest.mark.parametrize(
    ("bid", "seconds"),
    [
        ("1958.20", 10),  # 20.17 %: there is time to say so
        ("1957.10", 0),  # 22 % and more: two points past the limit there is not
    ],
)
async def test_the_countdown_is_skipped_far_past_the_limit(
    house: House, bid: str, seconds: int
) -> None:
    """Law 8: it runs only while the drawdown is less than 2 points past the limit."""
    await hold_gold(house)
    await fall(house, bid)
    await house.run(4)
    (breached,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert (breached.deadline_at is not None) == (seconds > 0)
    assert bool(house.sends(USD)) == (seconds == 0)


async def test_falling_further_during_the_countdown_ends_it(house: House) -> None:
    """The countdown never costs more than two points."""
    await hold_gold(house)
    await fall(house, "1958.20")
    await house.run(4)
    await fall(house, "1957.00")
    await house.run(2)
    assert house.sim.ledger.positions(USD) == {}


async def test_pending_orders_are_cancelled_first(house: House) -> None:
    """A resting order can open exposure after a flatten."""
    await hold_gold(house)
    house.sim.submit(
        USD,
        "person",
        {"action": 5, "symbol": "XAUUSD", "volume": 0.1, "type": 2, "price": 1900.0},
    )
    house.world.commit()
    await fall(house, "1957.00")
    await house.run(6)
    actions = [s["request"]["action"] for s in house.sends(USD)]
    assert actions == [8, 1]
    assert house.sim.ledger.orders(USD) == {}


async def test_from_the_breach_on_nothing_is_handed_out(house: House) -> None:
    """Unplaced trades are cancelled and approvals refused with the reason."""
    signal = await house.signal("EURUSD buy 0.10")
    other = await house.signal("EURUSD sell 0.10")
    await hold_gold(house)
    await house.approve(BEN, signal)
    await fall(house, "1957.00")
    await house.run(6)
    assert await house.execute(USD) == []
    (trade,) = await house.rows(TradeRow)
    assert trade.status == "cancelled"
    with pytest.raises(Refused) as refused:
        await house.approve(BEN, other)
    assert refused.value.code == "account_latched"


async def test_what_reappears_on_a_latched_account_is_closed_again(house: House) -> None:
    """The latch outlives the close, and a restart."""
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(6)
    await house.restart()
    house.open(USD, "buy", "0.10")
    await house.run(15)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.kinds(BEN)).count("LatchedReappeared") == 1
    assert (await house.kinds(BEN)).count("CloseConfirmed") == 2
    assert "DivergenceOpened" not in (await house.kinds(BEN))[-3:]


async def test_a_deposit_does_not_lift_the_guard(house: House) -> None:
    """A flow f multiplies the peak by (E + f) / E: the drawdown is the same before and after."""
    await hold_gold(house)
    await fall(house, "1961.00")  # equity 10,140: 15.5 %
    await house.run(3)
    house.cash(USD, "5000")
    await house.run(3)
    state = await house.state(USD)
    # 12,000 x 15,140 / 10,140 = 17,917.15976331...
    assert state.peak_equity == (D(12000) * 15140 / 10140).quantize(D("0.00000001"))
    assert state.drawdown_percent == D("15.5000")
    (flow,) = await house.rows(CashFlowRow)
    assert (flow.amount, flow.peak_before) == (D(5000), D(12000))


async def test_a_withdrawal_is_not_a_drawdown(house: House) -> None:
    """Half the money leaves; nothing is lost."""
    await house.run(2)
    house.cash(USD, "-6000")
    await house.run(11)
    state = await house.state(USD)
    assert (state.peak_equity, state.drawdown_percent) == (D(6000), D(0))
    assert "DrawdownWarning" not in await house.kinds(BEN)


async def test_a_commission_is_a_loss(house: House) -> None:
    """Charges are results, not flows (law 9)."""
    await house.run(2)
    house.cash(USD, "-1900", "commission")
    await house.run(11)
    state = await house.state(USD)
    assert state.peak_equity == D(12000)
    assert state.drawdown_percent == D("15.8333")


async def test_a_balance_change_without_a_deal_is_untrusted_then_loss(house: House) -> None:
    """For 10 s it triggers nothing; after that it counts (law 9)."""
    await hold_gold(house)
    house.fault(USD, "deal_delayed", ms=60_000)
    house.cash(USD, "-3000", "commission")  # 25 % of the peak, unexplained for now
    await house.run(8)
    assert "GuardBreached" not in await house.kinds(BEN)
    await house.run(7)
    kinds = await house.kinds(BEN)
    assert "BalanceUnexplained" in kinds
    assert "GuardBreached" in kinds


async def test_a_late_deposit_deal_is_not_counted_as_loss_for_ever(house: House) -> None:
    """The deal that arrives after the wait takes the write-off back."""
    await house.run(2)
    house.fault(USD, "deal_delayed", ms=30_000)
    house.cash(USD, "-600")
    await house.run(23)
    assert (await house.state(USD)).written_off == D(-600)
    await house.run(30)
    state = await house.state(USD)
    assert state.written_off == D(0)
    assert state.peak_equity == D(11400)
    assert state.drawdown_percent == D(0)


async def test_below_the_minimum_equity_everything_is_closed_at_once(house: House) -> None:
    """100 GBP is the floor whatever the percentage; there is no countdown."""
    house.cash(USD, "-11800")  # 200 USD left, about 157 GBP
    await house.run(12)
    house.open(USD, "buy", "0.05", "EURUSD")
    await house.run(4)
    house.price("1.06500", "1.06510", "EURUSD")  # 0.05 lots x 0.0201 = about -100 USD
    await house.run(4)
    (breached,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert (breached.rule, breached.deadline_at) == ("minimum_equity", None)
    assert house.sim.ledger.positions(USD) == {}


async def test_a_withdrawal_below_the_minimum_only_blocks_approvals(house: House) -> None:
    """Taking one's own money out is no loss; a new trade on the rest is refused."""
    signal = await house.signal()
    house.cash(USD, "-11900")
    await house.run(12)
    assert "GuardBreached" not in await house.kinds(BEN)
    with pytest.raises(Refused) as refused:
        await house.approve(BEN, signal)
    assert refused.value.code == "below_minimum"


async def test_a_breach_while_flat_latches_without_a_job(house: House) -> None:
    """Nothing is there to close; nothing may be opened either."""
    await house.run(2)
    house.cash(USD, "-3000", "commission")
    await house.run(11)
    assert (await house.state(USD)).latched_at is not None
    assert await house.rows(CloseJobRow) == []
    (breached,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert (breached.positions_count, breached.deadline_at) == (0, None)


@pytest.mark.parametrize(
    ("fault", "more", "attempts"),
    [
        ("requote", {"times": 2}, 3),
        ("reject", {"times": 1}, 2),
        ("partial_fill", {"times": 1}, 2),
        ("timeout_not_executed", {"times": 1}, 2),
        ("timeout_after_execution", {"times": 1}, 1),
        ("market_closed", {"times": 2}, 3),
        ("autotrading_off", {"times": 1}, 2),
    ],
)
async def test_closing_survives_what_brokers_do(
    house: House, fault: str, more: dict[str, int], attempts: int
) -> None:
    """Refused, half done, unknown or done without an answer: flat in the end, nothing doubled."""
    ticket = await hold_gold(house)
    house.fault(USD, fault, **more)
    await fall(house, "1957.00")
    await house.run(60)
    assert house.sim.ledger.positions(USD) == {}
    assert len(house.sends(USD)) == attempts
    exits = [d for d in house.sim.ledger.deals(USD) if d.entry == 1]
    assert sum((d.volume for d in exits), D(0)) == D("2.00")
    (job,) = await house.rows(CloseJobRow)
    assert job.state == "flat"
    orders = await house.rows(CloseOrderRow)
    assert {o.ticket for o in orders} == {ticket}


async def test_trouble_is_told_once_and_closing_goes_on(house: House) -> None:
    """Whatever the broker refuses for, the job waits and retries, and says so."""
    await hold_gold(house)
    house.fault(USD, "market_closed")
    await fall(house, "1957.00")
    await house.run(60)
    troubles = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, a.CloseTrouble)]
    assert [t.trouble for t in troubles] == ["market_closed"]
    assert house.sim.ledger.positions(USD) != {}
    house.sim.clear_faults(USD)
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}


async def test_a_restart_in_the_countdown_keeps_its_deadline(house: House) -> None:
    """Law 8: not even by a restart."""
    await hold_gold(house)
    await fall(house, "1958.20")
    await house.run(4)
    (job,) = await house.rows(CloseJobRow)
    await house.restart()
    await house.run(3)
    (again,) = await house.rows(CloseJobRow)
    assert again.deadline_at == job.deadline_at
    await house.run(10)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.kinds(BEN)).count("GuardBreached") == 1


async def test_a_looser_setting_and_a_restart_change_nothing(house: House) -> None:
    """Effective limits live with the account; loosening waits 24 h (law 8)."""
    await hold_gold(house)
    house.settings = house.settings.model_copy(
        update={"max_drawdown_percent": D(50), "warn_drawdown_percent": D(40)}
    )
    await house.restart()
    await fall(house, "1957.00")
    await house.run(6)
    assert house.sim.ledger.positions(USD) == {}


async def test_a_tighter_setting_is_in_force_at_once(house: House) -> None:
    """Tightening needs nobody's leave."""
    await hold_gold(house)
    house.settings = house.settings.model_copy(
        update={"max_drawdown_percent": D(10), "warn_drawdown_percent": D(5)}
    )
    await house.restart()
    await fall(house, "1964.00")  # 10.5 %
    await house.run(16)
    assert house.sim.ledger.positions(USD) == {}


async def test_a_netting_account_is_closed_and_not_turned_round(house: House) -> None:
    """One opposite deal of the position's own volume."""
    house.open(EUR, "buy", "1.00", "EURUSD")
    await house.run(4)
    house.price("1.06500", "1.06510", "EURUSD")  # 0.0201 x 100,000 USD: about 1,886 EUR of 8,000
    await house.run(10)
    assert house.sim.ledger.positions(EUR) == {}
    entries = [d.entry for d in house.sim.ledger.deals(EUR) if d.symbol]
    assert entries == [0, 1]
