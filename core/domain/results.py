"""What became of each ticket of a close job, from its deals."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.alert_parts import TicketResult
from core.domain.broker import ZERO, Deal, DealEntry, DealReason
from core.domain.closures import mean_price
from core.domain.retcodes import DONE, PARTIAL, Executed, outcome
from core.records import CloseOrderRow

COMMENT_PREFIX = "rc:"
"""What the comment of a close request begins with; the number of its row follows."""

DEAL_CLOCK_SLACK = timedelta(seconds=1)
"""Deals carry milliseconds of the broker's clock; ours may be a little ahead."""

READING_OLDEST = timedelta(seconds=30)
"""How much older than a job's first intent the reading may be that it was made on.

What somebody else closed after that reading counts into what was held then.
"""


def deals_seen(orders: Sequence[CloseOrderRow], deals: Mapping[int, Sequence[Deal]]) -> bool:
    """Whether the deals that closed every position the job sent for have been seen by now.

    They are as many lots as were there at the position's first attempt, where that is known.
    """
    first: dict[int, CloseOrderRow] = {}
    for order in sorted(orders, key=lambda o: o.id):
        if order.action == "close":
            first.setdefault(order.position_id, order)
    since = min((o.created_at for o in orders), default=None)
    return since is None or all(
        _is_whole(order, deals.get(position_id, ()), since - READING_OLDEST)
        for position_id, order in first.items()
    )


def _is_whole(first: CloseOrderRow, deals: Sequence[Deal], since: datetime) -> bool:
    exits = [d for d in deals if d.entry in DealEntry.EXITS]
    if first.held is None:
        return bool(exits)
    return sum((d.volume for d in exits if d.executed_at >= since), ZERO) >= first.held


def ticket_results(
    orders: Sequence[CloseOrderRow], deals: Mapping[int, Sequence[Deal]], since: datetime
) -> tuple[TicketResult, ...]:
    """One result per ticket, in the order of their first attempts.

    `closed` where a deal of ours ended it, `gone` where somebody or something else did, or no deal
    says. Price and profit come from the exits since `since`, never from the send's answer.
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
        sent = [o for o in orders if o.ticket == order.ticket]
        outcome = "closed" if _closed_by_us(exits, sent) else "gone"
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


def _closed_by_us(exits: Sequence[Deal], orders: Sequence[CloseOrderRow]) -> bool:
    """By the exits; while none is to be seen, by the server's answer that it was executed."""
    if exits:
        return any(_is_ours(deal, orders) for deal in exits)
    return any(o.retcode in (DONE, PARTIAL) for o in orders)


def _is_ours(deal: Deal, orders: Sequence[CloseOrderRow]) -> bool:
    """Whether one of our requests made this deal.

    By the number the server answered, or by our comment; brokers may overwrite that, so where an
    answer was lost an expert's deal is taken for ours.
    """
    if deal.ticket in {o.deal for o in orders} or deal.comment.startswith(COMMENT_PREFIX):
        return True
    lost = any(o.deal is None and _may_be_executed(o.retcode) for o in orders)
    return lost and deal.reason == DealReason.EXPERT


def _may_be_executed(retcode: int | None) -> bool:
    return retcode is None or outcome(retcode).executed is Executed.UNKNOWN


def total_pnl(results: Sequence[TicketResult]) -> Decimal:
    """The sum of the profits known."""
    return sum((r.profit for r in results if r.profit is not None), ZERO)
