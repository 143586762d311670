"""Reconciliation: what an account should hold against what one complete reading shows.

Invariants:

1. Matching is by identity (`core.domain.matching`). Tolerances never match; they judge.
2. Each difference beyond its tolerance is named exactly once, each within it not at all.
3. Absence is not a fact: an open trade without a position is missing until its deals explain it,
   and is told only after `missing_observations_min` complete readings without (law 3).
4. The order in which positions, orders, deals or trades arrive is irrelevant.
5. Nothing is invented: no reason without a deal.
6. The opinion is the same with and without the one before it, which only saves work.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from core.domain import judging, sharing
from core.domain.broker import (
    ZERO,
    AccountSnapshot,
    Deal,
    MarginMode,
    PendingOrder,
    Position,
)
from core.domain.closures import NO_MAGICS, explain, judged, mean_price, together
from core.domain.findings import Closure, Finding, Kind
from core.domain.judging import Match, Policy
from core.domain.matching import OPEN, PENDING, World, identifiers, match, own_deals
from core.domain.pips import pip_size
from core.records import TradeRow

__all__ = ["Gone", "Match", "Missing", "Policy", "Reconciliation", "reconcile"]


class Gone(Struct, frozen=True, kw_only=True, gc=False):
    """A trade whose position is gone, explained by its deals."""

    trade: TradeRow
    closure: Closure


class Missing(Struct, frozen=True, kw_only=True, gc=False):
    """A trade whose position, or a part of it, is not in this reading, and no deal says why yet."""

    trade: TradeRow
    count: int
    position_id: int


class Reconciliation(Struct, frozen=True, kw_only=True, gc=False):
    """The whole opinion on one reading, and the part of the reading that it is about.

    `settled`: it does not depend on the time, as it does while a trade's tag may still come.
    """

    matches: tuple[Match, ...]
    gone: tuple[Gone, ...]
    missing: tuple[Missing, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[Position, ...]
    trades: tuple[TradeRow, ...]
    positions: tuple[Position, ...]
    orders: tuple[PendingOrder, ...]
    settled: bool


def reconcile(  # noqa: PLR0913 - everything that is known, each named once
    trades: Sequence[TradeRow],
    snapshot: AccountSnapshot,
    deals: Mapping[int, Sequence[Deal]],
    closed_by_us: frozenset[int],
    policy: Policy,
    before: Reconciliation | None = None,
    *,
    refused: Mapping[int, frozenset[int]] | None = None,
) -> Reconciliation:
    """Compare what should be with what one reading shows.

    `deals` are all known deals by position identifier, `closed_by_us` the identifiers that a close
    job of ours has sent for. `before` is the last opinion on the account, under the same policy and
    with the same deals known; whoever has new deals leaves it out. `refused` are the trades, by
    position identifier, that a person said a position is none of.
    """
    if (
        before is not None
        and before.settled
        and before.positions == snapshot.positions
        and before.trades == trades
        and before.orders == snapshot.orders
    ):
        return before
    world = World(
        positions=snapshot.positions,
        symbols=snapshot.symbols,
        deals=deals,
        netting=snapshot.state.margin_mode is not MarginMode.HEDGING,
        at=snapshot.began_at,
        refused=refused or {},
    )
    review = _Review(sorted(trades, key=attrgetter("id")), world, closed_by_us, policy)
    return review.opinion(snapshot, tuple(trades), before)


class _Review:
    """One reading's comparison."""

    def __init__(
        self,
        trades: list[TradeRow],
        world: World,
        closed_by_us: frozenset[int],
        policy: Policy,
    ) -> None:
        self._trades = trades
        self._world = world
        self._closed_by_us = closed_by_us
        self._policy = policy
        self._matching = match(trades, world)
        self._shared = sharing.shared_by(trades, self._matching.parts) if world.netting else {}
        self.missing: list[Missing] = []

    def opinion(
        self,
        snapshot: AccountSnapshot,
        trades: tuple[TradeRow, ...],
        before: Reconciliation | None,
    ) -> Reconciliation:
        matching = self._matching
        matches = self._matches(before)
        gone = self._gone(snapshot.state.currency_digits)
        findings = [f for m in matches if m.findings for f in m.findings]
        findings.extend(
            judging.missing(each.trade, each.position_id)
            for each in self.missing
            if each.count >= self._policy.missing_observations_min
        )
        unknown: tuple[Position, ...] = ()
        if matching.loose:
            known = {p.identifier for held in matching.parts.values() for p in held}
            unknown = tuple(p for p in snapshot.positions if p.identifier not in known)
            findings.extend(self._unknown(p) for p in unknown)
        if snapshot.orders:
            magics = {t.magic for t in trades if t.status == PENDING}
            findings.extend(
                judging.unknown_order(o) for o in snapshot.orders if o.magic not in magics
            )
        return Reconciliation(
            matches=tuple(matches),
            gone=tuple(gone),
            missing=tuple(self.missing),
            findings=tuple(findings),
            unknown=unknown,
            trades=trades,
            positions=snapshot.positions,
            orders=snapshot.orders,
            settled=not (unknown and any(t.position_id is None for t in trades)),
        )

    # --- what is there --------------------------------------------------------------------------

    def _matches(self, before: Reconciliation | None) -> list[Match]:
        known = {} if before is None else {m.trade.id: m for m in before.matches}
        found: list[Match] = []
        get = self._matching.parts.get
        for trade in self._trades:
            parts = get(trade.id)
            if parts is None:
                continue
            old = known.get(trade.id)
            if (
                old is not None
                and old.trade is trade
                and not self._shared
                and judging.unchanged(old, parts)
            ):
                found.append(old if old.whole else self._match(trade, parts, old))
            else:
                found.append(self._match(trade, parts, old))
        for owners in self._shared.values():
            self._judge_shared(found, owners)
        return found

    def _match(self, trade: TradeRow, parts: tuple[Position, ...], before: Match | None) -> Match:
        world, identifier = self._world, parts[0].identifier
        position = parts[0] if len(parts) == 1 else judging.combined(parts)
        deals: Sequence[Deal] = world.deals.get(identifier, ()) if world.deals else ()
        shared = identifier in self._shared
        if world.netting and deals:
            position = (sharing.share if shared else sharing.own_entry)(trade, position, deals)
        spec = world.symbols[position.symbol]
        single = len(parts) == 1 and trade.position_id == identifier
        stored = () if single else identifiers(trade)
        figures = Match(
            trade=trade,
            position=position,
            spec=spec,
            slippage_pips=judging.slippage(trade, position, spec, self._policy, before),
            first=trade.position_id is None,
            parts=parts,
            joined=()
            if single
            else tuple(p.identifier for p in parts if p.identifier not in stored),
            whole=not trade.other_position_ids or self._is_whole(trade, parts),
            shared=shared,
        )
        newest = not shared or self._shared[identifier][-1] is trade
        return judging.judge(figures, deals, self._policy, levels=newest)

    def _is_whole(self, trade: TradeRow, parts: tuple[Position, ...]) -> bool:
        """Whether each part of a split fill is there or its end explained; counts it otherwise."""
        there = {p.identifier for p in parts}
        for identifier in identifiers(trade):
            if identifier in there:
                continue
            deals = self._world.deals.get(identifier, ())
            if explain(deals, held=ZERO, ours=False) is None:
                count = trade.missing_count + 1
                self.missing.append(Missing(trade=trade, count=count, position_id=identifier))
                return False
        return True

    def _judge_shared(self, found: list[Match], owners: list[TradeRow]) -> None:
        """Compare the whole of a netting position with all its trades; the newest is named."""
        position = self._matching.parts[owners[-1].id][0]
        expected = sharing.expected_volume(owners)
        if position.volume * position.side.sign == expected:
            return
        largest = sharing.largest_volume(owners)
        for index, each in enumerate(found):
            if each.trade is owners[-1]:
                extra = judging.shared_volume(each, expected, position, largest)
                found[index] = replace(each, findings=(*each.findings, extra))

    def _unknown(self, position: Position) -> Finding:
        matching, identifier = self._matching, position.identifier
        if identifier in matching.duplicates:
            owner = matching.duplicates[identifier]
            return judging.unknown(position, Kind.DUPLICATE_EXECUTION, owner)
        if identifier in matching.strays:
            return judging.unknown(position, Kind.SYMBOL_MISMATCH, matching.strays[identifier])
        asked = matching.questions.get(identifier, ())
        return judging.unknown(position, Kind.UNKNOWN_POSITION, None, asked)

    # --- what is not ----------------------------------------------------------------------------

    def _gone(self, currency_digits: int) -> list[Gone]:
        """Trades without any position: explained by their deals, or missing."""
        absent: list[TradeRow] = []
        for trade in self._trades:
            if trade.id in self._matching.parts:
                continue
            if trade.id in self._matching.past:
                absent.append(self._placed(trade, self._matching.past[trade.id]))
            elif trade.status == OPEN and trade.position_id is not None:
                absent.append(trade)
        if not absent:
            return []
        ends: list[Gone] = []
        for position_id, owners in sharing.gone_together(absent).items():
            closure = self._closure(owners)
            if closure is not None and len(owners) == 1:
                ends.append(self._end(owners[0], closure))
            elif closure is not None:
                deals = self._world.deals.get(position_id, ())
                divided = sharing.divided(closure, owners, deals, currency_digits)
                ends.extend(self._end(t, divided[t.id]) for t in owners)
            else:
                self.missing.extend(
                    Missing(trade=t, count=t.missing_count + 1, position_id=position_id)
                    for t in owners
                    if t.id not in self._matching.past
                )
        return sorted(ends, key=lambda end: end.trade.id)

    def _placed(self, trade: TradeRow, position_id: int) -> TradeRow:
        """A trade as its deals say it was filled, between two readings."""
        own = own_deals(trade, self._world.deals[position_id])
        return replace(
            trade,
            position_id=position_id,
            entry_price=mean_price(own),
            observed_volume=sum((d.volume for d in own), ZERO),
            opened_at=min(d.executed_at for d in own),
        )

    def _closure(self, owners: list[TradeRow]) -> Closure | None:
        """The end of all positions that these trades name; None while one is unexplained."""
        names = identifiers(owners[0])
        lots = [t.observed_volume or t.volume for t in owners]
        held = max(lots) if len(names) == 1 else ZERO
        traded = frozenset(t.magic for t in self._trades) if self._world.netting else NO_MAGICS
        closures: list[Closure] = []
        for identifier in names:
            closure = explain(
                self._world.deals.get(identifier, ()),
                held=held,
                ours=identifier in self._closed_by_us,
                traded=traded,
            )
            if closure is None:
                return None
            closures.append(closure)
        if len(closures) == 1:
            return closures[0]
        whole = together(closures, names[0])
        return whole if whole.volume >= max(lots) else None

    def _end(self, trade: TradeRow, closure: Closure) -> Gone:
        spec = self._world.symbols.get(closure.symbol)
        if spec is not None:
            closure = judged(
                closure,
                stop_loss=trade.stop_loss,
                target=trade.take_profit,
                pip=pip_size(spec, self._policy.pip_by_symbol),
                slippage_pips_max=self._policy.slippage_pips_max,
            )
        return Gone(trade=trade, closure=closure)
