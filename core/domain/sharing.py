"""Several trades in one netting position: which share of it, and of its result, is whose.

MetaTrader keeps one position per symbol; an order adds to it, reduces it or turns it round. Only
the deals still say which order it was.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec.structs import replace

from core.domain.broker import ZERO, Deal, Position, Side
from core.domain.closures import mean_price
from core.domain.findings import Closure
from core.domain.matching import identifiers, own_deals
from core.records import TradeRow


def shared_by(
    trades: Sequence[TradeRow], parts: Mapping[int, tuple[Position, ...]]
) -> dict[int, list[TradeRow]]:
    """The positions, by identifier, that are several trades', and those trades, oldest first."""
    count = Counter(p.identifier for held in parts.values() for p in held)
    shared: dict[int, list[TradeRow]] = {}
    for trade in sorted(trades, key=lambda t: t.id):
        for position in parts.get(trade.id, ()):
            if count[position.identifier] > 1:
                shared.setdefault(position.identifier, []).append(trade)
    return shared


def share(trade: TradeRow, position: Position, deals: Sequence[Deal]) -> Position:
    """Answer the trade's share of a position: what its own deals made of it.

    A trade whose deals are older than those known is taken to be filled as it was stored.
    """
    own = own_deals(trade, deals)
    volume = sum((d.volume for d in own), ZERO) or trade.observed_volume or trade.volume
    price = mean_price(own) if own else trade.entry_price or position.price_open
    opened_at = min((d.executed_at for d in own), default=position.opened_at)
    return replace(
        position, side=Side(trade.side), volume=volume, price_open=price, opened_at=opened_at
    )


def own_entry(trade: TradeRow, position: Position, deals: Sequence[Deal]) -> Position:
    """A netting position of one trade, at the price the trade itself was filled at.

    What somebody else's order added changed the position's mean price, not the trade's entry.
    """
    own = own_deals(trade, deals)
    return replace(position, price_open=mean_price(own)) if own else position


def expected_volume(trades: Sequence[TradeRow]) -> Decimal:
    """What the trades together should hold, a buy positive."""
    return sum((t.volume * Side(t.side).sign for t in trades), ZERO)


def largest_volume(trades: Sequence[TradeRow]) -> Decimal:
    """What the trades together held once, either way."""
    return abs(sum(((t.observed_volume or ZERO) * Side(t.side).sign for t in trades), ZERO))


def divided(
    closure: Closure, trades: Sequence[TradeRow], deals: Sequence[Deal], currency_digits: int
) -> dict[int, Closure]:
    """The end of a shared position, once for each of its trades, by trade id.

    The result is divided by the lots each held, the rest that rounding leaves to the newest, so
    that the shares add up to it.
    """
    held = {t.id: sum((d.volume for d in own_deals(t, deals)), ZERO) or t.volume for t in trades}
    total = sum(held.values(), ZERO)
    cent = Decimal(1).scaleb(-currency_digits)
    left = closure.pnl
    ends: dict[int, Closure] = {}
    for trade in trades:
        part = (closure.pnl * held[trade.id] / total).quantize(cent, ROUND_HALF_EVEN)
        pnl = left if trade is trades[-1] else part
        left -= pnl
        side = Side(trade.side)
        ends[trade.id] = replace(closure, side=side, volume=held[trade.id], pnl=pnl)
    return ends


def gone_together(trades: Sequence[TradeRow]) -> dict[int, list[TradeRow]]:
    """Trades that named the same position, by its identifier, oldest first."""
    named: dict[int, list[TradeRow]] = {}
    for trade in sorted(trades, key=lambda t: t.id):
        for identifier in identifiers(trade)[:1]:
            named.setdefault(identifier, []).append(trade)
    return named
