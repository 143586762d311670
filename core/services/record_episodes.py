"""Record the openings, changes and ends of divergences."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alert_parts import GroupItem
from core.domain.cycle import Cycle
from core.domain.divergences import Severity, reason_word, severity_of
from core.domain.episodes import (
    CHANGES,
    TIMES_AGAIN,
    Changed,
    Key,
    Lasting,
    Opened,
    Resolved,
    changes_told,
    told_again,
)
from core.domain.findings import Finding, Kind
from core.domain.matching import identifiers
from core.records import EpisodeRow
from core.services.recording import GROUP_ITEMS_MAX, TOLD_EACH_MAX, Recorder

TOLD_SINGLY_MAX: Final = 5
"""Differences of all kinds, found in one reading, that get messages of their own."""
MIXED: Final = "mixed"
GRAVITY: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
MUTED: Final = "not told: the account is being closed, or locked"
TOGETHER = "together"
"""Marks an episode that was told with others: its end is not told, as its beginning was not."""


async def episodes(pen: Recorder, cycle: Cycle) -> list[str]:
    """Record openings, changes and ends of divergences; answers the kinds opened.

    More than `TOLD_EACH_MAX` of one kind in one reading are told in one message, and so are more
    than `TOLD_SINGLY_MAX` of all kinds.
    """
    opened = [e.finding for e in cycle.events if isinstance(e, Opened)]
    together = _together(opened)
    for event in cycle.events:
        match event:
            case Opened(finding):
                await _opened(pen, finding, together=finding.key in together)
            case Changed(episode, finding):
                await _changed(pen, episode, finding)
            case Lasting(episode, finding, times):
                await _lasting(pen, episode, finding, times)
            case Resolved(episode):
                await _resolved(pen, episode, cycle)
    for group in _groups([f for f in opened if f.key in together]):
        await _told_together(pen, group)
    for finding in cycle.newly_muted:
        await _logged(pen, finding, MUTED)
    return [finding.kind.value for finding in opened]


def _together(opened: Sequence[Finding]) -> frozenset[Key]:
    """Which of them share a message."""
    counts = Counter(f.kind for f in opened)
    many = [f for f in opened if counts[f.kind] > TOLD_EACH_MAX]
    if len(opened) - len(many) > TOLD_SINGLY_MAX:
        many = list(opened)
    return frozenset(f.key for f in many)


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """One message for each kind that has many; the others, where they are many, share one."""
    by_kind: dict[Kind, list[Finding]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    many = [group for _, group in sorted(by_kind.items()) if len(group) > TOLD_EACH_MAX]
    rest = [f for f in findings if len(by_kind[f.kind]) <= TOLD_EACH_MAX]
    return [*many, rest] if rest else many


async def _told_together(pen: Recorder, found: Sequence[Finding]) -> None:
    kinds = {f.kind.value for f in found}
    mixed = len(kinds) > 1
    gravest = max((severity_of(f.kind.value, f.origin) for f in found), key=GRAVITY.index)
    items = tuple(
        GroupItem(
            subject=f.subject,
            symbol=f.symbol,
            side=f.side,
            volume=f.volume,
            finding=f.kind.value if mixed else "",
        )
        for f in found[:GROUP_ITEMS_MAX]
    )
    await pen.say(
        a.DivergencesOpened(
            **pen.who,
            finding=MIXED if mixed else kinds.pop(),
            count=len(found),
            items=items,
            at=pen.now,
            severity=gravest.value,
        )
    )


async def _opened(pen: Recorder, finding: Finding, *, together: bool) -> None:
    row = EpisodeRow(
        account_id=pen.memory.account.id,
        kind=finding.kind.value,
        subject=finding.subject,
        trade_id=finding.trade_id,
        material=finding.material,
        detail={**msgspec.to_builtins(finding), TOGETHER: together},
        opened_at=pen.now,
        changed_at=pen.now,
    )
    row = replace(row, id=await pen.tx.insert(row))
    pen.memory.episodes[(row.kind, row.subject)] = row
    await _logged(pen, finding)
    if not together:
        await _told(pen, row, finding)


async def _changed(pen: Recorder, episode: EpisodeRow, finding: Finding) -> None:
    counts = {CHANGES: changes_told(episode) + 1, TIMES_AGAIN: told_again(episode)}
    changes = {
        "material": finding.material,
        "detail": {**msgspec.to_builtins(finding), **counts},
        "changed_at": pen.now,
    }
    await pen.tx.update(EpisodeRow, {"id": episode.id}, **changes)
    pen.memory.episodes[(episode.kind, episode.subject)] = replace(episode, **changes)
    await _logged(pen, finding)
    await _told(pen, episode, finding, changed=True)


async def _lasting(pen: Recorder, episode: EpisodeRow, finding: Finding, times: int) -> None:
    """Tell again what is the same and lasts; the history has it already."""
    detail = {**episode.detail, TIMES_AGAIN: times}
    await pen.tx.update(EpisodeRow, {"id": episode.id}, detail=detail)
    pen.memory.episodes[(episode.kind, episode.subject)] = replace(episode, detail=detail)
    await _told(pen, episode, finding, lasting_since=episode.opened_at)


async def _logged(pen: Recorder, finding: Finding, remark: str | None = None) -> None:
    await pen.log(
        signal_id=finding.signal_id,
        approval_id=finding.approval_id,
        mt5_position_id=int(finding.subject),
        symbol=finding.symbol,
        direction=finding.side,
        volume=finding.volume,
        entry_price=finding.price,
        matched=finding.trade_id is not None,
        divergence_reason=reason_word(finding),
        slippage_pips=finding.slippage_pips,
        event_type="sync",
        status="partial" if finding.kind.value == "partial_fill" else "warning",
        error_message=remark,
    )


async def _told(
    pen: Recorder,
    row: EpisodeRow,
    finding: Finding,
    *,
    changed: bool = False,
    lasting_since: datetime | None = None,
) -> None:
    await pen.say(
        a.DivergenceOpened(
            **pen.who,
            episode_id=row.id,
            finding=finding.kind.value,
            subject=finding.subject,
            symbol=finding.symbol,
            side=finding.side,
            volume=finding.volume,
            expected=finding.expected,
            observed=finding.observed,
            slippage_pips=finding.slippage_pips,
            slippage_points=finding.slippage_points,
            origin=finding.origin,
            magic=finding.magic,
            opened_by=finding.opened_by,
            at=pen.now,
            changed=changed,
            lasting_since=lasting_since,
        )
    )


async def _resolved(pen: Recorder, episode: EpisodeRow, cycle: Cycle) -> None:
    await pen.tx.update(EpisodeRow, {"id": episode.id}, resolved_at=pen.now)
    pen.memory.episodes.pop((episode.kind, episode.subject), None)
    finding = msgspec.convert(episode.detail, Finding, strict=False)
    how = _how(episode, cycle)
    await pen.log(
        signal_id=finding.signal_id,
        approval_id=finding.approval_id,
        mt5_position_id=int(finding.subject),
        symbol=finding.symbol,
        direction=finding.side,
        volume=finding.volume,
        matched=finding.trade_id is not None,
        divergence_reason=reason_word(finding),
        event_type="sync",
        status="success",
        error_message=f"resolved: {how}",
    )
    if episode.detail.get(TOGETHER):
        return
    await pen.say(
        a.DivergenceResolved(
            **pen.who,
            episode_id=episode.id,
            finding=episode.kind,
            subject=episode.subject,
            symbol=finding.symbol,
            side=finding.side,
            volume=finding.volume,
            expected=finding.expected,
            observed=finding.observed,
            slippage_pips=finding.slippage_pips,
            how=how,
            opened_at=episode.opened_at,
            resolved_at=pen.now,
        )
    )


def _how(episode: EpisodeRow, cycle: Cycle) -> str:
    closed = {
        str(each): g.closure for g in cycle.reconciliation.gone for each in identifiers(g.trade)
    }
    closure = closed.get(episode.subject) or cycle.closures.get(episode.subject)
    if closure is not None:
        return f"closed:{closure.reason.value}"
    there = {str(p.identifier) for m in cycle.reconciliation.matches for p in m.parts}
    there |= {str(p.identifier) for p in cycle.reconciliation.unknown}
    return "as_expected" if episode.subject in there else "gone"
