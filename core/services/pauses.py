"""/pause and /resume: the market guard's actions and signals, never the drawdown guard."""

from collections.abc import Iterable
from datetime import timedelta

from core.domain import alerts_app as own
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.market import REASON_UNITS_MAX
from core.domain.pauses import PAUSE_MAX, PAUSE_MIN, Pausable, Pause, holds
from core.domain.people import Person
from core.ports import Clock, Store, Transaction
from core.records import PauseRow, UserRow
from core.services import audit
from core.services.errors import Refused
from core.services.speaking import speak


class Pauses:
    """What is paused, kept in memory and in the database; a restart changes nothing of it.

    Whoever changes it does so alone (`core.services.pausing`).
    """

    def __init__(self, store: Store, clock: Clock, admin_chat_id: int) -> None:
        self._store = store
        self._clock = clock
        self._admin_chat_id = admin_chat_id
        self._pauses: dict[Pausable, Pause] = {}

    async def load(self) -> None:
        """Know again what was paused before this start; what ran out meanwhile is told as over."""
        async with self._store.reading() as tx:
            rows = await tx.find(PauseRow, ended_at=None, order_by="id")
            names = {row.id: row.name for row in await tx.find(UserRow, id=_of(rows))}
        for row in rows:
            self._pauses[Pausable(row.what)] = Pause(
                what=Pausable(row.what),
                user_id=row.user_id,
                by=names.get(row.user_id, ""),
                reason=row.reason,
                since=row.created_at,
                until=row.until,
            )

    def of(self, what: Pausable) -> Pause | None:
        """The pause that holds now, if any."""
        pause = self._pauses.get(what)
        return pause if holds(pause, self._clock.now()) else None

    def all(self) -> tuple[Pause, ...]:
        """Everything that is paused now."""
        return tuple(pause for what in Pausable if (pause := self.of(what)) is not None)

    def refuse_signals(self) -> None:
        """Raise Refused: paused (until, by, reason), while signals are."""
        pause = self.of(Pausable.SIGNALS)
        if pause is not None:
            raise Refused("paused", until=pause.until, by=pause.by, reason=pause.reason)

    async def begin(self, actor: Person, what: Pausable, lasts: timedelta, reason: str) -> Pause:
        """Pause it from now on; a pause that holds is replaced.

        Raises Refused: not_admin, bad_span, reason_missing, reason_long.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        if not PAUSE_MIN <= lasts <= PAUSE_MAX:
            raise Refused("bad_span")
        reason = " ".join(reason.split())
        if not reason:
            raise Refused("reason_missing")
        if len(reason) > REASON_UNITS_MAX:
            raise Refused("reason_long", most=REASON_UNITS_MAX)
        now = self._clock.now()
        pause = Pause(
            what=what,
            user_id=actor.user_id,
            by=actor.name,
            reason=reason,
            since=now,
            until=now + lasts,
        )
        async with self._store.writing() as tx:
            await self._end(tx, what, actor)
            await tx.insert(
                PauseRow(
                    what=what.value,
                    user_id=actor.user_id,
                    reason=reason,
                    created_at=now,
                    until=pause.until,
                )
            )
            detail = {"what": what.value, "until": pause.until, "reason": reason}
            await audit.append(tx, SYSTEM, actor.name, words.PAUSED, detail, now)
            alert = own.PauseChanged(
                what=what.value, by=actor.name, at=now, until=pause.until, reason=reason
            )
            await self._say(tx, alert)
        self._pauses[what] = pause
        return pause

    async def end(self, actor: Person, pause: Pause) -> None:
        """Go on now."""
        now, what = self._clock.now(), pause.what
        async with self._store.writing() as tx:
            await self._end(tx, what, actor)
            await audit.append(tx, SYSTEM, actor.name, words.RESUMED, {"what": what.value}, now)
            await self._say(tx, own.PauseChanged(what=what.value, by=actor.name, at=now))
        self._pauses.pop(what, None)

    async def expire(self) -> None:
        """Tell the admins of pauses that have run out, once."""
        now = self._clock.now()
        for what, pause in list(self._pauses.items()):
            if holds(pause, now):
                continue
            async with self._store.writing() as tx:
                where = {"what": what.value, "ended_at": None}
                await tx.update(PauseRow, where, ended_at=pause.until)
                await audit.append(tx, SYSTEM, "engine", words.RESUMED, {"what": what.value}, now)
                await self._say(tx, own.PauseChanged(what=what.value, by="", at=now))
            self._pauses.pop(what, None)

    async def _end(self, tx: Transaction, what: Pausable, actor: Person) -> None:
        changes = {"ended_at": self._clock.now(), "ended_by": actor.user_id}
        await tx.update(PauseRow, {"what": what.value, "ended_at": None}, **changes)

    async def _say(self, tx: Transaction, alert: own.PauseChanged) -> None:
        await speak(tx, alert, client=None, admin=self._admin_chat_id, now=alert.at)


def _of(rows: Iterable[PauseRow]) -> tuple[int, ...]:
    return tuple({row.user_id for row in rows})
