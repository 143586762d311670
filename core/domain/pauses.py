"""What admins may pause, and for how long. The drawdown guard and every lock are not among it."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct


class Pausable(StrEnum):
    """`market`: closes and blocks of the market guard. `signals`: posting and approving them."""

    MARKET = "market"
    SIGNALS = "signals"


PAUSE_MIN = timedelta(minutes=1)
PAUSE_MAX = timedelta(hours=24)
"""A pause always ends by itself, at the latest after so long."""


class Pause(Struct, frozen=True, kw_only=True):
    """One pause that holds until `until`, by whom (a user's id and name), since when and why."""

    what: Pausable
    user_id: int
    by: str
    reason: str
    since: datetime
    until: datetime


def since_ms(pause: Pause) -> int:
    """When it began, for a button: milliseconds since 1970."""
    return round(pause.since.timestamp() * 1000)


def holds(pause: Pause | None, now: datetime) -> bool:
    """Whether it holds now."""
    return pause is not None and now < pause.until


def span_of(text: str) -> timedelta | None:
    """`15m`, `1h`, `90m` as a length of time within the bounds; None for anything else."""
    digits, unit = text[:-1], text[-1:].lower()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len("1440")):
        return None
    if unit not in {"m", "h"}:
        return None
    asked = timedelta(hours=int(digits)) if unit == "h" else timedelta(minutes=int(digits))
    return asked if PAUSE_MIN <= asked <= PAUSE_MAX else None
