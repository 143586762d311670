"""What an admin's /pause and /resume do: to what is paused, and to the warnings that wait."""

from datetime import timedelta

from core.domain.pauses import Pausable, Pause
from core.domain.people import Person
from core.services.market_guard import MarketGuard
from core.services.pauses import Pauses


class PauseDesk:
    """Pause, resume, and let pauses run out. The drawdown guard does not ask it anything."""

    def __init__(self, pauses: Pauses, market: MarketGuard) -> None:
        self._pauses = pauses
        self._market = market

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
        before = self._pauses.of(what)
        pause = await self._pauses.begin(actor, what, lasts, reason)
        if what is Pausable.MARKET:
            await self._market.pause(pause, before)
        return pause

    async def resume(self, actor: Person, what: Pausable) -> Pause:
        """Go on now; what waited is warned of again. Raises Refused: not_admin, not_paused."""
        pause = await self._pauses.end(actor, what)
        if what is Pausable.MARKET:
            await self._market.resume(pause)
        return pause

    async def pass_time(self) -> None:
        """Tell of pauses that have run out."""
        await self._pauses.expire()
