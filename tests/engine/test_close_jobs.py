"""Close jobs on the simulated broker: in pieces, parked, stalled, resumed, and watched afterwards.

Ben holds 2.00 lots of gold (200 oz) bought at 1970.30 with 12,000 USD: at a bid of 1957.00 he has
lost 22.17 %, which is closed without a countdown.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alert_parts import Appeared
from core.domain.alerts_closing import CloseStalled
from core.domain.broker import AccountSnapshot
from core.ports import StaleEpoch
from core.records import AccountStateRow, AuditRow, CloseJobRow, CloseOrderRow, LeaseRow
from core.services.close_jobs import breach_key
from core.sim.simulation import PERSON
from tests.engine.house import ADMIN_CHAT, BEN, GBP, USD, House

D = Decimal
SATURDAY = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
SUNDAY_OPEN = datetime(2026, 3, 8, 22, 0, tzinfo=UTC)
"""18:00 in New York, where summer time begins that day."""


async def breach(house: House) -> int:
    """Two lots of gold, and a fall past the limit."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)
    house.price("1957.00", "1957.30")
    return ticket


async def latch(house: House) -> None:
    """Breached, closed, locked."""
    await breach(house)
    await house.run(15)
    assert house.sim.ledger.positions(USD) == {}


async def stalls(house: House, chat_id: int = BEN) -> list[CloseStalled]:
    """What a chat was told of closes without progress."""
    return [x for x in await house.said(chat_id) if isinstance(x, CloseStalled)]


def changed(house: House, change: Callable[[AccountSnapshot], AccountSnapshot]) -> None:
    """From now on readings of Ben's account are so."""
    house.gateway.as_read = lambda read: change(read) if read.state.login == USD else read


# --- one job, one intent --------------------------------------------------------------------------


async def test_the_same_breach_found_twice_is_one_job(house: House) -> None:
    """The latch and the memory of it are lost, the job is not: nothing is begun beside it."""
    await breach(house)
    house.fault(USD, "market_closed")
    await house.run(5)
    async with house.store.writing() as tx:
        state = await tx.get(AccountStateRow, house.ids[USD])
        assert state is not None
        await tx.save_state(replace(state, latched_at=None, latch_reason=None))
    house.engine.desk.drop(house.ids[USD])
    await house.run(5)
    assert (await house.state(USD)).latched_at is not None, "it was found again"
    (job,) = await house.rows(CloseJobRow)
    assert job.trigger_key.startswith("drawdown:")
    house.sim.clear_faults(USD)
    await house.run(15)
    assert [j.state for j in await house.rows(CloseJobRow)] == ["flat"]


async def test_the_next_breach_after_a_release_is_another_job(house: House) -> None:
    await latch(house)
    before = (await house.state(USD)).peak_at
    async with house.store.writing() as tx:
        state = await house.state(USD)
        await tx.save_state(
            replace(
                state,
                release_requested_at=house.clock.now(),
                release_granted_at=house.clock.now(),
                release_granted_by=1,
            )
        )
    house.engine.desk.drop(house.ids[USD])
    await house.run(15)
    released = await house.state(USD)
    assert released.latched_at is None
    assert breach_key("drawdown", released.peak_at) != breach_key("drawdown", before)


async def test_no_intent_is_committed_and_nothing_sent_once_the_store_has_a_newer_owner(
    house: House,
) -> None:
    """Frozen between reading and intent, while another process took over."""
    await breach(house)

    def taken_over(verb: str) -> None:
        assert verb == "snapshot", "nothing may be sent"

    await house.run(0)
    async with house.store.writing() as tx:
        await tx.update(LeaseRow, {}, epoch=house.epoch + 1)
    house.gateway.before_call = taken_over
    with pytest.raises(StaleEpoch, match=f"epoch {house.epoch + 1} owns"):
        await house.run(30)
    assert house.sends(USD) == []
    assert await house.rows(CloseOrderRow) == []


# --- pieces ---------------------------------------------------------------------------------------


async def test_120_lots_of_which_50_may_be_sent_at_a_time_are_closed_in_lawful_pieces(
    house: House,
) -> None:
    house.cash(USD, "4000000")
    terms = house.sim.market.symbols["XAUUSD"]
    house.sim.market.symbols["XAUUSD"] = replace(terms, volume_max=D(200))
    ticket = house.open(USD, "buy", "120.00")
    house.sim.market.symbols["XAUUSD"] = replace(terms, volume_max=D(50))
    await house.run(15)
    house.price("1880.00", "1880.30")  # 12,000 oz x 90.30 = 1.08 million of 4.01
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}
    orders = [o for o in await house.rows(CloseOrderRow) if o.retcode == 10009]
    assert [(o.ticket, o.held, o.volume) for o in orders] == [
        (ticket, 120, 50),
        (ticket, 70, 50),
        (ticket, 20, 20),
    ]
    assert {o.state for o in orders} == {"settled"}
    assert {o.epoch for o in orders} == {house.epoch}
    assert "CloseTrouble" not in await house.kinds(BEN)
    (confirmed,) = [x for x in await house.said(BEN) if isinstance(x, a.CloseConfirmed)]
    assert [(r.ticket, r.volume, r.outcome) for r in confirmed.results] == [
        (ticket, D(120), "closed")
    ]
    assert not confirmed.results_missing


async def test_what_each_attempt_was_made_with_is_kept_over_a_restart(house: House) -> None:
    """Two requotes, a restart, a third try: the price may move 50, 100, then 150 points."""
    await breach(house)
    house.fault(USD, "requote", times=2)
    await house.run(0)
    while len(await house.rows(CloseOrderRow)) < 2:
        await house.run(0.1)
    await house.restart()
    await house.run(10)
    orders = await house.rows(CloseOrderRow)
    assert [o.deviation_points for o in orders] == [50, 100, 150]
    assert [s["request"]["deviation"] for s in house.sends(USD)] == [50, 100, 150]


# --- held up --------------------------------------------------------------------------------------


async def test_a_closed_market_parks_the_close_and_the_client_reads_until_when(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    house.clock.instant = SATURDAY
    await house.start()
    await breach(house)
    house.fault(USD, "market_closed")
    still = SATURDAY - timedelta(hours=15)
    changed(
        house,
        lambda read: replace(read, ticks={n: replace(t, at=still) for n, t in read.ticks.items()}),
    )
    await house.run(90)
    for chat_id in (BEN, ADMIN_CHAT):
        said = [x for x in await house.said(chat_id) if isinstance(x, a.CloseTrouble)]
        assert [(x.trouble, x.opens_at) for x in said] == [("market_closed", SUNDAY_OPEN)]
    assert len(house.sends(USD)) == 1, "parked: nothing is sent meanwhile"
    assert await stalls(house) == []
    (job,) = await house.rows(CloseJobRow)
    assert (job.trouble, job.opens_at) == ("market_closed", SUNDAY_OPEN)
    house.sim.clear_faults(USD)
    house.gateway.as_read = lambda read: read  # prices move again, before the usual hour
    await house.run(15)
    assert house.sim.ledger.positions(USD) == {}
    await house.close()


async def test_a_close_without_progress_is_critical_says_why_and_goes_on(house: House) -> None:
    ticket = await breach(house)
    house.fault(USD, "autotrading_off")
    await house.run(59)
    assert await stalls(house) == []
    await house.run(250)
    first, second = await stalls(house)
    assert await stalls(house, ADMIN_CHAT) == [first, second]
    assert [round((x.at - x.since).total_seconds()) for x in (first, second)] == [60, 300]
    (block,) = first.blocks
    assert (block.word, block.ticket, block.code) == ("autotrading_off", ticket, 10027)
    before = len(house.sends(USD))
    await house.restart()
    await house.run(15)
    assert len(await stalls(house)) == 2, "a restart repeats nothing"
    assert len(house.sends(USD)) > before
    house.sim.clear_faults(USD)
    await house.run(15)
    assert (await house.rows(CloseJobRow))[0].state == "flat"


async def test_a_close_on_an_account_that_cannot_be_read_is_told_as_that(house: House) -> None:
    await breach(house)
    house.fault(USD, "market_closed")
    await house.run(3)
    house.fault(USD, "read_fails")
    await house.run(70)
    (told,) = await stalls(house)
    assert [b.word for b in told.blocks] == ["unreadable"]
    assert "positions_get" in told.blocks[0].detail


async def test_figures_that_do_not_come_to_zero_are_told_and_not_called_flat(house: House) -> None:
    """Law 7: no position, no order, and profit and margin zero."""
    await breach(house)
    changed(house, lambda read: replace(read, state=replace(read.state, margin=D(3))))
    await house.run(75)
    assert house.sim.ledger.positions(USD) == {}
    assert "CloseConfirmed" not in await house.kinds(BEN)
    (told,) = await stalls(house)
    assert [b.word for b in told.blocks] == ["figures"]
    house.gateway.as_read = lambda read: read
    await house.run(5)
    assert "CloseConfirmed" in await house.kinds(BEN)


# --- started again --------------------------------------------------------------------------------


async def test_accounts_with_an_unfinished_close_are_read_first_after_a_start(
    house: House,
) -> None:
    await breach(house)
    house.fault(USD, "market_closed")
    await house.run(3)
    await house.restart()
    assert next(iter(house.due)) == house.ids[USD] != house.ids[GBP]
    house.sim.clear_faults(USD)
    await house.run(6)
    assert house.sends(USD)[-1]["epoch"] == house.epoch, "resumed by the new owner"


async def test_an_intent_whose_send_was_never_answered_is_looked_at_before_it_is_repeated(
    house: House,
) -> None:
    """Killed between the send and its answer: executed or not, one deal closes the position."""
    ticket = await breach(house)

    def dies(verb: str) -> None:
        if verb == "send":
            raise RuntimeError("killed")

    house.gateway.after_call = dies
    with pytest.raises(RuntimeError, match="killed"):
        await house.run(5)
    await house.restart()
    await house.run(15)
    exits = [d for d in house.sim.ledger.deals(USD) if d.position_id == ticket and d.entry != 0]
    assert [d.volume for d in exits] == [2]
    assert len(house.sends(USD)) == 1
    (order,) = await house.rows(CloseOrderRow)
    assert (order.state, order.retcode) == ("settled", None)


# --- watched afterwards ---------------------------------------------------------------------------


async def reappeared(house: House) -> list[tuple[Appeared, ...]]:
    """What Ben was told of things on his locked account."""
    return [x.items for x in await house.said(BEN) if isinstance(x, a.LatchedReappeared)]


def place(house: House, reason: int = 0) -> int:
    """Ben's buy limit of 0.10 lots far below the market, by hand; answers the ticket."""
    body = {"action": 5, "symbol": "XAUUSD", "volume": 0.1, "type": 2, "price": 1900.0}
    sent = house.sim.submit(USD, PERSON, body, reason=reason)
    house.world.commit()
    assert sent.result is not None
    assert sent.result["retcode"] == 10009, sent.result
    return int(sent.result["order"])


@pytest.mark.parametrize(
    ("reason", "magic"), [(0, 0), (1, 0), (2, 0), (3, 555)]
)  # desktop, phone, web, another program
async def test_who_opened_what_reappears_is_named(house: House, reason: int, magic: int) -> None:
    await latch(house)
    ticket = house.open(USD, "buy", "0.10", reason=reason, magic=magic)
    await house.run(15)
    ((item,),) = await reappeared(house)
    assert (item.ticket, item.is_order, item.opened_by, item.magic, item.trade_id) == (
        ticket,
        False,
        reason,
        magic,
        None,
    )
    assert house.sim.ledger.positions(USD) == {}


async def test_a_pending_order_that_reappears_is_told_as_an_order_and_cancelled(
    house: House,
) -> None:
    await latch(house)
    ticket = place(house, reason=1)
    await house.run(15)
    ((item,),) = await reappeared(house)
    assert (item.ticket, item.is_order, item.opened_by, item.side) == (ticket, True, 1, "buy")
    assert house.sim.ledger.orders(USD) == {}
    detail = [r.detail for r in await house.rows(AuditRow, action="latch_reappeared")]
    assert [(d["positions"], d["orders"]) for d in detail] == [([], [ticket])]


async def test_where_it_is_set_so_a_softer_lock_only_tells_once_and_never_the_drawdowns(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, LATCHED_REAPPEARED="report")
    await house.start()
    await house.run(1)
    await latch(house)
    place(house)
    await house.run(15)
    assert house.sim.ledger.orders(USD) == {}, "law 8: the drawdown's lock closes, whatever is set"

    async with house.store.writing() as tx:
        await tx.save_state(replace(await house.state(USD), latch_reason="daily_loss"))
    house.engine.desk.drop(house.ids[USD])
    ticket = place(house)
    await house.run(30)
    await house.restart()
    await house.run(30)
    assert list(house.sim.ledger.orders(USD)) == [ticket]
    told = [x for x in await house.said(BEN) if isinstance(x, a.LatchedReappeared)]
    assert [(bool(x.job_id), [i.ticket == ticket for i in x.items]) for x in told] == [
        (True, [False]),
        (False, [True]),
    ]
    assert (await house.state(USD)).reappeared == [ticket]
    await house.close()
