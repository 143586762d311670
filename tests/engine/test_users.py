"""Who changes whose standing, and what a block ends."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alerts_people as p
from core.domain import audit_words as words
from core.domain.access import Requester
from core.domain.people import Person, Role
from core.domain.standing import CONFIRM_S_MAX, SEEN_EVERY, USERS_PER_PAGE
from core.people_file import UserEntry
from core.records import AuditRow, OutboxRow, UserRow
from core.services.access import Access
from core.services.errors import Refused
from core.services.people import People
from core.services.users import Users
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, PEOPLE, House

OWEN, OLGA, SAM = 20, 21, 999


def users(house: House) -> Users:
    """The service over the house's store."""
    return Users(store=house.store, clock=house.clock, policy=house.engine.policy)


async def enrol(house: House, *more: UserEntry) -> None:
    """Read a people file with these besides."""
    await house.engine.enrol(replace(PEOPLE, users=(*PEOPLE.users, *more)))


def entry(telegram_id: int, name: str, role: Role) -> UserEntry:
    return UserEntry(telegram_id=telegram_id, name=name, role=role)


async def row(house: House, telegram_id: int) -> UserRow:
    """Somebody in the books."""
    (found,) = await house.rows(UserRow, telegram_id=telegram_id)
    assert isinstance(found, UserRow)
    return found


async def block(house: House, actor: Person, telegram_id: int) -> None:
    """Preview and confirm."""
    user = await row(house, telegram_id)
    preview = await users(house).preview_block(actor, user.id)
    await users(house).confirm(actor, preview.confirmation_id)


async def refused(house: House, who: int, whom: int) -> str:
    """Why somebody may not block somebody."""
    with pytest.raises(Refused) as caught:
        await block(house, await house.person(who), whom)
    return caught.value.code


async def test_the_list_pages_everybody_with_who_waits_first(house: House) -> None:
    await enrol(house, *(entry(5_000 + n, f"P{n:02}", Role.CLIENT) for n in range(9)))
    access = Access(store=house.store, clock=house.clock, policy=house.engine.policy)
    await access.ask(Requester(telegram_id=SAM, name="Sam"))
    ada = await house.person(ADMIN)
    first = await users(house).page(ada, 0)
    last = await users(house).page(ada, 99)
    assert [line.name for line in first.lines[:3]] == ["Sam", "Ada", "Alice"]
    assert (first.pages, len(first.lines)) == (2, USERS_PER_PAGE)
    assert (last.page, len(last.lines)) == (1, 14 - USERS_PER_PAGE)
    assert first.lines[0].request_id is not None
    assert first.lines[2].logins == (GBP,)
    assert (first.counts["pending"], first.counts["client"]) == (1, 12)


async def test_a_client_reads_no_list(house: House) -> None:
    with pytest.raises(Refused, match="not_admin"):
        await users(house).page(await house.person(ALICE), 0)


async def test_a_block_is_told_once_and_then_nothing_is(house: House) -> None:
    await house.run(2)
    await block(house, await house.person(ADMIN), ALICE)
    told = await house.said(ALICE)
    assert isinstance(told[-1], p.StandingChanged)
    house.open(GBP, "buy", "0.10")
    await house.run(12)
    newer = (await house.rows(OutboxRow, chat_id=ALICE))[len(told) :]
    assert newer, "the account stays watched"
    assert {x.error for x in newer} == {"muted: its reader is blocked"}
    assert {type(x).__name__ for x in await house.said(ADMIN_CHAT)} >= {"DivergenceOpened"}
    (link,) = await house.rows(AuditRow, action=words.PERSON_BLOCKED)
    assert (link.actor, link.detail["person"]) == ("Ada", ALICE)


async def test_what_waited_to_be_sent_is_taken_back_and_the_block_is_told(house: House) -> None:
    house.open(GBP, "buy", "0.10")
    await house.run(12)
    waiting = await house.rows(OutboxRow, chat_id=ALICE, state="due")
    others = await house.rows(OutboxRow, chat_id=ADMIN_CHAT, state="due")
    assert waiting
    await block(house, await house.person(ADMIN), ALICE)
    (told,) = await house.rows(OutboxRow, chat_id=ALICE, state="due")
    assert told.kind == "StandingChanged"
    taken = await house.rows(OutboxRow, chat_id=ALICE, state="failed")
    assert {row.id for row in taken} == {row.id for row in waiting}
    assert len(await house.rows(OutboxRow, chat_id=ADMIN_CHAT, state="due")) == len(others) + 1


async def test_a_block_holds_over_a_restart_and_can_be_lifted(house: House) -> None:
    ada = await house.person(ADMIN)
    await block(house, ada, ALICE)
    await house.restart()
    alice = await row(house, ALICE)
    assert alice.role == "blocked"
    line = await users(house).unblock(ada, alice.id)
    assert line.role is Role.CLIENT
    with pytest.raises(Refused, match="not_blocked_person"):
        await users(house).unblock(ada, alice.id)
    await house.restart()
    assert (await row(house, ALICE)).role == "client"


async def test_only_an_owner_changes_admins_and_owners_and_nobody_themselves(
    house: House,
) -> None:
    await enrol(house, entry(OWEN, "Owen", Role.OWNER), entry(OLGA, "Olga", Role.ADMIN))
    assert await refused(house, OLGA, OWEN) == "owners_only"
    assert await refused(house, OLGA, ADMIN) == "owners_only"
    assert await refused(house, OWEN, OWEN) == "not_yourself"
    assert await refused(house, ALICE, BEN) == "not_admin"
    await block(house, await house.person(OWEN), OLGA)
    with pytest.raises(Refused, match="owners_only"):
        await users(house).unblock(await house.person(ADMIN), (await row(house, OLGA)).id)
    await users(house).unblock(await house.person(OWEN), (await row(house, OLGA)).id)
    assert (await row(house, OLGA)).role == "admin"


async def test_of_two_owners_who_block_each_other_at_once_one_stays(house: House) -> None:
    await enrol(house, entry(OWEN, "Owen", Role.OWNER), entry(OLGA, "Olga", Role.OWNER))
    owen, olga = await house.person(OWEN), await house.person(OLGA)
    ours = users(house)
    first = await ours.preview_block(owen, olga.user_id)
    second = await ours.preview_block(olga, owen.user_id)
    results = await asyncio.gather(
        ours.confirm(owen, first.confirmation_id),
        ours.confirm(olga, second.confirmation_id),
        return_exceptions=True,
    )
    (late,) = [result for result in results if isinstance(result, Refused)]
    assert late.code == "not_admin", "whoever was blocked meanwhile blocks nobody"


async def test_a_preview_is_good_once_for_its_asker_and_for_a_minute(house: House) -> None:
    await enrol(house, entry(OWEN, "Owen", Role.OWNER))
    ada, owen, alice = (
        await house.person(ADMIN),
        await house.person(OWEN),
        await row(house, ALICE),
    )
    ours = users(house)
    preview = await ours.preview_block(ada, alice.id)
    with pytest.raises(Refused, match="not_yours"):
        await ours.confirm(owen, preview.confirmation_id)
    await ours.cancel(ada, preview.confirmation_id)
    with pytest.raises(Refused, match="confirmed_already"):
        await ours.confirm(ada, preview.confirmation_id)
    late = await ours.preview_block(ada, alice.id)
    house.clock.instant += timedelta(seconds=CONFIRM_S_MAX)
    with pytest.raises(Refused, match="confirm_expired"):
        await ours.confirm(ada, late.confirmation_id)
    in_time = await ours.preview_block(ada, alice.id)
    house.clock.instant += timedelta(seconds=CONFIRM_S_MAX - 1)
    await house.restart()
    done = await asyncio.gather(
        *(users(house).confirm(ada, in_time.confirmation_id) for _ in range(2)),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["Refused", "UserLine"]


async def test_who_waits_and_is_blocked_here_has_their_answer(house: House) -> None:
    access = Access(store=house.store, clock=house.clock, policy=house.engine.policy)
    await access.ask(Requester(telegram_id=SAM, name="Sam"))
    ada = await house.person(ADMIN)
    await block(house, ada, SAM)
    (told,) = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, p.AccessAnswered)]
    assert (told.approved, told.by) == (False, "Ada")
    with pytest.raises(Refused, match="request_answered"):
        await access.answer(ada, 1, approve=True)


async def test_when_somebody_was_last_seen_is_known_to_ten_minutes(house: House) -> None:
    people = People(house.store, house.clock)
    alice = await house.person(ALICE)
    first = house.clock.now()
    await people.seen(alice)
    house.clock.instant += SEEN_EVERY - timedelta(seconds=1)
    await people.seen(alice)
    assert (await row(house, ALICE)).seen_at == first
    house.clock.instant += timedelta(seconds=1)
    await people.seen(alice)
    assert (await row(house, ALICE)).seen_at == first + SEEN_EVERY
