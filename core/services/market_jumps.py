"""Jumps that a reading showed of a symbol nobody was known to hold, until a holder is read.

The first account whose reading shows a jump need not be one that holds the symbol: it may only wait
for a trade of it, or be read before the holders after a start. The quote is remembered as seen from
then on, so the jump itself must be kept for whoever held the symbol when it happened.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from core.domain.broker import AccountSnapshot
from core.domain.quotes import Alarm, Seen

KEPT: Final = timedelta(minutes=10)
"""By then every account that can be read was read."""
JUMPS_MAX: Final = 2_000
"""Past it the oldest is forgotten."""


class _Jump(Struct, frozen=True):
    alarm: Alarm
    at: datetime


class UnclaimedJumps:
    """The newest unclaimed jump of each symbol at each server."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Jump] = {}

    def keep(self, server: str, symbol: str, alarm: Alarm, now: datetime) -> None:
        """Nobody is known to hold the symbol."""
        self._kept.pop((server, symbol), None)
        self._kept[server, symbol] = _Jump(alarm, now)
        while len(self._kept) > JUMPS_MAX:
            del self._kept[next(iter(self._kept))]

    def of(self, snapshot: AccountSnapshot, symbol: str, seen: Seen) -> Alarm | None:
        """The jump that this reading is to be judged by: its own, or one its position was in.

        Whoever opened after the jump did so at the price it led to.
        """
        if seen.jump is not None:
            return seen.jump
        kept = self._kept.get((snapshot.state.server, symbol))
        if kept is None:
            return None
        if snapshot.observed_at - kept.at > KEPT:
            del self._kept[snapshot.state.server, symbol]
            return None
        held = (p for p in snapshot.positions if p.symbol == symbol)
        if not any(p.opened_at <= kept.at for p in held):
            return None
        del self._kept[snapshot.state.server, symbol]
        return kept.alarm
