"""What a deal is in money: a trade, or an operation on the account; a flow, or a result (law 9).

The codes are MetaTrader 5's `ENUM_DEAL_TYPE`. A code newer than this table is an operation of a
kind not known, and a result: nothing is taken for the client's own money that is not known to be.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from core.domain.broker import ZERO, Deal, DealType

DIVIDEND, DIVIDEND_FRANKED, TAX = 15, 16, 17
"""Codes that the library's constants name without `TYPE_` (`DEAL_DIVIDEND` and its like)."""


class Operation(StrEnum):
    """What a deal did to the account's money. The first four behind `TRADE` are flows."""

    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    CREDIT = "credit"
    BONUS = "bonus"
    CHARGE = "charge"
    CORRECTION = "correction"
    COMMISSION = "commission"
    INTEREST = "interest"
    DIVIDEND = "dividend"
    TAX = "tax"
    CANCELLED = "cancelled"
    OTHER = "other"


FLOWS = frozenset({Operation.DEPOSIT, Operation.WITHDRAWAL, Operation.CREDIT, Operation.BONUS})
"""Operations that move money in or out; all others are won or lost (law 9)."""

_BY_TYPE = {
    DealType.BUY: Operation.TRADE,
    DealType.SELL: Operation.TRADE,
    DealType.CREDIT: Operation.CREDIT,
    DealType.CHARGE: Operation.CHARGE,
    DealType.CORRECTION: Operation.CORRECTION,
    DealType.BONUS: Operation.BONUS,
    DealType.COMMISSION: Operation.COMMISSION,
    DealType.COMMISSION_DAILY: Operation.COMMISSION,
    DealType.COMMISSION_MONTHLY: Operation.COMMISSION,
    DealType.COMMISSION_AGENT_DAILY: Operation.COMMISSION,
    DealType.COMMISSION_AGENT_MONTHLY: Operation.COMMISSION,
    DealType.INTEREST: Operation.INTEREST,
    DealType.BUY_CANCELED: Operation.CANCELLED,
    DealType.SELL_CANCELED: Operation.CANCELLED,
    DIVIDEND: Operation.DIVIDEND,
    DIVIDEND_FRANKED: Operation.DIVIDEND,
    TAX: Operation.TAX,
}


def operation_of(deal: Deal) -> Operation:
    """What the deal is."""
    if deal.deal_type == DealType.BALANCE:
        return Operation.DEPOSIT if deal.amount >= 0 else Operation.WITHDRAWAL
    return _BY_TYPE.get(deal.deal_type, Operation.OTHER)


def results(deals: Iterable[Deal]) -> tuple[Deal, ...]:
    """The operations among the deals that won or lost money without a trade."""
    kinds = FLOWS | {Operation.TRADE}
    return tuple(d for d in deals if d.amount != 0 and operation_of(d) not in kinds)


def totals(deals: Iterable[Deal]) -> Mapping[Operation, Decimal]:
    """What the deals come to, by operation, each ticket once."""
    sums: dict[Operation, Decimal] = {}
    for deal in {d.ticket: d for d in deals}.values():
        kind = operation_of(deal)
        sums[kind] = sums.get(kind, ZERO) + deal.amount
    return sums
