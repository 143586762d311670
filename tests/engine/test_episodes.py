"""The life of a difference, as its people hear of it."""

from datetime import timedelta
from typing import Any

from core.domain import alerts as a
from core.domain.alerts import Priority
from core.domain.speech import EDIT, NEW, REPLY, deliver
from core.records import CloseJobRow, ReconciliationLogRow
from core.services.desk import MUTED
from core.sim.simulation import PERSON
from tests.engine.house import ALICE, BEN, CARLA, EUR, GBP, USD, D, House
from tests.engine.test_drawdown_guard import fall, hold_gold


async def traded(house: House) -> int:
    """Alice's approved trade, placed by her executor; answers its ticket."""
    await house.approve(ALICE, await house.signal())
    await house.execute(GBP)
    await house.run(12)
    (position,) = house.sim.ledger.positions(GBP).values()
    return int(position.ticket)


def ask(house: House, login: int, **body: Any) -> None:
    """Somebody asks for something at their terminal."""
    sent = house.sim.submit(login, PERSON, body, reason=0)
    house.world.commit()
    assert sent.result is not None
    assert sent.result["retcode"] in {10008, 10009}, sent.result


async def opened(house: House, chat: int) -> list[a.DivergenceOpened]:
    """What was told of differences."""
    return [x for x in await house.said(chat) if isinstance(x, a.DivergenceOpened)]


async def test_a_stop_that_stays_removed_is_told_again_after_an_hour_as_a_reply(
    house: House,
) -> None:
    """Once after an hour, and not again after a day."""
    ticket = await traded(house)
    ask(house, GBP, action=6, position=ticket, symbol="XAUUSD", sl=0.0, tp=1990.0)
    await house.run(10)
    (first,) = await opened(house, ALICE)
    assert (first.finding, first.lasting_since) == ("sl_removed", None)
    house.clock.instant += timedelta(minutes=59)
    await house.run(1)
    assert len(await opened(house, ALICE)) == 1
    house.clock.instant += timedelta(minutes=1)
    await house.restart()  # what was told is remembered
    await house.run(1)
    _, again = await opened(house, ALICE)
    assert again.lasting_since == first.at
    assert deliver(again).mode == REPLY
    assert deliver(again).thread == deliver(first).thread
    house.clock.instant += timedelta(days=1)
    await house.run(1)
    assert len(await opened(house, ALICE)) == 2


async def test_what_is_kept_quiet_while_an_account_is_locked_is_in_the_history(
    house: House,
) -> None:
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(8)
    before = len(await opened(house, BEN))
    house.open(USD, "buy", "0.10")
    await house.run(8)
    assert len(await opened(house, BEN)) == before
    rows = await house.rows(ReconciliationLogRow, divergence_reason="unknown_position_manual")
    assert [r.error_message for r in rows][-1] == "not told: the account is being closed, or locked"


async def test_many_differences_of_several_kinds_are_one_message(house: House) -> None:
    """Three strangers' positions and three pending orders, found by one reading."""
    for _ in range(3):
        house.open(USD, "buy", "0.01")
        resting = {"type": 2, "price": 1900.0, "volume": 0.01, "type_filling": 2}
        ask(house, USD, action=5, symbol="XAUUSD", **resting)
    await house.run(11)
    (told,) = [x for x in await house.said(BEN) if isinstance(x, a.DivergencesOpened)]
    assert (told.finding, told.count) == ("mixed", 6)
    kinds = {item.finding for item in told.items}
    assert kinds == {"unknown_position", "unknown_pending_order"}
    assert await opened(house, BEN) == []


async def test_what_the_broker_closes_for_want_of_margin_is_one_message_and_goes_first(
    house: House,
) -> None:
    """Two lots of gold, a fall of 55.50: 11,100 of 12,000 are gone, and the broker closes both."""
    for _ in range(2):
        house.open(USD, "buy", "1.00")
    await house.run(11)
    house.price("1914.80", "1915.10")
    assert house.sim.ledger.positions(USD) == {}
    await house.run(11)
    (closed,) = [x for x in await house.said(BEN) if isinstance(x, a.PositionsClosed)]
    assert (closed.close_reason, closed.count) == ("stop_out", 2)
    assert deliver(closed).priority is Priority.CRITICAL
    assert "PositionClosed" not in await house.kinds(BEN)


async def stops(house: House, level: float) -> None:
    """Set the stop of every position of Alice's, and let it be seen."""
    for ticket in list(house.sim.ledger.positions(GBP)):
        ask(house, GBP, action=6, position=ticket, symbol="XAUUSD", sl=level, tp=1990.0)
    await house.run(10)


async def six_trades(house: House) -> None:
    """Six trades of Alice's, each as its signal has it."""
    for _ in range(6):
        await house.approve(ALICE, await house.signal())
        await house.execute(GBP)
        await house.run(2)
    assert len(house.sim.ledger.positions(GBP)) == 6


async def told_of(house: House, begin: int) -> list[a.Alert]:
    """What Alice was told of differences, from so many messages on."""
    kinds = (a.DivergenceOpened, a.DivergencesOpened, a.DivergenceResolved)
    return [x for x in (await house.said(ALICE))[begin:] if isinstance(x, kinds)]


async def test_many_that_last_are_one_message_and_so_are_many_that_change(house: House) -> None:
    """Six stops removed: told in one message, and again in one after an hour."""
    await six_trades(house)
    begin = len(await house.said(ALICE))
    await stops(house, 0.0)
    house.clock.instant += timedelta(hours=1)
    await house.run(1)
    first, again = await told_of(house, begin)
    assert isinstance(first, a.DivergencesOpened)
    assert isinstance(again, a.DivergencesOpened)
    assert (first.count, first.lasting_since) == (6, None)
    assert (again.count, again.lasting_since) == (6, first.at)
    assert deliver(first).thread != deliver(again).thread

    begin = len(await house.said(ALICE))
    await stops(house, 1940.0)
    await stops(house, 1941.0)
    moved, trailed = await told_of(house, begin)
    assert isinstance(moved, a.DivergencesOpened)
    assert isinstance(trailed, a.DivergencesOpened)
    assert (moved.finding, moved.count, moved.changed) == ("sl_moved", 6, False)
    assert (trailed.finding, trailed.count, trailed.changed) == ("sl_moved", 6, True)


async def test_what_was_told_with_others_and_then_for_itself_has_its_end_told(
    house: House,
) -> None:
    """Of six stops one stays removed: it lasts, in a message of its own, and that one's end."""
    await six_trades(house)
    await stops(house, 0.0)
    left, *others = list(house.sim.ledger.positions(GBP))
    begin = len(await house.said(ALICE))
    for ticket in others:
        ask(house, GBP, action=6, position=ticket, symbol="XAUUSD", sl=1950.0, tp=1990.0)
    await house.run(10)
    house.clock.instant += timedelta(hours=1)
    await house.run(1)
    ask(house, GBP, action=6, position=left, symbol="XAUUSD", sl=1950.0, tp=1990.0)
    await house.run(10)
    lasting, over = await told_of(house, begin)
    assert isinstance(lasting, a.DivergenceOpened)
    assert isinstance(over, a.DivergenceResolved)
    assert lasting.subject == over.subject == str(left)
    assert lasting.lasting_since == over.opened_at


async def test_a_position_that_doubles_is_told_aloud_and_one_that_is_cut_corrects_its_message(
    house: House,
) -> None:
    """An unknown netting position of 1,000 EUR/USD becomes 2,000, and then 1,000 again."""
    house.open(EUR, "buy", "0.01", "EURUSD")
    await house.run(11)
    house.open(EUR, "buy", "0.01", "EURUSD")
    await house.run(11)
    house.open(EUR, "sell", "0.01", "EURUSD")
    await house.run(11)
    first, doubled, cut = await opened(house, CARLA)
    assert [x.volume for x in (first, doubled, cut)] == [D("0.01"), D("0.02"), D("0.01")]
    assert [x.worse for x in (first, doubled, cut)] == [False, True, False]
    assert [deliver(x).mode for x in (first, doubled, cut)] == [NEW, REPLY, EDIT]
    assert len({deliver(x).thread for x in (first, doubled, cut)}) == 1


async def muted(house: House) -> list[str | None]:
    """What the history says was kept quiet."""
    rows = await house.rows(ReconciliationLogRow, error_message=MUTED)
    return [row.divergence_reason for row in rows]


async def test_what_is_kept_quiet_is_written_down_once_and_not_again_at_each_start(
    house: House,
) -> None:
    """A position opened on a locked account that the broker does not let go."""
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(8)
    house.fault(USD, "market_closed", times=100)
    house.open(USD, "buy", "0.10")
    await house.run(4)
    assert await muted(house) == ["unknown_position_manual"]
    for _ in range(2):
        await house.restart()
        await house.run(4)
    assert len(house.sim.ledger.positions(USD)) == 1
    assert await muted(house) == ["unknown_position_manual"]


async def test_a_close_of_ours_is_remembered_over_a_restart_by_our_own_clock(
    house: House,
) -> None:
    """For five seconds after it nothing that differs is an alarm, whoever was started meanwhile."""
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(8)
    (job,) = await house.rows(CloseJobRow)
    assert job.state == "flat"
    house.clock.instant = job.finished_at + timedelta(seconds=4.9)
    await house.restart()
    async with house.engine.desk.holding(house.ids[USD]) as memory:
        assert memory.own_activity_at == job.finished_at
    house.clock.instant = job.finished_at + timedelta(seconds=5)
    await house.restart()
    async with house.engine.desk.holding(house.ids[USD]) as memory:
        assert memory.own_activity_at is None


async def test_a_terminal_that_cannot_be_read_says_that_once_and_nothing_of_what_follows(
    house: House,
) -> None:
    """What differs meanwhile is told when it is read, if it still differs."""
    ticket = await traded(house)
    begin = len(await house.said(ALICE))
    house.fault(GBP, "read_fails")
    ask(house, GBP, action=6, position=ticket, symbol="XAUUSD", sl=0.0, tp=1990.0)
    await house.run(120)
    kinds = [type(x).__name__ for x in (await house.said(ALICE))[begin:]]
    assert kinds.count("AccountUnavailable") == 1
    assert not [x for x in kinds if x.startswith("Divergence")]
    house.sim.clear_faults(GBP)
    await house.run(60)
    after = [type(x).__name__ for x in (await house.said(ALICE))[begin + len(kinds) :]]
    assert after.count("AccountRecovered") == after.count("DivergenceOpened") == 1
