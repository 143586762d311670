"""Record the openings, changes and ends of divergences."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alert_parts import GroupItem
from core.domain.cycle import Cycle
from core.domain.divergences import Severity, reason_word, severity_of
from core.domain.episodes import Changed, Key, Lasting, Opened, Resolved, detail_after
from core.domain.findings import Finding, Kind, differs_otherwise
from core.domain.matching import identifiers
from core.domain.symbols import meaning
from core.records import ApprovalRow, EpisodeRow, SignalRow
from core.services.desk import MUTED
from core.services.recording import GROUP_ITEMS_MAX, TOLD_EACH_MAX, Recorder

TOLD_SINGLY_MAX: Final = 5
"""Differences of all kinds, found in one reading, that get messages of their own."""
MIXED: Final = "mixed"
GRAVITY: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
TOLD_ENOUGH: Final = "not told: it was told to have changed as often as anything is"
OFFERS_LOOKED_AT: Final = 10
"""Open offers of an account, the newest, looked through for one that asks for the same."""
TOGETHER = "together"
"""Marks an episode told only with others: it has no message of its own whose end to tell."""


class _News(Struct, frozen=True):
    """What is to be told of one episode. `lasting`: told before, the same, and still so."""

    row: EpisodeRow
    finding: Finding
    changed: bool = False
    worse: bool = False
    lasting: bool = False

    @property
    def group(self) -> tuple[bool, bool]:
        """What may share a message: beginnings, changes, and what lasts, each with its like."""
        return (self.changed, self.lasting)

    @property
    def is_edit(self) -> bool:
        """Whether it only corrects a message of its own: that interrupts nobody."""
        return self.changed and not self.worse and not self.row.detail.get(TOGETHER)


async def episodes(pen: Recorder, cycle: Cycle) -> list[str]:
    """Record what happened to divergences, and tell it; answers the kinds opened.

    More than `TOLD_EACH_MAX` of one kind in one reading are told in one message, and so are more
    than `TOLD_SINGLY_MAX` of all kinds; beginnings, changes and what lasts each for themselves.
    """
    news: list[_News] = []
    for event in cycle.events:
        match event:
            case Opened(finding):
                news.append(_News(await _opened(pen, finding), finding))
            case Changed(episode, finding):
                row = await _changed(pen, event)
                if event.told:
                    news.append(_News(row, finding, changed=True, worse=event.worse))
            case Lasting(episode, finding):
                news.append(_News(await _keep(pen, episode, event), finding, lasting=True))
            case Resolved(episode):
                await _resolved(pen, episode, cycle)
    await _tell(pen, news)
    for finding in cycle.newly_muted:
        await _logged(pen, finding, MUTED)
    return [e.finding.kind.value for e in cycle.events if isinstance(e, Opened)]


async def _tell(pen: Recorder, news: Sequence[_News]) -> None:
    """Tell each for itself, or the many of a sort in one message."""
    for kind in dict.fromkeys(each.group for each in news):
        some = {each.finding.key: each for each in news if each.group == kind}
        together = _together([each.finding for each in some.values() if not each.is_edit])
        for key, each in some.items():
            if key not in together:
                await _mark(pen, each.row, together=False)
                await _told(pen, each)
            elif not each.changed and not each.lasting:
                await _mark(pen, each.row, together=True)
        for group in _groups([some[key].finding for key in some if key in together]):
            await _told_together(pen, [some[finding.key] for finding in group])


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


async def _told_together(pen: Recorder, news: Sequence[_News]) -> None:
    found = [each.finding for each in news]
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
            changed=news[0].changed,
            lasting_since=min(n.row.opened_at for n in news) if news[0].lasting else None,
        )
    )


async def _opened(pen: Recorder, finding: Finding) -> EpisodeRow:
    row = EpisodeRow(
        account_id=pen.memory.account.id,
        kind=finding.kind.value,
        subject=finding.subject,
        trade_id=finding.trade_id,
        material=finding.material,
        detail=msgspec.to_builtins(finding),
        opened_at=pen.now,
        changed_at=pen.now,
    )
    row = replace(row, id=await pen.tx.insert(row))
    pen.memory.episodes[(row.kind, row.subject)] = row
    await _logged(pen, finding)
    return row


async def _changed(pen: Recorder, event: Changed) -> EpisodeRow:
    row = await _keep(
        pen, event.episode, event, material=event.finding.material, changed_at=pen.now
    )
    await _logged(pen, event.finding, None if event.told else TOLD_ENOUGH)
    return row


async def _keep(
    pen: Recorder, episode: EpisodeRow, event: Changed | Lasting, **changes: Any
) -> EpisodeRow:
    """Keep in the row what it is to remember of an event, and with whom it was told."""
    detail = detail_after(event)
    if episode.detail.get(TOGETHER):
        detail[TOGETHER] = True
    return await _change(pen, episode, detail=detail, **changes)


async def _mark(pen: Recorder, row: EpisodeRow, *, together: bool) -> None:
    """Keep whether its last message was its own."""
    if bool(row.detail.get(TOGETHER)) is not together:
        await _change(pen, row, detail={**row.detail, TOGETHER: together})


async def _change(pen: Recorder, row: EpisodeRow, **changes: Any) -> EpisodeRow:
    await pen.tx.update(EpisodeRow, {"id": row.id}, **changes)
    pen.memory.episodes[(row.kind, row.subject)] = changed = replace(row, **changes)
    return changed


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


async def _told(pen: Recorder, news: _News) -> None:
    row, finding = news.row, news.finding
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
            changed=news.changed,
            worse=news.worse,
            lasting_since=row.opened_at if news.lasting else None,
            waiting_signal=await _waiting(pen, finding),
        )
    )


async def _waiting(pen: Recorder, finding: Finding) -> int:
    """The newest signal for the same as a position nobody knows, still waiting for its answer."""
    if finding.kind is not Kind.UNKNOWN_POSITION:
        return 0
    offers = await pen.tx.find(
        ApprovalRow,
        account_id=pen.memory.account.id,
        status="offered",
        order_by="-id",
        limit=OFFERS_LOOKED_AT,
    )
    for offer in offers:
        signal = await pen.tx.get(SignalRow, offer.signal_id)
        if signal is None or signal.side != finding.side:
            continue
        same = meaning(signal.symbol)
        if signal.symbol == finding.symbol or (same and same == meaning(finding.symbol)):
            return signal.id
    return 0


async def _resolved(pen: Recorder, episode: EpisodeRow, cycle: Cycle) -> None:
    await pen.tx.update(EpisodeRow, {"id": episode.id}, resolved_at=pen.now)
    pen.memory.episodes.pop((episode.kind, episode.subject), None)
    finding = msgspec.convert(episode.detail, Finding, strict=False)
    how = _how(episode, cycle)
    if how == "gone" and int(finding.subject) in pen.memory.cancelled:
        how = "cancelled"  # a pending order; of positions deals say so
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
    if differs_otherwise(episode.kind, episode.subject, cycle.reconciliation.findings):
        return "otherwise"
    there = {str(p.identifier) for m in cycle.reconciliation.matches for p in m.parts}
    there |= {str(p.identifier) for p in cycle.reconciliation.unknown}
    return "as_expected" if episode.subject in there else "gone"
