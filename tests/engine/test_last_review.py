"""What a reviewer found by asking what can go."""

import asyncio
from datetime import timedelta

import pytest

from core.domain import alerts as a
from core.domain import alerts_terminal as t
from core.domain.answers import QuestionAnswered
from core.records import TradeRow
from core.services.desk import AccountMemory
from core.services.errors import Refused
from tests.engine.house import ADMIN_CHAT, ALICE, GBP, USD, House
from tests.engine.test_adoption import answers, by_phone, question, takes_back, trade, two_waiting
from tests.engine.test_episodes import opened


async def test_a_magic_number_of_64_bits_does_not_switch_the_guard_off(house: House) -> None:
    """Whoever opens a position chooses it: 2**63 + 5 fitted no column, and no cycle could end."""
    house.open(GBP, "buy", "1.00", source="executor", magic=2**63 + 5)
    await house.run(11)
    house.price("1930.00", "1930.30")  # 31.7 %
    await house.run(20)
    assert house.sim.ledger.positions(GBP) == {}
    assert "GuardBreached" in await house.kinds(ALICE)


async def test_an_account_whose_cycles_fail_is_told_and_told_again_when_they_do_not(
    house: House,
) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    account, since = house.ids[USD], house.clock.now()
    house.clock.instant += timedelta(seconds=6)
    await house.engine.sync.failing(account, "OverflowError", since)
    await house.engine.sync.failing(account, "OverflowError", since)
    told = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, t.AccountUnavailable)]
    assert [(x.login, x.since) for x in told] == [(USD, since)]
    assert "OverflowError" in told[0].reason
    await house.run(11)
    assert "AccountRecovered" in await house.kinds(ADMIN_CHAT)


@pytest.mark.parametrize(("symbol", "is_told"), [("EURUSD", True), ("XAUUSD", False)])
async def test_a_close_of_one_symbol_keeps_only_that_symbol_quiet(
    house: House, *, symbol: str, is_told: bool
) -> None:
    """Its market closed, a gap's close waits; what is opened elsewhere is told as ever."""
    house.open(USD, "buy", "0.10")
    await house.run(11)
    before = len(await opened(house, 102))
    house.fault(USD, "market_closed", times=50)
    house.price("2080.00", "2080.30")  # 5.6 %
    await house.run(125)
    assert any(j.scope == "XAUUSD" for j in _memory(house).jobs)
    house.open(USD, "buy", "0.05", symbol)
    await house.run(10)
    assert (len(await opened(house, 102)) > before) is is_told
    assert a.GuardBreached.__name__ not in await house.kinds(102)


def _memory(house: House) -> AccountMemory:
    memory = house.engine.desk.peek(house.ids[USD])
    assert memory is not None
    return memory


async def test_answers_to_many_questions_of_an_account_do_not_queue_readings_before_its_guard(
    house: House,
) -> None:
    one, two = await two_waiting(house)
    rows = [await question(house, await by_phone(house)) for _ in range(2)]
    said = [answers(house, row, trade_id=t) for row, t in zip(rows, (one, two), strict=True)]
    both = await asyncio.gather(*said, return_exceptions=True)
    (refused,) = [x for x in both if isinstance(x, Refused)]
    assert (refused.code, refused.facts["why"]) == ("not_adopted", "busy")
    assert isinstance(await answers(house, rows[1], trade_id=two), QuestionAnswered)


async def test_a_trade_whose_own_part_is_closed_ends_when_its_adopted_part_is_taken_back(
    house: House,
) -> None:
    """0.06 of 0.10 are filled, 0.04 adopted; the 0.06 are closed, then the 0.04 disowned."""
    await house.approve(ALICE, await house.signal())
    (row,) = await house.rows(TradeRow)
    own = house.open(
        GBP,
        "buy",
        "0.06",
        sl=1950.0,
        tp=1990.0,
        magic=row.magic,
        comment=row.comment,
        source="executor",
    )
    await house.run(11)
    adopted = await by_phone(house, volume="0.04")
    await answers(house, await question(house, adopted), trade_id=row.id)
    await house.run(4)
    house.close_position(GBP, own)
    await house.run(10)
    assert (await trade(house, row.id)).status == "open"
    await takes_back(house, await question(house, adopted))
    await house.run(60)
    ended = await trade(house, row.id)
    assert (ended.status, ended.close_reason, ended.position_id) == (
        "closed",
        "client_mobile",
        own,
    )


async def test_a_position_by_hand_names_the_signal_for_the_same_that_waits(house: House) -> None:
    """Otherwise an approval after it would open the same a second time, unsuspected."""
    signal_id = await house.signal()
    house.open(GBP, "buy", "0.10")
    house.open(USD, "sell", "0.10")
    await house.run(11)
    for login, waits in ((GBP, signal_id), (USD, 0)):
        (told,) = [
            x
            for x in await house.said(ADMIN_CHAT)
            if isinstance(x, a.DivergenceOpened) and x.login == login
        ]
        assert (told.finding, told.waiting_signal) == ("unknown_position", waits)


async def test_an_order_that_reckoner_cancelled_is_not_said_to_be_gone_by_itself(
    house: House,
) -> None:
    """The guard closes at 25.5 %: an order of the client's is cancelled before the position."""
    house.sim.submit(
        USD,
        "person",
        {"action": 5, "symbol": "XAUUSD", "volume": 0.1, "type": 2, "price": 1900.0},
    )
    house.world.commit()
    house.open(USD, "buy", "2.00")
    await house.run(11)
    house.price("1955.00", "1955.30")
    await house.run(20)
    over = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, a.DivergenceResolved)]
    (order,) = [x for x in over if x.finding == "unknown_pending_order"]
    assert order.how == "cancelled"
