"""What was told aloud and is resolved in its place is said to be over, once, without a sound."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_terminal as t
from core.domain.alerts_over import AlertsOver
from core.domain.endings import GATHER, GATHER_MAX
from core.domain.hearing import Group, Level
from core.records import OutboxRow
from core.services.preferences import Preferences
from core.services.speaking import speak
from tests.engine.gateway import START
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, GBP, USD, D, House
from tests.engine.test_alarms import BLIND, SEES

WHO: dict[str, Any] = {"account_id": 1, "login": GBP, "client": "Alice", "currency": "GBP"}


def unread(login: int = GBP, positions: int | None = 0) -> t.AccountUnavailable:
    facts = WHO | {"account_id": login, "login": login}
    return t.AccountUnavailable(**facts, reason="x", since=START, positions_count=positions)


def back(login: int = GBP) -> t.AccountRecovered:
    facts = WHO | {"account_id": login, "login": login}
    return t.AccountRecovered(**facts, since=START, at=START + timedelta(minutes=2))


class Ears:
    """Says alerts to Alice and the admin chat, and is the Telegram that takes them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.quiet: set[int] = set()

    async def say(self, *alerts: a.Alert, client: int | None = ALICE) -> None:
        now = self.house.clock.now()
        async with self.house.store.writing() as tx:
            for alert in alerts:
                await speak(tx, alert, client=client, admin=ADMIN_CHAT, now=now)

    async def deliver(self) -> None:
        """Everything due arrives: with a sound, but for edits and in chats that are quiet."""
        now = self.house.clock.now()
        async with self.house.store.writing() as tx:
            for row in await tx.find(OutboxRow, state="due", due_at__le=now):
                rang = row.mode != "edit" and row.chat_id not in self.quiet
                changes = {"state": "sent", "message_id": 1000 + row.id, "rang": rang}
                await tx.update(OutboxRow, {"id": row.id}, **changes)

    async def lines(self, chat_id: int | None = None) -> list[tuple[OutboxRow, AlertsOver]]:
        rows = [r for r in await self.rows("AlertsOver") if chat_id in {None, r.chat_id}]
        return [(row, msgspec.json.decode(row.payload, type=AlertsOver)) for row in rows]

    async def rows(self, kind: str) -> list[OutboxRow]:
        return [row for row in await self.house.rows(OutboxRow) if row.kind == kind]

    def later(self, seconds: float) -> None:
        self.house.clock.instant += timedelta(seconds=seconds)


@pytest.fixture
async def ears(house: House) -> Ears:
    return Ears(house)


async def test_what_rang_is_said_to_be_over_as_a_reply_in_each_chat_where_it_did(
    ears: Ears,
) -> None:
    await ears.say(unread())
    await ears.deliver()
    ears.later(120)
    await ears.say(back())
    told = await ears.rows("AccountUnavailable")
    lines = await ears.lines()
    assert {(row.chat_id, row.about_id) for row, _ in lines} == {(r.chat_id, r.id) for r in told}
    for row, line in lines:
        assert (row.mode, row.priority, row.state) == ("reply", int(a.Priority.INFO), "due")
        assert row.due_at == ears.house.clock.now() + GATHER
        (ending,) = line.endings
        assert (ending.kind, ending.login) == ("unread", GBP)
        assert ending.since is not None
        assert ending.until - ending.since == timedelta(minutes=2)


async def test_what_made_no_sound_or_was_muted_or_never_arrived_is_not_said_to_be_over(
    ears: Ears,
) -> None:
    alice = await ears.house.person(ALICE)
    preferences = Preferences(ears.house.store, ears.house.clock)
    await preferences.set_level(alice, Group.TERMINAL, Level.OFF)
    ears.quiet = {ADMIN_CHAT}
    await ears.say(unread())
    await ears.deliver()
    await ears.say(back())
    await ears.say(unread(USD), client=None)
    await ears.say(back(USD), client=None)
    assert await ears.lines() == []


async def test_mere_news_is_not_said_to_be_over_though_it_rang(ears: Ears) -> None:
    await ears.say(unread())
    async with ears.house.store.writing() as tx:
        await tx.update(OutboxRow, {"kind": "AccountUnavailable"}, priority=2)
    await ears.deliver()
    await ears.say(back())
    assert await ears.lines() == []


async def test_forty_that_end_within_seconds_are_one_line_in_the_admin_chat(ears: Ears) -> None:
    """Half of them now, half four seconds later: the line waits five from the last on."""
    logins = range(60_000, 60_040)
    await ears.say(*(unread(login, positions=1) for login in logins), client=None)
    await ears.deliver()
    for login in logins[:20]:
        await ears.say(back(login), client=None)
    ears.later(4)
    for login in logins[20:]:
        await ears.say(back(login), client=None)
    ((row, line),) = await ears.lines()
    assert [ending.login for ending in line.endings] == list(logins)
    assert (row.mode, row.about_id) == ("new", None)
    assert row.due_at == ears.house.clock.now() + GATHER
    ears.later(5)
    await ears.deliver()
    await ears.say(unread(GBP, positions=1), client=None)
    await ears.deliver()
    await ears.say(back(GBP), client=None)
    assert len(await ears.lines()) == 2, "what is sent gains nothing any more"


async def test_a_line_waits_no_longer_than_its_bound_however_much_goes_on_ending(
    ears: Ears,
) -> None:
    logins = range(60_000, 60_015)
    await ears.say(*(unread(login, positions=1) for login in logins), client=None)
    await ears.deliver()
    began = ears.house.clock.now()
    for login in logins:
        await ears.say(back(login), client=None)
        ears.later(4)
    lines = await ears.lines()
    assert [len(line.endings) for _, line in lines] == [12, 3]
    assert lines[0][0].due_at == began + GATHER_MAX


async def test_the_line_outlives_a_restart_and_is_not_made_twice(ears: Ears) -> None:
    house = ears.house
    house.fault(GBP, "disconnected")
    await house.run(60)
    await ears.deliver()
    house.sim.clear_faults(GBP)
    await house.run(20)
    before = [row for row, _ in await ears.lines()]
    assert {row.chat_id for row in before} == {ALICE, ADMIN_CHAT}
    await house.restart()
    await house.run(20)
    assert [row for row, _ in await ears.lines()] == before


async def test_a_difference_that_ends_by_a_close_is_told_to_its_client_by_the_close_alone(
    ears: Ears,
) -> None:
    house = ears.house
    ticket = house.open(GBP, "buy", "0.10")
    await house.run(15)
    await ears.deliver()
    house.close_position(GBP, ticket)
    await house.run(15)
    assert (await house.kinds(ALICE)).count("PositionClosed") == 1
    assert [row.chat_id for row, _ in await ears.lines()] == [ADMIN_CHAT]


async def test_an_admin_woken_in_private_by_an_alarm_reads_there_that_it_is_over(
    ears: Ears,
) -> None:
    """The admin chat and the client get the message that the guard sees again."""
    await ears.say(BLIND)
    await ears.deliver()
    ears.later(601)
    await ears.house.engine.alarms.pass_time()
    await ears.deliver()
    await ears.say(replace(SEES, at=ears.house.clock.now()))
    ((row, line),) = await ears.lines()
    assert row.chat_id == ADMIN
    (ending,) = line.endings
    assert (ending.kind, ending.about, ending.login) == ("alarm", "GuardBlind", GBP)
    blind = await ears.rows("GuardBlind")
    (copy,) = [each for each in blind if (each.chat_id, each.mode) == (ADMIN, "new")]
    assert row.about_id == copy.id


async def test_a_drawdown_that_eases_is_said_to_be_over(ears: Ears) -> None:
    """1.00 lot of gold bought at 1970.30 loses 15.5 % of 12,000 USD at 1951.70, 10 % at 1958.30."""
    house = ears.house
    house.open(USD, "buy", "1.00")
    await house.run(5)
    house.price("1951.70", "1952.00")
    await house.run(6)
    await ears.deliver()
    house.price("1958.30", "1958.60")
    await house.run(6)
    lines = [line for _, line in await ears.lines(102)]
    assert [[ending.kind for ending in line.endings] for line in lines] == [["drawdown"]]
    assert D("0.155") == D("1860") / D("12000")


async def test_a_line_that_is_due_may_be_on_its_way_and_gains_nothing(ears: Ears) -> None:
    await ears.say(unread(60_001, 1), unread(60_002, 1), client=None)
    await ears.deliver()
    await ears.say(back(60_001), client=None)
    ears.later(GATHER.total_seconds())
    await ears.say(back(60_002), client=None)
    lines = await ears.lines()
    assert [[e.login for e in line.endings] for _, line in lines] == [[60_001], [60_002]]


async def test_what_ends_in_a_message_of_its_own_needs_no_line(ears: Ears) -> None:
    """Telegram gave no number for what rang, so there is nothing to edit: the end comes anew."""
    await ears.say(unread(), client=None)
    await ears.deliver()
    async with ears.house.store.writing() as tx:
        await tx.update(OutboxRow, {"kind": "AccountUnavailable"}, message_id=None)
    await ears.say(back(), client=None)
    assert await ears.lines() == []
