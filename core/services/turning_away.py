"""Strangers who were turned away: each once by name, then counted, and one link for the hour.

Whoever writes a thousand times, or from a thousand accounts, must not fill the audit. What was
counted and not written yet is lost with a process that is killed; the names before it are not.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.ports import Clock, Store, StoreUnavailable
from core.services import audit

HOUR: Final = timedelta(hours=1)
NAMED_MAX: Final = 20
"""Strangers of an hour that get a link of their own."""
COUNTED_MAX: Final = 2_000
"""Strangers of an hour that are counted each; the others are counted together."""
MOST_MAX: Final = 10
"""How many of them the hour's link lists, the busiest first."""


class TurnedAway:
    """Counts, and tells whether one deserves a link of its own."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._began_at: datetime | None = None
        self._named: set[int] = set()
        self._counts: Counter[int] = Counter()
        self._others = 0

    async def count(self, telegram_id: int) -> bool:
        """Count one; whether it is this person's first of the hour, among the first NAMED_MAX."""
        await self.pass_time()
        if self._began_at is None:
            self._began_at = self._clock.now()
        if telegram_id in self._counts or len(self._counts) < COUNTED_MAX:
            self._counts[telegram_id] += 1
        else:
            self._others += 1
        if telegram_id in self._named or len(self._named) >= NAMED_MAX:
            return False
        self._named.add(telegram_id)
        return True

    async def pass_time(self) -> None:
        """Write the hour's link once the hour is over. Raises StoreUnavailable."""
        if self._began_at is not None and self._clock.now() - self._began_at >= HOUR:
            await self.settle()

    async def settle(self) -> None:
        """Write what was counted so far, if anything. Raises StoreUnavailable."""
        if self._began_at is None:
            return
        now = self._clock.now()
        detail = {
            "since": self._began_at,
            "people": len(self._counts),
            "refusals": self._counts.total() + self._others,
            "most": [[str(who), n] for who, n in self._counts.most_common(MOST_MAX)],
            "uncounted": self._others,
        }
        counted = (self._began_at, self._others, self._counts, self._named)
        # The next hour begins before anything is awaited: many may come to its end at once.
        self._began_at, self._others, self._counts, self._named = None, 0, Counter(), set()
        try:
            async with self._store.writing() as tx:
                await audit.append(tx, SYSTEM, "engine", words.ACCESS_REFUSALS, detail, now)
        except StoreUnavailable:
            self._began_at, self._others = counted[0], counted[1] + self._others
            self._counts, self._named = counted[2] + self._counts, counted[3] | self._named
            raise
