"""The conversation that links an account: what is an answer, what is removed, what is kept."""

from datetime import timedelta

import pytest

from core.domain import alerts_links as k
from core.domain.link_heard import NOTHING, Ask, Heard
from core.domain.linking import (
    ANSWER_TIME,
    CONVERSATIONS_MAX,
    LATE_GRACE,
    LATE_MAX,
    LATE_SPAN,
    REQUEST_TIME,
    REQUESTS_WAITING_MAX,
    WRONG_MAX,
    Failure,
    LinkState,
    Problem,
)
from core.ports import KeysUnusable
from core.records import UserRow
from core.records_links import LinkRequestRow
from core.services.errors import Refused
from tests.engine.house import ALICE, BEN, SERVER
from tests.engine.linked import KEYS, NEW, PASSWORD, REMOVED, TAKEN, Linked, everything


async def test_words_of_somebody_blocked_in_the_middle_are_removed_all_the_same(
    linked: Linked,
) -> None:
    await linked.begin()
    await linked.hear(ALICE, SERVER)
    await linked.hear(ALICE, str(NEW))
    async with linked.house.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": ALICE}, role="blocked")
    assert await linked.hear(ALICE, PASSWORD) == Heard(remove=True, near=True)
    assert await linked.state() is LinkState.CANCELLED


async def test_wrong_answers_are_bounded_and_leave_the_chat(linked: Linked) -> None:
    await linked.begin()
    for left in range(WRONG_MAX - 1, 0, -1):
        assert await linked.hear(ALICE, "Some-Password-1") == REMOVED
        ask = await linked.talks.current(await linked.house.person(ALICE))
        assert (ask.problem, ask.tries_left) == (Problem.SERVER, left)
    assert await linked.hear(ALICE, "Some-Password-1") == REMOVED
    row = await linked.row()
    assert (row.state, row.failure) == ("failed", Failure.TRIES)
    assert "Some-Password-1" not in await everything(linked.house)


async def test_an_answer_without_words_is_none(linked: Linked) -> None:
    await linked.begin()
    assert await linked.hear(ALICE, None) == REMOVED
    assert (await linked.row()).problem == Problem.NO_TEXT


async def test_each_question_waits_for_its_time_and_then_says_that_it_is_over(
    linked: Linked,
) -> None:
    await linked.begin()
    linked.after(ANSWER_TIME - timedelta(seconds=1))
    await linked.talks.pass_time()
    assert await linked.hear(ALICE, SERVER) == TAKEN
    linked.after(ANSWER_TIME)
    await linked.talks.pass_time()
    assert await linked.state() is LinkState.EXPIRED
    (news,) = [x for x in await linked.house.said(ALICE) if isinstance(x, k.LinkNews)]
    assert news.state == LinkState.EXPIRED


async def test_a_password_that_comes_too_late_is_removed_and_not_kept(linked: Linked) -> None:
    """Up to a day, which Telegram keeps what a bot has missed; and a bounded number of times."""
    await linked.begin()
    await linked.hear(ALICE, SERVER)
    await linked.hear(ALICE, str(NEW))
    linked.after(ANSWER_TIME)
    assert await linked.hear(ALICE, PASSWORD) == REMOVED
    row = await linked.row()
    assert (row.state, row.password_token, row.problem) == ("expired", None, "late")
    linked.after(LATE_SPAN - timedelta(seconds=1))
    for _ in range(LATE_MAX - 1):
        assert await linked.hear(ALICE, PASSWORD) == REMOVED
    assert (await linked.row()).problem == Problem.LATE
    assert await linked.hear(ALICE, PASSWORD) == TAKEN, "left, and said so once"
    assert (await linked.row()).problem == Problem.LEFT
    assert await linked.hear(ALICE, PASSWORD) == Heard(near=True)
    linked.after(timedelta(seconds=1))
    assert await linked.hear(ALICE, PASSWORD) == NOTHING


async def test_what_is_said_when_a_request_is_done_is_no_password(linked: Linked) -> None:
    """A client whose account was guarded wrote "ayuda": it vanished, as a password would have."""
    await linked.ask()
    linked.after(LATE_GRACE - timedelta(seconds=1))
    assert await linked.hear(ALICE, "is it done?") == REMOVED
    linked.after(timedelta(seconds=1))
    assert await linked.hear(ALICE, "is it done?") == Heard(near=True)


async def test_when_the_account_is_guarded_words_are_no_password_any_more(linked: Linked) -> None:
    """A client whose account had just been locked wrote "help", and read "It is guarded"."""
    number = await linked.ask()
    now = linked.house.clock.now()
    async with linked.house.store.writing() as tx:
        await tx.update(LinkRequestRow, {"id": number}, state="linked", ended_at=now)
    assert await linked.hear(ALICE, PASSWORD) == REMOVED, "written before that was said"
    linked.after(timedelta(seconds=1))
    assert await linked.hear(ALICE, "help") == Heard(near=True)


async def test_words_count_as_of_when_they_were_written(linked: Linked) -> None:
    """The bot did not run: the password came twice, and is heard hours later."""
    await linked.ask()
    asked = linked.house.clock.now()
    linked.after(timedelta(hours=3))
    late = asked + LATE_GRACE - timedelta(seconds=1)
    assert await linked.hear(ALICE, PASSWORD, written_at=late) == REMOVED


@pytest.mark.parametrize("failure", [Failure.LOGIN, Failure.INVESTOR])
async def test_after_a_refused_password_another_one_may_be_sent_at_any_time(
    linked: Linked, failure: Failure
) -> None:
    number = await linked.ask()
    async with linked.house.store.writing() as tx:
        ended = {"state": "failed", "failure": failure.value, "ended_at": linked.house.clock.now()}
        await tx.update(LinkRequestRow, {"id": number}, **ended)
    linked.after(timedelta(hours=3))
    assert await linked.hear(ALICE, "Another-Pass-2") == REMOVED


async def test_memory_knows_whose_password_is_waited_for(linked: Linked) -> None:
    await linked.begin()
    await linked.hear(ALICE, SERVER)
    assert not linked.talks.expects(ALICE)
    await linked.hear(ALICE, str(NEW))
    assert linked.talks.expects(ALICE)
    assert not linked.talks.expects(BEN)
    after_a_restart = Linked(linked.house)
    assert not after_a_restart.talks.expects(ALICE)
    for each in (linked, after_a_restart):
        await each.talks.pass_time()
        assert each.talks.expects(ALICE)
    await linked.hear(ALICE, PASSWORD)
    await linked.talks.pass_time()
    assert not linked.talks.expects(ALICE)


async def test_a_password_sent_once_more_is_removed_too(linked: Linked) -> None:
    await linked.ask()
    assert await linked.hear(ALICE, PASSWORD) == REMOVED
    assert await linked.state() is LinkState.WAITING


async def test_words_in_a_group_are_no_answer_and_are_not_kept(linked: Linked) -> None:
    await linked.begin()
    assert await linked.hear(ALICE, SERVER, private=False) == Heard(near=True)
    told = await linked.house.said(ALICE)
    assert not [x for x in told if isinstance(x, k.WordsLeft)], "no password was asked for"
    await linked.hear(ALICE, SERVER)
    await linked.hear(ALICE, str(NEW))
    for _ in range(2):
        assert await linked.hear(ALICE, PASSWORD, private=False) == Heard(near=True)
    assert await linked.state() is LinkState.PASSWORD
    (left,) = [x for x in await linked.house.said(ALICE) if isinstance(x, k.WordsLeft)]
    assert left.in_group


@pytest.mark.parametrize("end", ["waiting", "cancelled", "expired"])
async def test_a_password_in_a_group_is_warned_of_for_a_day_after_the_question(
    linked: Linked, end: str
) -> None:
    if end == "waiting":
        await linked.ask()
    else:
        await linked.begin()
        await linked.hear(ALICE, SERVER)
        await linked.hear(ALICE, str(NEW))
    if end == "cancelled":
        await linked.hear(ALICE, "/cancel", Ask.CANCEL)
    if end == "expired":
        linked.after(ANSWER_TIME)
        await linked.talks.pass_time()
    assert await linked.state() == end
    if end != "waiting":  # a request that waits is open for longer than a day
        linked.after(LATE_SPAN - timedelta(seconds=1))
    for _ in range(2):
        assert await linked.hear(ALICE, PASSWORD, private=False) == Heard(near=True)
    told = [x for x in await linked.house.said(ALICE) if isinstance(x, k.WordsLeft)]
    assert [left.in_group for left in told] == [True]
    if end != "waiting":
        linked.after(timedelta(seconds=1))
        assert await linked.hear(ALICE, PASSWORD, private=False) == NOTHING


async def test_another_command_moves_nothing_and_is_known_to_be_near_for_a_day(
    linked: Linked,
) -> None:
    assert await linked.hear(ALICE, "/status", Ask.OTHER) == NOTHING
    await linked.begin()
    for private in (True, False):
        assert await linked.hear(ALICE, "/status", Ask.OTHER, private=private) == Heard(near=True)
    assert await linked.state() is LinkState.SERVER
    await linked.hear(ALICE, "/cancel", Ask.CANCEL)
    linked.after(LATE_SPAN - timedelta(seconds=1))
    assert await linked.hear(ALICE, "/status", Ask.OTHER) == Heard(near=True)
    assert await linked.hear(BEN, "/status", Ask.OTHER) == NOTHING
    linked.after(timedelta(seconds=1))
    assert await linked.hear(ALICE, "/status", Ask.OTHER) == NOTHING


async def test_conversations_are_bounded_for_each_person(linked: Linked) -> None:
    for _ in range(CONVERSATIONS_MAX):
        assert await linked.begin() == TAKEN
        await linked.hear(ALICE, "/cancel", Ask.CANCEL)
    assert await linked.begin() == Heard(is_ours=True, refused="too_many_links")
    assert await linked.begin(BEN) == TAKEN
    linked.after(timedelta(days=1))
    assert await linked.begin() == TAKEN


async def test_a_second_begin_goes_on_with_the_first(linked: Linked) -> None:
    await linked.begin()
    await linked.hear(ALICE, SERVER)
    await linked.begin()
    assert len(await linked.house.rows(LinkRequestRow)) == 1
    assert await linked.state() is LinkState.LOGIN


async def test_requests_that_wait_are_bounded_and_end_by_themselves(linked: Linked) -> None:
    await linked.ask()
    row = await linked.row()
    async with linked.house.store.writing() as tx:
        fields = {name: getattr(row, name) for name in row.__struct_fields__ if name != "id"}
        for _ in range(REQUESTS_WAITING_MAX - 1):
            await tx.insert(LinkRequestRow(**fields))
    assert (await linked.begin(BEN)).refused == "links_full"
    linked.after(REQUEST_TIME - timedelta(seconds=1))
    await linked.talks.pass_time()
    assert await linked.state() is LinkState.WAITING
    linked.after(timedelta(seconds=1))
    await linked.talks.pass_time()
    kept = [(x.state, x.password_token) for x in await linked.house.rows(LinkRequestRow)]
    assert kept == [("expired", None)] * REQUESTS_WAITING_MAX


async def test_keys_that_cannot_be_used_keep_no_password_and_ask_again(linked: Linked) -> None:
    def unusable() -> tuple[str, ...]:
        raise KeysUnusable("password.keys: others may read it")

    await linked.begin()
    await linked.hear(ALICE, SERVER)
    await linked.hear(ALICE, str(NEW))
    linked.keys = unusable
    assert await linked.hear(ALICE, PASSWORD) == REMOVED
    row = await linked.row()
    assert (row.state, row.problem, row.wrong) == ("password", "keys", 0)
    linked.keys = lambda: KEYS[:1]
    assert await linked.hear(ALICE, PASSWORD) == REMOVED
    assert await linked.state() is LinkState.WAITING


async def test_buttons_are_their_own_persons_and_of_their_own_question(linked: Linked) -> None:
    await linked.begin()
    request = (await linked.row()).id
    alice, ben = await linked.house.person(ALICE), await linked.house.person(BEN)
    for foreign in (linked.talks.choose(ben, request, 0), linked.talks.cancel(ben, request)):
        with pytest.raises(Refused, match="not_yours"):
            await foreign
    with pytest.raises(Refused, match="stale_link"):
        await linked.talks.choose(alice, request, 2)
    assert (await linked.talks.choose(alice, request, 1)).server == "Other-Live"
    with pytest.raises(Refused, match="stale_link"):
        await linked.talks.choose(alice, request, 0)
    assert (await linked.talks.cancel(alice, request)).state is LinkState.CANCELLED
    with pytest.raises(Refused, match="stale_link"):
        await linked.talks.cancel(alice, request)


async def test_a_button_pressed_when_its_questions_time_is_over_chooses_nothing(
    linked: Linked,
) -> None:
    await linked.begin()
    request = (await linked.row()).id
    linked.after(ANSWER_TIME)
    with pytest.raises(Refused, match="stale_link"):
        await linked.talks.choose(await linked.house.person(ALICE), request, 0)
    assert await linked.state() is LinkState.SERVER
