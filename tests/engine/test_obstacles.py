"""What keeps an account from being closed: told when it appears, changes, lasts and ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_terminal as t
from core.domain.audit_check import verify
from core.domain.broker import AccountSnapshot
from core.domain.signals import parse_signal
from core.records import ApprovalRow, AuditRow, CloseJobRow, OutboxRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, EUR, GBP, USD, House
from tests.fakes.audit_keys import AUDIT_KEYS

OFF, INVESTOR = "autotrading_off", "investor_password"


def obstructed(house: House, *obstacles: str, login: int = USD) -> None:
    """From now on readings of the account show these."""

    def as_read(snapshot: AccountSnapshot) -> AccountSnapshot:
        return replace(snapshot, obstacles=obstacles) if snapshot.state.login == login else snapshot

    house.gateway.as_read = as_read


async def news(house: House, chat_id: int = BEN) -> list[tuple[str, ...]]:
    """What a chat was told of obstacles: the news and the words."""
    told: list[tuple[str, ...]] = []
    for x in await house.said(chat_id):
        if isinstance(x, t.CannotClose):
            told.append((x.news, *x.obstacles))
        elif isinstance(x, t.CanCloseAgain):
            told.append(("ended",))
    return told


async def priorities(house: House) -> list[int]:
    """How urgent the admins' messages about obstacles were."""
    rows = await house.rows(OutboxRow)
    return [r.priority for r in rows if r.kind == "CannotClose" and r.chat_id == ADMIN_CHAT]


async def test_an_obstacle_is_told_to_client_and_admin_when_it_appears_changes_and_ends(
    house: House,
) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    for obstacles in ((OFF,), (OFF,), (OFF, "api_disabled"), (OFF, "api_disabled"), ()):
        obstructed(house, *obstacles)
        await house.run(60)
    expected = [("appeared", OFF), ("changed", OFF, "api_disabled"), ("ended",)]
    assert await news(house, BEN) == await news(house, ADMIN_CHAT) == expected
    assert await news(house, ALICE) == []
    assert await priorities(house) == [0, 0]
    assert (await house.state(USD)).obstacles_since is None


async def test_a_flat_account_is_told_calmly_and_again_when_something_is_opened(
    house: House,
) -> None:
    obstructed(house, INVESTOR)
    await house.run(30)
    house.open(USD, "buy", "0.10")
    await house.run(30)
    assert await news(house) == [("appeared", INVESTOR), ("held", INVESTOR)]
    assert await priorities(house) == [1, 0]
    first, second = (x for x in await house.said(BEN) if isinstance(x, t.CannotClose))
    assert first.since == second.since, "one thread"


@pytest.mark.parametrize(("hours", "reminders"), [(23.9, 0), (24.1, 1), (48.2, 2)])
async def test_a_reminder_comes_once_a_day_while_it_lasts(
    house: House, hours: float, reminders: int
) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    obstructed(house, OFF)
    await house.run(5)
    whole_days = int(hours // 24)
    for day in range(1, whole_days + 1):
        await sleep_until(house, timedelta(hours=24.05 * day))
    await sleep_until(house, timedelta(hours=hours))
    assert await news(house) == [("appeared", OFF), *[("reminder", OFF)] * reminders]


async def sleep_until(house: House, after: timedelta) -> None:
    """Nobody reads until so long after the obstacle was told; then a few cycles."""
    (first, *_) = [x for x in await house.said(BEN) if isinstance(x, t.CannotClose)]
    house.clock.instant = max(house.clock.instant, first.at + after)
    await house.run(5)


async def test_without_positions_there_is_no_reminder(house: House) -> None:
    obstructed(house, OFF)
    await house.run(11)
    house.clock.instant += timedelta(hours=25)
    await house.run(11)
    assert await news(house) == [("appeared", OFF)]


async def test_a_restart_repeats_nothing_and_keeps_the_day(house: House) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    obstructed(house, OFF)
    await house.run(5)
    as_read: Callable[[AccountSnapshot], AccountSnapshot] = house.gateway.as_read
    await house.restart()
    house.gateway.as_read = as_read
    await house.run(60)
    assert await news(house) == [("appeared", OFF)]
    await sleep_until(house, timedelta(hours=24.01))
    assert await news(house) == [("appeared", OFF), ("reminder", OFF)]


async def test_the_terminals_own_switch_is_such_an_obstacle(house: House) -> None:
    """Through the simulated terminal's flags and the real translation."""
    house.open(USD, "buy", "0.10")
    await house.run(11)
    house.fault(USD, "autotrading_off")
    await house.run(5)
    house.sim.clear_faults(USD)
    await house.run(5)
    assert await news(house) == [("appeared", OFF), ("ended",)]
    rows = await house.rows(AuditRow, account_id=house.ids[USD], order_by="sequence")
    assert verify(rows, AUDIT_KEYS) is None
    changes = [r.detail for r in rows if r.action == "obstacles_changed"]
    assert changes == [{"before": [], "after": [OFF]}, {"before": [OFF], "after": []}]


async def test_nothing_is_approved_on_an_account_that_cannot_be_closed(house: House) -> None:
    signal = await house.signal()
    obstructed(house, INVESTOR, login=GBP)
    with pytest.raises(Refused) as fresh:
        await house.approve(ALICE, signal)  # no cycle has seen it: its own reading does
    await house.run(11)
    with pytest.raises(Refused) as known:
        await house.approve(ALICE, signal)
    for refused in (fresh, known):
        assert (refused.value.code, refused.value.facts) == (
            "cannot_close",
            {"obstacles": (INVESTOR,)},
        )
    obstructed(house, login=GBP)
    await house.approve(ALICE, signal)  # mended just now, and read so


async def test_whoever_posts_a_signal_reads_which_accounts_would_refuse_it(house: House) -> None:
    obstructed(house, INVESTOR, login=EUR)
    await house.run(11)
    ada = await house.person(ADMIN)
    posted = await house.engine.post_signal(ada, parse_signal("XAUUSD buy 0.10"), "key")
    assert posted.skipped == (f"{EUR} cannot be closed as it is: an approval would be refused",)


async def test_a_locked_account_is_not_asked_whether_to_open_anything(house: House) -> None:
    house.open(USD, "buy", "2.00")
    await house.run(11)
    house.price("1956.00", "1956.30")  # 2,860 of 12,000 lost: past 20 % at once
    await house.run(20)
    assert (await house.state(USD)).latched_at is not None
    posted = await house.engine.post_signal(
        await house.person(ADMIN), parse_signal("XAUUSD buy 0.10"), "key"
    )
    assert posted.skipped == (f"{USD} is locked and was not asked",)
    asked = await house.rows(ApprovalRow, account_id=house.ids[USD])
    assert (asked, posted.offered) == ([], len(house.ids) - 1)


async def test_a_breach_says_what_is_in_its_way_and_goes_on_trying(house: House) -> None:
    """200 oz from 1970.30 to 1957.00 is 2,660 of 12,000 USD."""
    house.open(USD, "buy", "2.00")
    await house.run(11)
    house.fault(USD, "autotrading_off")
    house.price("1957.00", "1957.30")
    await house.run(30)
    (breach,) = [x for x in await house.said(BEN) if isinstance(x, a.GuardBreached)]
    assert breach.obstacles == (OFF,)
    assert len(house.sends(USD)) > 1
    house.sim.clear_faults(USD)
    await house.run(30)
    assert (await house.rows(CloseJobRow))[0].state == "flat"


async def test_boards_show_it_in_place_of_the_guards_promise(house: House) -> None:
    obstructed(house, INVESTOR)
    await house.run(11)
    ben = await house.person(BEN)
    (board,) = await house.engine.boards.accounts_of(ben)
    assert board.obstacles == (INVESTOR,)
    assert (await house.engine.boards.system()).cannot_close == 1
