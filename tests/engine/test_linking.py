"""Linking in the chat, on the real store: who decides, what is in force, and when."""

import pytest

from core.adapters.vault import Vault
from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.link_heard import Ask
from core.domain.linking import (
    CHECK_WAIT,
    CHECKS_MAX,
    Failure,
    LinkPolicy,
    LinkState,
    LoginFailed,
    Places,
)
from core.ports import BrokerUnavailable
from core.records import AccountRow, AuditRow, TerminalRow, UserRow
from core.records_links import LinkRequestRow
from core.services.links import Links, NewLink
from tests.engine.house import ADMIN_CHAT, ALICE, BEN, CARLA, GBP, SERVER
from tests.engine.linked import KEYS, NEW, PASSWORD, PLACES, Linked, everything


async def test_an_approved_account_is_guarded_without_a_restart(linked: Linked) -> None:
    house = linked.house
    await house.run(2)
    request = await linked.ask(login=NEW)
    assert await house.rows(TerminalRow) == []
    await linked.answer(request)
    assert linked.broker.asked == [], "approved is not asked yet"
    await linked.checks.pass_time()
    (link,) = linked.broker.asked
    assert (link.login, link.server, link.path) == (NEW, SERVER, "C:/1/t.exe")
    assert link.password is not None
    assert link.password.reveal() == PASSWORD
    (account,) = await house.rows(AccountRow, login=NEW)
    alice = await house.person(ALICE)
    assert (account.user_id, account.currency, account.margin_mode) == (
        alice.user_id,
        "USD",
        "netting",
    )
    assert account.max_drawdown_percent == house.engine.policy.limits.max_drawdown_percent
    assert linked.added == [account.id]
    assert account.id in alice.account_ids
    (terminal,) = await house.rows(TerminalRow)
    sealed = linked.vault.unseal(NEW, SERVER, terminal.password_token)
    assert sealed.reveal() == PASSWORD
    row = await linked.row()
    assert (row.state, row.password_token, row.account_id) == ("linked", None, account.id)
    assert PASSWORD not in await everything(house)


async def test_who_did_what_is_audited_without_the_secret(linked: Linked) -> None:
    request = await linked.ask()
    await linked.answer(request)
    await linked.checks.pass_time()
    await linked.begin(BEN)
    await linked.hear(BEN, "/cancel", Ask.CANCEL)
    refused = await linked.ask(CARLA, 50009)
    await linked.answer(refused, approve=False)
    told = [
        (link.actor, link.action)
        for link in await linked.house.rows(AuditRow)
        if link.action.startswith("link_")
        or link.action in {words.ACCOUNT_LINKED, words.TERMINAL_LINKED}
    ]
    assert told == [
        (f"telegram:{ALICE}", words.LINK_BEGUN),
        (f"telegram:{ALICE}", words.LINK_ASKED),
        ("Ada", words.LINK_APPROVED),
        ("engine", words.ACCOUNT_LINKED),
        ("engine", words.TERMINAL_LINKED),
        (f"telegram:{BEN}", words.LINK_BEGUN),
        (f"telegram:{BEN}", words.LINK_CANCELLED),
        (f"telegram:{CARLA}", words.LINK_BEGUN),
        (f"telegram:{CARLA}", words.LINK_ASKED),
        ("Ada", words.LINK_REFUSED),
    ]
    details = [str(link.detail) for link in await linked.house.rows(AuditRow)]
    assert not [detail for detail in details if PASSWORD in detail or "gAAAA" in detail]


@pytest.mark.parametrize("login", [GBP, 50003])
async def test_an_account_of_somebody_elses_is_not_linked_by_who_asks(
    linked: Linked, login: int
) -> None:
    """The asker hears what everybody hears; the admins read whose it is."""
    request = await linked.ask(BEN, login)
    assert await linked.state() is LinkState.WAITING
    (asked,) = [x for x in await linked.house.said(ADMIN_CHAT) if isinstance(x, k.LinkAsked)]
    assert asked.known == {GBP: "Alice", 50003: "Carla"}[login]
    assert await linked.refusal(request) == "link_known"
    assert await linked.state() is LinkState.WAITING
    await linked.answer(request, approve=False)
    assert linked.broker.asked == []


async def test_a_terminal_that_an_operator_linked_is_not_replaced(linked: Linked) -> None:
    now = linked.house.clock.now()
    async with linked.house.store.writing() as tx:
        await tx.insert(
            TerminalRow(login=NEW, server=SERVER.upper(), path="x", linked_at=now, changed_at=now)
        )
    assert await linked.refusal(await linked.ask()) == "link_known"


async def test_of_two_who_ask_for_one_account_the_second_gets_nothing(linked: Linked) -> None:
    first, second = await linked.ask(ALICE), await linked.ask(BEN)
    await linked.answer(first)
    await linked.answer(second)
    await linked.checks.pass_time()
    states = [row.state for row in await linked.house.rows(LinkRequestRow)]
    assert states == ["linked", "failed"]
    assert len(await linked.house.rows(AccountRow, login=NEW)) == 1
    (ended,) = [x for x in await linked.house.said(BEN) if isinstance(x, k.LinkEnded)]
    assert ended.failure == Failure.TAKEN
    assert len(linked.broker.asked) == 1, "a wrong password would end the guard's own login"


async def test_where_each_number_has_one_terminal_it_is_one_account(linked: Linked) -> None:
    """50002 is guarded at another server: to log in at its terminal would end its guard."""
    places = Places(base_url="http://terminals")
    other = linked.over(LinkPolicy(servers=("Other-Live",), places=places))
    request = await other.ask(ALICE, 50002, server="Other-Live")
    (asked,) = [x for x in await other.house.said(ADMIN_CHAT) if isinstance(x, k.LinkAsked)]
    assert asked.known == "Ben"
    assert await other.refusal(request) == "link_known"
    await linked.answer(request)
    await other.checks.pass_time()
    assert (await other.row()).failure == Failure.TAKEN
    assert other.broker.asked == []


async def test_what_was_linked_while_the_broker_was_asked_is_not_linked_twice(
    linked: Linked,
) -> None:
    house = linked.house
    links = Links(store=house.store, clock=house.clock, vault=linked.vault, actor="operator:x")
    await linked.answer(await linked.ask())

    async def meanwhile() -> None:
        new = NewLink(login=NEW, server=SERVER, path="x", portable=False, host="", password=None)
        await links.link(new)

    linked.broker.meanwhile = meanwhile
    await linked.checks.pass_time()
    assert (await linked.row()).failure == Failure.TAKEN
    assert await house.rows(AccountRow, login=NEW) == []


async def test_the_second_question_about_one_account_names_the_first(linked: Linked) -> None:
    first = await linked.ask(ALICE)
    await linked.ask(CARLA, NEW + 1)
    await linked.ask(BEN)
    told = await linked.house.said(ADMIN_CHAT)
    asked = [(x.client, x.rivals) for x in told if isinstance(x, k.LinkAsked)]
    alice = (await linked.house.person(ALICE)).name
    assert [rivals for _, rivals in asked] == [(), (), (alice,)]
    await linked.hear(BEN, "/cancel", Ask.CANCEL)
    await linked.answer(first)
    await linked.ask(BEN)
    told = await linked.house.said(ADMIN_CHAT)
    (*_, last) = [x for x in told if isinstance(x, k.LinkAsked)]
    assert last.rivals == (alice,), "approved, and the broker not asked yet"
    await linked.hear(BEN, "/cancel", Ask.CANCEL)
    await linked.hear(CARLA, "/cancel", Ask.CANCEL)
    await linked.ask(CARLA, NEW + 1)
    told = await linked.house.said(ADMIN_CHAT)
    (*_, last) = [x for x in told if isinstance(x, k.LinkAsked)]
    assert last.rivals == (), "what was withdrawn is no rival"


async def test_only_an_admin_answers_once_and_nobody_for_themselves(linked: Linked) -> None:
    request = await linked.ask()
    assert await linked.refusal(request, by=BEN) == "not_admin"
    async with linked.house.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": ALICE}, role="admin")
    assert await linked.refusal(request, by=ALICE) == "own_link"
    assert await linked.refusal(request) == "link_gone"
    async with linked.house.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": ALICE}, role="client")
    await linked.answer(request)
    assert await linked.refusal(request) == "link_answered"
    assert await linked.refusal(999_999) == "not_found"


@pytest.mark.parametrize(
    ("answers", "failure"),
    [
        ([LoginFailed(Failure.LOGIN)], Failure.LOGIN),
        ([LoginFailed(Failure.WRONG_ACCOUNT)], Failure.WRONG_ACCOUNT),
        ([BrokerUnavailable("down")] * CHECKS_MAX, Failure.UNREACHABLE),
    ],
)
async def test_an_account_that_its_broker_does_not_let_in_leaves_nothing(
    linked: Linked, answers: list[Exception], failure: Failure
) -> None:
    linked.broker.answers = list(answers)
    await linked.answer(await linked.ask())
    for tried in range(len(answers)):
        assert await linked.state() is LinkState.APPROVED, tried
        await linked.checks.pass_time()
        await linked.checks.pass_time()  # not before its time
        linked.after(CHECK_WAIT)
    row = await linked.row()
    assert (row.state, row.failure, row.password_token) == ("failed", failure, None)
    assert await linked.house.rows(TerminalRow) == []
    assert await linked.house.rows(AccountRow, login=NEW) == []
    for chat in (ALICE, ADMIN_CHAT):
        (ended,) = [x for x in await linked.house.said(chat) if isinstance(x, k.LinkEnded)]
        assert ended.failure == failure


async def test_a_broker_that_comes_back_in_time_lets_the_account_in(linked: Linked) -> None:
    linked.broker.answers = [BrokerUnavailable("down")] * (CHECKS_MAX - 1)
    await linked.answer(await linked.ask())
    for _ in range(CHECKS_MAX):
        await linked.checks.pass_time()
        linked.after(CHECK_WAIT)
    assert await linked.state() is LinkState.LINKED


async def test_a_password_that_may_only_look_on_is_not_enough(linked: Linked) -> None:
    linked.broker.may_trade = False
    await linked.answer(await linked.ask())
    await linked.checks.pass_time()
    assert (await linked.row()).failure == Failure.INVESTOR
    assert await linked.house.rows(AccountRow, login=NEW) == []


async def test_without_a_spare_terminal_the_request_waits(linked: Linked) -> None:
    now = linked.house.clock.now()
    async with linked.house.store.writing() as tx:
        for number, place in enumerate(PLACES.spare, start=1):
            row = TerminalRow(
                login=number, server=SERVER, path=place.path, linked_at=now, changed_at=now
            )
            await tx.insert(row)
    assert await linked.refusal(await linked.ask()) == "no_terminal_left"
    assert await linked.state() is LinkState.WAITING


async def test_a_terminal_that_an_operator_links_while_the_broker_is_asked_stays_theirs(
    linked: Linked,
) -> None:
    """One terminal serves one account: two at one would log each other out, and guard neither."""
    house = linked.house
    links = Links(store=house.store, clock=house.clock, vault=linked.vault, actor="operator:x")
    await linked.answer(await linked.ask())

    async def meanwhile() -> None:
        await links.link(
            NewLink(
                login=7, server=SERVER, path="c:/1/T.exe", portable=False, host="", password=None
            )
        )

    linked.broker.meanwhile = meanwhile
    await linked.checks.pass_time()
    assert await house.rows(AccountRow, login=NEW) == []
    assert await linked.state() is LinkState.APPROVED
    await linked.checks.pass_time()
    assert [link.path for link in linked.broker.asked] == ["C:/1/t.exe", "C:/2/t.exe"]
    places = {row.login: row.path for row in await house.rows(TerminalRow)}
    assert places == {7: "c:/1/T.exe", NEW: "C:/2/t.exe"}
    assert await linked.state() is LinkState.LINKED


async def test_a_request_that_ends_while_the_broker_is_asked_links_nothing(linked: Linked) -> None:
    await linked.answer(await linked.ask())

    async def meanwhile() -> None:
        async with linked.house.store.writing() as tx:
            row = await linked.row()
            await tx.update(LinkRequestRow, {"id": row.id}, state="cancelled", password_token=None)

    linked.broker.meanwhile = meanwhile
    await linked.checks.pass_time()
    assert await linked.state() is LinkState.CANCELLED
    assert await linked.house.rows(AccountRow, login=NEW) == []
    assert await linked.house.rows(TerminalRow) == []
    assert linked.added == []


async def test_somebody_blocked_meanwhile_gets_nothing_linked(linked: Linked) -> None:
    await linked.answer(await linked.ask())
    async with linked.house.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": ALICE}, role="blocked")
    await linked.checks.pass_time()
    row = await linked.row()
    assert (row.state, row.password_token) == ("cancelled", None)
    assert await linked.house.rows(AccountRow, login=NEW) == []


async def test_a_password_whose_key_is_gone_is_told_and_forgotten(linked: Linked) -> None:
    await linked.answer(await linked.ask())
    linked.keys = lambda: KEYS[1:]
    await linked.checks.pass_time()
    assert (await linked.row()).failure == Failure.UNREADABLE
    assert linked.broker.asked == []


async def test_a_rotation_of_the_keys_takes_waiting_passwords_along(linked: Linked) -> None:
    await linked.ask()
    ring = Vault(lambda: (KEYS[1], KEYS[0]))
    house = linked.house
    links = Links(store=house.store, clock=house.clock, vault=ring, actor="operator:tester")
    await links.encrypt_anew()
    token = (await linked.row()).password_token
    assert token is not None
    assert Vault(lambda: KEYS[1:]).unseal(NEW, SERVER, token).reveal() == PASSWORD
