"""Who is asking: known people, and the record of those who were refused."""

from datetime import datetime

from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.people import Person
from core.domain.standing import SEEN_EVERY
from core.ports import Clock, Store
from core.records import UserRow
from core.services import audit
from core.services.persons import person_of
from core.services.turning_away import TurnedAway

WHAT_LENGTH_MAX = 200
LANGUAGE_LENGTH_MAX = 16
"""Of what an app says that it speaks, such as `es` or `pt-BR`."""


class People:
    """Tell who a Telegram user is, and audit refusals."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[int, tuple[datetime, str]] = {}
        self._turned_away = TurnedAway(store, clock)

    async def identify(self, telegram_id: int) -> Person | None:
        """The person behind a Telegram id, or None for a stranger."""
        async with self._store.reading() as tx:
            user = await tx.first(UserRow, telegram_id=telegram_id)
            if user is None:
                return None
            return await person_of(tx, user)

    async def seen(self, person: Person, app_language: str = "") -> None:
        """Remember that somebody was here, to within SEEN_EVERY, and what their Telegram speaks.

        Raises StoreUnavailable.
        """
        now, speaks = self._clock.now(), app_language[:LANGUAGE_LENGTH_MAX]
        before_at, spoke = self._seen.get(person.user_id, (None, ""))
        if before_at is not None and now - before_at < SEEN_EVERY and spoke == speaks:
            return
        async with self._store.writing() as tx:
            await tx.update(UserRow, {"id": person.user_id}, seen_at=now, app_language=speaks)
        self._seen[person.user_id] = (now, speaks)

    async def turn_away(self, telegram_id: int, what: str) -> None:
        """Audit that somebody without rights was refused: by name at first, then by numbers."""
        if await self._turned_away.count(telegram_id):
            await self.refuse(telegram_id, what)

    async def pass_time(self) -> None:
        """Write the hour's numbers once it is over."""
        await self._turned_away.pass_time()

    async def settle(self) -> None:
        """Write the numbers so far: the process ends."""
        await self._turned_away.settle()

    async def refuse(self, telegram_id: int, what: str) -> None:
        """Add a refusal to the system's audit chain."""
        async with self._store.writing() as tx:
            await audit.append(
                tx,
                SYSTEM,
                f"telegram:{telegram_id}",
                words.ACCESS_REFUSED,
                {"what": what[:WHAT_LENGTH_MAX]},
                self._clock.now(),
            )
