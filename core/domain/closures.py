"""Why a position ended: from its deals, or not at all (law 14)."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from msgspec.structs import replace

from core.domain.broker import ZERO, Deal, DealEntry, DealReason, DealType, Side
from core.domain.findings import CloseReason, Closure, Note
from core.domain.pips import in_pips

PRICE_QUANTUM = Decimal("0.00000001")
NO_MAGICS: frozenset[int] = frozenset()
GAP_SLIPPAGES = 5
"""A stop filled beyond this many times the tolerated slippage was jumped over."""
BY_CLIENT = frozenset(
    {CloseReason.CLIENT_DESKTOP, CloseReason.CLIENT_MOBILE, CloseReason.CLIENT_WEB}
)

_BY_REASON = {
    DealReason.CLIENT: CloseReason.CLIENT_DESKTOP,
    DealReason.MOBILE: CloseReason.CLIENT_MOBILE,
    DealReason.WEB: CloseReason.CLIENT_WEB,
    DealReason.STOP_LOSS: CloseReason.STOP_LOSS,
    DealReason.TAKE_PROFIT: CloseReason.TAKE_PROFIT,
    DealReason.STOP_OUT: CloseReason.STOP_OUT,
    DealReason.ROLLOVER: CloseReason.ROLLOVER,
}


def close_reason(deal: Deal, *, ours: bool, traded: frozenset[int] = NO_MAGICS) -> CloseReason:
    """Who or what closed, from the closing deal; `ours` where a close job sent for it.

    `traded` are the magic numbers of trades that share the position, on a netting account.
    """
    if deal.entry == DealEntry.OUT_BY:
        return CloseReason.CLOSE_BY
    if deal.entry == DealEntry.INOUT or (deal.reason == DealReason.EXPERT and deal.magic in traded):
        return CloseReason.NETTING_REVERSAL
    if deal.reason == DealReason.EXPERT:
        return CloseReason.RECKONER if ours else CloseReason.FOREIGN_EA
    return _BY_REASON.get(deal.reason, CloseReason.OTHER)


def explain(
    deals: Sequence[Deal], *, held: Decimal, ours: bool, traded: frozenset[int] = NO_MAGICS
) -> Closure | None:
    """The closure of a position that is gone, or None while its deals do not account for `held`.

    `held` is the most lots it was seen with; the exits must cover that and all entries known.
    The reason is the last exit's; the price the volume-weighted mean of all exits; profit the sum
    of every deal of the position, commission on the entry included.
    """
    traded_deals = _without_reopenings(deals)
    exits = [d for d in traded_deals if d.entry in DealEntry.EXITS]
    if not exits:
        return None
    entered = sum((d.volume for d in traded_deals if d.entry == DealEntry.IN), ZERO)
    left = sum((d.volume for d in exits), ZERO)
    if left < max(entered, held) or (entered and _was_turned(deals) and not is_square(deals)):
        return None
    # All of it is gone: what no deal opened was there before them.
    before = -sum((_signed(d) for d in traded_deals), ZERO)
    last, parts = exits[-1], closing_parts(traded_deals, before)
    return Closure(
        position_id=last.position_id,
        reason=close_reason(last, ours=ours, traded=traded),
        symbol=last.symbol,
        side=exit_side(last),
        volume=sum((p.volume for p in parts), ZERO),
        exit_price=mean_price(parts),
        pnl=sum((d.amount for d in deals), ZERO),
        closed_at=last.executed_at,
        level=level_of(last),
    )


def _without_reopenings(deals: Sequence[Deal]) -> list[Deal]:
    """The deals in order, without those by which a rollover closed and opened it anew.

    What came first is told by the tickets: the times of a server whose clock has just been changed
    may be an hour off.
    """
    ordered = sorted(deals, key=lambda d: d.ticket)
    again = sum(d.reason == DealReason.ROLLOVER and d.entry == DealEntry.IN for d in ordered)
    kept: list[Deal] = []
    for deal in ordered:
        if deal.reason == DealReason.ROLLOVER and deal.entry == DealEntry.IN:
            continue
        if deal.reason == DealReason.ROLLOVER and deal.entry == DealEntry.OUT and again:
            again -= 1
            continue
        kept.append(deal)
    return kept


def closing_parts(deals: Sequence[Deal], before: Decimal = ZERO) -> list[Deal]:
    """The exits, each with the lots that it closed: a reversal also opens the other way.

    `deals` are a position's, in order, `before` the lots that it held before them, sold ones
    negative.
    """
    parts: list[Deal] = []
    held = before
    for deal in deals:
        signed = _signed(deal)
        if deal.entry == DealEntry.INOUT and held * signed < 0:
            parts.append(replace(deal, volume=min(abs(held), deal.volume)))
        elif deal.entry in DealEntry.EXITS:
            parts.append(deal)
        held += signed
    return parts


def together(closures: Sequence[Closure], position_id: int) -> Closure:
    """The end of a trade that had several positions; the reason is the last one's."""
    last = max(closures, key=lambda c: (c.closed_at, c.position_id))
    return replace(
        last,
        position_id=position_id,
        volume=sum((c.volume for c in closures), ZERO),
        exit_price=mean([(c.exit_price, c.volume) for c in closures]),
        pnl=sum((c.pnl for c in closures), ZERO),
    )


def level_of(deal: Deal) -> Decimal | None:
    """The stop or target that closed, as servers write it on the deal: `[sl 1950.00]`."""
    if deal.reason not in {DealReason.STOP_LOSS, DealReason.TAKE_PROFIT}:
        return None
    try:
        level = Decimal(deal.comment[len("[sl ") :].removesuffix("]"))
    except InvalidOperation:
        return None
    return level if deal.comment[:4] in {"[sl ", "[tp "} and level.is_finite() else None


def judged(
    closure: Closure,
    *,
    stop_loss: Decimal | None,
    target: Decimal | None,
    pip: Decimal,
    slippage_pips_max: Decimal,
) -> Closure:
    """The end, with what was odd about its fill. The levels are the trade's, None for none.

    The level that the server wrote on the deal goes before the trade's, which may have been moved.
    """
    sign = closure.side.sign
    if closure.reason in BY_CLIENT and target is not None:
        distance = in_pips((target - closure.exit_price) * sign, pip)
        return replace(closure, to_target_pips=distance)
    if closure.reason not in {CloseReason.STOP_LOSS, CloseReason.TAKE_PROFIT}:
        return closure
    stopped = closure.reason is CloseReason.STOP_LOSS
    level = closure.level or (stop_loss if stopped else target)
    if level is None:
        return closure
    worse = in_pips((level - closure.exit_price) * sign, pip)
    note = ""
    if stopped and worse > slippage_pips_max * GAP_SLIPPAGES:
        note = Note.GAP_FILL.value
    elif worse > slippage_pips_max:
        note = Note.EXIT_SLIPPAGE.value
    return replace(closure, slippage_pips=worse, note=note)


def _was_turned(deals: Sequence[Deal]) -> bool:
    """Whether the position was a buy and a sell in turn, though the deal that turned it may lack.

    Such a position has ended when as many lots were bought as sold, and not before.
    """
    return len({held_side(d) for d in deals}) > 1 or any(d.entry == DealEntry.INOUT for d in deals)


def is_square(deals: Sequence[Deal]) -> bool:
    """Whether as many lots were bought as sold."""
    return sum((_signed(d) for d in deals), ZERO) == 0


def _signed(deal: Deal) -> Decimal:
    """The lots of a deal, sold ones negative."""
    return deal.volume * -exit_side(deal).sign


def held_side(deal: Deal) -> Side:
    """The side of the position that this deal opened, added to, closed or turned."""
    if deal.entry in DealEntry.EXITS:
        return exit_side(deal)
    return Side.BUY if deal.deal_type == DealType.BUY else Side.SELL


def exit_side(deal: Deal) -> Side:
    """The side of the position that this exit closed: a sell deal closes a buy."""
    return Side.BUY if deal.deal_type == DealType.SELL else Side.SELL


def mean_price(deals: Sequence[Deal]) -> Decimal:
    """Volume-weighted mean price of deals."""
    return mean([(d.price, d.volume) for d in deals])


def mean(fills: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Mean price, weighted by lots, with as many digits as the prices have, more where needed."""
    volume = sum((lots for _, lots in fills), ZERO)
    if volume == 0:
        return fills[-1][0]
    total = sum((price * lots for price, lots in fills), ZERO)
    exact = (total / volume).quantize(PRICE_QUANTUM, ROUND_HALF_EVEN)
    quoted = exact.quantize(min((p for p, _ in fills), key=lambda p: p.as_tuple().exponent))
    return quoted if quoted == exact else exact.normalize()
