"""Reconciliation: what an account should hold against what one complete reading shows.

Invariants:

1. Matching is by identity: the position identifier stored with the trade, then our own tag (the
   trade's magic number and comment, both or the one half that survived). Tolerances never match.
2. Each difference beyond its tolerance is named exactly once, each within it not at all.
3. Absence is not a fact: an open trade without a position is missing until its deals explain it,
   and is told only after `missing_observations_min` complete readings without (law 3).
4. The order in which positions, orders, deals or trades arrive is irrelevant.
5. Nothing is invented: no reason without a deal.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from core.domain.broker import AccountSnapshot, Deal, PendingOrder, Position, Side, SymbolSpec
from core.domain.closures import explain
from core.domain.findings import Closure, Finding, Kind
from core.domain.pips import entry_slippage_pips, pip_size, quoted
from core.records import TradeRow

OPEN = "open"
PENDING = "pending"


class Policy(Struct, frozen=True, kw_only=True):
    """Tolerances and bounds of reconciliation."""

    slippage_pips_max: Decimal
    missing_observations_min: int
    pip_by_symbol: Mapping[str, Decimal]


class Match(Struct, frozen=True, kw_only=True, gc=False):
    """A trade and the position that is it; `first` when this reading found it."""

    trade: TradeRow
    position: Position
    spec: SymbolSpec
    slippage_pips: Decimal
    first: bool


class Gone(Struct, frozen=True, kw_only=True, gc=False):
    """A trade whose position is gone, explained by its deals."""

    trade: TradeRow
    closure: Closure


class Missing(Struct, frozen=True, kw_only=True, gc=False):
    """A trade whose position is not in this reading, and no deal says why yet."""

    trade: TradeRow
    count: int


class Reconciliation(Struct, frozen=True, kw_only=True, gc=False):
    """The whole opinion on one reading."""

    matches: tuple[Match, ...]
    gone: tuple[Gone, ...]
    missing: tuple[Missing, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[Position, ...]


def reconcile(
    trades: Sequence[TradeRow],
    snapshot: AccountSnapshot,
    deals: Mapping[int, Sequence[Deal]],
    closed_by_us: frozenset[int],
    policy: Policy,
) -> Reconciliation:
    """Compare what should be with what one reading shows.

    `deals` are all known deals by position identifier, `closed_by_us` the identifiers that a close
    job of ours has sent for.
    """
    assigned, duplicates = assign(trades, snapshot.positions)
    matches: list[Match] = []
    gone: list[Gone] = []
    missing: list[Missing] = []
    findings: list[Finding] = []
    for trade in sorted(trades, key=lambda t: t.id):
        position = assigned.get(trade.id)
        if position is not None:
            match = _match(trade, position, snapshot.symbols, policy)
            matches.append(match)
            findings.extend(_differences(match, policy))
        elif trade.status == OPEN and trade.position_id is not None:
            closure = _closure(trade, deals.get(trade.position_id, ()), closed_by_us)
            if closure is not None:
                gone.append(Gone(trade=trade, closure=closure))
            else:
                missing.append(Missing(trade=trade, count=trade.missing_count + 1))
    findings.extend(_missing(m) for m in missing if m.count >= policy.missing_observations_min)
    known = {p.ticket for p in assigned.values()}
    unknown = tuple(p for p in snapshot.positions if p.ticket not in known)
    findings.extend(_unknown(p, duplicates.get(p.ticket)) for p in unknown)
    magics = {t.magic for t in trades if t.status == PENDING}
    findings.extend(_unknown_order(o) for o in snapshot.orders if o.magic not in magics)
    return Reconciliation(
        matches=tuple(matches),
        gone=tuple(gone),
        missing=tuple(missing),
        findings=tuple(findings),
        unknown=unknown,
    )


def assign(
    trades: Sequence[TradeRow], positions: Sequence[Position]
) -> tuple[dict[int, Position], dict[int, TradeRow]]:
    """Which position is which trade, and which positions repeat a trade that has one already."""
    by_identifier = {p.identifier: p for p in positions}
    assigned: dict[int, Position] = {}
    taken: set[int] = set()
    for trade in trades:
        position = by_identifier.get(trade.position_id) if trade.position_id else None
        if position is not None:
            assigned[trade.id] = position
            taken.add(position.ticket)
    duplicates: dict[int, TradeRow] = {}
    for position in sorted(positions, key=lambda p: p.ticket):
        if position.ticket in taken:
            continue
        owner = _tagged(position, trades)
        if owner is None:
            continue
        if owner.id in assigned or owner.position_id is not None:
            duplicates[position.ticket] = owner
            continue
        assigned[owner.id] = position
        taken.add(position.ticket)
    return assigned, duplicates


def _tagged(position: Position, trades: Sequence[TradeRow]) -> TradeRow | None:
    same = [t for t in trades if t.symbol == position.symbol]
    for fits in (
        [t for t in same if t.magic == position.magic and t.comment == position.comment],
        [t for t in same if t.magic == position.magic],
        [t for t in same if t.comment == position.comment and position.magic == 0],
    ):
        if len(fits) == 1:
            return fits[0]
    return None


def _match(
    trade: TradeRow, position: Position, symbols: Mapping[str, SymbolSpec], policy: Policy
) -> Match:
    spec = symbols[position.symbol]
    return Match(
        trade=trade,
        position=position,
        spec=spec,
        slippage_pips=entry_slippage_pips(
            Side(trade.side),
            trade.expected_entry,
            position.price_open,
            pip_size(spec, policy.pip_by_symbol),
        ),
        first=trade.position_id is None,
    )


def _differences(match: Match, policy: Policy) -> list[Finding]:
    trade, position = match.trade, match.position
    if position.side != trade.side:
        return [_finding(match, Kind.DIRECTION_MISMATCH, trade.side, position.side.value)]
    found: list[Finding] = []
    if match.slippage_pips > policy.slippage_pips_max:
        found.append(
            _finding(
                match,
                Kind.ENTRY_SLIPPAGE,
                quoted(trade.expected_entry, match.spec),
                quoted(position.price_open, match.spec),
            )
        )
    kind = _volume_kind(trade, position)
    if kind is not None:
        found.append(_finding(match, kind, trade.volume.normalize(), position.volume.normalize()))
    found.extend(_level(match, trade.stop_loss, position.stop_loss, Kind.SL_MOVED, Kind.SL_REMOVED))
    found.extend(
        _level(match, trade.take_profit, position.take_profit, Kind.TP_MOVED, Kind.TP_REMOVED)
    )
    return found


def _volume_kind(trade: TradeRow, position: Position) -> Kind | None:
    if position.volume > trade.volume:
        return Kind.OVER_VOLUME
    if position.volume == trade.volume:
        return None
    largest = trade.observed_volume
    if largest is not None and position.volume < largest:
        return Kind.VOLUME_REDUCED
    return Kind.PARTIAL_FILL


def _level(
    match: Match, expected: Decimal | None, observed: Decimal | None, moved: Kind, removed: Kind
) -> list[Finding]:
    if expected == observed:
        return []
    was = "" if expected is None else quoted(expected, match.spec)
    if observed is None:
        return [_finding(match, removed, was, "")]
    return [_finding(match, moved, was, quoted(observed, match.spec))]


def _finding(match: Match, kind: Kind, expected: Decimal | str, observed: Decimal | str) -> Finding:
    """Figures are told as they are given; what is `material` has no zeros at its end."""
    trade, position = match.trade, match.position
    return Finding(
        kind=kind,
        subject=str(position.identifier),
        trade_id=trade.id,
        signal_id=trade.signal_id,
        approval_id=trade.approval_id,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        expected=_told(expected),
        observed=_told(observed),
        material=_text(observed),
        slippage_pips=match.slippage_pips if kind is Kind.ENTRY_SLIPPAGE else None,
        magic=position.magic,
        opened_by=position.reason,
        price=position.price_open,
    )


def _told(figure: Decimal | str) -> str:
    return figure if isinstance(figure, str) else f"{figure:f}"


def _text(figure: Decimal | str) -> str:
    return figure if isinstance(figure, str) else f"{figure.normalize():f}"


def _missing(missing: Missing) -> Finding:
    trade = missing.trade
    return Finding(
        kind=Kind.MISSING_UNEXPLAINED,
        subject=str(trade.position_id),
        trade_id=trade.id,
        signal_id=trade.signal_id,
        approval_id=trade.approval_id,
        symbol=trade.symbol,
        side=trade.side,
        volume=trade.observed_volume or trade.volume,
        expected=_text(trade.volume),
        observed="",
        material="",
        magic=trade.magic,
        price=trade.entry_price,
    )


def _unknown(position: Position, duplicate_of: TradeRow | None) -> Finding:
    kind = Kind.UNKNOWN_POSITION if duplicate_of is None else Kind.DUPLICATE_EXECUTION
    return Finding(
        kind=kind,
        subject=str(position.identifier),
        trade_id=duplicate_of.id if duplicate_of else None,
        signal_id=duplicate_of.signal_id if duplicate_of else None,
        approval_id=duplicate_of.approval_id if duplicate_of else None,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        expected="",
        observed=_text(position.volume),
        material=f"{position.side.value} {_text(position.volume)}",
        magic=position.magic,
        opened_by=position.reason,
        price=position.price_open,
    )


def _unknown_order(order: PendingOrder) -> Finding:
    return Finding(
        kind=Kind.UNKNOWN_PENDING_ORDER,
        subject=str(order.ticket),
        trade_id=None,
        signal_id=None,
        approval_id=None,
        symbol=order.symbol,
        side=order.side.value,
        volume=order.volume,
        expected="",
        observed=_text(order.price_open),
        material=f"{_text(order.price_open)} {_text(order.volume)}",
        magic=order.magic,
        price=order.price_open,
    )


def _closure(
    trade: TradeRow, deals: Sequence[Deal], closed_by_us: frozenset[int]
) -> Closure | None:
    held = trade.observed_volume or trade.volume
    return explain(deals, held=held, ours=trade.position_id in closed_by_us)
