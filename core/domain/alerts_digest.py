"""The daily digest: what yesterday brought each of a person's accounts, told unasked.

It belongs to the union in `core.domain.alerts`; amounts and instants are as there.
"""

from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.alert_parts import AlertBase


class DigestAccount(Struct, frozen=True, kw_only=True):
    """One account's day. `floating` is the open result last read in it, None where none was.

    `unread_s` are the seconds of the day without readings: of those nothing is known. `head_*` is
    the head of its audit when this was made: the number and the beginning of the hash.
    """

    login: int
    currency: str
    realised: Decimal
    floating: Decimal | None
    trades: int
    won: int
    lost: int
    followed: int
    missed: int
    rejected: int
    expired: int
    deposits: Decimal
    withdrawals: Decimal
    credit: Decimal
    worst_drawdown_percent: Decimal | None
    unread_s: int
    curve: tuple[Decimal, ...] = ()
    head_sequence: int | None = None
    head_hash: str = ""


class DailyDigest(AlertBase, frozen=True, kw_only=True):
    """A person's day, in their own time zone. `left_out` accounts have no room in it."""

    user_id: int
    day: date
    time_zone: str
    accounts: tuple[DigestAccount, ...]
    left_out: int
    at: datetime
