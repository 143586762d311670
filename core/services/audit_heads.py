"""Once a day the heads of all chains go into the system's chain, and its head to the admin chat.

So one head that somebody keeps tells what was removed from the end of any chain: the system's link
vouches for the accounts' heads, and the head in the chat for that link.
"""

from datetime import UTC, date, timedelta
from typing import Any, Final

from core.domain import alerts_audit
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.audit_check import HEAD_DIGITS
from core.domain.periods import digest_day
from core.ports import Clock, Store
from core.records import AuditRow
from core.services import audit
from core.services.audit_keys import chains
from core.services.policy import EnginePolicy
from core.services.speaking import speak

HEADS_PER_LINK: Final = 500
"""Heads that one link keeps; where there are more, further links follow it."""
MAKE_UP: Final = timedelta(days=1)
HOUR_WITHOUT_DIGESTS: Final = 7


class RecordHeads:
    """Records the heads that are due, once for each day."""

    def __init__(self, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._done: date | None = None

    async def __call__(self) -> int:
        """Record and publish what is due now; answers of how many chains.

        Raises StoreUnavailable.
        """
        hour = self._policy.digest_hour
        due = HOUR_WITHOUT_DIGESTS if hour is None else hour
        day = digest_day(self._clock.now(), due, UTC, MAKE_UP)
        if day is None or day == self._done:
            return 0
        count = await self._record(day, told=hour is not None)
        self._done = day
        return count

    async def _record(self, day: date, *, told: bool) -> int:
        now = self._clock.now()
        async with self._store.writing() as tx:
            last = await tx.first(
                AuditRow, account_id=SYSTEM, action=words.HEADS_RECORDED, order_by="-sequence"
            )
            if last is not None and last.detail.get("day") == day.isoformat():
                return 0
            heads: dict[str, Any] = {
                str(row.account_id): [row.sequence, row.hash]
                async for row in chains(tx)
                if row.account_id != SYSTEM
            }
            names = list(heads)
            link: AuditRow | None = None
            for at in range(0, max(1, len(names)), HEADS_PER_LINK):
                part = {name: heads[name] for name in names[at : at + HEADS_PER_LINK]}
                detail = {"day": day.isoformat(), "heads": part}
                link = await audit.append(tx, SYSTEM, "engine", words.HEADS_RECORDED, detail, now)
            if told and link is not None:
                alert = alerts_audit.HeadsRecorded(
                    day=day,
                    sequence=link.sequence,
                    hash=link.hash[:HEAD_DIGITS],
                    accounts=len(heads),
                    at=now,
                )
                await speak(tx, alert, client=None, admin=self._policy.admin_chat_id, now=now)
        return len(heads)
