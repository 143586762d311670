"""Episodes: a difference is observed, confirmed, told once, told again if it grows or lasts, over.

Invariants:

1. The same findings at the same moment twice yield no second event (law 4).
2. `open` with the events applied equals the findings that are confirmed.
3. A difference that may be a step on the way (`CONFIRMED_AFTER`) is told when a later reading still
   shows it; one that is gone by then is never told, and ends nothing.
4. A material change is told at once for the first few times; after that at ever longer intervals,
   and what came back to what was told is no change. One that doubles what is at stake, or turns it
   round, is told at once and aloud: once for each doubling of what was last told aloud.
5. What is critical, or leaves more at risk than was agreed, is told again while it lasts, at the
   ages of `TOLD_AGAIN_AT`, and then no more. With `WORSE_TOLD_MAX` the number of messages that an
   episode can ever cause has a bound (`TOLD_EVER_MAX`); what is no longer told is still recorded.
6. Nothing depends on the order of the findings, or on a restart: what is kept is in the row. What
   is only observed begins anew.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import Struct

from core.domain.divergences import Severity, severity_of
from core.domain.findings import Finding, Kind
from core.records import EpisodeRow

Key = tuple[str, str]

CONFIRMED_AFTER: Final[Mapping[str, timedelta]] = MappingProxyType(
    dict.fromkeys(
        (Kind.PARTIAL_FILL.value, Kind.SL_MISSING.value, Kind.TP_MISSING.value),
        timedelta(seconds=3),
    )
)
"""Kinds that an executor passes through: fills come in parts, and levels after the fill.

Times are those of our own clock at the readings, never the broker's.
"""
CHANGES_AT_ONCE: Final = 3
CHANGE_INTERVAL: Final = timedelta(seconds=60)
CHANGE_INTERVAL_MAX: Final = timedelta(hours=1)
"""A stop that trails the market changes with every reading; a minute's worth is one message, then
two minutes', four, and so on up to an hour's."""
CHANGES_TOLD_MAX: Final = 40
WORSE_TOLD_MAX: Final = 50
"""Changes told of one episode: ten more than any others where what is at stake grows."""
GROWN_BY: Final = 2
GROWING: Final = frozenset(
    {
        Kind.OVER_VOLUME,
        Kind.SCALED_IN,
        Kind.DUPLICATE_EXECUTION,
        Kind.UNKNOWN_POSITION,
        Kind.SYMBOL_MISMATCH,
    }
)
"""The more lots, the more can be lost by these."""
TOLD_AGAIN_AT: Final[Mapping[Severity, tuple[timedelta, ...]]] = MappingProxyType(
    {
        Severity.CRITICAL: (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4)),
        Severity.WARNING: (timedelta(hours=1),),
        Severity.INFO: (),
    }
)
"""Ages at which an episode is told again; of warnings only those that leave more at risk."""
AT_RISK: Final = frozenset(
    {
        Kind.SL_MISSING,
        Kind.SL_REMOVED,
        Kind.OVER_VOLUME,
        Kind.SCALED_IN,
        Kind.DUPLICATE_EXECUTION,
    }
)
"""More than agreed can be lost while these last."""
TOLD_EVER_MAX: Final = 1 + WORSE_TOLD_MAX + max(map(len, TOLD_AGAIN_AT.values())) + 1
"""Messages of one episode to one chat: its beginning, its changes, that it lasts, its end."""
CHANGES, TIMES_AGAIN, ALOUD = "changes", "told_again", "aloud"
"""What a row's `detail` keeps beside the finding: how often it was told for either reason, and what
was at stake when it was last told aloud."""
NOTHING: Final[Mapping[Key, datetime]] = MappingProxyType({})


class Opened(Struct, frozen=True, gc=False):
    """A difference that was not there before."""

    finding: Finding


class Changed(Struct, frozen=True, gc=False):
    """A difference that is materially another than it was.

    `worse`: more is at stake by a step. Not `told` where it was told so often that it is only
    recorded.
    """

    episode: EpisodeRow
    finding: Finding
    worse: bool = False
    told: bool = True


class Lasting(Struct, frozen=True, gc=False):
    """A difference that is the same and has lasted long; `times` as often it was told for that."""

    episode: EpisodeRow
    finding: Finding
    times: int


class Resolved(Struct, frozen=True, gc=False):
    """A difference that is gone."""

    episode: EpisodeRow


Event = Opened | Changed | Lasting | Resolved


class Step(Struct, frozen=True):
    """What happened, and since when what is not confirmed yet has been there."""

    events: tuple[Event, ...]
    observed: Mapping[Key, datetime] = NOTHING


def advance(
    episodes: Mapping[Key, EpisodeRow],
    findings: Iterable[Finding],
    now: datetime,
    observed: Mapping[Key, datetime] = NOTHING,
) -> Step:
    """What happened between the open episodes and the findings of a reading at `now`."""
    events: list[Event] = []
    waiting: dict[Key, datetime] = {}
    seen: set[Key] = set()
    for finding in findings:
        key = finding.key
        if key in seen:
            continue
        seen.add(key)
        episode = episodes.get(key)
        if episode is None:
            since = _since(observed, finding, now)
            if since is None:
                events.append(Opened(finding))
            else:
                waiting[key] = since
        elif (change := _change(episode, finding, now)) is not None:
            events.append(change)
        elif (times := due_again(episode, finding, now)) > told_again(episode):
            events.append(Lasting(episode, finding, times))
    if len(seen) < len(episodes) or episodes.keys() - seen:
        events.extend(Resolved(row) for key, row in episodes.items() if key not in seen)
    return Step(tuple(events), waiting or NOTHING)


def due_again(episode: EpisodeRow, finding: Finding, now: datetime) -> int:
    """How often an episode of this age is to have been told for lasting, beyond the first time."""
    severity = severity_of(finding.kind.value, finding.origin)
    if severity is not Severity.CRITICAL and finding.kind not in AT_RISK:
        return 0
    age = now - episode.opened_at
    return sum(age >= limit for limit in TOLD_AGAIN_AT[severity])


def told_again(episode: EpisodeRow) -> int:
    """How often it was told for lasting."""
    return _count(episode.detail, TIMES_AGAIN)


def changes_told(episode: EpisodeRow) -> int:
    """How often it was told for changing."""
    return _count(episode.detail, CHANGES)


def detail_after(event: Changed | Lasting) -> dict[str, Any]:
    """What the episode's row keeps of it from now on."""
    detail = event.episode.detail
    if isinstance(event, Lasting):
        return {**detail, TIMES_AGAIN: event.times}
    kept = msgspec.to_builtins(event.finding)
    side, volume, slippage = _at_stake(kept if event.worse else detail)
    aloud = {"side": side, "volume": volume, "slippage_pips": slippage}
    return {
        **kept,
        CHANGES: changes_told(event.episode) + event.told,
        TIMES_AGAIN: told_again(event.episode),
        ALOUD: msgspec.to_builtins(aloud),
    }


def _since(observed: Mapping[Key, datetime], finding: Finding, now: datetime) -> datetime | None:
    """Since when it waits to be confirmed; None where it need not wait (any more)."""
    wait = CONFIRMED_AFTER.get(finding.kind.value)
    if wait is None:
        return None
    since = min(observed.get(finding.key, now), now)  # a clock set back makes nothing wait longer
    return None if now - since >= wait else since


def _change(episode: EpisodeRow, finding: Finding, now: datetime) -> Changed | None:
    """What is told of a change, if now is its time."""
    if episode.material == finding.material:
        return None
    worse = _is_worse(episode, finding)
    changes = changes_told(episode)
    if not worse and episode.changed_at <= now < episode.changed_at + _pause(changes):
        return None
    told = changes < (WORSE_TOLD_MAX if worse else CHANGES_TOLD_MAX)
    return Changed(episode, finding, worse=worse, told=told)


def _pause(changes: int) -> timedelta:
    """How long after so many changes the next one waits."""
    if changes < CHANGES_AT_ONCE:
        return timedelta()
    doublings = min(changes, CHANGES_TOLD_MAX) - CHANGES_AT_ONCE
    return min(CHANGE_INTERVAL * (1 << doublings), CHANGE_INTERVAL_MAX)


def _is_worse(episode: EpisodeRow, finding: Finding) -> bool:
    """Whether twice as much is at stake as when it was last told aloud, or the other way."""
    side, volume, slippage = _at_stake(episode.detail)
    if finding.kind in GROWING and volume is not None:
        return finding.side != side or finding.volume >= GROWN_BY * volume
    pips = finding.slippage_pips
    return pips is not None and slippage is not None and pips >= GROWN_BY * slippage


def _at_stake(detail: Mapping[str, Any]) -> tuple[str, Decimal | None, Decimal | None]:
    """Side, lots and pips as last told aloud; until it grew, those it began with."""
    aloud = detail.get(ALOUD) or detail
    volume, slippage = aloud.get("volume"), aloud.get("slippage_pips")
    return (
        str(aloud.get("side", "")),
        None if volume is None else Decimal(str(volume)),
        None if slippage is None else Decimal(str(slippage)),
    )


def _count(detail: Mapping[str, Any], name: str) -> int:
    count = detail.get(name, 0)
    return count if isinstance(count, int) else 0
