"""Admins pause the market guard's actions and signals; nothing pauses the drawdown guard."""

from datetime import timedelta

import pytest

from core.domain.alerts_app import PauseChanged
from core.domain.alerts_market import MarketWarning
from core.domain.pauses import Pausable, since_ms
from core.records import AuditRow, MarketWarningRow, OverrideRow, PauseRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, USD, House

MARKET, SIGNALS = Pausable.MARKET, Pausable.SIGNALS
HOUR = timedelta(hours=1)


async def pause(house: House, what: Pausable, lasts: timedelta = HOUR, why: str = "news") -> None:
    await house.engine.pause_desk.pause(await house.person(ADMIN), what, lasts, why)


async def gap(house: House) -> None:
    """Alice and Ben hold gold; 1970.15 to 2080.15 is 5.58 %."""
    house.open(GBP, "buy", "0.01")
    house.open(USD, "sell", "0.01")
    await house.run(11)
    house.price("2080.00", "2080.30")
    await house.run(5)


async def warning(house: House) -> MarketWarningRow:
    (row,) = await house.rows(MarketWarningRow)
    assert isinstance(row, MarketWarningRow)
    return row


async def test_a_close_that_was_due_waits_until_the_pause_ends_and_is_warned_of_again(
    house: House,
) -> None:
    await gap(house)
    await pause(house, MARKET, timedelta(minutes=10))
    held = await warning(house)
    assert (held.state, held.hold_until) == ("held", house.clock.now() + timedelta(minutes=10))
    (override,) = await house.rows(OverrideRow)
    assert (override.verb, override.reason) == ("hold", "news")
    await house.run(590)
    assert house.sim.ledger.positions(GBP) != {}
    await house.run(30)
    told = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, MarketWarning)][-1]
    assert (told.state, told.again) == ("open", True)
    await house.run(130)
    assert house.sim.ledger.positions(GBP) == {}


async def test_what_is_warned_of_during_a_pause_waits_from_its_beginning(house: House) -> None:
    await pause(house, MARKET, timedelta(minutes=10))
    await gap(house)
    assert (await warning(house)).state == "held"
    await house.run(300)
    assert house.sim.ledger.positions(USD) != {}


async def test_an_admins_hold_that_ends_within_a_pause_closes_nothing_before_its_end(
    house: House,
) -> None:
    """Held for 15 minutes by hand, while an hour is paused: at 20 minutes it would be closed."""
    await pause(house, MARKET)
    await gap(house)
    row = await warning(house)
    ada = await house.person(ADMIN)
    await house.engine.answer_warning(ada, row.id, row.version, "hold", "news")
    await house.run(1300)
    assert (await warning(house)).state == "held"
    assert house.sim.ledger.positions(GBP) != {}
    await house.engine.answer_warning(ada, row.id, None, "close", "agreed")
    await house.run(10)
    assert house.sim.ledger.positions(GBP) == {}, "an admin may close all the same"


async def test_a_shorter_pause_in_the_place_of_a_longer_one_holds_as_long_as_it_says(
    house: House,
) -> None:
    await gap(house)
    await pause(house, MARKET)
    await pause(house, MARKET, timedelta(minutes=5))
    assert (await warning(house)).hold_until == house.clock.now() + timedelta(minutes=5)
    await house.run(310)
    assert (await warning(house)).state == "open"


async def test_an_admins_own_hold_outlasts_the_pause_that_came_after_it(house: House) -> None:
    """Held for an hour by hand, paused for two, resumed at once: it stays held for its hour."""
    await gap(house)
    row = await warning(house)
    ada = await house.person(ADMIN)
    await house.engine.answer_warning(ada, row.id, row.version, "hold1h", "news")
    held = (await warning(house)).hold_until
    await pause(house, MARKET, timedelta(hours=2))
    await house.run(20)
    await house.engine.pause_desk.resume(ada, MARKET)
    await house.run(300)
    assert ((await warning(house)).state, (await warning(house)).hold_until) == ("held", held)
    assert house.sim.ledger.positions(GBP) != {}


async def test_a_warning_that_grows_to_a_close_within_a_pause_waits_for_its_end(
    house: House,
) -> None:
    await gap(house)
    row = await warning(house)
    async with house.store.writing() as tx:
        await tx.update(MarketWarningRow, {"id": row.id}, action="warn")
    await house.restart()
    await pause(house, MARKET)
    await house.run(5)
    house.price("2200.00", "2200.30")
    await house.run(300)
    assert house.sim.ledger.positions(GBP) != {}


async def test_a_process_that_ends_between_the_pause_and_its_holds_closes_nothing(
    house: House,
) -> None:
    """The pause is in the database, and no warning was put on hold yet."""
    await gap(house)
    await house.engine.pause_desk._pauses.begin(  # noqa: SLF001 - where it ends
        await house.person(ADMIN), MARKET, HOUR, "news"
    )
    await house.restart()
    await house.run(300)
    assert house.sim.ledger.positions(GBP) != {}
    assert (await warning(house)).state == "held"


async def test_a_pause_that_ran_out_while_nobody_watched_is_told_as_over(house: House) -> None:
    await pause(house, SIGNALS, timedelta(minutes=2))
    house.clock.instant += timedelta(minutes=10)
    await house.restart()
    await house.engine.pause_desk.pass_time()
    said = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, PauseChanged)]
    assert [x.until is None for x in said] == [False, True]
    (row,) = await house.rows(PauseRow)
    assert row.ended_at == row.until


async def test_a_button_of_an_older_pause_ends_no_newer_one(house: House) -> None:
    desk, ada = house.engine.pause_desk, await house.person(ADMIN)
    old = await desk.pause(ada, SIGNALS, HOUR, "news")
    house.clock.instant += timedelta(seconds=1)
    await pause(house, SIGNALS, why="holiday")
    with pytest.raises(Refused, match="not_paused"):
        await desk.resume(ada, SIGNALS, since_ms(old))
    assert [held.reason for held in desk.now()] == ["holiday"]


async def test_to_resume_warns_anew_with_a_new_deadline(house: House) -> None:
    await gap(house)
    await pause(house, MARKET)
    await house.run(200)
    await house.engine.pause_desk.resume(await house.person(ADMIN), MARKET)
    row = await warning(house)
    assert (row.state, row.deadline_at) == ("open", house.clock.now() + timedelta(seconds=120))
    await house.run(140)
    assert house.sim.ledger.positions(GBP) == {}


async def test_a_pause_survives_a_restart_and_ends_by_itself_once(house: House) -> None:
    await pause(house, MARKET, timedelta(minutes=2))
    await house.restart()
    (held,) = house.engine.pause_desk.now()
    assert (held.by, held.reason) == ("Ada", "news")
    await house.run(121)
    for _ in range(2):
        await house.engine.pause_desk.pass_time()
    assert house.engine.pause_desk.now() == ()
    said = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, PauseChanged)]
    assert [(x.by, x.until is None) for x in said] == [("Ada", False), ("", True)]
    (row,) = await house.rows(PauseRow)
    assert row.ended_at == row.until
    actions = [x.action for x in await house.rows(AuditRow, account_id=0)]
    assert [x for x in actions if x in {"paused", "resumed"}] == ["paused", "resumed"]


async def test_a_paused_market_guard_does_not_keep_the_drawdown_guard_from_closing(
    house: House,
) -> None:
    """Two lots of gold from 1970.30, at 1958.20: 2,420 of 12,000 are 20.17 %."""
    house.open(USD, "buy", "2.00")
    await house.run(11)
    await pause(house, MARKET)
    await pause(house, SIGNALS)
    house.price("1958.20", "1958.50")
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.state(USD)).latched_at is not None


async def test_while_signals_are_paused_none_is_posted_or_approved_and_rejecting_goes_on(
    house: House,
) -> None:
    signal_id = await house.signal()
    await pause(house, SIGNALS)
    for refused in (house.signal("EURUSD buy 0.10"), house.approve(ALICE, signal_id)):
        with pytest.raises(Refused) as why:
            await refused
        assert (why.value.code, why.value.facts["by"]) == ("paused", "Ada")
    await house.engine.pause_desk.resume(await house.person(ADMIN), SIGNALS)
    await house.approve(ALICE, signal_id)


@pytest.mark.parametrize(
    ("who", "lasts", "why", "code"),
    [
        (BEN, HOUR, "news", "not_admin"),
        (ADMIN, timedelta(seconds=59), "news", "bad_span"),
        (ADMIN, timedelta(hours=24, seconds=1), "news", "bad_span"),
        (ADMIN, HOUR, "  ", "reason_missing"),
        (ADMIN, HOUR, "x" * 201, "reason_long"),
    ],
)
async def test_a_pause_is_an_admins_has_a_reason_and_an_end(
    house: House, who: int, lasts: timedelta, why: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        await house.engine.pause_desk.pause(await house.person(who), MARKET, lasts, why)
    assert refused.value.code == code
    with pytest.raises(Refused, match="not_paused"):
        await house.engine.pause_desk.resume(await house.person(ADMIN), MARKET)
