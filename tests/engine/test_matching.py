"""One trade as several positions, several as one, and what passed between two readings."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from core.domain import alerts as a
from core.records import EpisodeRow, ReconciliationLogRow, TradeRow
from core.sim.codes import SwapMode
from tests.engine.house import ALICE, BEN, CARLA, EUR, GBP, USD, House

D = Decimal


async def expected(house: House, login: int) -> list[dict[str, Any]]:
    """What the account's executor is handed."""
    tokens = await house.engine.tokens.keep_or_mint({})
    trades = await house.engine.expected(tokens[str(login)])
    assert trades is not None
    return trades


def place(house: House, login: int, trade: dict[str, Any], volume: str) -> int:
    """A part of a trade as its executor would place it; answers the ticket."""
    return house.open(
        login,
        trade["side"],
        volume,
        trade["symbol"],
        source="executor",
        sl=float(trade["stop_loss"] or 0),
        tp=float(trade["take_profit"] or 0),
        magic=trade["magic"],
        comment=trade["comment"],
    )


async def past_the_deadline(house: House) -> None:
    """A reading now, and the next ones after the 120 s that a trade has."""
    await house.run(1)
    house.clock.instant += timedelta(seconds=125)
    await house.run(4)


async def reasons(house: House) -> list[str | None]:
    """The words of the log, in order."""
    return [row.divergence_reason for row in await house.rows(ReconciliationLogRow)]


async def test_a_split_fill_is_one_trade_from_its_first_part_to_its_last(house: House) -> None:
    """0.04 and 0.06 lots: told as partly filled, then whole; closed in two parts, once each."""
    await house.approve(ALICE, await house.signal())
    (trade,) = await expected(house, GBP)
    one = place(house, GBP, trade, "0.04")
    await house.run(4)
    other = place(house, GBP, trade, "0.06")
    await house.run(4)
    (row,) = await house.rows(TradeRow)
    assert (row.position_id, row.other_position_ids) == (one, [other])
    assert row.observed_volume == D("0.10")
    assert [e.kind for e in await house.rows(EpisodeRow)] == ["partial_fill"]
    assert await house.rows(EpisodeRow, resolved_at=None) == []
    assert "split_fill" in await reasons(house)

    await house.restart()
    house.close_position(GBP, other)
    await house.run(10)
    (open_now,) = await house.rows(EpisodeRow, resolved_at=None)
    assert open_now.kind == "volume_reduced"
    house.close_position(GBP, one, reason=2)
    await house.run(10)
    (row,) = await house.rows(TradeRow)
    assert (row.status, row.close_reason) == ("closed", "client_web")
    deals = [d for d in house.sim.ledger.deals(GBP) if d.symbol]
    assert row.pnl == sum(d.profit + d.commission + d.swap for d in deals)
    assert await house.rows(EpisodeRow, resolved_at=None) == []
    closed = [x for x in await house.said(ALICE) if isinstance(x, a.PositionClosed)]
    assert [(x.volume, x.partial) for x in closed] == [(D("0.06"), True), (D("0.10"), False)]
    assert "DivergencesOpened" not in await house.kinds(ALICE)


async def test_two_trades_of_one_netting_position_are_told_apart_by_their_deals(
    house: House,
) -> None:
    """0.10 and 0.20 lots in one position of 0.30; its result is divided and adds up."""
    for volume in ("0.10", "0.20"):
        await house.follow(CARLA, EUR, f"EURUSD buy {volume}")
    (held,) = house.sim.ledger.positions(EUR).values()
    assert held.volume == D("0.30")
    first, second = await house.rows(TradeRow)
    assert first.position_id == second.position_id == held.identifier
    assert [t.observed_volume for t in (first, second)] == [D("0.10"), D("0.20")]
    assert await house.rows(EpisodeRow) == []

    house.close_position(EUR, held.ticket)
    await house.run(10)
    rows = await house.rows(TradeRow)
    assert [t.status for t in rows] == ["closed", "closed"]
    deals = [d for d in house.sim.ledger.deals(EUR) if d.symbol]
    assert sum(t.pnl for t in rows) == sum(d.profit + d.commission + d.swap for d in deals)
    closed = [x for x in await house.said(CARLA) if isinstance(x, a.PositionClosed)]
    assert [(x.trade_id, x.volume) for x in closed] == [
        (first.id, D("0.10")),
        (second.id, D("0.20")),
    ]


async def test_a_trade_the_other_way_on_a_netting_account_is_no_close_by_hand(
    house: House,
) -> None:
    """0.30 bought and 0.10 sold: 0.20 are held, as both trades say, and nobody closed anything."""
    await house.follow(CARLA, EUR, "EURUSD buy 0.30")
    await house.follow(CARLA, EUR, "EURUSD sell 0.10")
    assert [t.status for t in await house.rows(TradeRow)] == ["open", "open"]
    assert await house.rows(EpisodeRow) == []
    kinds = await house.kinds(CARLA)
    assert kinds.count("TradeOpened") == 2
    assert "PositionClosed" not in kinds


async def test_a_trade_that_came_and_went_between_two_readings_was_executed(house: House) -> None:
    """Opened and stopped within one interval: closed with its reason, and never "not placed"."""
    await house.approve(BEN, await house.signal())
    (trade,) = await expected(house, USD)
    ticket = place(house, USD, trade, "0.10")
    house.price("1949.00", "1949.30")
    assert house.sim.ledger.positions(USD) == {}
    await past_the_deadline(house)
    (row,) = await house.rows(TradeRow)
    assert (row.status, row.position_id, row.close_reason) == ("closed", ticket, "stop_loss")
    assert (row.entry_price, row.exit_price) == (D("1970.30"), D("1949.00"))
    (closed,) = [x for x in await house.said(BEN) if isinstance(x, a.PositionClosed)]
    # The stop stood at 1950: a dollar worse is 10 pips of gold, past 5 and not past 25.
    assert (closed.note, closed.slippage_pips) == ("exit_slippage", D(10))
    assert "TradeNotPlaced" not in await house.kinds(BEN)
    assert "exit_slippage" in await reasons(house)


async def test_an_untagged_fill_becomes_the_trade_instead_of_one_that_was_not_placed(
    house: House,
) -> None:
    """The broker dropped magic and comment; nothing else it could be was approved."""
    await house.approve(BEN, await house.signal())
    house.open(USD, "buy", "0.10", source="executor", sl=1950.0, tp=1990.0)
    await past_the_deadline(house)
    (row,) = await house.rows(TradeRow)
    assert row.status == "open"
    kinds = await house.kinds(BEN)
    assert "TradeNotPlaced" not in kinds
    assert kinds.count("TradeOpened") == 1
    assert await house.rows(EpisodeRow, resolved_at=None) == []


async def test_a_late_fill_is_told_as_late_and_never_twice(house: House) -> None:
    await house.approve(BEN, await house.signal())
    (trade,) = await expected(house, USD)
    await past_the_deadline(house)
    place(house, USD, trade, "0.10")
    await house.run(30)
    late = [x for x in await house.said(BEN) if isinstance(x, a.DivergenceOpened)]
    assert [x.finding for x in late] == ["late_execution"]


async def test_a_rollover_that_opens_a_position_anew_ends_and_slips_nothing(house: House) -> None:
    """Closed and opened again at midnight, worse by the swap: logged, and nobody is woken."""
    await house.follow(ALICE, GBP)
    said = len(await house.said(ALICE))
    terms = house.sim.market.symbols["XAUUSD"]
    house.sim.market.symbols["XAUUSD"] = replace(
        terms, swap_mode=SwapMode.REOPEN_CURRENT, swap_long=D(-100)
    )
    (before,) = house.sim.ledger.positions(GBP).values()
    house.sim.broker.reopen(before, 1)
    house.world.commit()
    await house.run(30)
    (after,) = house.sim.ledger.positions(GBP).values()
    assert (after.identifier, after.ticket != before.identifier) == (before.identifier, True)
    assert await house.rows(EpisodeRow) == []
    assert len(await house.said(ALICE)) == said
    assert (await reasons(house))[-1] == "rollover_reopen"
    house.clock.instant += timedelta(seconds=1)
    house.close_position(GBP, after.ticket)
    await house.run(10)
    (row,) = await house.rows(TradeRow)
    deals = [d for d in house.sim.ledger.deals(GBP) if d.symbol]
    assert (row.status, row.close_reason) == ("closed", "client_mobile")
    assert row.pnl == sum(d.profit + d.commission + d.swap for d in deals)
