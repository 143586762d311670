"""One reading of one account, thought through: ledger, guard, reconciliation, episodes.

Pure composition: everything known goes in, everything concluded comes out, nothing is done. The
services write what changed and act on what was concluded.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import Struct

from core.domain import cycle_rules, drawdown, ledger, rule_guard
from core.domain.broker import ZERO, AccountSnapshot, Deal
from core.domain.conditions import KINDS as CONDITIONS
from core.domain.conditions import (
    PNL_MISMATCH,
    STALE_DATA,
    SUBJECT,
    Change,
    follow,
    mismatch,
    still,
)
from core.domain.deal_window import next_cursor
from core.domain.episodes import NOTHING, Event, Lasting, advance
from core.domain.findings import Closure, Finding, Kind
from core.domain.freshness import is_stale
from core.domain.matching import identifiers
from core.domain.permissions import ACCOUNTS, TERMINALS
from core.domain.rates import Rate, gbp_rate
from core.domain.reconciliation import Policy, Reconciliation, reconcile
from core.domain.rule_guard import Memories, RulesVerdict, RuleVerdict
from core.domain.rules import NO_RULES, RuleSet
from core.domain.vanished import UNMATCHED_KINDS, Vanished, unseen_ends, vanished
from core.records import AccountRow, AccountStateRow, EpisodeRow, TradeRow

TOLD_BEFORE_AS = {
    Kind.UNKNOWN_POSITION: Kind.DUPLICATE_EXECUTION,
    Kind.NETTING_REVERSED: Kind.DIRECTION_MISMATCH,
    Kind.SCALED_IN: Kind.OVER_VOLUME,
    Kind.PARTIAL_FILL: Kind.VOLUME_REDUCED,
}
"""By another name the same difference: once told by the second, it is not told by the first."""


class Known(Struct, frozen=True, kw_only=True):
    """What is known of an account before a reading.

    `deals` are grouped by position identifier; `absent` counts complete readings without an
    unmatched position that was there before. `opinion` is what was concluded from the last reading.
    `deal_tickets` are those of all shown deals that were booked before. `doubt` is by how much the
    last reading's equity contradicted its other figures. `deals_awaited`: a close of our own is
    still to show its deals. `refused`: see `core.domain.matching.World`.
    `ended` are positions whose end was told.
    `observed` is since when differences wait to be confirmed, `muted` which of them were kept quiet
    (`inhibited`, or of `quiet_symbols`: those that a close of one symbol owns) by the last reading.
    """

    account: AccountRow
    state: AccountStateRow
    trades: Sequence[TradeRow]
    episodes: Mapping[tuple[str, str], EpisodeRow]
    deals: Mapping[int, Sequence[Deal]]
    deal_tickets: Container[int]
    closed_by_us: frozenset[int]
    absent: Mapping[str, int]
    inhibited: bool
    quiet_symbols: frozenset[str] = frozenset()
    opinion: Reconciliation | None = None
    doubt: Decimal | None = None
    deals_awaited: bool = False
    refused: Mapping[int, frozenset[int]] = {}
    observed: Mapping[tuple[str, str], datetime] = NOTHING
    muted: frozenset[tuple[str, str]] = frozenset()
    rules: RuleSet = NO_RULES
    rule_memories: Memories = {}
    ended: Collection[int] = frozenset()


class Breach(Struct, frozen=True, kw_only=True):
    """What calls for closing everything: one of the two that always enforce, or a rule.

    `rule` is its word: drawdown, minimum_equity, or the rule's own name with its `verdict`.
    """

    rule: str
    verdict: RuleVerdict | None = None


class Cycle(Struct, frozen=True, kw_only=True):
    """What one reading means. `state` is the account's next state row."""

    state: AccountStateRow
    new_deals: tuple[Deal, ...]
    ledger: ledger.LedgerStep
    verdict: drawdown.Verdict
    limits: drawdown.Limits
    reconciliation: Reconciliation
    events: tuple[Event, ...]
    closures: Mapping[str, Closure]
    absent: Mapping[str, int]
    rate: Rate | None
    first: bool
    conditions: tuple[Change, ...] = ()
    doubt: Decimal = ZERO
    observed: Mapping[tuple[str, str], datetime] = NOTHING
    muted: tuple[Finding, ...] = ()
    newly_muted: tuple[Finding, ...] = ()
    rules: RulesVerdict = rule_guard.NOTHING

    @property
    def breach(self) -> Breach | None:
        """What is broken by this reading alone; the two rules that always enforce come first."""
        if self.verdict.broken is not None:
            return Breach(rule=self.verdict.broken.value)
        broken = self.rules.broken
        return None if broken is None else Breach(rule=broken.name, verdict=broken)

    @property
    def hurry(self) -> str:
        """Why a countdown would be too slow, empty where it would not (law 8)."""
        return self.verdict.hurry or self.rules.hurry

    @property
    def unsettled(self) -> bool:
        """Whether something waits for an explanation."""
        waits = self.reconciliation.missing or self.absent or self.observed
        return bool(waits) or not self.ledger.trusted


def think(
    known: Known,
    snapshot: AccountSnapshot,
    now: datetime,
    policy: Policy,
    *,
    explanation_wait_s: float,
) -> Cycle:
    """Conclude everything there is to conclude from one complete reading."""
    new_deals = ledger.unseen(snapshot.deals, known.deal_tickets)
    deals = _grouped(known.deals, new_deals)
    step = ledger.book(
        _ledger_memory(known.state),
        snapshot.state,
        new_deals,
        now,
        explanation_wait_s=explanation_wait_s,
    )
    rate = gbp_rate(snapshot.state.currency, snapshot.ticks, snapshot.symbols, now)
    limits = limits_in_force(known.account, rate.gbp_per_unit if rate else known.state.gbp_rate)
    swaps = sum((p.swap for p in snapshot.positions), ZERO)
    doubt = ledger.contradiction(snapshot.state, swaps)
    reading = _reading(known, snapshot, step, doubt)
    verdict = drawdown.judge(_guard_memory(known.state), reading, limits)
    state = _next_state(known.state, snapshot, step, verdict, rate, now)
    state, rules = _rules(known, snapshot, step, reading, state)
    before = None if new_deals else known.opinion
    opinion = reconcile(
        known.trades,
        snapshot,
        deals,
        known.closed_by_us,
        policy,
        before,
        refused=known.refused,
    )
    gone = _vanished(known, snapshot, deals, new_deals, opinion, policy)
    findings, muted = _inhibit(known, (*_as_told(known, opinion.findings), *gone.carried))
    episodes = advance(_divergences(known), findings, now, known.observed)
    return Cycle(
        state=state,
        new_deals=new_deals,
        ledger=step,
        verdict=verdict,
        limits=limits,
        reconciliation=opinion,
        events=_in_time(known, episodes.events),
        closures=gone.closures,
        absent=gone.absent,
        rate=rate,
        first=known.state.ledger_balance is None,
        conditions=_conditions(known, snapshot, step, now),
        doubt=doubt,
        observed=episodes.observed,
        muted=muted,
        newly_muted=tuple(f for f in muted if f.key not in known.muted) if muted else (),
        rules=rules,
    )


def limits_in_force(account: AccountRow, gbp_per_unit: Decimal | None) -> drawdown.Limits:
    """The account's limits with the minimum equity in its own currency, None without a rate."""
    minimum = None
    if gbp_per_unit is not None and gbp_per_unit > 0:
        minimum = (account.min_equity_gbp / gbp_per_unit).quantize(drawdown.PEAK_QUANTUM)
    return drawdown.Limits(
        max_drawdown_percent=account.max_drawdown_percent,
        warn_drawdown_percent=account.warn_drawdown_percent,
        minimum_equity=minimum,
    )


def _grouped(
    deals: Mapping[int, Sequence[Deal]], new_deals: Sequence[Deal]
) -> Mapping[int, Sequence[Deal]]:
    if not new_deals:
        return deals
    grouped = {position_id: list(known) for position_id, known in deals.items()}
    for deal in new_deals:
        if deal.position_id:
            grouped.setdefault(deal.position_id, []).append(deal)
    return grouped


def _ledger_memory(state: AccountStateRow) -> ledger.LedgerMemory:
    return ledger.LedgerMemory(
        booked=state.ledger_balance,
        written_off=state.written_off,
        unexplained_since=state.unexplained_since,
        pending_flow=state.pending_flow,
    )


def _guard_memory(state: AccountStateRow) -> drawdown.GuardMemory:
    return drawdown.GuardMemory(
        peak_equity=state.peak_equity,
        warned=state.warned_at is not None,
        withdrawal_exempt=state.withdrawal_exempt,
        drawdown_percent=state.drawdown_percent or ZERO,
    )


def _reading(
    known: Known, snapshot: AccountSnapshot, step: ledger.LedgerStep, doubt: Decimal
) -> drawdown.Reading:
    digits = snapshot.state.currency_digits
    return drawdown.Reading(
        equity=snapshot.state.equity,
        flow=step.flow,
        trusted=step.trusted,
        consistent=ledger.is_confirmed(doubt, known.doubt, digits),
        margin_level_percent=snapshot.state.margin_level_percent,
        stop_out_level_percent=snapshot.state.stop_out_level_percent,
        unexplained_gain=max(ZERO, step.memory.written_off),
        stale=is_stale(snapshot),
    )


def _divergences(known: Known) -> Mapping[tuple[str, str], EpisodeRow]:
    """The open episodes that are differences from the signals."""
    return {key: row for key, row in known.episodes.items() if key[0] not in CONDITIONS}


def _conditions(
    known: Known, snapshot: AccountSnapshot, step: ledger.LedgerStep, now: datetime
) -> tuple[Change, ...]:
    open_ones = known.episodes
    found = (
        mismatch(
            step.memory,
            _ledger_memory(known.state),
            open_ones.get((PNL_MISMATCH, SUBJECT)),
            now,
            deals_awaited=known.deals_awaited,
        ),
        still(snapshot, open_ones.get((STALE_DATA, SUBJECT))),
    )
    return follow(open_ones, [c for c in found if c is not None])


def _vanished(
    known: Known,
    snapshot: AccountSnapshot,
    deals: Mapping[int, Sequence[Deal]],
    new_deals: Sequence[Deal],
    opinion: Reconciliation,
    policy: Policy,
) -> Vanished:
    """What became of positions that are no trade's and are not there."""
    found = vanished(
        known.episodes.values(),
        snapshot,
        deals,
        known.closed_by_us,
        known.absent,
        policy.missing_observations_min,
    )
    if not new_deals or known.state.ledger_balance is None:
        return found  # what came before the first reading is none of our affair
    trades = (*known.trades, *(g.trade for g in opinion.gone))
    elsewhere = {i for trade in trades for i in identifiers(trade)}
    elsewhere |= {p.identifier for p in snapshot.positions}
    elsewhere |= {m.position_id for m in opinion.missing}
    elsewhere.update(known.ended)
    elsewhere |= {int(e.subject) for e in known.episodes.values() if e.kind in UNMATCHED_KINDS}
    unseen = unseen_ends(new_deals, deals, known.closed_by_us, elsewhere)
    return msgspec.structs.replace(found, closures={**found.closures, **unseen})


def _as_told(known: Known, findings: Sequence[Finding]) -> list[Finding]:
    """The findings under the names by which they were told: each is told once (law 4).

    A repeated execution stays one when the trade that it repeated has ended, and what was told
    before its deal was there is not told anew when the deal comes.
    """
    if not known.episodes:
        return list(findings)
    kept: list[Finding] = []
    for finding in findings:
        name = TOLD_BEFORE_AS.get(finding.kind)
        told = None if name is None else known.episodes.get((name.value, finding.subject))
        if name is None or told is None:
            kept.append(finding)
            continue
        was = msgspec.convert(told.detail, Finding, strict=False)
        kept.append(
            msgspec.structs.replace(
                finding,
                kind=name,
                trade_id=was.trade_id,
                signal_id=was.signal_id,
                approval_id=was.approval_id,
            )
        )
    return kept


def _inhibit(
    known: Known, findings: tuple[Finding, ...]
) -> tuple[Sequence[Finding], tuple[Finding, ...]]:
    """While a close or a latch owns the account, its consequences open and change nothing.

    Answers what may be told, and what is kept quiet. What still holds afterwards opens then.
    """
    if not known.inhibited and not known.quiet_symbols:
        return findings, ()
    kept: list[Finding] = []
    muted: list[Finding] = []
    for finding in findings:
        episode = known.episodes.get(finding.key)
        if not _is_quiet(known, finding):
            kept.append(finding)
        elif episode is None:
            muted.append(finding)
        else:
            kept.append(msgspec.structs.replace(finding, material=episode.material))
    return kept, tuple(muted)


def _is_quiet(known: Known, finding: Finding) -> bool:
    """Whether a close or a latch owns the account, or the finding's symbol."""
    return known.inhibited or finding.symbol in known.quiet_symbols


def _in_time(known: Known, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """Nobody is told that a difference lasts while it is being closed; afterwards, if it does."""
    if not known.inhibited and not known.quiet_symbols:
        return events
    return tuple(
        event
        for event in events
        if not (isinstance(event, Lasting) and _is_quiet(known, event.finding))
    )


def _rules(
    known: Known,
    snapshot: AccountSnapshot,
    step: ledger.LedgerStep,
    judged: drawdown.Reading,
    state: AccountStateRow,
) -> tuple[AccountStateRow, RulesVerdict]:
    """The rules' verdict, and the state with what they go on from, after a restart too."""
    sound = step.trusted and judged.consistent
    reading = cycle_rules.rule_reading(
        snapshot, step, known.rules, doubtful=judged.stale or not sound
    )
    last = cycle_rules.last_trusted(known.state)
    rules = rule_guard.judge(known.rules, known.rule_memories, last, reading)
    kept = cycle_rules.kept(rules.memories, known.rule_memories, state)
    if not sound:
        return msgspec.structs.replace(state, rule_memory=kept), rules
    return msgspec.structs.replace(
        state,
        rule_memory=kept,
        blind_since=None,
        trusted_at=reading.at,
        trusted_equity=reading.equity,
        trusted_balance=reading.balance,
    ), rules


def _next_state(
    state: AccountStateRow,
    snapshot: AccountSnapshot,
    step: ledger.LedgerStep,
    verdict: drawdown.Verdict,
    rate: Rate | None,
    now: datetime,
) -> AccountStateRow:
    figures = snapshot.state
    peak = verdict.memory.peak_equity
    return msgspec.structs.replace(
        state,
        observed_at=snapshot.observed_at,
        unavailable_since=None,
        unavailable_reason=None,
        balance=figures.balance,
        credit=figures.credit,
        equity=figures.equity,
        profit=figures.profit,
        margin=figures.margin,
        margin_level_percent=figures.margin_level_percent,
        positions_count=len(snapshot.positions),
        autotrading=not TERMINALS.intersection(snapshot.obstacles),
        can_trade=not ACCOUNTS.intersection(snapshot.obstacles),
        obstacles=list(snapshot.obstacles),
        obstacles_since=(state.obstacles_since or now) if snapshot.obstacles else None,
        server_offset_s=snapshot.server_offset_s,
        gbp_rate=rate.gbp_per_unit if rate else state.gbp_rate,
        gbp_rate_at=rate.at if rate else state.gbp_rate_at,
        armed_at=state.armed_at or (now if rate else None),
        peak_equity=peak,
        peak_at=now if peak != state.peak_equity else state.peak_at,
        drawdown_percent=verdict.drawdown_percent,
        warned_at=(state.warned_at or now) if verdict.memory.warned else None,
        withdrawal_exempt=verdict.memory.withdrawal_exempt,
        ledger_balance=step.memory.booked,
        written_off=step.memory.written_off,
        unexplained_since=step.memory.unexplained_since,
        pending_flow=step.memory.pending_flow,
        deals_cursor_at=next_cursor(state.deals_cursor_at, snapshot, explained=step.explained),
    )
