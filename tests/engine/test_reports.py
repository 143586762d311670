"""Histories and reports of a whole house, against the simulated broker's own figures."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from core.domain.broker import AccountSnapshot
from core.domain.history import HistoryFilter, HistoryKind, HistoryPage
from core.domain.periods import Span
from core.records import (
    AccountRow,
    CashFlowRow,
    DealRow,
    PositionSnapshotRow,
)
from core.services import history as histories
from core.services import reports
from core.services.errors import Refused
from core.services.history import HistoryAsk
from tests.engine.gateway import START
from tests.engine.house import ADMIN, ALICE, BEN, GBP, USD, D, House

WEDNESDAY = date(2026, 3, 4)


def booked(number: int, at: datetime, **changes: object) -> DealRow:
    """A deal of gold that brought 1.00."""
    facts: dict[str, object] = {
        "account_id": 0,
        "ticket": 10_000_000 + number,
        "position_id": 20_000_000 + number,
        "deal_type": 1,
        "entry": 1,
        "reason": 0,
        "symbol": "XAUUSD",
        "volume": D("0.10"),
        "price": D(1950),
        "profit": D(1),
        "commission": D(0),
        "swap": D(0),
        "fee": D(0),
        "magic": 0,
        "comment": "",
        "executed_at": at,
        "seen_at": at,
    }
    return msgspec.convert({**facts, **changes}, DealRow)


async def add_deals(house: House, count: int, **changes: object) -> None:
    """So many deals of Alice's account, a second apart."""
    rows = [
        booked(n, START + timedelta(seconds=n), account_id=house.ids[GBP], **changes)
        for n in range(count)
    ]
    house.clock.instant = START + timedelta(seconds=count + 10)
    async with house.store.writing() as tx:
        await tx.insert_many(rows)


async def page(house: House, who: int = ALICE, **ask: object) -> HistoryPage:
    person = await house.person(who)
    asked = msgspec.convert({"account_id": house.ids[GBP], **ask}, HistoryAsk)
    return await house.engine.histories.page(person, asked)


async def test_a_trade_followed_and_closed_by_hand_is_told_in_order(house: House) -> None:
    await house.follow(ALICE, GBP)
    (position,) = house.sim.ledger.positions(GBP).values()
    house.price("1980.00", "1980.30")
    house.close_position(GBP, position.ticket)
    await house.run(12)
    house.cash(GBP, "-300")
    await house.run(12)
    shown = await page(house)
    told = [(line.kind, line.word, line.signal_id) for line in shown.lines]
    assert told[:3] == [
        (HistoryKind.MONEY, "withdrawal", None),
        (HistoryKind.CLOSED, "client_mobile", 1),
        (HistoryKind.OPENED, "", 1),
    ]
    assert shown.lines[0].amount == D(-300)
    money = await page(house, filter=HistoryFilter.MONEY)
    assert [line.amount for line in money.lines] == [D(-300), D(10000)]
    closed = await page(house, filter=HistoryFilter.CLOSED)
    assert [line.kind for line in closed.lines] == [HistoryKind.CLOSED]
    opened = await page(house, filter=HistoryFilter.OPENED)
    assert [line.kind for line in opened.lines] == [HistoryKind.OPENED]


async def test_differences_begin_and_end_in_the_history(house: House) -> None:
    ticket = house.open(GBP, "buy", "0.1")
    await house.run(12)
    house.close_position(GBP, ticket)
    await house.run(12)
    shown = await page(house, filter=HistoryFilter.DIFFERENCES)
    assert [(line.kind, line.word, line.ended) for line in shown.lines] == [
        (HistoryKind.RESOLVED, "unknown_position", "closed:client_mobile"),
        (HistoryKind.DIFFERENCE, "unknown_position", ""),
    ]


async def test_an_outage_and_a_guards_close_are_in_the_history(house: House) -> None:
    house.fault(USD, "read_fails")
    await house.run(40)
    shown = await page(house, ADMIN, account_id=house.ids[USD])
    assert HistoryKind.OUTAGE in {line.kind for line in shown.lines}
    house.open(GBP, "buy", "1.0")
    await house.run(2)
    house.price("1940.00", "1940.30")  # 30 below the ask of 1970.30, 100 ounces: over 2,000 GBP
    await house.run(30)
    guards = [line for line in (await page(house)).lines if line.kind is HistoryKind.GUARD]
    assert [(g.word, g.symbol, g.ended) for g in guards] == [("drawdown", "account", "flat")]


async def test_pages_follow_one_another_without_gap_or_repetition(house: House) -> None:
    """Twenty deals and the first deposit: 8 + 8 + 5."""
    await add_deals(house, 20)
    shown = [await page(house, page=n) for n in range(3)]
    assert [len(one.lines) for one in shown] == [8, 8, 5]
    times = [line.at for one in shown for line in one.lines]
    assert times == sorted(times, reverse=True)
    assert len({line.order for one in shown for line in one.lines}) == 21
    assert {(one.total, one.pages, one.is_cut) for one in shown} == {(21, 3, False)}
    past = await page(house, page=3)
    assert past.page == 2, "past the end is the end"


async def test_pages_go_back_so_far_and_say_where_they_are_cut(house: House) -> None:
    """25 pages of 8 and two lines more: 201 deals and the deposit fill them."""
    most = 25 * 8 + 2
    await add_deals(house, most - 1)
    full = await page(house, page=10_000)
    assert (full.page, full.pages, full.total, full.is_cut) == (24, 25, 202, False)
    assert len(full.lines) == 10
    async with house.store.writing() as tx:
        await tx.insert(booked(most, START, account_id=house.ids[GBP]))
    cut = await page(house, page=10_000)
    assert (cut.page, cut.pages, cut.total, cut.is_cut) == (24, 25, 203, True)
    assert len(cut.lines) == 8


async def test_a_last_line_or_two_have_no_page_of_their_own(house: House) -> None:
    """The deposit and 8 or 9 deals are one page; with 10 deals the second has three lines."""
    await add_deals(house, 8)
    assert [(p.pages, len(p.lines)) for p in [await page(house)]] == [(1, 9)]
    async with house.store.writing() as tx:
        await tx.insert(booked(50, START, account_id=house.ids[GBP]))
    assert [(p.pages, len(p.lines)) for p in [await page(house)]] == [(1, 10)]
    async with house.store.writing() as tx:
        await tx.insert(booked(51, START, account_id=house.ids[GBP]))
    shown = [await page(house, page=n) for n in range(2)]
    assert [(p.pages, len(p.lines)) for p in shown] == [(2, 8), (2, 3)]


async def test_a_lock_and_its_release_are_in_the_history(house: House) -> None:
    """Two lots of gold from 1970.30 of 12,000: at 1961.00 15.5 % are lost, at 1958.20 20.17 %."""
    house.open(USD, "buy", "2.00")
    await house.run(11)
    for bid in ("1961.00", "1958.20"):
        house.price(bid, f"{D(bid) + D('0.30')}")
        await house.run(4)
    await house.run(20)
    ticket = house.open(USD, "sell", "0.10")
    await house.run(30)
    ben, ada = await house.person(BEN), await house.person(ADMIN)
    account_id = house.ids[USD]
    await house.engine.ask_release(ben, account_id)
    await house.engine.answer_release(ada, account_id, grant=False)
    await house.engine.ask_release(ben, account_id)
    await house.engine.answer_release(ada, account_id, grant=True)
    await house.run(15)
    pages = [await page(house, BEN, account_id=account_id, page=n) for n in range(2)]
    deals = {HistoryKind.OPENED, HistoryKind.CLOSED, HistoryKind.MONEY}
    lines = [line for shown in pages for line in shown.lines if not line.word.startswith("unknown")]
    told = [line for line in reversed(lines) if line.kind not in deals]
    assert [(line.kind.value, line.word, line.by) for line in told] == [
        ("warning", "guard_warned", "engine"),
        ("locked", "drawdown", "engine"),
        ("guard", "drawdown", ""),
        ("reappeared", "latch_reappeared", "engine"),
        ("guard", "latched", ""),
        ("release", "release_asked", "Ben"),
        ("release", "release_refused", "Ada"),
        ("release", "release_asked", "Ben"),
        ("release", "release_granted", "Ada"),
        ("release", "latch_released", "engine"),
    ]
    assert (told[0].percent, told[0].limit_percent) == (D("15.5"), D(15))
    lock = told[1]
    assert lock.percent is not None
    assert (round(lock.percent, 2), lock.limit_percent, lock.amount) == (D("20.17"), D(20), D(9580))
    again = told[3]
    assert (again.symbol, again.side, again.volume, again.position_id) == (
        "XAUUSD",
        "sell",
        D("0.10"),
        ticket,
    )


async def test_pages_do_not_move_while_they_are_read(house: House) -> None:
    await add_deals(house, 20)
    as_of = house.clock.now()
    before = await page(house, page=1, as_of=as_of)
    house.clock.instant += timedelta(minutes=1)
    async with house.store.writing() as tx:
        at = START + timedelta(seconds=19)
        late = booked(99, at, seen_at=house.clock.now(), account_id=house.ids[GBP])
        await tx.insert(late)
    after = await page(house, page=1, as_of=as_of)
    assert [line.order for line in after.lines] == [line.order for line in before.lines]
    assert (await page(house)).total == before.total + 1


async def test_a_list_lives_for_a_day_and_not_longer(house: House) -> None:
    as_of = house.clock.now()
    house.clock.instant += histories.AS_OF_LIFE
    await page(house, as_of=as_of)
    house.clock.instant += timedelta(seconds=1)
    with pytest.raises(Refused) as refused:
        await page(house, as_of=as_of)
    assert refused.value.code == "list_expired"


async def test_symbols_are_offered_newest_first_up_to_a_bound_and_filter(house: House) -> None:
    names = [f"S{n:02}" for n in range(histories.SYMBOLS_MAX + 1)]
    rows = [
        booked(n, START + timedelta(seconds=n), account_id=house.ids[GBP], symbol=name)
        for n, name in enumerate(names)
    ]
    async with house.store.writing() as tx:
        await tx.insert_many(rows)
    alice = await house.person(ALICE)
    found = await house.engine.histories.symbols(alice, house.ids[GBP])
    assert [name for _, name in found] == names[:0:-1]
    house.clock.instant += timedelta(minutes=1)
    shown = await page(house, symbol_id=found[0][0])
    assert (shown.symbol, shown.total) == (names[-1], 1)


async def test_nobody_sees_the_history_or_report_of_another(house: House) -> None:
    ben, ada = await house.person(BEN), await house.person(ADMIN)
    alices = house.ids[GBP]
    asks = (
        lambda who: house.engine.histories.page(who, HistoryAsk(account_id=alices)),
        lambda who: house.engine.histories.first_page(who, GBP),
        lambda who: house.engine.histories.symbols(who, alices),
        lambda who: house.engine.reports.by_login(who, GBP, Span.DAY, None),
        lambda who: house.engine.reports.by_account(who, alices, Span.DAY, WEDNESDAY),
    )
    for ask in asks:
        with pytest.raises(Refused) as refused:
            await ask(ben)
        assert refused.value.code == "not_yours"
        await ask(ada)
    with pytest.raises(Refused) as refused:
        await house.engine.reports.by_login(ada, None, Span.DAY, None)
    assert refused.value.code == "no_account"
    deal = await house.rows(DealRow, account_id=alices)
    asked = HistoryAsk(account_id=house.ids[USD], symbol_id=deal[0].id)
    with pytest.raises(Refused) as refused:  # a deal of another account names no symbol
        await house.engine.histories.page(ben, asked)
    assert refused.value.code == "not_found"


async def test_a_report_agrees_with_the_brokers_balance(house: House) -> None:
    """What the day realised is what the balance moved by, the withdrawal apart."""
    await house.follow(ALICE, GBP)
    (position,) = house.sim.ledger.positions(GBP).values()
    house.price("1980.00", "1980.30")
    house.close_position(GBP, position.ticket)
    house.open(GBP, "sell", "0.1")
    house.cash(GBP, "-300")
    await house.run(10)
    alice = await house.person(ALICE)
    found = await house.engine.reports.by_login(alice, None, Span.DAY, None)
    made, state = found.report, await house.state(GBP)
    assert state.balance is not None
    assert made.flows.deposits == D(10000)
    assert made.flows.withdrawals == D(-300)
    assert made.realised == state.balance - D(9700)
    assert made.realised > 0
    assert made.floating == (state.profit, state.observed_at)
    assert made.signals.followed == 1
    (entry,) = made.slippage
    assert (entry.is_entry, entry.count) == (True, 1)
    assert (made.trades, made.won) == (1, 1)
    assert made.curve[-1].equity == state.equity
    assert len(found.file.deals) == 5


async def test_start_money_moved_and_results_add_up_to_the_end(house: House) -> None:
    """The first day begins with 0 and its deposit; the next with what the broker then had."""
    await house.follow(ALICE, GBP)
    (position,) = house.sim.ledger.positions(GBP).values()
    house.price("1960.00", "1960.30")
    house.close_position(GBP, position.ticket)
    house.cash(GBP, "-300")
    await house.run(10)
    alice = await house.person(ALICE)
    for span in Span:
        made = (await house.engine.reports.by_login(alice, None, span, None)).report
        told, state = made.statement, await house.state(GBP)
        assert told is not None
        assert state.balance is not None
        assert (told.start, told.unexplained) == (D(0), D(0))
        assert made.realised < 0
        assert told.start + D(10000) + D(-300) + made.realised == told.end == state.balance
        assert (told.open_result, told.equity) == (state.profit, state.equity)
    evening = await house.state(GBP)
    house.clock.instant = datetime(2026, 3, 5, 10, tzinfo=UTC)
    house.cash(GBP, "50")
    house.open(GBP, "buy", "0.1")
    house.price("1965.00", "1965.30")
    await house.run(10)
    made = (await house.engine.reports.by_login(alice, None, Span.DAY, None)).report
    told, state = made.statement, await house.state(GBP)
    assert told is not None
    assert told.start == evening.balance
    assert told.start + 50 + made.realised == told.end == state.balance
    assert told.unexplained == 0
    assert told.equity == state.equity != told.end


async def test_the_last_readings_own_deals_are_in_its_balance(house: House) -> None:
    """They are written a moment after it was had, and are dated so."""

    def a_moment_later(snapshot: AccountSnapshot) -> AccountSnapshot:
        house.clock.instant += timedelta(milliseconds=20)
        return snapshot

    house.gateway.as_read = a_moment_later
    await house.run(8)
    house.cash(GBP, "-400")
    await house.run(2)
    made = (
        await house.engine.reports.by_login(await house.person(ALICE), None, Span.DAY, None)
    ).report
    state = await house.state(GBP)
    (row,) = await house.rows(CashFlowRow)
    assert state.observed_at is not None
    assert row.created_at > state.observed_at
    assert made.statement is not None
    assert (made.statement.unexplained, made.statement.end) == (D(0), state.balance)


async def test_a_day_that_has_not_begun_is_refused(house: House) -> None:
    """It is 10:00 UTC on 4 March; the 5th has not begun, the year 1999 is too long ago."""
    alice = await house.person(ALICE)
    await house.engine.reports.by_login(alice, None, Span.DAY, WEDNESDAY)
    for day, code in ((date(2026, 3, 5), "in_the_future"), (date(1999, 12, 31), "before_all")):
        with pytest.raises(Refused) as refused:
            await house.engine.reports.by_login(alice, None, Span.DAY, day)
        assert refused.value.code == code


async def test_a_report_counts_so_many_deals_and_says_when_there_are_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve deals and the deposit; read five at a time."""
    monkeypatch.setattr(reports, "ROWS_AT_ONCE", 5)
    await add_deals(house, 12)
    alice = await house.person(ALICE)
    for most, cut, realised in ((13, False, D(12)), (12, True, D(12)), (11, True, D(11))):
        monkeypatch.setattr(reports, "DEALS_MAX", most)
        found = await house.engine.reports.by_login(alice, None, Span.DAY, None)
        assert (found.report.are_deals_cut, found.report.realised) == (cut, realised)
        assert len(found.file.deals) == min(most, 13)


async def test_a_report_looks_at_so_many_readings_and_still_knows_the_deepest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = (await house.rows(AccountRow, login=GBP))[0]
    kept = len(await house.rows(PositionSnapshotRow, account_id=account.id))
    deep = [
        PositionSnapshotRow(
            user_id=account.user_id,
            account_id=account.id,
            currency="GBP",
            equity=D(9000),
            peak_equity=D(10000),
            drawdown_percent=D(10 - n),
            created_at=START + timedelta(seconds=10 + n),
        )
        for n in range(6)
    ]
    async with house.store.writing() as tx:
        await tx.insert_many(deep)
    house.clock.instant = START + timedelta(seconds=30)
    alice = await house.person(ALICE)
    for most, cut in ((6 + kept, False), (5 + kept, True), (2, True)):
        monkeypatch.setattr(reports, "SAMPLES_MAX", most)
        made = (await house.engine.reports.by_login(alice, None, Span.DAY, None)).report
        assert made.are_samples_cut is cut
        assert made.worst_drawdown == (D(10), START + timedelta(seconds=10))
