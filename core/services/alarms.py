"""Alarms taken by an admin, or else repeated to the next one.

All of it is rows: an alarm outlives a restart, and a repeat is committed before it is sent.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from core.domain import alarms
from core.domain import audit_words as words
from core.domain.alerts import Priority
from core.domain.audit import SYSTEM
from core.domain.people import Person
from core.domain.speech import NEW, REPLY
from core.domain.standing import ADMIN_ROLES
from core.ports import Clock, Store, Transaction
from core.records import AlarmRow, OutboxRow, UserRow
from core.services import audit
from core.services.alarm_noting import COPY, show
from core.services.errors import Refused
from core.services.hearing import put
from core.services.questions import check_admin

REPEATS_A_MINUTE_MAX: Final = 5
"""Alarms repeated in a minute, oldest first, so that an outage of five hundred accounts does not
keep the admin chat, which takes 18 messages a minute, from hearing anything else."""
MINUTE: Final = timedelta(minutes=1)
TAKEN_MAX: Final = 1_000
OPEN_MAX: Final = 20
"""Open alarms that a list shows."""


class Alarms:
    """Acknowledge alarms, list them, and repeat those that nobody has."""

    def __init__(self, store: Store, clock: Clock, admin_chat_id: int, after_s: float) -> None:
        self._store = store
        self._clock = clock
        self._admin_chat_id = admin_chat_id
        self._after_s = after_s

    async def take(
        self, actor: Person, alarm_id: int, priority: Priority = Priority.WARNING
    ) -> AlarmRow:
        """The actor has it. Raises Refused: not_admin, no_alarm, alarm_taken, alarm_over.

        `priority` is that of the edits which say so.
        """
        check_admin(actor)
        now = self._clock.now()
        async with self._store.writing() as tx:
            alarm = await tx.get(AlarmRow, alarm_id)
            if alarm is None:
                raise Refused("no_alarm")
            if alarm.taken_at is not None:
                raise Refused("alarm_taken", by=alarm.taken_by, at=alarm.taken_at)
            if alarm.over_at is not None:
                raise Refused("alarm_over", at=alarm.over_at)
            await tx.update(
                AlarmRow, {"id": alarm.id}, taken_by=actor.name, taken_at=now, told_at=None
            )
            detail = {"alarm": alarm.id, "kind": alarm.kind, "repeats": alarm.repeats}
            await _audit(tx, alarm, actor.name, words.ALARM_TAKEN, detail, now)
            await show(tx, alarm, now, priority)
        return alarm

    async def take_all(self, actor: Person) -> int:
        """The actor has every open alarm, TAKEN_MAX at most; answers how many those were.

        Raises Refused: not_admin. Their messages are changed after everything else.
        """
        check_admin(actor)
        async with self._store.reading() as tx:
            found = await tx.find(AlarmRow, taken_at=None, over_at=None, limit=TAKEN_MAX)
        taken = 0
        for alarm in found:
            with suppress(Refused):  # somebody else was quicker, or it is over
                await self.take(actor, alarm.id, Priority.INFO)
                taken += 1
        return taken

    async def open(self, actor: Person) -> tuple[int, tuple[tuple[AlarmRow, int | None], ...]]:
        """How many alarms nobody has, and the oldest of them, each with its login.

        Raises Refused: not_admin.
        """
        check_admin(actor)
        async with self._store.reading() as tx:
            found = await tx.find(AlarmRow, taken_at=None, over_at=None, limit=OPEN_MAX)
            count = await tx.count(AlarmRow, taken_at=None, over_at=None)
            rows = [await tx.get(OutboxRow, alarm.outbox_id) for alarm in found]
        logins = [None if row is None else _login(row.payload) for row in rows]
        return count, tuple(zip(found, logins, strict=True))

    async def pass_time(self) -> int:
        """Repeat what is due; answers how many that were. Raises StoreUnavailable."""
        lately = self._clock.now() - MINUTE
        async with self._store.reading() as tx:
            due = await tx.find(
                AlarmRow,
                told_at__le=self._due_before(),
                order_by="told_at",
                limit=REPEATS_A_MINUTE_MAX,
            )
            if not due:
                return 0
            done = await tx.count(AlarmRow, repeats__gt=0, told_at__gt=lately)
        due = due[: max(0, REPEATS_A_MINUTE_MAX - done)]
        for alarm in due:
            async with self._store.writing() as tx:
                await self._repeat(tx, alarm.id)
        return len(due)

    def _due_before(self) -> datetime:
        return self._clock.now() - timedelta(seconds=self._after_s)

    async def _repeat(self, tx: Transaction, alarm_id: int) -> None:
        """Tell the admin chat again, as a reply, and the next admin in private."""
        now = self._clock.now()
        alarm = await tx.get(AlarmRow, alarm_id)
        if alarm is None or alarm.told_at is None or alarm.told_at > self._due_before():
            return
        original = await tx.get(OutboxRow, alarm.outbox_id)
        admins = await tx.find(UserRow, role=ADMIN_ROLES, order_by="id")
        left = alarms.repeats_max(len(admins)) - alarm.repeats
        if original is None or left <= 0:
            await tx.update(AlarmRow, {"id": alarm.id}, told_at=None)
            return
        place = alarms.next_admin(alarm.repeats, len(admins))
        told = None if place is None else admins[place]
        await self._say(tx, alarm, original, self._admin_chat_id, now)
        if told is not None and told.telegram_id != self._admin_chat_id:
            await self._say(tx, alarm, original, told.telegram_id, now)
        await tx.update(
            AlarmRow,
            {"id": alarm.id},
            repeats=alarm.repeats + 1,
            told_at=now,
        )
        detail = {
            "alarm": alarm.id,
            "kind": alarm.kind,
            "repeat": alarm.repeats + 1,
            "to": told.name if told else "",
        }
        await _audit(tx, alarm, "engine", words.ALARM_REPEATED, detail, now)

    async def _say(
        self, tx: Transaction, alarm: AlarmRow, original: OutboxRow, chat_id: int, now: datetime
    ) -> None:
        """A loud copy: a reply under what stands in the chat of it already, else a new message."""
        thread = f"{COPY}{alarm.id}"
        about = original if chat_id == original.chat_id else None
        if about is None:
            about = await tx.first(OutboxRow, chat_id=chat_id, thread=thread, mode=NEW)
        row = OutboxRow(
            dedupe_key=f"{thread}:{chat_id}:{alarm.repeats}",
            chat_id=chat_id,
            priority=int(Priority.CRITICAL),
            thread=thread,
            mode=NEW if about is None else REPLY,
            kind=original.kind,
            payload=original.payload,
            created_at=now,
            due_at=now,
            about_id=None if about is None else about.id,
        )
        await put(tx, row, admin=chat_id)


async def _audit(
    tx: Transaction,
    alarm: AlarmRow,
    actor: str,
    word: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    await audit.append(tx, alarm.account_id or SYSTEM, actor, word, detail, now)


def _login(payload: str) -> int | None:
    """The account's login in an alert's payload, None where it is about none."""
    about = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    return msgspec.json.decode(about["login"], type=int) if "login" in about else None
