"""How soon an account is read again: the nearer to a limit, the sooner."""

from decimal import Decimal

from msgspec import Struct

NEAR_FRACTION = Decimal("0.5")
"""From this part of the warning drawdown on, an account is read at the fast interval."""
MARGIN_LEVEL_NEAR_PERCENT = Decimal(200)


class Cadence(Struct, frozen=True, kw_only=True):
    """Seconds between reads: nothing held, something held, something near or unsettled."""

    idle_s: float
    open_s: float
    fast_s: float


class Situation(Struct, frozen=True, kw_only=True, gc=False):
    """What the interval depends on. `unsettled`: a close, a countdown, an unexplained absence."""

    holds_anything: bool
    awaits_trade: bool
    unsettled: bool
    drawdown_percent: Decimal
    warn_percent: Decimal
    margin_level_percent: Decimal | None


def interval_s(cadence: Cadence, situation: Situation) -> float:
    """Seconds until the next read."""
    if situation.unsettled:
        return cadence.fast_s
    level = situation.margin_level_percent
    near = situation.drawdown_percent >= situation.warn_percent * NEAR_FRACTION
    if situation.holds_anything and (
        near or (level is not None and level < MARGIN_LEVEL_NEAR_PERCENT)
    ):
        return cadence.fast_s
    if situation.holds_anything or situation.awaits_trade:
        return cadence.open_s
    return cadence.idle_s
