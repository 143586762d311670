"""The market guard's warnings, one per (server, symbol, kind): a gap, a wide spread, a still price.

Invariants:

1. A warning is an episode: opened once, changed by people or time, resolved once. What raised it
   must be gone for a while before it is over (hysteresis), so that it does not flutter.
2. Its action says what follows: warn tells, block also refuses new trades of the symbol, close also
   closes the symbol's positions at the deadline, where nobody answers. A warning that closes
   nothing is told again each grace period while it lasts; a gap that closes nothing is over then.
3. A close that is due waits for a wide spread to narrow, for as long as the policy says and no
   longer: closing into a wide spread is what realises it.
4. `Close now` only brings forward what a deadline has scheduled (law 15).
5. Holds and dismissals bind the market guard only, never the drawdown guard.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec import Struct

from core.domain.freshness import FRESH_WITHIN
from core.domain.quotes import (
    BREAK_MIN,
    CALM_SHARE,
    Action,
    Alarm,
    MarketPolicy,
    Seen,
    WarningKind,
    WarningRule,
    graver,
)
from core.records import MarketWarningRow

CALM_FOR = timedelta(seconds=30)
"""For so long a spread must stay narrow before its warning is over."""
HOLD_LONG = timedelta(hours=1)
DAY = timedelta(days=1)
SATURDAY = 5
REASON_UNITS_MAX = 200
"""How long an override's reason may be."""


class WarningState(StrEnum):
    """Where a warning stands."""

    OPEN = "open"
    HELD = "held"
    DISMISSED = "dismissed"
    CLOSING = "closing"
    RESOLVED = "resolved"


class Verb(StrEnum):
    """What an admin may answer; the three holds differ in how long they last."""

    CLOSE = "close"
    HOLD = "hold"
    HOLD_LONG = "hold1h"
    HOLD_SESSION = "session"
    DISMISS = "dismiss"


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """A warning's next value.

    `told` where the chat must hear of it; `close` where its time has come to close the symbol's
    positions; `again` where it is the same warning repeated; `joined` where only further accounts
    are concerned now.
    """

    warning: MarketWarningRow
    told: bool = True
    close: bool = False
    again: bool = False
    joined: bool = False


def alarm_of(seen: Seen, kind: str) -> Alarm | None:
    """What a reading says is wrong, of one kind."""
    return {
        WarningKind.GAP: seen.jump,
        WarningKind.SPREAD: seen.wide,
        WarningKind.STILL: seen.still,
    }[WarningKind(kind)]


def open_warning(
    alarm: Alarm,
    symbol: str,
    server: str,
    account_ids: list[int],
    now: datetime,
    policy: MarketPolicy,
) -> MarketWarningRow:
    """A new warning, with the deadline at which it acts unanswered."""
    return MarketWarningRow(
        server=server,
        symbol=symbol,
        kind=alarm.kind.value,
        rule=alarm.rule.value,
        action=alarm.action.value,
        state=WarningState.OPEN.value,
        figure=alarm.figure,
        limit=alarm.limit,
        worst=alarm.figure,
        typical=alarm.typical,
        price_before=alarm.before,
        price_after=alarm.after,
        before_at=alarm.before_at,
        account_ids=account_ids,
        opened_at=now,
        deadline_at=now + timedelta(seconds=policy.grace_s),
    )


def advance(
    warning: MarketWarningRow,
    seen: Seen,
    account_ids: list[int],
    now: datetime,
    policy: MarketPolicy,
) -> Change | None:
    """What time and the latest quote do to an unresolved warning; None where nothing changes.

    `account_ids` is who holds the symbol now.
    """
    alarm = alarm_of(seen, warning.kind)
    current = _with_figures(warning, alarm, account_ids)
    if not account_ids:
        return Change(warning=_ended(current, now))
    current = _calmed(current, seen, now)
    if _is_calm(current, now):
        return Change(warning=_ended(current, now))
    change = None
    if alarm is not None and warning.state in (WarningState.OPEN, WarningState.HELD):
        change = _graver(current, alarm, now, policy)
    if change is None and warning.state == WarningState.HELD and _passed(warning.hold_until, now):
        change = Change(warning=_reopened(current, now, policy), again=True)
    if change is None and warning.state == WarningState.OPEN and now >= warning.deadline_at:
        change = _at_deadline(current, seen, now, policy)
    if change is None and _has_joined(current, warning):
        change = Change(warning=_next(current), joined=True)  # whoever decides must know for whom
    if change is None and _noted(current) != _noted(warning):
        change = Change(warning=current, told=False)
    return change


def answer(  # noqa: PLR0911 - a table of verbs, with who, when and how long
    warning: MarketWarningRow,
    verb: str,
    user_id: int,
    now: datetime,
    policy: MarketPolicy,
    server_offset_s: int = 0,
) -> Change | None:
    """What an admin's press does; None where this warning does not offer that verb (any more)."""
    if warning.state in (WarningState.CLOSING, WarningState.RESOLVED):
        return None
    until = {
        Verb.HOLD.value: now + timedelta(seconds=policy.hold_s),
        Verb.HOLD_LONG.value: now + HOLD_LONG,
        Verb.HOLD_SESSION.value: session_end(now, server_offset_s),
    }.get(verb)
    if until is not None:
        if warning.state == WarningState.DISMISSED:
            return None
        held = _next(warning, state=WarningState.HELD.value, hold_until=until, wait_until=None)
        return Change(warning=_answered(held, user_id, now))
    if verb == Verb.DISMISS and warning.kind == WarningKind.GAP:
        ended = _ended(_next(warning, state=WarningState.DISMISSED.value), now)
        return Change(warning=_answered(ended, user_id, now))
    if verb == Verb.DISMISS and warning.state != WarningState.DISMISSED:
        dismissed = _next(warning, state=WarningState.DISMISSED.value, hold_until=None)
        return Change(warning=_answered(dismissed, user_id, now))
    if verb == Verb.CLOSE and warning.action == Action.CLOSE:
        if warning.state == WarningState.DISMISSED:
            return None
        closing = _next(warning, state=WarningState.CLOSING.value)
        return Change(warning=_answered(closing, user_id, now), close=True)
    return None


def paused(
    warning: MarketWarningRow,
    user_id: int,
    until: datetime,
    now: datetime,
    *,
    instead_of: datetime | None = None,
) -> MarketWarningRow | None:
    """A warning that would close, put on hold until a pause ends; None where nothing changes.

    An admin's own hold stays as it is. `instead_of` is the end of a pause that this one takes the
    place of: its holds end anew.
    """
    if warning.action != Action.CLOSE:
        return None
    is_open = warning.state == WarningState.OPEN
    by_pause = warning.state == WarningState.HELD and warning.hold_until == instead_of
    if not (is_open or by_pause) or warning.hold_until == until:
        return None
    held = _next(warning, state=WarningState.HELD.value, hold_until=until, wait_until=None)
    return _answered(held, user_id, now)


def resumed(warning: MarketWarningRow, until: datetime, now: datetime) -> MarketWarningRow | None:
    """A warning that a pause put on hold, with the hold over; None for every other one."""
    if warning.state != WarningState.HELD or warning.hold_until != until:
        return None
    return msgspec.structs.replace(warning, hold_until=now)


def blocks(warning: MarketWarningRow) -> bool:
    """Whether new trades of the symbol are refused: a hold puts off the close, and only that."""
    if warning.state in (WarningState.DISMISSED, WarningState.RESOLVED):
        return False
    return warning.action in (Action.BLOCK, Action.CLOSE)


def session_end(now: datetime, server_offset_s: int) -> datetime:
    """The end of the broker's trading day: its next midnight, on a weekend Monday's.

    The library tells no sessions; the day's turn is the one end that all symbols share.
    """
    there = now + timedelta(seconds=server_offset_s)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    rest = {SATURDAY: 2, SATURDAY + 1: 1}.get(there.weekday(), 0)
    return midnight + rest * DAY - timedelta(seconds=server_offset_s)


def _with_figures(
    warning: MarketWarningRow, alarm: Alarm | None, account_ids: list[int]
) -> MarketWarningRow:
    if alarm is None:
        return msgspec.structs.replace(warning, account_ids=account_ids)
    return msgspec.structs.replace(
        warning,
        figure=alarm.figure,
        worst=max(warning.worst, alarm.figure),
        account_ids=account_ids,
    )


def _calmed(warning: MarketWarningRow, seen: Seen, now: datetime) -> MarketWarningRow:
    """Since when what raised it is gone; unchanged where the reading says nothing of it."""
    if warning.kind == WarningKind.STILL:
        calm = seen.age <= FRESH_WITHIN or seen.resting
    elif warning.kind == WarningKind.SPREAD and seen.pips is not None:
        calm = seen.pips <= warning.limit * CALM_SHARE
    else:
        return warning
    since = (warning.calm_since or now) if calm else None
    return msgspec.structs.replace(warning, calm_since=since)


def _is_calm(warning: MarketWarningRow, now: datetime) -> bool:
    """Whether it is over; a close that began goes on to its end."""
    if warning.calm_since is None or warning.state == WarningState.CLOSING:
        return False
    calm_for = CALM_FOR if warning.kind == WarningKind.SPREAD else timedelta()
    return now - warning.calm_since >= calm_for


def _graver(
    warning: MarketWarningRow, alarm: Alarm, now: datetime, policy: MarketPolicy
) -> Change | None:
    """A further alarm that calls for more than the first did begins the grace period anew.

    A gap's next jump does so too. On hold nothing begins, but a further jump is told: whoever put
    the close off did so on another price.
    """
    action = graver(warning.action, alarm.action)
    deadline_at = now + timedelta(seconds=policy.grace_s)
    if action == warning.action:
        if warning.kind != WarningKind.GAP:
            return None
        if action == Action.CLOSE or warning.state == WarningState.HELD:
            # Its deadline, or the hold, stands; whoever decided did so on another price.
            held = warning.state == WarningState.HELD
            return Change(warning=_next(warning, **_prices(alarm)), again=held)
        return Change(warning=msgspec.structs.replace(warning, deadline_at=deadline_at), told=False)
    stricter = alarm.rule is WarningRule.LIMIT and warning.rule == WarningRule.TYPICAL
    changed = _next(
        warning,
        action=action,
        rule=alarm.rule.value if stricter else warning.rule,
        limit=alarm.limit if stricter else warning.limit,
        deadline_at=deadline_at,
        **_prices(alarm),
    )
    return Change(warning=changed, again=warning.state == WarningState.OPEN)


def _prices(alarm: Alarm) -> dict[str, object]:
    """Between which prices the market jumped, and what is usual."""
    return {
        "price_before": alarm.before,
        "price_after": alarm.after,
        "before_at": alarm.before_at,
        "typical": alarm.typical,
    }


def _at_deadline(
    warning: MarketWarningRow, seen: Seen, now: datetime, policy: MarketPolicy
) -> Change | None:
    if warning.action == Action.CLOSE:
        wide = seen.too_wide is not None and warning.kind != WarningKind.SPREAD
        limit = warning.deadline_at + timedelta(seconds=policy.close_spread_wait_s)
        if wide and now < limit:
            if warning.wait_until is not None:
                return None
            return Change(warning=_next(warning, wait_until=limit))
        return Change(warning=_next(warning, state=WarningState.CLOSING.value), close=True)
    if warning.kind == WarningKind.GAP:
        return Change(warning=_ended(warning, now))
    if seen.resting or seen.age >= BREAK_MIN:
        return None  # the last quote of a market that rests is no news
    again = _next(warning, deadline_at=now + timedelta(seconds=policy.grace_s))
    return Change(warning=again, again=True)


def _reopened(warning: MarketWarningRow, now: datetime, policy: MarketPolicy) -> MarketWarningRow:
    return _next(
        warning,
        state=WarningState.OPEN.value,
        hold_until=None,
        deadline_at=now + timedelta(seconds=policy.grace_s),
    )


def _has_joined(current: MarketWarningRow, warning: MarketWarningRow) -> bool:
    """Whether an account is concerned that was not."""
    return not set(current.account_ids) <= set(warning.account_ids)


def _noted(warning: MarketWarningRow) -> tuple[list[int], datetime | None]:
    """What is written down although nobody is told."""
    return warning.account_ids, warning.calm_since


def worsened(warning: MarketWarningRow, alarm: Alarm | None) -> MarketWarningRow:
    """The warning with the worst figure so far, which is no news."""
    worst = warning.worst if alarm is None else max(warning.worst, alarm.figure)
    return msgspec.structs.replace(warning, worst=worst)


def expires(warning: MarketWarningRow) -> datetime:
    """When time alone changes the warning next."""
    if warning.state == WarningState.HELD and warning.hold_until is not None:
        return warning.hold_until
    return warning.wait_until or warning.deadline_at


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
