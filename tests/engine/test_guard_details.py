"""Details of the guard that no journey would miss, each of which could cost an account."""

from datetime import timedelta

from bot.views.alerts_closing import confirmed as confirmed_view
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.records import AccountRow, CloseOrderRow
from tests.engine.house import ADMIN, BEN, USD, D, House
from tests.engine.test_drawdown_guard import fall, hold_gold


async def test_an_accounts_own_shorter_countdown_is_the_one_that_runs(house: House) -> None:
    """The setting says 10 s, the account's own entry 3 s: the shorter is the safer."""
    await hold_gold(house)
    async with house.store.writing() as tx:
        await tx.update(AccountRow, {"id": house.ids[USD]}, countdown_s=3)
    house.engine.desk.drop(house.ids[USD])
    await fall(house, "1958.20")
    await house.run(4)
    (breached,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert breached.deadline_at is not None
    assert breached.deadline_at - breached.at == timedelta(seconds=3)


async def test_two_readings_half_a_second_apart_do_not_release(house: House) -> None:
    """Law 7 holds for the release as for the close: two readings at least a second apart."""
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(6)
    account = house.ids[USD]
    await house.engine.ask_release(await house.person(BEN), account)
    await house.engine.answer_release(await house.person(ADMIN), account, grant=True)
    await house.engine.sync(account)
    house.clock.instant += timedelta(seconds=0.5)
    await house.engine.sync(account)
    assert (await house.state(USD)).latched_at is not None
    house.clock.instant += timedelta(seconds=0.5)
    await house.engine.sync(account)
    assert (await house.state(USD)).latched_at is None


async def test_an_intent_bears_the_epoch_of_the_owner_that_made_it(house: House) -> None:
    """Which owner meant to send is known from the row alone (section 7, fencing)."""
    await house.restart()
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(6)
    (order,) = await house.rows(CloseOrderRow)
    assert (order.epoch, house.epoch) == (2, 2)


async def test_money_that_no_deal_explains_does_not_hide_a_loss(house: House) -> None:
    """12,000 become 14,500 without a deal, and after 10 s that is written off as a gain.

    Gold then falls until 2,420 of his own are lost: 20.17 % of 12,000, though 12,080 are there.
    """
    await hold_gold(house)
    house.fault(USD, "deal_delayed", ms=600_000)
    house.cash(USD, "2500")
    await house.run(15)
    await fall(house, "1958.20")
    await house.run(16)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.state(USD)).peak_equity == D(12000)


async def test_a_countdown_cut_short_is_told_with_what_it_came_to(house: House) -> None:
    """At 20.17 % ten seconds are told; four later it is 22.8 %, and nobody waits."""
    await hold_gold(house)
    await fall(house, "1958.20")
    await house.run(4)
    await fall(house, "1956.60")  # equity 9,260 of 12,000
    await house.run(8)
    (confirmed,) = [x for x in await house.said(BEN) if isinstance(x, a.CloseConfirmed)]
    assert confirmed.deadline_at is not None
    assert confirmed.started_at < confirmed.deadline_at
    assert confirmed.drawdown_after_percent == D("22.8333")
    said = confirmed_view(confirmed, Voice(), Audience.CLIENT).html
    assert "It went on falling: closing began at" in said
    assert "Drawdown after closing: 22.8 %" in said
