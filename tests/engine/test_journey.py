"""From a signal to a position that matches it, and what is told on the way."""

from decimal import Decimal

import pytest

from core.domain import alerts as a
from core.records import (
    AccountStateRow,
    EpisodeRow,
    OutboxRow,
    PositionSnapshotRow,
    ReconciliationLogRow,
    TradeRow,
)
from core.services.errors import Refused
from tests.engine.house import ADMIN_CHAT, ALICE, BEN, EUR, GBP, USD, House

D = Decimal


async def test_signal_approval_fill_match(house: House) -> None:
    """Each client is asked once; the approved trade is found and told with its slippage."""
    await house.follow(ALICE, GBP)

    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.side, trade.volume) == ("open", "buy", D("0.1"))
    assert trade.expected_entry == D("1970.30")  # the ask at the approval
    assert await house.kinds(ALICE) == ["SignalOffered", "OfferAnswered", "TradeOpened"]
    assert await house.kinds(BEN) == ["SignalOffered"]
    (log,) = await house.rows(ReconciliationLogRow)
    assert (log.event_type, log.matched, log.status) == ("sync", True, "success")


async def test_an_unchanged_world_writes_state_and_one_snapshot_a_minute(house: House) -> None:
    """Nothing new is told, and no row is written per cycle (law 4)."""
    await house.follow(ALICE, GBP)
    said = len(await house.said())
    logs = len(await house.rows(ReconciliationLogRow))
    before = len(await house.rows(PositionSnapshotRow, account_id=house.ids[GBP]))

    await house.run(180)

    assert len(await house.said()) == said
    assert len(await house.rows(ReconciliationLogRow)) == logs
    assert len(await house.rows(PositionSnapshotRow, account_id=house.ids[GBP])) - before == 3
    assert await house.rows(EpisodeRow) == []


async def test_the_executor_is_given_nothing_after_the_deadline(house: House) -> None:
    """A trade that was not placed in time expires, once."""
    signal = await house.signal()
    await house.approve(ALICE, signal)
    await house.run(130)

    (trade,) = await house.rows(TradeRow)
    assert trade.status == "expired"
    assert await house.execute(GBP) == []
    assert (await house.kinds(ALICE)).count("TradeNotPlaced") == 1


async def test_an_approval_is_decided_once(house: House) -> None:
    """A second answer is refused and changes nothing."""
    signal = await house.signal()
    await house.approve(ALICE, signal)
    with pytest.raises(Refused) as refused:
        await house.approve(ALICE, signal)
    assert refused.value.code == "already_decided"
    assert len(await house.rows(TradeRow)) == 1


async def test_an_expired_signal_is_refused(house: House) -> None:
    """The offer is closed in its place and cannot be approved."""
    signal = await house.signal()
    await house.run(901)
    await house.engine.expire_offers()
    with pytest.raises(Refused) as refused:
        await house.approve(ALICE, signal)
    assert refused.value.code == "signal_expired"
    assert await house.kinds(ALICE) == ["SignalOffered", "OfferAnswered"]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (0, "client_desktop"),
        (1, "client_mobile"),
        (2, "client_web"),
        (3, "foreign_ea"),
    ],
)
async def test_a_manual_close_is_explained_by_its_deal(
    house: House, reason: int, word: str
) -> None:
    """Who closed is read from the deal, and the profit is the deal's to the cent."""
    await house.follow(ALICE, GBP)
    (ticket,) = house.sim.ledger.positions(GBP)
    entry = house.sim.ledger.positions(GBP)[ticket].price_open
    house.price("1975.00", "1975.30")
    house.close_position(GBP, ticket, reason=reason)
    await house.run(5)

    closed = [x for x in await house.said(ALICE) if isinstance(x, a.PositionClosed)]
    assert [c.close_reason for c in closed] == [word]
    # 0.10 lots of 100 oz in USD, turned into pounds at the rate of a buyer of pounds: 1.27012.
    expected = ((D("1975.00") - entry) * 10 / D("1.27012")).quantize(D("0.01"))
    assert abs(closed[0].pnl - expected) <= D("0.01")
    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.close_reason) == ("closed", word)


@pytest.mark.parametrize(
    ("bid", "ask", "word"),
    [("1949.00", "1949.30", "stop_loss"), ("1991.00", "1991.30", "take_profit")],
)
async def test_stops_and_targets_are_named(house: House, bid: str, ask: str, word: str) -> None:
    """The broker's own closes are not the client's."""
    await house.follow(ALICE, GBP)
    house.price(bid, ask)
    await house.run(5)
    closed = [x for x in await house.said(ALICE) if isinstance(x, a.PositionClosed)]
    assert [c.close_reason for c in closed] == [word]


async def test_a_vanished_position_waits_for_its_deal(house: House) -> None:
    """Without a deal it is pending, told only after three readings; the deal then explains it."""
    await house.follow(ALICE, GBP)
    (ticket,) = house.sim.ledger.positions(GBP)
    house.fault(GBP, "deal_delayed", ms=8000)
    house.close_position(GBP, ticket)
    await house.run(2)
    kinds = await house.kinds(ALICE)
    assert "PositionClosed" not in kinds
    assert "DivergenceOpened" not in kinds

    await house.run(4)
    opened = [x for x in await house.said(ALICE) if isinstance(x, a.DivergenceOpened)]
    assert [o.finding for o in opened] == ["missing_unexplained"]

    await house.run(10)
    closed = [x for x in await house.said(ALICE) if isinstance(x, a.PositionClosed)]
    assert [c.close_reason for c in closed] == ["client_mobile"]
    resolved = [x for x in await house.said(ALICE) if isinstance(x, a.DivergenceResolved)]
    assert [r.finding for r in resolved] == ["missing_unexplained"]


async def test_a_position_nobody_signalled_is_named_once_and_its_end_explained(
    house: House,
) -> None:
    """The client's own trade is not ours to judge, but it is told."""
    ticket = house.open(USD, "buy", "0.10", "EURUSD")
    await house.run(30)
    opened = [x for x in await house.said(BEN) if isinstance(x, a.DivergenceOpened)]
    assert [(o.finding, o.opened_by) for o in opened] == [("unknown_position", 1)]
    house.close_position(USD, ticket, reason=2)
    await house.run(10)
    closed = [x for x in await house.said(BEN) if isinstance(x, a.PositionClosed)]
    assert [c.close_reason for c in closed] == ["client_web"]
    assert await house.rows(EpisodeRow, resolved_at=None) == []


async def test_partial_close_and_moved_levels_are_divergences(house: House) -> None:
    """Volume, stop and target are each compared; each difference is one episode."""
    await house.follow(ALICE, GBP)
    (ticket,) = house.sim.ledger.positions(GBP)
    house.close_position(GBP, ticket, "0.04")
    house.sim.submit(
        GBP,
        "person",
        {"action": 6, "position": ticket, "symbol": "XAUUSD", "sl": 0.0, "tp": 1985.0},
    )
    house.world.commit()
    await house.run(10)
    levels = [("sl_removed", "1950.00", ""), ("tp_moved", "1990.00", "1985.00")]
    for chat_id, reduced in ((ADMIN_CHAT, [("volume_reduced", "0.1", "0.06")]), (ALICE, [])):
        opened = [x for x in await house.said(chat_id) if isinstance(x, a.DivergenceOpened)]
        told = sorted((o.finding, o.expected, o.observed) for o in opened)
        assert told == [*levels, *reduced]
    # The client reads of the close itself, with its result, and not twice.
    (part,) = [x for x in await house.said(ALICE) if isinstance(x, a.PositionClosed)]
    assert (part.partial, part.volume) == (True, D("0.04"))


async def test_entry_slippage_beyond_the_limit_is_told_in_pips_adverse_positive(
    house: House,
) -> None:
    """5 pips of gold are 0.50; 0.70 worse than the ask is 7 pips."""
    signal = await house.signal()
    await house.approve(ALICE, signal)
    house.price("1970.70", "1971.00")
    await house.execute(GBP)
    (position,) = house.sim.ledger.positions(GBP).values()
    await house.run(4)
    opened = [x for x in await house.said(ALICE) if isinstance(x, a.DivergenceOpened)]
    assert [o.finding for o in opened] == ["entry_slippage"]
    assert opened[0].slippage_pips == (position.price_open - D("1970.30")) / D("0.10")


async def test_a_failed_read_is_not_a_flat_account(house: House) -> None:
    """Law 1: nothing is concluded but that it failed; told once, and once over."""
    await house.follow(ALICE, GBP)
    house.fault(GBP, "read_fails")
    await house.run(30)
    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.missing_count) == ("open", 0)
    house.sim.clear_faults(GBP)
    await house.run(10)
    kinds = await house.kinds(ALICE)
    assert kinds.count("AccountUnavailable") == 1
    assert kinds.count("AccountRecovered") == 1
    outages = await house.rows(PositionSnapshotRow, sync_error__ne=None)
    assert [(o.equity, o.balance) for o in outages] == [(None, None)]


async def test_an_empty_answer_that_contradicts_the_account_is_a_failed_read(
    house: House,
) -> None:
    """Positions gone while margin is used: the read lost them (law 1)."""
    await house.follow(ALICE, GBP)
    house.fault(GBP, "empty_read", times=2)
    await house.run(10)
    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.missing_count) == ("open", 0)
    assert (await house.kinds(ALICE)).count("DivergenceOpened") == 0


async def test_another_accounts_data_is_never_ours(house: House) -> None:
    """The answer of another login is an exception, told at once."""
    await house.follow(ALICE, GBP)
    house.fault(GBP, "wrong_login", times=1)
    await house.run(5)
    (trade,) = await house.rows(TradeRow)
    assert (trade.status, trade.missing_count) == ("open", 0)
    assert (await house.state(GBP)).balance == D(10000)
    assert (await house.kinds(ALICE))[-2:] == ["TerminalBlocked", "TerminalBlocked"]


async def test_a_restart_repeats_nothing(house: House) -> None:
    """Episodes, matches and alerts survive in the store (law 4)."""
    await house.follow(ALICE, GBP)
    house.open(EUR, "buy", "0.10", "EURUSD")
    await house.run(10)
    said = len(await house.said())
    await house.restart()
    await house.run(30)
    assert len(await house.said()) == said
    states = await house.rows(AccountStateRow)
    assert {s.unavailable_since for s in states} == {None}
    assert await house.rows(OutboxRow, state="failed") == []


async def test_the_equity_curve_ends_with_the_figures_beside_it(house: House) -> None:
    """Samples are a minute apart: a new account would have no curve in its first minute."""
    await house.run(25)
    (board,) = await house.engine.boards.drawdown(await house.person(BEN))
    assert len(board.history) == 2
    last = board.history[-1]
    assert (last.at, last.equity) == (board.account.observed_at, board.account.equity)


async def test_the_usual_answer_to_an_executor_asks_no_database(house: House) -> None:
    """Nothing pending is known from memory; a trade is handed out from what is committed."""
    tokens = await house.engine.tokens.keep_or_mint({})
    token = tokens[str(GBP)]
    assert await house.engine.expected(token) == []
    reading = house.store.reading
    asked: list[int] = []
    house.store.reading = lambda: asked.append(1) or reading()  # type: ignore[method-assign,func-returns-value]
    assert await house.engine.expected(token) == []
    assert asked == []
    await house.approve(ALICE, await house.signal())
    trades = await house.engine.expected(token)
    assert trades is not None
    assert [t["symbol"] for t in trades] == ["XAUUSD"]
    assert await house.engine.expected("another") is None
