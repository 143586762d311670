"""The life of a difference, as its people hear of it."""

from datetime import timedelta
from typing import Any

from core.domain import alerts as a
from core.domain.alerts import Priority
from core.domain.speech import REPLY, deliver
from core.records import ReconciliationLogRow
from core.sim.simulation import PERSON
from tests.engine.house import ALICE, BEN, GBP, USD, House
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
