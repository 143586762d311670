"""Why a position ended: from its deals, or not at all (law 14)."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from core.domain.broker import ZERO, Deal, DealEntry, DealReason, DealType, Side
from core.domain.findings import CloseReason, Closure

PRICE_QUANTUM = Decimal("0.00000001")

_BY_REASON = {
    DealReason.CLIENT: CloseReason.CLIENT_DESKTOP,
    DealReason.MOBILE: CloseReason.CLIENT_MOBILE,
    DealReason.WEB: CloseReason.CLIENT_WEB,
    DealReason.STOP_LOSS: CloseReason.STOP_LOSS,
    DealReason.TAKE_PROFIT: CloseReason.TAKE_PROFIT,
    DealReason.STOP_OUT: CloseReason.STOP_OUT,
    DealReason.ROLLOVER: CloseReason.ROLLOVER,
}


def close_reason(deal: Deal, *, ours: bool) -> CloseReason:
    """Who or what closed, from the closing deal; `ours` where a close job sent for it."""
    if deal.entry == DealEntry.OUT_BY:
        return CloseReason.CLOSE_BY
    if deal.reason == DealReason.EXPERT:
        return CloseReason.RECKONER if ours else CloseReason.FOREIGN_EA
    return _BY_REASON.get(deal.reason, CloseReason.OTHER)


def explain(deals: Sequence[Deal], *, held: Decimal, ours: bool) -> Closure | None:
    """The closure of a position that is gone, or None while its deals do not account for `held`.

    `held` is the most lots it was seen with; the exits must cover that and all entries known.
    The reason is the last exit's; the price the volume-weighted mean of all exits; profit the sum
    of every deal of the position, commission on the entry included.
    """
    exits = sorted(
        (d for d in deals if d.entry in DealEntry.EXITS), key=lambda d: (d.executed_at, d.ticket)
    )
    if not exits:
        return None
    entered = sum((d.volume for d in deals if d.entry == DealEntry.IN), ZERO)
    left = sum((d.volume for d in exits), ZERO)
    if left < max(entered, held) or (entered and _reversed_and_open(deals)):
        return None
    last = exits[-1]
    return Closure(
        position_id=last.position_id,
        reason=close_reason(last, ours=ours),
        symbol=last.symbol,
        side=exit_side(last),
        volume=left,
        exit_price=mean_price(exits),
        pnl=sum((d.amount for d in deals), ZERO),
        closed_at=last.executed_at,
    )


def _reversed_and_open(deals: Sequence[Deal]) -> bool:
    """Whether a netting reversal left a position the other way that no deal has closed yet."""
    if all(d.entry != DealEntry.INOUT for d in deals):
        return False
    return sum((d.volume * exit_side(d).sign for d in deals), ZERO) != 0


def exit_side(deal: Deal) -> Side:
    """The side of the position that this exit closed: a sell deal closes a buy."""
    return Side.BUY if deal.deal_type == DealType.SELL else Side.SELL


def mean_price(deals: Sequence[Deal]) -> Decimal:
    """Volume-weighted mean price, with as many digits as the prices have, more where it needs."""
    volume = sum((d.volume for d in deals), ZERO)
    if volume == 0:
        return deals[-1].price
    total = sum((d.price * d.volume for d in deals), ZERO)
    mean = (total / volume).quantize(PRICE_QUANTUM, ROUND_HALF_EVEN)
    quoted = mean.quantize(min((d.price for d in deals), key=lambda p: p.as_tuple().exponent))
    return quoted if quoted == mean else mean.normalize()
