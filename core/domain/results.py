"""What became of each ticket of a close job, from its deals."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from core.domain.alert_parts import TicketResult
from core.domain.broker import ZERO, Deal, DealEntry, DealReason, SymbolSpec
from core.domain.closures import close_reason, exit_side, mean_price
from core.domain.pips import quoted
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


def ended_otherwise(deals: Sequence[Deal], sent_for: Collection[int]) -> tuple[TicketResult, ...]:
    """What ended while a job stood, without Reckoner having sent for it: one result per position.

    `deals` are the exits booked meanwhile, `sent_for` the positions that any job of the account
    sent for: those have a result of their own.
    """
    exits: dict[int, list[Deal]] = {}
    for deal in sorted(deals, key=lambda d: d.ticket):
        if deal.position_id and deal.position_id not in sent_for:
            exits.setdefault(deal.position_id, []).append(deal)
    return tuple(
        TicketResult(
            ticket=position_id,
            symbol=parts[-1].symbol,
            side=exit_side(parts[-1]).value,
            volume=sum((d.volume for d in parts), ZERO),
            outcome="gone",
            price=mean_price(parts),
            profit=sum((d.amount for d in parts), ZERO),
            attempts=0,
            how=close_reason(parts[-1], ours=False).value,
        )
        for position_id, parts in exits.items()
    )


def as_quoted(
    results: Sequence[TicketResult], symbols: Mapping[str, SymbolSpec]
) -> tuple[TicketResult, ...]:
    """The same, each price with the digits of its symbol, as far as that is known."""
    return tuple(
        r if r.price is None else replace(r, price=quoted(r.price, symbols.get(r.symbol)))
        for r in results
    )


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
    last = max(exits, key=lambda d: d.ticket, default=None)
    gone = outcome == "gone" and last is not None
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
        how=close_reason(last, ours=False).value if gone and last is not None else "",
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
