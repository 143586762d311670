"""Limits of an account: tightening is immediate, loosening waits (law 8).

Effective limits live with the account. A setting that is looser than what is in force becomes
pending when the account is flat and unlatched, and takes effect 24 h later; one that is tighter is
in force at once and withdraws anything pending.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

LOOSENING_WAIT = timedelta(hours=24)


class GuardLimits(Struct, frozen=True, kw_only=True, gc=False):
    """The three figures that always enforce. Percentages are percent, money is pounds."""

    max_drawdown_percent: Decimal
    warn_drawdown_percent: Decimal
    min_equity_gbp: Decimal


class LimitState(Struct, frozen=True, kw_only=True, gc=False):
    """What is in force, and what waits to be."""

    in_force: GuardLimits
    pending: GuardLimits | None = None
    effective_at: datetime | None = None


def tightest(one: GuardLimits, other: GuardLimits) -> GuardLimits:
    """The stricter of both in each figure."""
    return GuardLimits(
        max_drawdown_percent=min(one.max_drawdown_percent, other.max_drawdown_percent),
        warn_drawdown_percent=min(one.warn_drawdown_percent, other.warn_drawdown_percent),
        min_equity_gbp=max(one.min_equity_gbp, other.min_equity_gbp),
    )


def align(state: LimitState, wanted: GuardLimits, now: datetime, *, may_loosen: bool) -> LimitState:
    """Bring the limits in force towards the wanted ones.

    `may_loosen` is whether the account is flat and unlatched now. A pending loosening stays only
    while it is still what is wanted, and ripens only while the account may loosen.
    """
    in_force = tightest(state.in_force, wanted)
    if in_force == wanted:
        return LimitState(in_force=in_force)
    if state.pending != wanted or state.effective_at is None:
        if not may_loosen:
            return LimitState(in_force=in_force)
        return LimitState(in_force=in_force, pending=wanted, effective_at=now + LOOSENING_WAIT)
    if now >= state.effective_at and may_loosen:
        return LimitState(in_force=wanted)
    return LimitState(in_force=in_force, pending=wanted, effective_at=state.effective_at)
