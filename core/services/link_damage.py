"""A link request that cannot be read: it is ended, told once, and stops nobody else's.

Somebody wrote it by hand, or the disk is damaged. Nothing is guessed of what stood in it: all of it
is blanked but whose it is, its password first, and its person begins anew.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
import structlog

from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.linking import Failure, LinkState, Problem
from core.ports import Clock, Store, Transaction, UnreadableRow
from core.records import UserRow
from core.records_links import LinkRequestRow
from core.services import audit
from core.services.counting import following
from core.services.speaking import speak

ROWS_AT_ONCE: Final = 100
"""Requests of one query, where all are looked through."""
ACTOR: Final = "engine"
log = structlog.get_logger(__name__)


def is_sound(row: LinkRequestRow) -> bool:
    """Whether every value is of its column's kind, and every word one that there is."""
    try:
        msgspec.convert(msgspec.structs.asdict(row), LinkRequestRow)
        LinkState(row.state)
        Problem(row.problem or Problem.SERVER)
        Failure(row.failure or Failure.TRIES)
    except (ValueError, TypeError):
        return False
    return True


def sound(row: LinkRequestRow | None) -> LinkRequestRow | None:
    """The same row. Raises UnreadableRow where it means nothing."""
    if row is not None and not is_sound(row):
        raise UnreadableRow(f"link request {row.id} cannot be read")
    return row


class SoundRequests:
    """Reads requests, and ends those that cannot be read. Every method raises StoreUnavailable."""

    def __init__(self, *, store: Store, clock: Clock, admin_chat_id: int) -> None:
        self._store = store
        self._clock = clock
        self._admin = admin_chat_id
        self._suspicious = True

    def suspect(self) -> None:
        """Have all looked through soon: one could not be read just now."""
        self._suspicious = True

    async def pass_time(self) -> None:
        """Look through those that are open; through all of them at the start and on suspicion."""
        if self._suspicious:
            self._suspicious = False
            await self._mend({})
        await self.find(ended_at=None)

    async def find(self, **where: Any) -> list[LinkRequestRow]:
        """Give the rows that match and can be read, after having ended those that cannot."""
        try:
            rows = await self._read(where)
        except UnreadableRow:
            await self._mend({})
            rows = await self._read(where)
        async with self._store.reading() as tx:
            known = {user.id for user in await tx.find(UserRow, id=[row.user_id for row in rows])}
        good = [row for row in rows if is_sound(row) and row.user_id in known]
        for row in rows:
            if row not in good:
                await self._end(row.id)
        return good

    async def _read(self, where: dict[str, Any]) -> list[LinkRequestRow]:
        async with self._store.reading() as tx:
            return await tx.find(LinkRequestRow, **where)

    async def _mend(self, where: dict[str, Any]) -> None:
        """End each one that cannot be read. A transaction is lost with the first of them."""
        after: int | None = 0
        while after is not None:
            try:
                rows = await self._page(after, where)
            except UnreadableRow:
                after = await self._mend_one(after, where)
                continue
            for row in rows:
                if not is_sound(row):
                    await self._end(row.id)
            after = rows[-1].id if len(rows) == ROWS_AT_ONCE else None

    async def _page(self, after: int, where: dict[str, Any]) -> list[LinkRequestRow]:
        async with self._store.reading() as tx:
            return await tx.find(LinkRequestRow, id__gt=after, limit=ROWS_AT_ONCE, **where)

    async def _mend_one(self, after: int, where: dict[str, Any]) -> int | None:
        """End the next one if it is damaged; its number."""
        async with self._store.reading() as tx:
            number = await following(tx, LinkRequestRow, "id", after, **where)
        if number is None:
            return None
        try:
            async with self._store.reading() as tx:
                sound(await tx.get(LinkRequestRow, number))
        except UnreadableRow:
            await self._end(number)
        return number

    async def _end(self, number: int) -> None:
        """Blank it, and tell: only once, also where its person is what cannot be read."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            once = {"id": number, "failure__ne": Failure.DAMAGED.value}
            if not await tx.update(LinkRequestRow, once, **_blank(now)):
                return
            row = await tx.get(LinkRequestRow, number)
            user = None if row is None else await tx.get(UserRow, row.user_id)
            await self._tell(tx, number, user, now)
        log.error("link_request_damaged", request=number)

    async def _tell(
        self, tx: Transaction, number: int, user: UserRow | None, now: datetime
    ) -> None:
        person = 0 if user is None else user.telegram_id
        detail = {"request": number, "person": person, "failure": Failure.DAMAGED.value}
        await audit.append(tx, SYSTEM, ACTOR, words.LINK_FAILED, detail, now)
        told = k.RequestDamaged(
            request_id=number, client="" if user is None else user.name, telegram_id=person, at=now
        )
        await speak(tx, told, client=person or None, admin=self._admin, now=now)


def _blank(now: datetime) -> dict[str, Any]:
    """What stands in a damaged row from now on."""
    return {
        "state": LinkState.FAILED.value,
        "server": "",
        "login": 0,
        "password_token": None,
        "problem": "",
        "wrong": 0,
        "late": 0,
        "checks": 0,
        "begun_at": now,
        "due_at": now,
        "asked_at": None,
        "decided_at": None,
        "decided_by": "",
        "ended_at": now,
        "failure": Failure.DAMAGED.value,
        "account_id": None,
    }
