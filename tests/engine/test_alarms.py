"""An alert that needs somebody is repeated until somebody has it, or it is over."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alerts_rules as r
from core.domain.alerts import Priority
from core.domain.people import Role
from core.people_file import PeopleFile, UserEntry
from core.records import AlarmRow, AuditRow, OutboxRow
from core.services.alarms import REPEATS_A_MINUTE_MAX
from core.services.errors import Refused
from core.services.speaking import speak
from tests.engine.gateway import START
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, PEOPLE, USD, D, House

OMAR = 12
NOW = START
BLIND = r.GuardBlind(
    account_id=1,
    login=50001,
    client="Alice",
    currency="GBP",
    since=NOW,
    positions_count=1,
    reason="no connection",
    at=NOW,
)
SEES = r.GuardSees(
    account_id=1, login=50001, client="Alice", currency="GBP", since=NOW, equity=D(9000), at=NOW
)


class Watch:
    """A house with two admins whose guard goes blind."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def say(self, alert: r.GuardBlind | r.GuardSees) -> None:
        now = self.house.clock.now()
        async with self.house.store.writing() as tx:
            await speak(tx, alert, client=ALICE, admin=ADMIN_CHAT, now=now)

    async def deliver(self) -> None:
        """Telegram takes everything that is due."""
        async with self.house.store.writing() as tx:
            for row in await tx.find(OutboxRow, state="due"):
                changes = {"state": "sent", "message_id": 1000 + row.id}
                await tx.update(OutboxRow, {"id": row.id}, **changes)

    async def after(self, seconds: float) -> list[tuple[int, str]]:
        """Let time pass, minute by minute; answers (chat, mode) of what is repeated."""
        before = {row.id for row in await self.house.rows(OutboxRow)}
        for _ in range(int(seconds // 60)):
            self.house.clock.instant += timedelta(seconds=60)
            await self.house.engine.alarms.pass_time()
            await self.deliver()
        rows = await self.house.rows(OutboxRow)
        return [(row.chat_id, row.mode) for row in rows if row.id not in before]

    async def alarm(self) -> AlarmRow:
        (alarm,) = await self.house.rows(AlarmRow)
        assert isinstance(alarm, AlarmRow)
        return alarm


@pytest.fixture
async def watch(house: House) -> Watch:
    omar = UserEntry(telegram_id=OMAR, name="Omar", role=Role.OWNER)
    house.people = PeopleFile(users=(*PEOPLE.users, omar), accounts=PEOPLE.accounts)
    await house.restart()
    made = Watch(house)
    await made.say(BLIND)
    await made.deliver()
    return made


async def test_nobody_answers_so_the_admins_are_told_in_turn_twice_and_then_no_more(
    watch: Watch,
) -> None:
    assert await watch.after(240) == []
    assert await watch.after(60) == [(ADMIN_CHAT, "reply"), (ADMIN, "new")]
    assert await watch.after(300) == [(ADMIN_CHAT, "reply"), (OMAR, "new")]
    assert await watch.after(300) == [(ADMIN_CHAT, "reply"), (ADMIN, "reply")]
    assert await watch.after(300) == [(ADMIN_CHAT, "reply"), (OMAR, "reply")]
    assert await watch.after(3600) == []
    copies = await watch.house.rows(OutboxRow, thread=f"alarm:{(await watch.alarm()).id}")
    assert {copy.priority for copy in copies} == {Priority.CRITICAL}
    links = await watch.house.rows(AuditRow, action="alarm_repeated")
    assert [link.detail["to"] for link in links] == ["Ada", "Omar", "Ada", "Omar"]


async def test_a_restart_neither_forgets_an_alarm_nor_repeats_it_twice(watch: Watch) -> None:
    await watch.after(240)
    await watch.house.restart()
    assert await watch.after(60) == [(ADMIN_CHAT, "reply"), (ADMIN, "new")]
    await watch.house.restart()
    assert await watch.after(240) == []


async def test_whoever_takes_it_is_named_on_every_copy_and_it_is_repeated_no_more(
    watch: Watch,
) -> None:
    await watch.after(300)
    omar = await watch.house.person(OMAR)
    await watch.house.engine.alarms.take(omar, (await watch.alarm()).id)
    alarm = await watch.alarm()
    assert (alarm.taken_by, alarm.taken_at) == ("Omar", watch.house.clock.now())
    edits = [row for row in await watch.house.rows(OutboxRow) if row.state == "due"]
    assert [(row.chat_id, row.mode, row.kind) for row in edits] == [
        (ADMIN_CHAT, "edit", "GuardBlind"),
        (ADMIN, "edit", "GuardBlind"),
    ]
    assert edits[0].about_id == alarm.outbox_id
    await watch.deliver()
    assert await watch.after(3600) == []
    (link,) = await watch.house.rows(AuditRow, action="alarm_taken")
    assert (link.actor, link.detail["alarm"]) == ("Omar", alarm.id)


async def test_it_is_taken_once_and_the_second_is_told_by_whom(watch: Watch) -> None:
    number = (await watch.alarm()).id
    ada, omar = await watch.house.person(ADMIN), await watch.house.person(OMAR)
    await watch.house.engine.alarms.take(ada, number)
    with pytest.raises(Refused) as caught:
        await watch.house.engine.alarms.take(omar, number)
    assert (caught.value.code, caught.value.facts["by"]) == ("alarm_taken", "Ada")
    for actor, which, code in (
        (omar, number + 1, "no_alarm"),
        (await watch.house.person(ALICE), number, "not_admin"),
    ):
        with pytest.raises(Refused, match=code):
            await watch.house.engine.alarms.take(actor, which)


async def test_what_is_over_is_repeated_no_more_and_loses_its_button(watch: Watch) -> None:
    await watch.say(SEES)
    alarm = await watch.alarm()
    assert alarm.over_at == watch.house.clock.now()
    (edit,) = [row for row in await watch.house.rows(OutboxRow) if row.about_id == alarm.outbox_id]
    assert (edit.mode, edit.priority) == ("edit", Priority.INFO)
    assert await watch.after(3600) == []
    with pytest.raises(Refused, match="alarm_over"):
        await watch.house.engine.alarms.take(await watch.house.person(ADMIN), alarm.id)


async def test_the_same_alarm_is_not_raised_twice_and_a_new_blindness_is_another(
    watch: Watch,
) -> None:
    watch.house.clock.instant += timedelta(minutes=2)
    later = watch.house.clock.now()
    await watch.say(replace(BLIND, at=later))
    assert len(await watch.house.rows(AlarmRow)) == 1
    await watch.say(replace(BLIND, since=later, at=later))
    assert len(await watch.house.rows(AlarmRow)) == 2


async def test_a_breach_is_an_alarm_until_its_account_is_proved_flat(house: House) -> None:
    """2.00 lots of gold bought at 1970.30 lose 2,420 of 12,000 USD at 1958.20: 20.2 %."""
    house.open(USD, "buy", "2.00")
    await house.run(5)
    house.price("1958.20", "1958.50")
    await house.run(6)
    (alarm,) = await house.rows(AlarmRow)
    assert (alarm.kind, alarm.over_at) == ("GuardBreached", None)
    await house.run(20)
    (alarm,) = await house.rows(AlarmRow)
    assert alarm.over_at is not None


async def test_many_alarms_at_once_are_repeated_five_a_minute_the_oldest_first(
    watch: Watch,
) -> None:
    for minutes in range(1, 8):
        await watch.say(replace(BLIND, since=NOW + timedelta(minutes=minutes)))
    await watch.deliver()
    assert len(await watch.after(300)) == 2 * REPEATS_A_MINUTE_MAX
    told = [alarm.repeats for alarm in await watch.house.rows(AlarmRow)]
    assert told == [1] * REPEATS_A_MINUTE_MAX + [0] * 3
    assert len(await watch.after(60)) == 2 * 3
    taken = await watch.house.engine.alarms.take_all(await watch.house.person(OMAR))
    assert taken == 8
    assert await watch.after(3600) == []
