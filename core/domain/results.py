"""What became of each ticket of a close job, from its deals."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.domain.alerts import TicketResult
from core.domain.broker import ZERO, Deal, DealEntry, DealReason
from core.domain.closures import mean_price
from core.records import CloseOrderRow


def deals_seen(orders: Sequence[CloseOrderRow], deals: Mapping[int, Sequence[Deal]]) -> bool:
    """Whether every position the job sent for has an exit deal by now."""
    return all(
        any(d.entry in DealEntry.EXITS for d in deals.get(o.position_id, ()))
        for o in orders
        if o.action == "close"
    )


def ticket_results(
    orders: Sequence[CloseOrderRow], deals: Mapping[int, Sequence[Deal]], since: datetime
) -> tuple[TicketResult, ...]:
    """One result per ticket, in the order of their first attempts.

    `closed` where an expert's deal ended it, `gone` where somebody or something else did, or no
    deal says. Price and profit come from the exits since `since`, never from the send's answer.
    """
    last: dict[int, CloseOrderRow] = {}
    for order in sorted(orders, key=lambda o: o.id):
        last[order.ticket] = order
    return tuple(_result(o, orders, deals.get(o.position_id, ()), since) for o in last.values())


def _result(
    order: CloseOrderRow,
    orders: Sequence[CloseOrderRow],
    deals: Sequence[Deal],
    since: datetime,
) -> TicketResult:
    exits = [d for d in deals if d.entry in DealEntry.EXITS and d.executed_at >= since]
    volume = max(o.volume for o in orders if o.ticket == order.ticket)
    if order.action == "cancel":
        outcome = "cancelled"
    else:
        expert = any(d.reason == DealReason.EXPERT for d in exits)
        outcome = "closed" if expert else "gone"
    return TicketResult(
        ticket=order.ticket,
        symbol=order.symbol,
        side=order.side,
        volume=sum((d.volume for d in exits), ZERO) or volume,
        outcome=outcome,
        price=mean_price(exits) if exits else None,
        profit=sum((d.amount for d in exits), ZERO) if exits else None,
        attempts=sum(1 for o in orders if o.ticket == order.ticket),
        retcode=order.retcode,
    )


def total_pnl(results: Sequence[TicketResult]) -> Decimal:
    """The sum of the profits known."""
    return sum((r.profit for r in results if r.profit is not None), ZERO)
