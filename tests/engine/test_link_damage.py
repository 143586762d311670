"""A damaged link request is ended and told, and stops nobody else's."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from core.adapters.vault import Vault
from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.linking import ANSWER_TIME, Failure, LinkState
from core.ports import UnreadableRow
from core.records import AccountRow, AuditRow
from core.records_links import LinkRequestRow
from core.services.links import Links
from tests.engine.house import ADMIN_CHAT, ALICE, BEN, SERVER
from tests.engine.linked import KEYS, NEW, PASSWORD, REMOVED, TAKEN, Linked

SPOILED = {
    "a state that there is not": ("state", "zzz"),
    "an instant that is none": ("begun_at", "yesterday"),
    "a time to end that is none": ("due_at", "0000"),
    "a number that is none": ("checks", "many"),
    "a problem that there is not": ("problem", "zzz"),
    "a password that is no text": ("password_token", b"\x00\xff"),
    "an instant of asking that is none": ("asked_at", "x"),
}


async def spoil(linked: Linked, request: int, column: str, value: object) -> None:
    """Write into the row by hand, past every check of the database's."""
    with closing(sqlite3.connect(linked.house.folder / "reckoner.db")) as by_hand, by_hand:
        by_hand.execute("PRAGMA ignore_check_constraints = 1")
        by_hand.execute(f"UPDATE link_requests SET {column} = ? WHERE id = ?", (value, request))  # noqa: S608 - names of this file


async def pass_time(linked: Linked) -> None:
    """The jobs, as the clockwork runs them."""
    await linked.requests.pass_time()
    await linked.talks.pass_time()
    await linked.checks.pass_time()


async def told(linked: Linked, chat: int) -> list[k.RequestDamaged]:
    """The news of damage that stand in a chat."""
    return [x for x in await linked.house.said(chat) if isinstance(x, k.RequestDamaged)]


@pytest.mark.parametrize(("column", "value"), SPOILED.values(), ids=SPOILED.keys())
async def test_a_damaged_request_ends_and_another_is_linked_all_the_same(
    linked: Linked, column: str, value: object
) -> None:
    await pass_time(linked)
    damaged, other = await linked.ask(BEN, NEW + 1), await linked.ask(ALICE)
    await linked.answer(damaged)
    await linked.answer(other)
    await spoil(linked, damaged, column, value)
    for _ in range(3):
        await pass_time(linked)
    assert len(await linked.house.rows(AccountRow, login=NEW)) == 1
    states = [
        (x.state, x.failure, x.password_token) for x in await linked.house.rows(LinkRequestRow)
    ]
    assert states == [("failed", Failure.DAMAGED, None), ("linked", "", None)]
    for chat in (BEN, ADMIN_CHAT):
        (once,) = await told(linked, chat)
        assert (once.request_id, once.client, once.telegram_id) == (damaged, "Ben", BEN)
    assert await told(linked, ALICE) == []
    audited = [x for x in await linked.house.rows(AuditRow) if x.action == words.LINK_FAILED]
    assert [x.detail["failure"] for x in audited] == [Failure.DAMAGED]
    assert await linked.begin(BEN) == TAKEN, "who asked can begin anew"


async def test_a_damaged_request_keeps_nobody_elses_question_open(linked: Linked) -> None:
    await linked.begin(BEN)
    await linked.begin(ALICE)
    (ben, _) = await linked.house.rows(LinkRequestRow)
    await spoil(linked, ben.id, "due_at", "0000")
    linked.after(ANSWER_TIME)
    await linked.talks.pass_time()
    assert await linked.state() is LinkState.EXPIRED


@pytest.mark.parametrize("nobody", ["nobody", 999_999])
async def test_one_that_nobody_can_be_told_of_is_told_to_the_admins_once(
    linked: Linked, nobody: object
) -> None:
    await linked.answer(await linked.ask(BEN, NEW + 1))
    request = (await linked.row()).id
    await spoil(linked, request, "user_id", nobody)
    await pass_time(linked)
    again = Linked(linked.house)
    linked.after(timedelta(minutes=1))
    await pass_time(again)
    linked.after(timedelta(minutes=1))
    await pass_time(again)
    assert [(x.client, x.telegram_id) for x in await told(linked, ADMIN_CHAT)] == [("", 0)]
    assert await told(linked, BEN) == []
    assert linked.broker.asked == again.broker.asked == []


async def test_words_after_a_damaged_question_are_taken_for_the_password(linked: Linked) -> None:
    """Nobody knows what was asked for, and it may have been that."""
    await linked.begin()
    await linked.hear(ALICE, SERVER)
    await linked.hear(ALICE, str(NEW))
    await pass_time(linked)
    await spoil(linked, (await linked.row()).id, "begun_at", "x")
    with pytest.raises(UnreadableRow):
        await linked.hear(ALICE, PASSWORD)
    await pass_time(linked)
    assert await linked.hear(ALICE, PASSWORD) == REMOVED


async def test_one_that_has_ended_and_is_met_is_mended_too(linked: Linked) -> None:
    await pass_time(linked)
    await linked.ask()
    await linked.answer((await linked.row()).id, approve=False)
    request = (await linked.row()).id
    await spoil(linked, request, "ended_at", "x")
    with pytest.raises(UnreadableRow):
        await linked.begin()
    await pass_time(linked)
    assert await linked.begin() == TAKEN
    linked.after(timedelta(seconds=1))
    await pass_time(linked)
    assert len(await told(linked, ADMIN_CHAT)) == 1


async def test_a_damaged_request_stops_no_rotation_of_the_keys(linked: Linked) -> None:
    house = linked.house
    damaged = await linked.ask(BEN, NEW + 1)
    await linked.ask(ALICE)
    await spoil(linked, damaged, "begun_at", "x")
    ring = Vault(lambda: (KEYS[1], KEYS[0]))
    links = Links(store=house.store, clock=house.clock, vault=ring, actor="operator:tester")
    await links.encrypt_anew()
    await linked.requests.pass_time()
    token = (await linked.row()).password_token
    assert token is not None
    assert Vault(lambda: KEYS[1:]).unseal(NEW, SERVER, token).reveal() == PASSWORD
