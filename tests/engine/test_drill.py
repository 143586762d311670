"""/drill: the close is made up whole and checked, never sent; what would block it is told."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.alerts_closing import DrillBlocked
from core.domain.drill import Drilled
from core.ports import BrokerUnavailable, CheckResult, CloseRequest
from core.records import AuditRow, CloseJobRow, CloseOrderRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, EUR, GBP, USD, D, House


async def rehearse(house: House, login: int | None = USD) -> tuple[Drilled, ...]:
    return await house.engine.drill(await house.person(ADMIN), login)


def checked(house: House, change: Callable[[CloseRequest], CheckResult | None]) -> list[Any]:
    """From now on checks are answered so; gives the list of what is asked."""
    asked: list[CloseRequest] = []
    usual = house.gateway.check

    async def check(request: CloseRequest) -> CheckResult:
        asked.append(request)
        return change(request) or await usual(request)

    house.gateway.check = check  # type: ignore[method-assign] # the terminal, as this test has it
    return asked


def no(request: CloseRequest) -> None:
    """As the terminal answers."""
    del request


async def test_every_close_is_checked_as_it_would_be_sent_and_nothing_is(house: House) -> None:
    """Gold fills immediate-or-cancel only; the larger loss goes first."""
    small, large = house.open(USD, "buy", "0.10"), house.open(USD, "buy", "0.50")
    await house.run(11)
    asked = checked(house, no)
    (made,) = await rehearse(house)
    assert [(r.ticket, r.volume, r.filling) for r in asked] == [
        (large, D("0.50"), 1),
        (small, D("0.10"), 1),
    ]
    assert made.ready
    assert (made.positions, made.requests, made.untried) == (2, 2, 0)
    assert (made.close_s, made.proof_s) == (0.0, 1.0), "the clock stands still; the gap is one"
    assert house.sends(USD) == []
    assert await house.rows(CloseJobRow) == await house.rows(CloseOrderRow) == []
    (row,) = await house.rows(AuditRow, action="close_rehearsed")
    assert (row.account_id, row.actor, row.detail["ready"]) == (house.ids[USD], "Ada", True)


async def test_a_refused_filling_mode_is_followed_by_the_next_as_when_closing(
    house: House,
) -> None:
    house.open(USD, "buy", "0.10")
    asked = checked(
        house, lambda r: CheckResult(retcode=10030, comment="") if r.filling == 1 else None
    )
    await rehearse(house)
    assert [r.filling for r in asked] == [1, 0, 2]


async def test_what_would_block_is_named(house: House) -> None:
    ticket = house.open(USD, "buy", "0.10")
    house.fault(USD, "autotrading_off")
    checked(house, lambda _: CheckResult(retcode=10018, comment="Market closed"))
    (made,) = await rehearse(house)
    assert [(b.word, b.ticket, b.code) for b in made.blocks] == [
        ("autotrading_off", 0, None),
        ("market_closed", ticket, 10018),
    ]


async def test_prices_that_stand_still_are_a_closed_market(house: House) -> None:
    """`order_check` may not look at the session."""
    house.open(USD, "buy", "0.10")
    house.gateway.as_read = lambda read: replace(
        read,
        ticks={n: replace(t, at=t.at - timedelta(minutes=5)) for n, t in read.ticks.items()},
    )
    (made,) = await rehearse(house)
    assert [(b.word, b.symbol) for b in made.blocks] == [("market_closed", "XAUUSD")]


@pytest.mark.parametrize("code", [0, 10036, 10045])
async def test_what_closing_gets_by_without_help_is_no_block(house: House, code: int) -> None:
    house.open(USD, "buy", "0.10")
    checked(house, lambda _: CheckResult(retcode=code, comment=""))
    (made,) = await rehearse(house)
    assert made.ready


async def test_a_large_position_counts_its_pieces(house: House) -> None:
    house.cash(USD, "4000000")
    terms = house.sim.market.symbols["XAUUSD"]
    house.sim.market.symbols["XAUUSD"] = replace(terms, volume_max=D(200))
    house.open(USD, "buy", "120.00")
    house.sim.market.symbols["XAUUSD"] = replace(terms, volume_max=D(50))
    asked = checked(house, no)
    (made,) = await rehearse(house)
    assert (made.requests, made.split, [r.volume for r in asked]) == (3, 1, [50])


async def test_an_account_that_cannot_be_read_blocked_or_being_closed_is_told_as_that(
    house: House,
) -> None:
    house.fault(USD, "read_fails")
    (made,) = await rehearse(house)
    assert [b.word for b in made.blocks] == ["unreadable"]
    house.sim.clear_faults(USD)

    house.fault(USD, "wrong_login", times=1)
    await house.run(12)
    (made,) = await rehearse(house)
    assert [b.word for b in made.blocks] == ["wrong_account"]

    house.open(GBP, "buy", "2.00")
    await house.run(11)
    house.fault(GBP, "market_closed")
    house.price("1940.00", "1940.30")
    await house.run(5)
    reads = house.gateway.reads
    (made,) = await rehearse(house, GBP)
    assert [b.word for b in made.blocks] == ["closing_now"]
    assert house.gateway.reads == reads, "a close under way is not disturbed"


async def test_a_terminal_that_does_not_check_is_asked_no_more(house: House) -> None:
    for _ in range(3):
        house.open(USD, "buy", "0.10")

    def fails(request: CloseRequest) -> None:
        raise BrokerUnavailable("no answer in time")

    asked = checked(house, fails)
    (made,) = await rehearse(house)
    assert [(b.word, b.detail) for b in made.blocks] == [("check_failed", "no answer in time")]
    assert (len(asked), made.untried) == (1, 3)


async def test_checks_end_at_their_bound_of_time_and_the_rest_is_counted(house: House) -> None:
    for _ in range(4):
        house.open(USD, "buy", "0.10")

    def slow(request: CloseRequest) -> None:
        house.clock.instant += timedelta(seconds=10)

    asked = checked(house, slow)
    (made,) = await rehearse(house)
    assert (len(asked), made.untried) == (2, 2)
    assert made.close_s == 40.0, "four requests of ten seconds, as the checks took"


async def test_all_accounts_are_rehearsed_and_only_for_admins(house: House) -> None:
    assert [m.login for m in await rehearse(house, None)] == [GBP, USD, EUR]
    assert all(m.ready and not m.requests for m in await rehearse(house, None))
    with pytest.raises(Refused, match="not_admin"):
        await house.engine.drill(await house.person(BEN), USD)
    with pytest.raises(Refused, match="not_found"):
        await rehearse(house, 1)


# --- by schedule ----------------------------------------------------------------------------------


async def told(house: House) -> list[DrillBlocked]:
    return [x for x in await house.said(ADMIN_CHAT) if isinstance(x, DrillBlocked)]


@pytest.fixture
async def weekly(tmp_path: Path) -> AsyncIterator[House]:
    """Wednesday 10:00, a rehearsal each Wednesday at 10:04."""
    house = House(tmp_path, DRILL_SCHEDULE="wed 10:04")
    await house.start()
    await house.run(1)
    yield house
    await house.close()


async def pass_time(house: House, **span: float) -> int:
    house.clock.instant += timedelta(**span)
    return await house.engine.drill.by_schedule()


async def test_the_weekly_rehearsal_tells_the_admins_only_of_what_would_block(
    weekly: House,
) -> None:
    weekly.fault(USD, "autotrading_off")
    assert await pass_time(weekly, seconds=1) == 0
    assert await pass_time(weekly, minutes=4.5) == 0, "the app has run for less than 5 minutes"
    assert await pass_time(weekly, minutes=1) == 3
    assert await pass_time(weekly, minutes=1) == 0
    (alert,) = await told(weekly)
    assert ([m.login for m in alert.accounts], alert.rehearsed) == ([USD], 3)
    assert "DrillBlocked" not in await weekly.kinds(BEN) + await weekly.kinds(ALICE)
    await weekly.restart()
    assert await pass_time(weekly, minutes=1) == 0
    assert await pass_time(weekly, minutes=6) == 0, "a restart repeats nothing"
    weekly.sim.clear_faults(USD)
    assert await pass_time(weekly, days=7) == 3
    assert len(await told(weekly)) == 1, "nothing would block: nothing is said"


@pytest.mark.parametrize(("hours", "rehearsed"), [(11.9, 3), (12.1, 0)])
async def test_a_missed_rehearsal_is_made_up_for_within_twelve_hours(
    weekly: House, hours: float, rehearsed: int
) -> None:
    assert await pass_time(weekly, minutes=-2) == 0
    assert await pass_time(weekly, hours=hours, minutes=6) == rehearsed


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    house = House(tmp_path, DRILL_SCHEDULE="none")
    await house.start()
    await pass_time(house, minutes=1)
    assert await pass_time(house, days=7) == 0
    await house.close()
