"""Record the openings, changes and ends of divergences."""

from collections import Counter

import msgspec
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alert_parts import GroupItem
from core.domain.cycle import Cycle
from core.domain.divergences import reason_word
from core.domain.episodes import Changed, Opened, Resolved
from core.domain.findings import Finding
from core.domain.matching import identifiers
from core.records import EpisodeRow
from core.services.recording import GROUP_ITEMS_MAX, TOLD_EACH_MAX, Recorder

TOGETHER = "together"
"""Marks an episode that was told with others: its end is not told, as its beginning was not."""


async def episodes(pen: Recorder, cycle: Cycle) -> list[str]:
    """Record openings, changes and ends of divergences; answers the kinds opened.

    More than `TOLD_EACH_MAX` of one kind in one reading are told in one message.
    """
    opened = [e.finding.kind.value for e in cycle.events if isinstance(e, Opened)]
    many = {kind for kind, count in Counter(opened).items() if count > TOLD_EACH_MAX}
    for event in cycle.events:
        match event:
            case Opened(finding):
                await _opened(pen, finding, together=finding.kind.value in many)
            case Changed(episode, finding):
                await _changed(pen, episode, finding)
            case Resolved(episode):
                await _resolved(pen, episode, cycle)
    for kind in sorted(many):
        await _told_together(pen, cycle, kind)
    return opened


async def _told_together(pen: Recorder, cycle: Cycle, kind: str) -> None:
    found = [e.finding for e in cycle.events if isinstance(e, Opened) and e.finding.kind == kind]
    items = tuple(
        GroupItem(subject=f.subject, symbol=f.symbol, side=f.side, volume=f.volume)
        for f in found[:GROUP_ITEMS_MAX]
    )
    await pen.say(
        a.DivergencesOpened(**pen.who, finding=kind, count=len(found), items=items, at=pen.now)
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
        await _told(pen, row, finding, changed=False)


async def _changed(pen: Recorder, episode: EpisodeRow, finding: Finding) -> None:
    changes = {
        "material": finding.material,
        "detail": msgspec.to_builtins(finding),
        "changed_at": pen.now,
    }
    await pen.tx.update(EpisodeRow, {"id": episode.id}, **changes)
    pen.memory.episodes[(episode.kind, episode.subject)] = replace(episode, **changes)
    await _logged(pen, finding)
    await _told(pen, episode, finding, changed=True)


async def _logged(pen: Recorder, finding: Finding) -> None:
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
    )


async def _told(pen: Recorder, row: EpisodeRow, finding: Finding, *, changed: bool) -> None:
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
