"""The gateway turns server time into UTC, and knows when it cannot."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from core.adapters.mt5 import readings
from core.domain.broker import Side
from core.domain.broker_time import BrokerClock, Change
from core.ports import (
    BrokerUnavailable,
    TerminalLink,
    TerminalState,
)
from tests.fakes.agents import LOGIN, OFFSET_S, SERVER, answering
from tests.unit.mt5.bench import Bench

MONDAY = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


async def test_server_time_is_turned_into_utc_with_the_offset_recorded(bench: Bench) -> None:
    bench.agents.position()
    opened_at = bench.clock.now() - timedelta(seconds=60)

    snapshot = await bench.read()

    assert snapshot.server_offset_s == OFFSET_S
    (position,) = snapshot.positions
    assert (position.side, position.opened_at) == (Side.SELL, opened_at)


async def test_a_position_that_did_not_change_is_the_same_object_at_the_next_reading(
    bench: Bench,
) -> None:
    """So that comparing it with what was concluded before costs next to nothing."""
    bench.agents.position()
    before = await bench.read()
    bench.clock.move(5)

    after = await bench.read()

    assert after.observed_at > before.observed_at
    assert after.positions[0] is before.positions[0]


async def test_deals_are_asked_for_an_hour_earlier_in_server_time(bench: Bench) -> None:
    bench.clock.at = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

    await bench.read(since_s=600)

    # 11:50 UTC is 13:50 at the server; an hour earlier is 12:50, written as if UTC.
    expected = datetime(2026, 11, 23, 12, 50, 0, tzinfo=UTC)
    assert bench.agents.said[-1]["deals_from_s"] == int(expected.timestamp())


async def test_no_deal_that_was_shown_is_left_out_for_its_time(bench: Bench) -> None:
    """While the broker's clock was put back and no price has told it, new deals look old."""
    now = bench.clock.now()
    for ticket, age_s in ((1, 7_200), (2, 600), (3, 1)):
        bench.agents.deal(ticket, now - timedelta(seconds=age_s))

    snapshot = await bench.read(since_s=600)

    assert [deal.ticket for deal in snapshot.deals] == [1, 2, 3]


async def test_without_a_known_clock_there_is_no_reading_until_prices_have_told_it(
    bench: Bench,
) -> None:
    link = bench.directory.links[(LOGIN, SERVER)]
    bench.directory.links[(LOGIN, SERVER)] = _without_offset(link)
    bench.agents.is_market_open = False
    bench.agents.tick_ms = 1_700_000_000_000
    asked_at = bench.clock.now()

    for _ in range(3):
        with pytest.raises(
            BrokerUnavailable, match="not known yet: no fresh price since 2026-11-22 14:02:11 UTC"
        ):
            await bench.read()
        bench.clock.move(5)
    assert bench.health().state is TerminalState.UP
    assert asked_at.isoformat(" ") == "2026-11-22 14:02:11+00:00"

    bench.agents.is_market_open = True
    for _ in range(2):
        bench.clock.move(5)
        with pytest.raises(BrokerUnavailable, match="too few fresh prices"):
            await bench.read()
    bench.clock.move(5)
    snapshot = await bench.read(since_s=600)
    assert snapshot.server_offset_s == OFFSET_S
    assert bench.directory.kept == [(LOGIN, SERVER, OFFSET_S, bench.clock.now())]
    since_s = int(bench.clock.now().timestamp()) - 600 + OFFSET_S - 3600
    assert bench.agents.said[-1]["deals_from_s"] == since_s


def _without_offset(link: TerminalLink) -> TerminalLink:
    return type(link)(login=link.login, server=link.server, path=link.path, password=link.password)


async def test_a_terminal_without_its_broker_tells_no_time(bench: Bench) -> None:
    """Its cache may show prices one after another while they are all old."""
    link = bench.directory.links[(LOGIN, SERVER)]
    bench.directory.links[(LOGIN, SERVER)] = _without_offset(link)
    disconnected = answering(lambda answer: answer["terminal"].update(connected=False))
    bench.agents.will("snapshot", *[disconnected] * 20)

    for _ in range(20):
        bench.clock.move(5)
        with pytest.raises(BrokerUnavailable, match="no fresh price"):
            await bench.read()


async def test_a_change_of_the_brokers_clock_is_followed_kept_and_harms_no_deal(
    bench: Bench,
) -> None:
    """Summer time ends while a deal of an hour ago is still of interest."""
    for _ in range(10):
        await bench.read()
        bench.clock.move(10)
    made_at = bench.clock.now()
    bench.agents.deal(1, made_at)
    bench.agents.offset_s = OFFSET_S - 3600
    offsets = []
    for _ in range(10):
        bench.clock.move(10)
        snapshot = await bench.read(since_s=600)
        offsets.append(snapshot.server_offset_s)
        assert [(deal.ticket, deal.executed_at) for deal in snapshot.deals] == [(1, made_at)]

    assert offsets == [OFFSET_S] * 5 + [OFFSET_S - 3600] * 5
    assert [kept[2] for kept in bench.directory.kept] == [OFFSET_S - 3600]


async def test_nothing_is_dated_into_the_future_while_a_change_is_not_believed_yet(
    bench: Bench,
) -> None:
    """A cursor that ran ahead by an hour would hide an hour of deals."""
    await bench.read()
    bench.agents.offset_s = OFFSET_S + 3600
    bench.clock.move(10)
    bench.agents.deal(1, bench.clock.now())
    bench.agents.position()

    snapshot = await bench.read("EURUSD")

    assert snapshot.server_offset_s == OFFSET_S
    now = bench.clock.now()
    assert [deal.executed_at for deal in snapshot.deals] == [now]
    assert [position.opened_at for position in snapshot.positions] == [now]
    assert snapshot.ticks["EURUSD.r"].at == now


async def test_an_offset_that_could_not_be_kept_is_kept_with_the_next_reading(
    bench: Bench,
) -> None:
    bench.directory.links[(LOGIN, SERVER)] = _without_offset(bench.directory.links[LOGIN, SERVER])
    bench.directory.store_is_lost = True
    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            await bench.read()
        bench.clock.move(5)
    assert (await bench.read()).server_offset_s == OFFSET_S
    assert bench.directory.kept == []

    bench.directory.store_is_lost = False
    await bench.read()
    await bench.read()
    assert len(bench.directory.kept) == 1


async def test_accounts_of_one_server_share_what_fresh_prices_told_one_of_them(
    bench: Bench,
) -> None:
    link = bench.directory.links[LOGIN, SERVER]
    bench.directory.links[5, SERVER] = replace(_without_offset(link), login=5)
    await bench.read()
    bench.clock.move(1)
    await bench.read()

    bench.agents.is_market_open = False
    assert (await bench.read(login=5)).server_offset_s == OFFSET_S
    assert [kept[:3] for kept in bench.directory.kept] == [(5, SERVER, OFFSET_S)]


async def test_what_was_only_stored_is_not_shared(bench: Bench) -> None:
    """No fresh price has borne it out: it may be of last winter."""
    link = bench.directory.links[LOGIN, SERVER]
    bench.directory.links[5, SERVER] = replace(_without_offset(link), login=5)
    bench.agents.is_market_open = False
    bench.agents.tick_ms = 1_700_000_000_000
    for _ in range(2):
        assert (await bench.read()).server_offset_s == OFFSET_S
        bench.clock.move(1)

    with pytest.raises(BrokerUnavailable, match="no fresh price"):
        await bench.read(login=5)


def test_a_row_that_is_none_is_left_to_the_translation_which_refuses_it() -> None:
    clock = BrokerClock(offset_s=7200, change=Change(before_s=10_800, until_ms=10**12))

    assert readings.restate({"deals": [5, None]}, clock, MONDAY)["deals"] == [5, None]
