"""The market guard: a gap or a wide spread of a symbol, as one warning per (server, symbol, kind).

Invariants:

1. A warning is an episode: opened once, changed by people or time, resolved once.
2. Unanswered at its deadline, a gap closes that symbol's positions; a wide spread holds and is told
   again each grace period, because closing into a wide spread is what realises it.
3. `Close now` only brings forward what a gap's deadline has scheduled (law 15).
4. Holds and dismissals bind the market guard only, never the drawdown guard.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

import msgspec
from msgspec import Struct

from core.domain.broker import SymbolSpec, Tick
from core.domain.money import HUNDRED
from core.domain.pips import by_symbol, in_pips, pip_size
from core.records import MarketWarningRow

GAP_QUANTUM = Decimal("0.01")


class WarningKind(StrEnum):
    """What is wrong with the market of a symbol."""

    GAP = "gap"
    SPREAD = "spread"


class WarningState(StrEnum):
    """Where a warning stands."""

    OPEN = "open"
    HELD = "held"
    DISMISSED = "dismissed"
    CLOSING = "closing"
    RESOLVED = "resolved"


class MarketPolicy(Struct, frozen=True, kw_only=True):
    """Thresholds and times of the market guard. Spreads in pips, gaps in percent of the mid."""

    gap_percent: Decimal
    spread_pips: Decimal
    spread_pips_by_symbol: Mapping[str, Decimal]
    pip_by_symbol: Mapping[str, Decimal]
    grace_s: float
    hold_s: float


class Alarm(Struct, frozen=True, kw_only=True, gc=False):
    """One quote's fault: the figure and the limit it passed; a gap's two mids."""

    kind: WarningKind
    figure: Decimal
    limit: Decimal
    before: Decimal | None = None
    after: Decimal | None = None


def gap(previous: Tick | None, tick: Tick, policy: MarketPolicy) -> Alarm | None:
    """A jump of the mid between two successive fresh ticks that quote both sides."""
    if previous is None or previous.at >= tick.at or not (is_quoted(previous) and is_quoted(tick)):
        return None
    percent = abs(tick.mid - previous.mid) * HUNDRED / previous.mid
    if percent < policy.gap_percent:
        return None
    shown = percent.quantize(GAP_QUANTUM, ROUND_HALF_EVEN)
    return Alarm(
        kind=WarningKind.GAP,
        figure=shown,
        limit=policy.gap_percent,
        before=previous.mid,
        after=tick.mid,
    )


def is_quoted(tick: Tick) -> bool:
    """Whether the tick is a market: both sides above zero, the ask not under the bid."""
    return 0 < tick.bid <= tick.ask


def spread(tick: Tick, spec: SymbolSpec, policy: MarketPolicy) -> Alarm | None:
    """A spread wider than the symbol's limit, in a tick that quotes both sides."""
    if not is_quoted(tick):
        return None
    own = by_symbol(policy.spread_pips_by_symbol, spec)
    limit = policy.spread_pips if own is None else own
    pips = in_pips(tick.ask - tick.bid, pip_size(spec, policy.pip_by_symbol))
    return Alarm(kind=WarningKind.SPREAD, figure=pips, limit=limit) if pips > limit else None


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """A warning's next value.

    `told` where the chat must hear of it; `close` where its time has come to close the symbol's
    positions; `again` where it is the same warning repeated.
    """

    warning: MarketWarningRow
    told: bool = True
    close: bool = False
    again: bool = False


def open_warning(
    alarm: Alarm,
    tick: Tick,
    server: str,
    account_ids: list[int],
    now: datetime,
    policy: MarketPolicy,
) -> MarketWarningRow:
    """A new warning, with the deadline at which it acts unanswered."""
    return MarketWarningRow(
        server=server,
        symbol=tick.symbol,
        kind=alarm.kind.value,
        state=WarningState.OPEN.value,
        figure=alarm.figure,
        limit=alarm.limit,
        worst=alarm.figure,
        account_ids=account_ids,
        opened_at=now,
        deadline_at=now + timedelta(seconds=policy.grace_s),
    )


def advance(
    warning: MarketWarningRow,
    alarm: Alarm | None,
    account_ids: list[int],
    now: datetime,
    policy: MarketPolicy,
) -> Change | None:
    """What time and the latest quote do to an unresolved warning; None where nothing changes.

    `alarm` is this kind's alarm in the latest quote; `account_ids` who holds the symbol now.
    """
    worst = warning.worst if alarm is None else max(warning.worst, alarm.figure)
    figure = warning.figure if alarm is None else alarm.figure
    current = msgspec.structs.replace(warning, worst=worst, figure=figure, account_ids=account_ids)
    is_gap = warning.kind == WarningKind.GAP
    over = not account_ids or (not is_gap and alarm is None)
    if over:
        return Change(warning=_ended(current, now))
    if warning.state == WarningState.HELD and _passed(warning.hold_until, now):
        reopened = _next(
            current,
            state=WarningState.OPEN.value,
            hold_until=None,
            deadline_at=now + timedelta(seconds=policy.grace_s),
        )
        return Change(warning=reopened, again=True)
    if warning.state == WarningState.OPEN and now >= warning.deadline_at:
        if is_gap:
            return Change(warning=_next(current, state=WarningState.CLOSING.value), close=True)
        again = _next(current, deadline_at=now + timedelta(seconds=policy.grace_s))
        return Change(warning=again, again=True)
    if current.account_ids != warning.account_ids:
        return Change(warning=current, told=False)
    return None


def answer(
    warning: MarketWarningRow, verb: str, user_id: int, now: datetime, policy: MarketPolicy
) -> Change | None:
    """What an admin's press does; None where this warning does not offer that verb (any more)."""
    if warning.state in (WarningState.CLOSING, WarningState.RESOLVED):
        return None
    if verb == "hold":
        held = _next(
            warning,
            state=WarningState.HELD.value,
            hold_until=now + timedelta(seconds=policy.hold_s),
        )
        return Change(warning=_answered(held, user_id, now))
    if verb == "dismiss" and warning.kind == WarningKind.GAP:
        ended = _ended(_next(warning, state=WarningState.DISMISSED.value), now)
        return Change(warning=_answered(ended, user_id, now))
    if verb == "dismiss":
        dismissed = _next(warning, state=WarningState.DISMISSED.value)
        return Change(warning=_answered(dismissed, user_id, now))
    if verb == "close" and warning.kind == WarningKind.GAP:
        closing = _next(warning, state=WarningState.CLOSING.value)
        return Change(warning=_answered(closing, user_id, now), close=True)
    return None


def _passed(until: datetime | None, now: datetime) -> bool:
    return until is not None and now >= until


def _next(warning: MarketWarningRow, **changes: object) -> MarketWarningRow:
    return msgspec.structs.replace(warning, version=warning.version + 1, **changes)


def _answered(warning: MarketWarningRow, user_id: int, now: datetime) -> MarketWarningRow:
    return msgspec.structs.replace(warning, answered_by=user_id, answered_at=now)


def _ended(warning: MarketWarningRow, now: datetime) -> MarketWarningRow:
    state = warning.state
    if state != WarningState.DISMISSED:
        state = WarningState.RESOLVED.value
    return msgspec.structs.replace(
        warning, state=state, resolved_at=now, version=warning.version + 1
    )
