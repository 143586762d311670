"""Invitations: who comes to own an account by a code, once, for a while, and nobody else."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alerts_people as p
from core.domain import audit_words as words
from core.domain.access import Requester
from core.domain.invitations import (
    ATTEMPTS_KEPT_MAX,
    ATTEMPTS_MAX,
    ATTEMPTS_SPAN,
    CODE_LENGTH,
    LIFETIME,
    Attempts,
)
from core.domain.people import Role
from core.domain.periods import Span
from core.people_file import UserEntry
from core.records import AccountRow, ApprovalRow, AuditRow, CloseJobRow, UserRow
from core.records_people import InvitationRow
from core.services.access import Access
from core.services.errors import Refused
from core.services.invitations import Invite
from tests.engine.gateway import START
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, PEOPLE, SERVER, USD, House

SAM = Requester(telegram_id=999, name="Sam", username="sam")
MAX = Requester(telegram_id=998, name="Max")
WRONG = "x" * CODE_LENGTH


def access(house: House) -> Access:
    """The service, over the house's store."""
    return Access(store=house.store, clock=house.clock, policy=house.engine.policy)


async def invite(house: House, login: int = GBP) -> str:
    """A code to an account."""
    make = Invite(store=house.store, clock=house.clock, actor="operator:tester")
    return (await make(login, SERVER)).code


async def owner(house: House, login: int = GBP) -> UserRow:
    """Whose account it is."""
    async with house.store.reading() as tx:
        account = await tx.first(AccountRow, login=login)
        assert account is not None
        user = await tx.get(UserRow, account.user_id)
    assert user is not None
    return user


async def refusal(house: House, code: str, who: Requester = SAM) -> str:
    """How a code is refused."""
    with pytest.raises(Refused) as caught:
        await house.engine.use_invitation(who, code)
    return caught.value.code


async def audited(house: House, word: str) -> list[AuditRow]:
    """The links with this word."""
    return await house.rows(AuditRow, action=word)


async def test_a_code_makes_a_stranger_a_client_and_the_accounts_owner(house: House) -> None:
    await house.run(2)
    done = await house.engine.use_invitation(SAM, await invite(house))
    assert (done.login, done.name, done.is_new) == (GBP, "Sam", True)
    now_theirs = await owner(house)
    assert (now_theirs.telegram_id, now_theirs.role) == (999, "client")
    assert (await house.person(999)).account_ids == (house.ids[GBP],)
    assert (await house.person(ALICE)).account_ids == ()
    (to_sam,) = await house.said(999)
    (to_alice,) = [x for x in await house.said(ALICE) if isinstance(x, p.AccountTaken)]
    (to_admins,) = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, p.AccountGiven)]
    assert to_sam == to_admins
    assert (to_admins.client, to_admins.before, to_alice.login) == ("Sam", "Alice", GBP)
    for word in (words.INVITATION_MADE, words.INVITATION_USED, words.ACCOUNT_HANDED_OVER):
        assert len(await audited(house, word)) == 1


async def test_alerts_of_the_account_go_to_its_new_owner_at_once(house: House) -> None:
    await house.run(2)
    await house.engine.use_invitation(SAM, await invite(house))
    told = len(await house.said(ALICE))
    house.open(GBP, "buy", "0.10")
    await house.run(12)
    assert [type(x).__name__ for x in await house.said(999)][-1] == "DivergenceOpened"
    assert len(await house.said(ALICE)) == told


async def test_what_happened_under_the_owner_before_is_not_the_new_owners_to_see(
    house: House,
) -> None:
    """Ben is closed at 20.17 %; Sam takes the account: no trade, no incident, no money of Ben's."""
    house.open(USD, "buy", "2.00")
    await house.run(11)
    house.price("1958.20", "1958.50")
    await house.run(20)
    (job,) = await house.rows(CloseJobRow)
    house.clock.instant += timedelta(seconds=1)
    await house.engine.use_invitation(SAM, await invite(house, USD))
    await house.run(5)
    sam, ada = await house.person(SAM.telegram_id), await house.person(ADMIN)
    page = await house.engine.histories.first_page(sam, USD)
    before = house.clock.now() - timedelta(seconds=10)
    assert [line for line in page.lines if line.at < before] == []
    assert await house.engine.histories.symbols(sam, house.ids[USD]) == ()
    assert await house.engine.incidents.latest(sam) == ()
    with pytest.raises(Refused, match="not_yours"):
        await house.engine.incidents.one(sam, job.id)
    report = (await house.engine.reports.by_login(sam, USD, Span.DAY, None)).report
    assert (report.trades, report.flow_marks) == (0, ())
    assert len((await house.engine.histories.first_page(ada, USD)).lines) > 2
    assert (await house.engine.incidents.one(ada, job.id)).job.id == job.id


async def test_an_offer_made_to_the_owner_before_cannot_be_approved_by_them(house: House) -> None:
    await house.run(2)
    await house.signal()
    (offer,) = await house.rows(ApprovalRow, account_id=house.ids[GBP])
    await house.engine.use_invitation(SAM, await invite(house))
    with pytest.raises(Refused, match="not_yours"):
        await house.engine.decide_approval(await house.person(ALICE), offer.id, approve=True)


async def test_a_code_is_good_once_also_for_two_at_the_same_moment(house: House) -> None:
    code = await invite(house)
    results = await asyncio.gather(
        *(house.engine.use_invitation(who, code) for who in (SAM, MAX)), return_exceptions=True
    )
    (late,) = [result for result in results if isinstance(result, Refused)]
    assert late.code == "code_used"
    assert (await owner(house)).telegram_id in {999, 998}
    async with house.store.reading() as tx:
        assert await tx.count(UserRow, telegram_id=(999, 998)) == 1


async def test_a_code_is_good_until_its_hours_are_over(house: House) -> None:
    made = house.clock.now()
    first, late = await invite(house), await invite(house, PEOPLE.accounts[1].login)
    assert await refusal(house, first[:-1], MAX) == "code_wrong"
    house.clock.instant = made + LIFETIME - timedelta(seconds=1)
    await house.engine.use_invitation(SAM, first)
    house.clock.instant = made + LIFETIME
    assert await refusal(house, late) == "code_expired"
    assert (await owner(house, PEOPLE.accounts[1].login)).telegram_id == BEN


async def test_a_newer_code_ends_the_older_one(house: House) -> None:
    older = await invite(house)
    newer = await invite(house)
    assert await refusal(house, older) == "code_used"
    await house.engine.use_invitation(SAM, newer)


async def test_no_code_is_kept(house: House) -> None:
    code = await invite(house)
    for row in [*await house.rows(InvitationRow), *await house.rows(AuditRow)]:
        assert code not in str(row)


async def test_an_account_that_is_not_in_the_books_has_no_code(house: House) -> None:
    make = Invite(store=house.store, clock=house.clock, actor="operator:tester")
    for login, server in ((GBP, "Elsewhere"), (1, SERVER)):
        with pytest.raises(Refused, match="not_found"):
            await make(login, server)


async def test_after_five_wrong_codes_the_right_one_has_to_wait_an_hour(house: House) -> None:
    code = await invite(house)
    for _ in range(ATTEMPTS_MAX):
        assert await refusal(house, WRONG) == "code_wrong"
    assert await refusal(house, code) == "too_many_codes"
    await house.engine.use_invitation(MAX, await invite(house))  # others are not held up
    house.clock.instant += ATTEMPTS_SPAN
    await house.engine.use_invitation(SAM, await invite(house))


def test_wrong_codes_of_a_crowd_keep_nobody_out_and_fill_no_memory() -> None:
    attempts = Attempts()
    for who in range(ATTEMPTS_KEPT_MAX + ATTEMPTS_MAX):
        attempts.note(5_000 + who, START)
    assert not attempts.is_over(999, START)
    for _ in range(ATTEMPTS_MAX - 1):
        attempts.note(999, START)
    assert not attempts.is_over(999, START)
    attempts.note(999, START)
    assert attempts.is_over(999, START + ATTEMPTS_SPAN - timedelta(seconds=1))
    assert not attempts.is_over(999, START + ATTEMPTS_SPAN)


async def test_a_blocked_person_gets_nothing_and_the_code_is_void(house: House) -> None:
    await access(house).ask(SAM)
    await access(house).answer(await house.person(ADMIN), 1, approve=False)
    code = await invite(house)
    assert await refusal(house, code) == "person_blocked"
    assert await refusal(house, code, MAX) == "code_used"
    assert (await owner(house)).telegram_id == ALICE
    assert len(await audited(house, words.INVITATION_VOID)) == 1


async def test_a_code_shown_to_others_is_void_and_only_once(house: House) -> None:
    code = await invite(house)
    assert [await house.engine.use_invitation.void(text, 5) for text in (WRONG, code, code)] == [
        False,
        True,
        False,
    ]
    assert await refusal(house, code) == "code_used"


async def test_whoever_asked_and_is_invited_needs_no_answer(house: House) -> None:
    await access(house).ask(SAM)
    await house.engine.use_invitation(SAM, await invite(house))
    (told,) = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, p.AccessAnswered)]
    assert (told.approved, told.by) == (True, "an invitation")
    with pytest.raises(Refused, match="request_answered"):
        await access(house).answer(await house.person(ADMIN), 1, approve=False)
    assert (await house.person(999)).role is Role.CLIENT


async def test_whom_the_file_lists_as_pending_stays_so_and_the_code_stays_good(
    house: House,
) -> None:
    listed = UserEntry(telegram_id=999, name="Sam", role=Role.PENDING)
    await house.engine.enrol(replace(PEOPLE, users=(*PEOPLE.users, listed)))
    code = await invite(house)
    assert await refusal(house, code) == "listed_in_file"
    await house.engine.use_invitation(MAX, code)


async def test_an_admin_who_takes_an_account_stays_an_admin(house: House) -> None:
    done = await house.engine.use_invitation(
        Requester(telegram_id=ADMIN, name="x"), await invite(house)
    )
    assert (done.name, done.is_new) == ("Ada", False)
    assert (await house.person(ADMIN)).role is Role.ADMIN


async def test_the_owner_by_a_code_stays_until_the_file_names_another(house: House) -> None:
    """The file names Alice all the time; then it names Ben."""
    await house.engine.use_invitation(SAM, await invite(house))
    await house.restart()
    assert (await owner(house)).telegram_id == 999
    moved = tuple(
        replace(entry, owner=BEN) if entry.login == GBP else entry for entry in PEOPLE.accounts
    )
    await house.engine.enrol(replace(PEOPLE, accounts=moved))
    assert (await owner(house)).telegram_id == BEN
