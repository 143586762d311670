"""Record and tell what guard rules did, or in their mode would have done.

A rule that only observes is told of to nobody: its log is in `/rules`.
"""

from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from core.domain import alerts_rules as r
from core.domain import audit_words as words
from core.domain.blindness import became_blind
from core.domain.broker import ZERO
from core.domain.cycle import Cycle
from core.domain.rule_floor import Floor
from core.domain.rule_guard import RuleVerdict
from core.domain.rules import Mode
from core.records import AccountStateRow, RuleEventRow
from core.services.recording import Recorder


def is_news_of_blindness(before: AccountStateRow, state: AccountStateRow, now: datetime) -> bool:
    """Whether the guard sees again, or this reading shows it no more than those before it."""
    sees = before.blind_since is not None and state.blind_since is None
    return sees or became_blind(state, now, None) is not None


async def rules(pen: Recorder, cycle: Cycle) -> AccountStateRow:
    """Record what rules begin and end, and what lies ahead; answers the state to save."""
    state = cycle.state
    for verdict in cycle.rules.rules:
        if verdict.new_day:
            await _new_day(pen, verdict)
        if verdict.ended:
            await _ended(pen, verdict, cycle)
        if verdict.begun:
            await _begun(pen, verdict, cycle)
        if verdict.ahead is not None:
            await _ahead(pen, verdict, verdict.ahead)
    await _sees(pen, state)
    return await _blind_by_doubt(pen, state)


async def enforced(pen: Recorder, verdict: RuleVerdict, cycle: Cycle) -> None:
    """Keep in the log that a rule closes everything; it is over with the release."""
    await pen.tx.insert(_event(pen, verdict, cycle))


async def released(pen: Recorder) -> None:
    """Close what the log has open: with a release every rule begins anew."""
    open_ones = {"account_id": pen.memory.account.id, "resolved_at": None}
    await pen.tx.update(RuleEventRow, open_ones, resolved_at=pen.now)


async def told_blind(pen: Recorder, state: AccountStateRow, since: datetime, reason: str) -> None:
    """Record and tell that nothing is guarded since then."""
    await pen.say(
        r.GuardBlind(
            **pen.who,
            since=since,
            positions_count=state.positions_count,
            reason=reason,
            at=pen.now,
        )
    )
    await pen.audit(words.GUARD_BLIND, since=since, positions=state.positions_count, reason=reason)


async def _blind_by_doubt(pen: Recorder, state: AccountStateRow) -> AccountStateRow:
    """A reading that came and is not to be trusted shows nothing either."""
    since = became_blind(state, pen.now, None)
    if since is None:
        return state
    await told_blind(pen, state, since, "its figures contradict each other")
    return replace(state, blind_since=since)


async def _sees(pen: Recorder, state: AccountStateRow) -> None:
    since = pen.memory.state.blind_since
    if since is None or state.blind_since is not None:
        return
    await pen.audit(words.GUARD_SEES, since=since, equity=state.equity)
    await pen.say(
        r.GuardSees(**pen.who, since=since, equity=state.equity or ZERO, at=pen.now),
    )


async def _new_day(pen: Recorder, verdict: RuleVerdict) -> None:
    memory = verdict.memory
    await pen.audit(
        words.RULE_DAY,
        rule=verdict.name,
        base=memory.base,
        base_at=memory.base_at,
        base_age_s=memory.base_age_s,
        floor=verdict.floor.limit,
        resets_at=memory.resets_at,
    )


async def _begun(pen: Recorder, verdict: RuleVerdict, cycle: Cycle) -> None:
    spec, memory = verdict.held.spec, verdict.memory
    await pen.tx.insert(_event(pen, verdict, cycle))
    if verdict.held.mode is not Mode.OBSERVE and not pen.memory.latched:
        await pen.say(
            r.RuleBroken(
                **pen.who,
                rule=verdict.name,
                title=spec.title,
                severity=spec.severity.value,
                mode=verdict.held.mode.value,
                measure=spec.measure.value,
                figure=verdict.value or ZERO,
                floor=verdict.floor.acts_at,
                equity=cycle.state.equity or ZERO,
                paused_until=memory.paused_until,
                zone="" if spec.clock is None else spec.clock.zone,
                at=memory.opened_at or pen.now,
            )
        )
    await pen.audit(
        words.RULE_BROKEN,
        rule=verdict.name,
        mode=verdict.held.mode.value,
        severity=spec.severity.value,
        figure=verdict.value,
        floor=verdict.floor.limit,
        acts_at=verdict.floor.acts_at,
        base=memory.base,
        base_at=memory.base_at,
        equity=cycle.state.equity,
        paused_until=memory.paused_until,
        rule_data=msgspec.to_builtins(spec),
    )


async def _ended(pen: Recorder, verdict: RuleVerdict, cycle: Cycle) -> None:
    spec, before = verdict.held.spec, verdict.before
    if before is None or before.opened_at is None:
        return
    equity = cycle.state.equity or ZERO
    result = _result(before.opened_equity, equity, cycle.ledger.flow)
    worst = equity if before.worst is None else min(before.worst, equity)
    await pen.tx.update(
        RuleEventRow,
        {"account_id": pen.memory.account.id, "rule": verdict.name, "resolved_at": None},
        worst_equity=worst,
        result=result,
        resolved_at=pen.now,
    )
    await pen.audit(
        words.RULE_OVER,
        rule=verdict.name,
        opened_at=before.opened_at,
        equity=equity,
        worst_equity=worst,
        result=result,
    )
    if verdict.held.mode is Mode.OBSERVE or pen.memory.latched:
        return
    await pen.say(
        r.RuleEased(
            **pen.who,
            rule=verdict.name,
            title=spec.title,
            severity=spec.severity.value,
            mode=verdict.held.mode.value,
            measure=spec.measure.value,
            figure=verdict.value,
            floor=verdict.floor.acts_at,
            equity=equity,
            result=result,
            opened_at=before.opened_at,
            at=pen.now,
        )
    )


async def _ahead(pen: Recorder, verdict: RuleVerdict, then: Floor) -> None:
    spec, resets_at = verdict.held.spec, verdict.memory.resets_at
    if spec.clock is None or resets_at is None or verdict.value is None:
        return
    await pen.audit(
        words.RULE_RESET_AHEAD,
        rule=verdict.name,
        figure=verdict.value,
        floor=verdict.floor.limit,
        floor_after=then.limit,
        resets_at=resets_at,
    )
    if verdict.held.mode is Mode.OBSERVE or pen.memory.latched:
        return
    await pen.say(
        r.RuleResetAhead(
            **pen.who,
            rule=verdict.name,
            title=spec.title,
            severity=spec.severity.value,
            mode=verdict.held.mode.value,
            figure=verdict.value,
            floor=verdict.floor.acts_at,
            floor_after=then.acts_at,
            resets_at=resets_at,
            zone=spec.clock.zone,
            at=pen.now,
        )
    )


def _event(pen: Recorder, verdict: RuleVerdict, cycle: Cycle) -> RuleEventRow:
    return RuleEventRow(
        account_id=pen.memory.account.id,
        rule=verdict.name,
        title=verdict.held.spec.title,
        mode=verdict.held.mode.value,
        severity=verdict.held.spec.severity.value,
        figure=verdict.value or ZERO,
        floor=verdict.floor.acts_at,
        equity=cycle.state.equity or ZERO,
        opened_at=pen.now,
    )


def _result(opened: Decimal | None, equity: Decimal, flow: Decimal) -> Decimal:
    """How much equity changed since a rule was broken, without cash flows."""
    return ZERO if opened is None else equity - opened - flow
