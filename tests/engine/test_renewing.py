"""The new password of one's own account: who may give it, when it is tried, what it replaces."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.broker import MarginMode
from core.domain.link_heard import Ask
from core.domain.linking import (
    ANSWER_TIME,
    CONVERSATIONS_SPAN,
    LOGIN_REFUSED,
    REFUSED_MAX,
    Failure,
    LinkState,
    LoginFailed,
    Problem,
)
from core.ports import BrokerUnavailable, Secret
from core.records import AccountRow, AuditRow, TerminalRow, UserRow
from core.records_links import LinkRequestRow
from core.services.errors import Refused
from core.services.links import Links, NewLink
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, SERVER, USD
from tests.engine.linked import KEYS, REMOVED, TAKEN, Linked, everything

OLD, NEW_ONE = "Old-Secret-1", "New-Secret-2"


@pytest.fixture
async def out(linked: Linked) -> Linked:
    """Ben's account, at a terminal of its own, whose broker refuses the password that is kept."""
    house = linked.house
    links = Links(store=house.store, clock=house.clock, vault=linked.vault, actor="operator:x")
    for login, path in ((USD, "C:/9/t.exe"), (GBP, "C:/8/t.exe")):
        new = NewLink(
            login=login, server=SERVER, path=path, portable=True, host="", password=Secret(OLD)
        )
        await links.link(new)
    linked.broker.margin_mode = MarginMode.HEDGING
    await refused(linked)
    return linked


async def refused(linked: Linked, reason: str | None = LOGIN_REFUSED) -> None:
    """Why Ben's account cannot be read; None: it can."""
    state = await linked.house.state(USD)
    since = None if reason is None else linked.house.clock.now()
    async with linked.house.store.writing() as tx:
        await tx.save_state(replace(state, unavailable_since=since, unavailable_reason=reason))


async def password(linked: Linked) -> str:
    """The one that is kept for Ben's account."""
    (row,) = await linked.house.rows(TerminalRow, login=USD)
    assert row.password_token is not None
    return linked.vault.unseal(USD, SERVER, row.password_token).reveal()


async def presses(linked: Linked, who: int = BEN, login: int = USD) -> LinkState:
    """The button under the alert."""
    person = await linked.house.person(who)
    ask = await linked.talks.renew(person, linked.house.ids[login])
    assert ask.renewal
    return ask.state


async def refusal(linked: Linked, who: int = BEN, login: int = USD) -> str:
    """Why the button does nothing."""
    with pytest.raises(Refused) as caught:
        await presses(linked, who, login)
    return caught.value.code


async def gives(linked: Linked, text: str = NEW_ONE) -> None:
    """By the button, and up to what the broker says."""
    assert await presses(linked) is LinkState.PASSWORD
    assert await linked.hear(BEN, text) == REMOVED
    assert await linked.state() is LinkState.APPROVED
    await linked.checks.pass_time()


@pytest.mark.parametrize("way", ["button", "conversation"])
async def test_the_broker_takes_it_and_only_then_the_old_one_is_replaced(
    out: Linked, way: str
) -> None:
    if way == "button":
        assert await presses(out) is LinkState.PASSWORD
    else:
        await out.begin(BEN)
        assert await out.hear(BEN, SERVER) == TAKEN
        assert await out.hear(BEN, str(USD)) == TAKEN
        ask = await out.talks.current(await out.house.person(BEN))
        assert (ask.state, ask.renewal, ask.login) == (LinkState.PASSWORD, True, USD)
    assert out.talks.expects(BEN)
    assert await out.hear(BEN, NEW_ONE) == REMOVED
    assert await password(out) == OLD, "nobody has asked the broker yet"
    accounts = len(await out.house.rows(AccountRow))
    await out.checks.pass_time()
    (link,) = out.broker.asked
    assert (link.login, link.path, link.portable) == (USD, "C:/9/t.exe", True)
    assert link.password is not None
    assert link.password.reveal() == NEW_ONE
    assert await password(out) == NEW_ONE
    assert len(await out.house.rows(AccountRow)) == accounts, "nothing new is guarded"
    assert out.added == []
    row = await out.row()
    assert (row.state, row.password_token) == ("linked", None)
    for chat in (BEN, ADMIN_CHAT):
        (told,) = [x for x in await out.house.said(chat) if isinstance(x, k.PasswordRenewed)]
        assert (told.login, told.client) == (USD, "Ben")
    asked = [x for x in await out.house.said(ADMIN_CHAT) if isinstance(x, k.LinkAsked)]
    assert asked == [], "no admin has to approve it"
    secrets = await everything(out.house)
    assert NEW_ONE not in secrets
    assert OLD not in secrets


async def test_who_gave_it_and_what_became_of_it_is_audited(out: Linked) -> None:
    await gives(out)
    told = [(x.actor, x.action) for x in await out.house.rows(AuditRow)][-4:]
    assert told == [
        (f"telegram:{BEN}", words.LINK_BEGUN),
        (f"telegram:{BEN}", words.PASSWORD_GIVEN),
        ("engine", words.TERMINAL_LINKED),
        ("engine", words.PASSWORD_RENEWED),
    ]


@pytest.mark.parametrize(
    ("answers", "failure"),
    [
        ([LoginFailed(Failure.LOGIN)], Failure.LOGIN),
        ([LoginFailed(Failure.WRONG_ACCOUNT)], Failure.WRONG_ACCOUNT),
    ],
)
async def test_what_the_broker_refuses_replaces_nothing(
    out: Linked, answers: list[Exception], failure: Failure
) -> None:
    out.broker.answers = list(answers)
    await gives(out)
    row = await out.row()
    assert (row.state, row.failure, row.password_token) == ("failed", failure, None)
    assert await password(out) == OLD
    for chat in (BEN, ADMIN_CHAT):
        (ended,) = [x for x in await out.house.said(chat) if isinstance(x, k.LinkEnded)]
        assert (ended.failure, ended.renewal) == (failure, True)


async def test_a_password_that_may_only_look_on_replaces_nothing(out: Linked) -> None:
    out.broker.may_trade = False
    await gives(out)
    assert (await out.row()).failure == Failure.INVESTOR
    assert await password(out) == OLD


async def test_another_account_behind_the_same_number_replaces_nothing(out: Linked) -> None:
    out.broker.currency = "EUR"
    await gives(out)
    assert (await out.row()).failure == Failure.WRONG_ACCOUNT
    assert await password(out) == OLD


async def test_a_broker_that_is_away_is_asked_again(out: Linked) -> None:
    out.broker.answers = [BrokerUnavailable("down")]
    await gives(out)
    assert await password(out) == OLD
    out.after(timedelta(seconds=30))
    await out.checks.pass_time()
    assert await password(out) == NEW_ONE


async def test_nobody_elses_account_can_be_touched(out: Linked) -> None:
    assert await refusal(out, ALICE) == "not_yours"
    assert await refusal(out, ADMIN) == "link_clients_only"
    await out.begin(ALICE)
    await out.hear(ALICE, SERVER)
    await out.hear(ALICE, str(USD))
    await out.hear(ALICE, NEW_ONE)
    assert await out.state() is LinkState.WAITING, "as of any account that is not theirs"
    await out.checks.pass_time()
    assert out.broker.asked == []
    assert await password(out) == OLD


@pytest.mark.parametrize("reason", [None, "IPC recv failed"])
async def test_it_is_not_taken_while_the_broker_does_not_refuse_the_old_one(
    out: Linked, reason: str | None
) -> None:
    """A wrong one would end the login of a terminal that guards."""
    await refused(out, reason)
    assert await refusal(out) == "no_password_asked"
    await out.begin(BEN)
    await out.hear(BEN, SERVER)
    assert await out.hear(BEN, str(USD)) == REMOVED
    assert (await out.row()).problem == Problem.OWN
    assert await out.state() is LinkState.LOGIN


async def test_it_is_not_tried_where_the_account_can_be_read_again_meanwhile(out: Linked) -> None:
    await presses(out)
    await out.hear(BEN, NEW_ONE)
    await refused(out, None)
    await out.checks.pass_time()
    assert out.broker.asked == []
    assert (await out.row()).failure == Failure.NOT_NEEDED


async def test_an_account_without_a_terminal_of_its_own_has_none_to_try_it_at(
    linked: Linked,
) -> None:
    await refused(linked)
    assert await refusal(linked) == "no_password_asked"


async def test_what_an_operator_or_a_new_owner_did_meanwhile_stands(out: Linked) -> None:
    house = out.house
    links = Links(store=house.store, clock=house.clock, vault=out.vault, actor="operator:x")

    async def linked_anew() -> None:
        out.after(timedelta(seconds=1))
        new = NewLink(
            login=USD,
            server=SERVER,
            path="C:/9/t.exe",
            portable=False,
            host="",
            password=Secret("Operators-3"),
        )
        await links.link(new)

    async def handed_over() -> None:
        alice = await house.person(ALICE)
        async with house.store.writing() as tx:
            await tx.update(AccountRow, {"login": USD}, user_id=alice.user_id)

    out.broker.meanwhile = linked_anew
    await gives(out)
    assert (await out.row()).failure == Failure.CHANGED
    assert await password(out) == "Operators-3"
    out.broker.meanwhile = handed_over
    await gives(out)
    assert (await out.row()).failure == Failure.CHANGED
    assert await password(out) == "Operators-3"


async def test_somebody_blocked_meanwhile_replaces_nothing(out: Linked) -> None:
    async def blocked() -> None:
        async with out.house.store.writing() as tx:
            await tx.update(UserRow, {"telegram_id": BEN}, role="blocked")

    out.broker.meanwhile = blocked
    await gives(out)
    assert await password(out) == OLD


async def test_a_rotation_of_the_keys_in_between_loses_nothing(out: Linked) -> None:
    async def rotated() -> None:
        out.keys = lambda: (KEYS[1], KEYS[0])
        house = out.house
        links = Links(store=house.store, clock=house.clock, vault=out.vault, actor="operator:x")
        await links.encrypt_anew()
        out.keys = lambda: KEYS[1:]

    out.broker.meanwhile = rotated
    await gives(out)
    assert await password(out) == NEW_ONE


async def test_refused_passwords_are_bounded_since_a_broker_locks_out(out: Linked) -> None:
    out.broker.answers = [LoginFailed(Failure.LOGIN)] * REFUSED_MAX
    for _ in range(REFUSED_MAX):
        await gives(out)
    assert await refusal(out) == "passwords_tried"
    await out.begin(BEN)
    await out.hear(BEN, SERVER)
    await out.hear(BEN, str(USD))
    assert (await out.row()).problem == Problem.TRIED
    assert len(out.broker.asked) == REFUSED_MAX
    await out.hear(BEN, "/cancel", Ask.CANCEL)
    out.after(CONVERSATIONS_SPAN)
    await gives(out)
    assert await password(out) == NEW_ONE


async def test_the_button_pressed_twice_asks_once_and_ends_another_question(out: Linked) -> None:
    await out.begin(BEN)
    await presses(out)
    await presses(out)
    states = [(x.state, x.login) for x in await out.house.rows(LinkRequestRow)]
    assert states == [("cancelled", 0), ("password", USD)]
    out.after(ANSWER_TIME)
    assert await out.hear(BEN, NEW_ONE) == REMOVED
    assert await out.state() is LinkState.EXPIRED
    assert await presses(out) is LinkState.PASSWORD


async def test_a_request_that_waits_for_an_admin_goes_on_beside_it(out: Linked) -> None:
    waiting = await out.ask(BEN)
    await gives(out)
    assert await password(out) == NEW_ONE
    await out.answer(waiting, approve=False)


async def test_words_that_can_be_no_password_are_bounded_too(out: Linked) -> None:
    await presses(out)
    assert await out.hear(BEN, None) == REMOVED
    row = await out.row()
    assert (row.problem, row.wrong) == (Problem.NO_TEXT, 1)
