"""What an admin's /pause and /resume do: to what is paused, and to the warnings that wait."""

import asyncio
from datetime import timedelta

from core.domain.pauses import Pausable, Pause, since_ms
from core.domain.people import Person
from core.services.errors import Refused
from core.services.market_guard import MarketGuard
from core.services.pauses import Pauses


class PauseDesk:
    """Pause, resume, and let pauses run out, one after the other.

    The drawdown guard does not ask it anything.
    """

    def __init__(self, pauses: Pauses, market: MarketGuard) -> None:
        self._pauses = pauses
        self._market = market
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """Know again what was paused before this start."""
        await self._pauses.load()

    def now(self) -> tuple[Pause, ...]:
        """What is paused."""
        return self._pauses.all()

    async def pause(self, actor: Person, what: Pausable, lasts: timedelta, reason: str) -> Pause:
        """Pause it; closes of the market guard that were due are put off as long.

        Raises Refused: not_admin, bad_span, reason_missing, reason_long.
        """
        async with self._lock:
            before = self._pauses.of(what)
            pause = await self._pauses.begin(actor, what, lasts, reason)
            if what is Pausable.MARKET:
                await self._market.pause(pause, before)
            return pause

    async def resume(self, actor: Person, what: Pausable, began_ms: int | None = None) -> Pause:
        """Go on now; what waited is warned of again. Raises Refused: not_admin, not_paused.

        `began_ms` is when the pause began that was seen, None where it was typed just now.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._lock:
            pause = self._pauses.of(what)
            if pause is None or began_ms not in {None, since_ms(pause)}:
                raise Refused("not_paused")
            if what is Pausable.MARKET:
                await self._market.resume(pause)
            await self._pauses.end(actor, pause)
            return pause

    async def pass_time(self) -> None:
        """Tell of pauses that have run out."""
        async with self._lock:
            await self._pauses.expire()
