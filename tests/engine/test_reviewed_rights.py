"""What a review of rights, alarms and messages found, each with a test of its own."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.people import Person, Role
from core.people_file import UserEntry
from core.records import AlarmRow, OutboxRow, PauseRow
from core.records_people import AccessRequestRow
from core.services.hearing import mute_blocked
from core.services.speaking import speak
from core.services.turning_away import TurnedAway
from core.services.users import Users
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, GBP, House
from tests.engine.test_invitations import SAM as NEW_OWNER
from tests.engine.test_invitations import invite
from tests.engine.test_pauses import MARKET, pause
from tests.engine.test_people import SAM, audited, request
from tests.fakes.alerts import breach, every_alert


async def admin(house: House) -> Person:
    return await house.person(ADMIN)


async def test_a_new_owners_chart_begins_with_the_hand_over(house: House) -> None:
    house.open(GBP, "buy", "0.01")
    await house.run(700)
    handed_over_at = house.clock.now()
    await house.engine.use_invitation(NEW_OWNER, await invite(house))
    await house.run(20)
    (board,) = await house.engine.boards.drawdown(await house.person(NEW_OWNER.telegram_id))
    assert [point for point in board.history if point.at < handed_over_at] == []


async def test_to_block_an_admin_takes_nothing_from_the_admin_chat_that_is_theirs(
    house: House,
) -> None:
    async with house.store.writing() as tx:
        await speak(tx, breach(), client=ALICE, admin=ADMIN, now=house.clock.now())
        await mute_blocked(tx, ADMIN, house.clock.now(), admin=ADMIN)
    rows = await house.rows(OutboxRow, chat_id=ADMIN)
    (told,) = [row for row in rows if row.kind == "GuardBreached"]
    assert told.state == "due"


async def test_whoever_is_unblocked_hears_what_is_critical_of_a_thread_that_a_block_muted(
    house: House,
) -> None:
    first = next(x for x in every_alert() if isinstance(x, a.DivergenceOpened))
    first = replace(first, finding="direction_mismatch", changed=False, worse=False)
    first = replace(first, lasting_since=None)
    users = Users(store=house.store, clock=house.clock, policy=house.engine.policy)
    alice = await house.person(ALICE)
    preview = await users.preview_block(await admin(house), alice.user_id)
    await users.confirm(await admin(house), preview.confirmation_id)
    now = house.clock.now()
    async with house.store.writing() as tx:
        await speak(tx, first, client=ALICE, admin=ADMIN_CHAT, now=now)
    await users.unblock(await admin(house), alice.user_id)
    later = now + timedelta(seconds=5)
    async with house.store.writing() as tx:
        changed = replace(first, changed=True, at=later)
        await speak(tx, changed, client=ALICE, admin=ADMIN_CHAT, now=later)
    rows = await house.rows(OutboxRow, chat_id=ALICE, order_by="id")
    told = [row.state for row in rows if row.kind == "DivergenceOpened"]
    assert told == ["failed", "due"]


async def test_an_alarm_that_somebody_has_says_nothing_of_what_comes_after_it(
    house: House,
) -> None:
    """Where a lock's reappearances are only reported, all of them share one thread."""
    seen = next(x for x in every_alert() if isinstance(x, a.LatchedReappeared))
    seen = replace(seen, job_id=0)
    async with house.store.writing() as tx:
        await speak(tx, seen, client=ALICE, admin=ADMIN_CHAT, now=house.clock.now())
    (alarm,) = await house.rows(AlarmRow)
    await house.engine.alarms.take(await admin(house), alarm.id)
    house.clock.instant += timedelta(hours=5)
    async with house.store.writing() as tx:
        again = replace(seen, at=house.clock.now())
        await speak(tx, again, client=ALICE, admin=ADMIN_CHAT, now=house.clock.now())
    assert [row.taken_by for row in await house.rows(AlarmRow, order_by="id")] == ["Ada", None]


async def test_a_request_of_somebody_the_file_lists_waits_no_longer(house: House) -> None:
    """Twenty of them would keep every other stranger out."""
    await request(house)
    listed = UserEntry(telegram_id=SAM, name="Sam", role=Role.CLIENT)
    assert house.people is not None
    house.people = replace(house.people, users=(*house.people.users, listed))
    await house.restart()
    (row,) = await house.rows(AccessRequestRow)
    assert (row.state, row.decided_by) == ("approved", "the people file")


async def test_strangers_who_come_at_an_hours_end_are_written_down_once(house: House) -> None:
    counted = TurnedAway(house.store, house.clock)
    await counted.count(1)
    house.clock.instant += timedelta(hours=1, seconds=1)
    await asyncio.gather(*(counted.count(100 + n) for n in range(16)))
    (link,) = await audited(house, "access_refusals")
    assert link.detail["refusals"] == 1
    await counted.settle()
    assert [x.detail["refusals"] for x in await audited(house, "access_refusals")] == [1, 16]


async def test_a_pause_that_begins_as_another_runs_out_is_not_lost(house: House) -> None:
    await pause(house, MARKET, timedelta(minutes=1))
    house.clock.instant += timedelta(seconds=61)
    async with house.store.writing():  # somebody else has the writer meanwhile
        begun = asyncio.ensure_future(pause(house, MARKET))
        await asyncio.sleep(0)
        expired = asyncio.ensure_future(house.engine.pause_desk.pass_time())
        await asyncio.sleep(0)
    await asyncio.gather(begun, expired)
    assert len(house.engine.pause_desk.now()) == 1
    ended = [row.ended_at is None for row in await house.rows(PauseRow, order_by="id")]
    assert ended == [False, True]
