"""Who is asking: known people, and the record of those who were refused."""

from datetime import datetime

from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.people import Person, Role
from core.domain.standing import SEEN_EVERY
from core.ports import Clock, Store
from core.records import AccountRow, UserRow
from core.services import audit
from core.services.turning_away import TurnedAway

WHAT_LENGTH_MAX = 200


class People:
    """Tell who a Telegram user is, and audit refusals."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen_at: dict[int, datetime] = {}
        self._turned_away = TurnedAway(store, clock)

    async def identify(self, telegram_id: int) -> Person | None:
        """The person behind a Telegram id, or None for a stranger."""
        async with self._store.reading() as tx:
            user = await tx.first(UserRow, telegram_id=telegram_id)
            if user is None:
                return None
            accounts = await tx.find(AccountRow, user_id=user.id, enabled=True)
        return Person(
            user_id=user.id,
            telegram_id=user.telegram_id,
            name=user.name,
            role=Role(user.role),
            time_zone=user.time_zone,
            account_ids=tuple(a.id for a in accounts),
        )

    async def seen(self, person: Person) -> None:
        """Remember that somebody was here, to within SEEN_EVERY. Raises StoreUnavailable."""
        now = self._clock.now()
        before = self._seen_at.get(person.user_id)
        if before is not None and now - before < SEEN_EVERY:
            return
        async with self._store.writing() as tx:
            await tx.update(UserRow, {"id": person.user_id}, seen_at=now)
        self._seen_at[person.user_id] = now

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
