"""Who is let in: requests, decisions, the people file beside them, and what is audited."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts_people as p
from core.domain import audit_words as words
from core.domain.access import NAMELESS, REQUESTS_WAITING_MAX, Requester, shown_name
from core.domain.people import Role
from core.people_file import UserEntry
from core.records import AuditRow, UserRow
from core.records_people import AccessRequestRow
from core.services import turning_away
from core.services.access import Access
from core.services.errors import Refused
from core.services.people import People
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, PEOPLE, House

SAM = 999


def access(house: House, *, links: bool = False) -> Access:
    """The service, over the house's store."""
    policy = house.engine.policy
    return Access(store=house.store, clock=house.clock, policy=policy, links=links)


async def role(house: House, telegram_id: int) -> str:
    """What the books say of somebody."""
    async with house.store.reading() as tx:
        user = await tx.first(UserRow, telegram_id=telegram_id)
    assert user is not None
    return user.role


async def audited(house: House, *actions: str) -> list[AuditRow]:
    """The system's links with these words."""
    async with house.store.reading() as tx:
        return await tx.find(AuditRow, account_id=0, action=actions)


async def request(house: House, telegram_id: int = SAM, name: str = "Sam") -> int:
    """Somebody asks; answers the request's number."""
    await access(house).ask(Requester(telegram_id=telegram_id, name=name))
    async with house.store.reading() as tx:
        row = await tx.first(AccessRequestRow, order_by="-id")
    assert row is not None
    return row.id


async def refusal(house: House, request_id: int, who: int = ADMIN) -> Refused:
    """How an approval is refused."""
    person = await house.person(who)
    with pytest.raises(Refused) as caught:
        await access(house).answer(person, request_id, approve=True)
    return caught.value


async def test_asking_makes_somebody_pending_and_tells_the_admins_once(house: House) -> None:
    await request(house)
    assert await role(house, SAM) == "pending"
    (told,) = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, p.AccessAsked)]
    assert (told.telegram_id, told.name, told.waiting) == (SAM, "Sam", 1)
    (link,) = await audited(house, words.ACCESS_ASKED)
    assert link.actor == "telegram:999"


async def test_of_two_presses_at_once_one_asks(house: House) -> None:
    asker = Requester(telegram_id=SAM, name="Sam")
    results = await asyncio.gather(
        *(access(house).ask(asker) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "Refused"]
    async with house.store.reading() as tx:
        assert await tx.count(AccessRequestRow) == 1


@pytest.mark.parametrize("telegram_id", [ALICE, ADMIN])
async def test_whoever_is_known_asks_for_nothing(house: House, telegram_id: int) -> None:
    with pytest.raises(Refused, match="already_known"):
        await access(house).ask(Requester(telegram_id=telegram_id, name="x"))


async def test_twenty_requests_may_wait_and_no_more(house: House) -> None:
    last = await request(house, 5_000)
    for number in range(1, REQUESTS_WAITING_MAX):
        await request(house, 5_000 + number)
    with pytest.raises(Refused, match="requests_full"):
        await request(house, SAM)
    async with house.store.reading() as tx:
        assert await tx.first(UserRow, telegram_id=SAM) is None
    await access(house).answer(await house.person(ADMIN), last, approve=False)
    await request(house, SAM)


async def test_an_approval_makes_a_client_and_both_copies_say_who(house: House) -> None:
    number = await request(house)
    house.clock.instant += timedelta(minutes=4)
    await access(house).answer(await house.person(ADMIN), number, approve=True)
    assert await role(house, SAM) == "client"
    for chat in (ADMIN_CHAT, SAM):
        (told,) = [x for x in await house.said(chat) if isinstance(x, p.AccessAnswered)]
        assert (told.approved, told.by, told.at) == (True, "Ada", house.clock.now())
    assert [x for x in await house.said(SAM) if isinstance(x, p.AccessDecided)]
    assert not [x for x in await house.said(ADMIN_CHAT) if isinstance(x, p.AccessDecided)]
    (link,) = await audited(house, words.ACCESS_GIVEN)
    assert (link.actor, link.detail["person"]) == ("Ada", SAM)


@pytest.mark.parametrize("links", [True, False])
async def test_whoever_is_let_in_is_told_how_to_link_an_account_where_that_is_allowed(
    house: House, *, links: bool
) -> None:
    number = await request(house)
    await access(house, links=links).answer(await house.person(ADMIN), number, approve=True)
    (news,) = [x for x in await house.said(SAM) if isinstance(x, p.AccessDecided)]
    assert ("/link" in render(news, Voice(), Audience.CLIENT).html) is links


async def test_of_two_admins_at_once_one_decides_and_the_other_reads_who(house: House) -> None:
    number = await request(house)
    ada = await house.person(ADMIN)
    omar = replace(ada, name="Omar", telegram_id=12)
    answers = await asyncio.gather(
        access(house).answer(ada, number, approve=True),
        access(house).answer(omar, number, approve=False),
        return_exceptions=True,
    )
    (late,) = [answer for answer in answers if isinstance(answer, Refused)]
    assert late.code == "request_answered"
    assert late.facts["by"] in {"Ada", "Omar"}
    assert len(await audited(house, words.ACCESS_GIVEN, words.PERSON_BLOCKED)) == 1


async def test_a_client_may_not_answer_nor_anybody_a_request_that_is_none(house: House) -> None:
    number = await request(house)
    assert (await refusal(house, number, ALICE)).code == "not_admin"
    assert (await refusal(house, number + 1)).code == "not_found"
    assert await role(house, SAM) == "pending"


async def test_a_request_outlives_a_restart_and_so_does_its_approval(house: House) -> None:
    number = await request(house)
    await house.restart()
    assert await role(house, SAM) == "pending"
    await access(house).answer(await house.person(ADMIN), number, approve=True)
    await house.restart()
    assert await role(house, SAM) == "client", "the people file says nothing of Sam"


def with_sam(in_file: Role) -> tuple[UserEntry, ...]:
    """The people file with Sam in it."""
    return (*PEOPLE.users, UserEntry(telegram_id=SAM, name="Sam", role=in_file))


async def enrol(house: House, users: tuple[UserEntry, ...]) -> None:
    """Read a people file, as a start does."""
    await house.engine.enrol(replace(PEOPLE, users=users))


async def test_the_file_decides_for_those_it_lists(house: House) -> None:
    """Who waits becomes what a newer file says, and a button gives no more than that."""
    number = await request(house)
    await enrol(house, with_sam(Role.PENDING))
    assert (await refusal(house, number)).code == "listed_in_file"
    await enrol(house, with_sam(Role.ADMIN))
    assert await role(house, SAM) == "admin"
    assert (await refusal(house, number)).code == "request_answered"


async def test_whom_an_admin_blocked_stays_blocked_until_the_file_says_something_new(
    house: House,
) -> None:
    number = await request(house)
    await access(house).answer(await house.person(ADMIN), number, approve=False)
    await house.restart()
    assert await role(house, SAM) == "blocked"
    await enrol(house, with_sam(Role.CLIENT))
    assert await role(house, SAM) == "client", "the operator lists them after the block"
    await enrol(house, PEOPLE.users)
    assert await role(house, SAM) == "client", "who is taken off the list stays as they are"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Sam", "Sam"),
        ("  Sam \n Smith\t", "Sam Smith"),
        ("Sam\u202egro.live\u200b", "Sam gro.live"),
        ("", NAMELESS),
        ("\u2060\u200b", NAMELESS),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_name_somebody_gave_themselves_is_one_bounded_line(given: str, shown: str) -> None:
    assert shown_name(given) == shown


async def test_strangers_are_named_once_an_hour_and_then_counted(house: House) -> None:
    people = People(house.store, house.clock)
    for _ in range(3):
        await people.turn_away(SAM, "stranger: message")
    await people.turn_away(998, "stranger: button x")
    named = await audited(house, words.ACCESS_REFUSED)
    assert [link.actor for link in named] == ["telegram:999", "telegram:998"]
    house.clock.instant += timedelta(minutes=59)
    await people.pass_time()
    assert await audited(house, words.ACCESS_REFUSALS) == []
    house.clock.instant += timedelta(minutes=1)
    await people.pass_time()
    await people.pass_time()
    (link,) = await audited(house, words.ACCESS_REFUSALS)
    assert (link.detail["people"], link.detail["refusals"]) == (2, 4)
    assert link.detail["most"] == [["999", 3], ["998", 1]]


async def test_a_crowd_of_strangers_fills_neither_the_audit_nor_the_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning_away, "COUNTED_MAX", 30)
    people = People(house.store, house.clock)
    for number in range(35):
        await people.turn_away(5_000 + number, "stranger: message")
    assert len(await audited(house, words.ACCESS_REFUSED)) == turning_away.NAMED_MAX
    await people.settle()
    (link,) = await audited(house, words.ACCESS_REFUSALS)
    assert (link.detail["people"], link.detail["refusals"]) == (30, 35)
    assert link.detail["uncounted"] == 5
    assert len(link.detail["most"]) == turning_away.MOST_MAX
