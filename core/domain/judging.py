"""What differs between a trade and the position that is it: one finding for each, by tolerance.

Nothing here asks which position is whose; that is decided (`core.domain.matching`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import (
    NOT_TOLD,
    ORDER_TYPES,
    ZERO,
    Deal,
    DealEntry,
    PendingOrder,
    Position,
    Side,
    SymbolSpec,
)
from core.domain.closures import mean
from core.domain.findings import Finding, Kind
from core.domain.matching import LATE_FILL_GRACE, origin, own_deals
from core.domain.pips import entry_slippage_pips, in_points, pip_size, point_size, quoted
from core.records import TradeRow

_BUY, _SELL = Side.BUY, Side.SELL


class Policy(Struct, frozen=True, kw_only=True):
    """Tolerances and bounds of reconciliation."""

    slippage_pips_max: Decimal
    missing_observations_min: int
    pip_by_symbol: Mapping[str, Decimal]


class Match(Struct, frozen=True, kw_only=True, gc=False):
    """A trade and the position that is it; `first` when this reading found it.

    `position` stands for all `parts` of a split fill together: the first one's numbers and levels,
    all lots, the mean price. `joined` are the identifiers this reading added, and `whole` is False
    while a part is absent that no deal explains. `shared` where the position, on a netting
    account, is other trades' as well: then it is only this trade's share of it.
    """

    trade: TradeRow
    position: Position
    spec: SymbolSpec
    slippage_pips: Decimal
    first: bool
    parts: tuple[Position, ...] = ()
    joined: tuple[int, ...] = ()
    whole: bool = True
    shared: bool = False
    findings: tuple[Finding, ...] = ()


def combined(parts: tuple[Position, ...]) -> Position:
    """Several positions as the one they stand for."""
    if len(parts) == 1:
        return parts[0]
    return replace(
        parts[0],
        volume=sum((p.volume for p in parts), ZERO),
        price_open=mean([(p.price_open, p.volume) for p in parts]),
        profit=sum((p.profit for p in parts), ZERO),
        swap=sum((p.swap for p in parts), ZERO),
    )


def entry_price(trade: TradeRow, position: Position) -> Decimal:
    """What the trade was filled at: as stored, for a rollover or an addition re-prices positions.

    The position's own price where nothing is stored yet, or more of it was filled since.
    """
    stored, largest = trade.entry_price, trade.observed_volume
    if stored is None or largest is None or position.volume > largest:
        return position.price_open
    return stored


def unchanged(match: Match, parts: tuple[Position, ...]) -> bool:
    """Whether nothing that is judged differs from the positions judged before."""
    before = match.parts
    if len(parts) == 1 == len(before):  # nearly always
        return _same(parts[0], before[0])
    return len(parts) == len(before) and all(map(_same, parts, before))


def _same(new: Position, old: Position) -> bool:
    return new is old or (
        new.stop_loss == old.stop_loss
        and new.take_profit == old.take_profit
        and new.volume == old.volume
        and new.price_open == old.price_open
        and new.side is old.side
        and new.identifier == old.identifier
    )


def judge(match: Match, deals: Sequence[Deal], policy: Policy, *, levels: bool) -> Match:
    """The match with its findings. `deals` are the position's; `levels` whether they are its own.

    The figures of a position the wrong way round are not compared: that is one difference.
    """
    trade, position = match.trade, match.position
    if position.side != trade.side:
        turned = any(d.entry == DealEntry.INOUT for d in deals)
        kind = Kind.NETTING_REVERSED if turned else Kind.DIRECTION_MISMATCH
        return replace(match, findings=(_finding(match, kind, trade.side, position.side.value),))
    found: list[Finding] = []
    if match.slippage_pips > policy.slippage_pips_max:
        found.append(_slipped(match))
    if (trade.opened_at or position.opened_at) > trade.deadline_at + LATE_FILL_GRACE:
        found.append(_late(match))
    if match.whole and not match.shared and position.volume != trade.volume:
        kind = volume_kind(match, deals)
        found.append(_finding(match, kind, trade.volume.normalize(), position.volume.normalize()))
    if levels:
        for part in match.parts:
            if part.stop_loss != trade.stop_loss:
                found.append(_level(match, part, _STOP))
            if part.take_profit != trade.take_profit:
                found.append(_level(match, part, _TARGET))
    return replace(match, findings=tuple(found)) if found or match.findings else match


def slippage(
    trade: TradeRow, position: Position, spec: SymbolSpec, policy: Policy, before: Match | None
) -> Decimal:
    """How much worse than expected the trade was filled, in pips, adverse positive.

    It is the same as `before` where that is of the same trade, filled at the same price.
    """
    if (
        before is not None
        and before.trade is trade
        and (
            before.position.price_open == position.price_open
            and before.position.volume == position.volume
        )
    ):
        return before.slippage_pips
    return entry_slippage_pips(
        _BUY if trade.side == "buy" else _SELL,
        trade.expected_entry,
        entry_price(trade, position),
        pip_size(spec, policy.pip_by_symbol),
    )


def volume_kind(match: Match, deals: Sequence[Deal]) -> Kind:
    """How the lots differ: more by whose doing, fewer than there were, or never as many."""
    trade, held = match.trade, match.position.volume
    if held > trade.volume:
        entries = [d for d in deals if d.entry == DealEntry.IN]
        own = own_deals(trade, entries)
        return Kind.SCALED_IN if own and len(own) < len(entries) else Kind.OVER_VOLUME
    largest = trade.observed_volume
    return Kind.VOLUME_REDUCED if largest is not None and held < largest else Kind.PARTIAL_FILL


def shared_volume(
    newest: Match, expected: Decimal, position: Position, largest: Decimal
) -> Finding:
    """The one finding about a netting position of several trades that holds another volume.

    `expected` is the sum of the trades, signed as buys; `largest` what all of them ever held.
    """
    held = position.volume * position.side.sign
    if held * expected < 0:
        kind = Kind.DIRECTION_MISMATCH
    elif abs(held) > abs(expected):
        kind = Kind.OVER_VOLUME
    else:
        kind = Kind.VOLUME_REDUCED if abs(held) < largest else Kind.PARTIAL_FILL
    whole = replace(newest, position=position)
    return _finding(whole, kind, expected.normalize(), held.normalize())


class _Level(Struct, frozen=True):
    """What a level is called, and the kinds of what may happen to it."""

    column: str
    moved: Kind
    removed: Kind
    missing: Kind


_STOP = _Level("stop", Kind.SL_MOVED, Kind.SL_REMOVED, Kind.SL_MISSING)
_TARGET = _Level("target", Kind.TP_MOVED, Kind.TP_REMOVED, Kind.TP_MISSING)


def _level(match: Match, part: Position, level: _Level) -> Finding:
    trade = match.trade
    if level is _STOP:
        expected, observed, seen = trade.stop_loss, part.stop_loss, trade.stop_seen
    else:
        expected, observed, seen = trade.take_profit, part.take_profit, trade.target_seen
    one = match if part is match.position else replace(match, position=part)
    was = "" if expected is None else quoted(expected, match.spec)
    if observed is not None:
        return _finding(one, level.moved, was, quoted(observed, match.spec))
    stood = seen if seen is not None else not match.first
    return _finding(one, level.removed if stood else level.missing, was, "")


def _slipped(match: Match) -> Finding:
    trade, spec = match.trade, match.spec
    filled = entry_price(trade, match.position)
    finding = _finding(
        match, Kind.ENTRY_SLIPPAGE, quoted(trade.expected_entry, spec), quoted(filled, spec)
    )
    distance = (filled - trade.expected_entry) * match.position.side.sign
    return replace(
        finding,
        slippage_pips=match.slippage_pips,
        slippage_points=in_points(distance, point_size(spec)),
    )


def _late(match: Match) -> Finding:
    return _finding(
        match,
        Kind.LATE_EXECUTION,
        _instant(match.trade.deadline_at),
        _instant(match.trade.opened_at or match.position.opened_at),
    )


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _finding(match: Match, kind: Kind, expected: Decimal | str, observed: Decimal | str) -> Finding:
    """Figures are told as they are given; what is `material` has no zeros at its end."""
    trade, position = match.trade, match.position
    told = observed if isinstance(observed, str) else _told(observed)
    return Finding(
        kind=kind,
        subject=str(position.identifier),
        trade_id=trade.id,
        signal_id=trade.signal_id,
        approval_id=trade.approval_id,
        symbol=position.symbol,
        side="buy" if position.side is _BUY else "sell",
        volume=position.volume,
        expected=expected if isinstance(expected, str) else _told(expected),
        observed=told,
        material=told if isinstance(observed, str) else _without_zeros(told),
        magic=position.magic,
        opened_by=position.reason,
        price=position.price_open,
    )


def plain(figure: Decimal) -> str:
    """A figure without the zeros at its end, in no scientific notation."""
    return _without_zeros(_told(figure))


def _told(figure: Decimal) -> str:
    """In no scientific notation; `str` says nearly all figures so, in half the time."""
    text = str(figure)
    return f"{figure:f}" if "E" in text else text


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def missing(trade: TradeRow, position_id: int) -> Finding:
    """A trade's position, or a part of it, that is gone and that no deal explains."""
    return Finding(
        kind=Kind.MISSING_UNEXPLAINED,
        subject=str(position_id),
        trade_id=trade.id,
        signal_id=trade.signal_id,
        approval_id=trade.approval_id,
        symbol=trade.symbol,
        side=trade.side,
        volume=trade.observed_volume or trade.volume,
        expected=plain(trade.volume),
        observed="",
        material="",
        magic=trade.magic,
        price=trade.entry_price,
    )


def unknown(
    position: Position, kind: Kind, owner: TradeRow | None, candidates: tuple[int, ...] = ()
) -> Finding:
    """A position that is no trade's; `owner` is the trade whose tag it carries all the same."""
    volume = plain(position.volume)
    strange = kind is Kind.SYMBOL_MISMATCH
    return Finding(
        kind=kind,
        subject=str(position.identifier),
        trade_id=owner.id if owner else None,
        signal_id=owner.signal_id if owner else None,
        approval_id=owner.approval_id if owner else None,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        expected=owner.symbol if owner and strange else "",
        observed=position.symbol if strange else volume,
        material=f"{position.side.value} {volume}",
        magic=position.magic,
        opened_by=position.reason,
        price=position.price_open,
        origin=origin(position).value if kind is Kind.UNKNOWN_POSITION else "",
        candidates=candidates,
    )


def unknown_order(order: PendingOrder) -> Finding:
    """A pending order that no trade to be placed called for."""
    return Finding(
        kind=Kind.UNKNOWN_PENDING_ORDER,
        subject=str(order.ticket),
        trade_id=None,
        signal_id=None,
        approval_id=None,
        symbol=order.symbol,
        side=order.side.value,
        volume=order.volume,
        expected=ORDER_TYPES.get(order.order_type, ""),
        observed=plain(order.price_open),
        material=f"{plain(order.price_open)} {plain(order.volume)}",
        magic=order.magic,
        opened_by=NOT_TOLD if order.reason is None else order.reason,
        price=order.price_open,
    )
