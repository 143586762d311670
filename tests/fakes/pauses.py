"""What is paused, without a database."""

from collections.abc import Callable
from datetime import timedelta

from core.domain.pauses import Pausable, Pause, since_ms
from core.domain.people import Person
from core.services.errors import Refused
from tests.fakes.clock import START


class FakePauses:
    """Pauses as the service does, and notes what was asked."""

    def __init__(self, asked: Callable[..., None]) -> None:
        self._asked = asked
        self._held: dict[Pausable, Pause] = {}

    def now(self) -> tuple[Pause, ...]:
        """What is paused."""
        return tuple(self._held.values())

    async def pause(self, actor: Person, what: Pausable, lasts: timedelta, reason: str) -> Pause:
        """Pause it."""
        self._asked("pause", actor.telegram_id, what, lasts, reason)
        self._held[what] = Pause(
            what=what,
            user_id=actor.user_id,
            by=actor.name,
            reason=reason,
            since=START,
            until=START + lasts,
        )
        return self._held[what]

    async def resume(self, actor: Person, what: Pausable, began_ms: int | None = None) -> Pause:
        """Go on."""
        self._asked("resume", actor.telegram_id, what)
        held = self._held.get(what)
        if held is None or began_ms not in {None, since_ms(held)}:
            raise Refused("not_paused")
        return self._held.pop(what)
