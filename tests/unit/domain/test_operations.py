"""What each DEAL_TYPE is: the table of MetaTrader 5's ENUM_DEAL_TYPE (facts: mt5, 1.5)."""

import pytest

from core.domain.operations import FLOWS, Operation, operation_of, results
from core.sim import mt5_constants as theirs
from tests.unit.domain.make import deal, money


@pytest.mark.parametrize(
    ("code", "amount", "operation", "is_flow"),
    [
        (theirs.DEAL_TYPE_BUY, "5", "trade", False),
        (theirs.DEAL_TYPE_SELL, "-5", "trade", False),
        (theirs.DEAL_TYPE_BALANCE, "5", "deposit", True),
        (theirs.DEAL_TYPE_BALANCE, "-5", "withdrawal", True),
        (theirs.DEAL_TYPE_CREDIT, "5", "credit", True),
        (theirs.DEAL_TYPE_CREDIT, "-5", "credit", True),
        (theirs.DEAL_TYPE_CHARGE, "-5", "charge", False),
        (theirs.DEAL_TYPE_CORRECTION, "5", "correction", False),
        (theirs.DEAL_TYPE_BONUS, "5", "bonus", True),
        (theirs.DEAL_TYPE_COMMISSION, "-5", "commission", False),
        (theirs.DEAL_TYPE_COMMISSION_DAILY, "-5", "commission", False),
        (theirs.DEAL_TYPE_COMMISSION_MONTHLY, "-5", "commission", False),
        (theirs.DEAL_TYPE_COMMISSION_AGENT_DAILY, "5", "commission", False),
        (theirs.DEAL_TYPE_COMMISSION_AGENT_MONTHLY, "5", "commission", False),
        (theirs.DEAL_TYPE_INTEREST, "5", "interest", False),
        (theirs.DEAL_TYPE_BUY_CANCELED, "5", "cancelled", False),
        (theirs.DEAL_TYPE_SELL_CANCELED, "5", "cancelled", False),
        (theirs.DEAL_DIVIDEND, "5", "dividend", False),
        (theirs.DEAL_DIVIDEND_FRANKED, "5", "dividend", False),
        (theirs.DEAL_TAX, "-5", "tax", False),
        (18, "5", "other", False),  # newer than the table: not taken for the client's own money
    ],
)
def test_each_type_of_deal_is_a_flow_or_a_result(
    *, code: int, amount: str, operation: str, is_flow: bool
) -> None:
    booked = money(1, amount, code)
    assert operation_of(booked).value == operation
    assert (operation_of(booked) in FLOWS, booked.is_flow) == (is_flow, is_flow)


def test_results_are_what_was_won_or_lost_without_a_trade() -> None:
    charge, nothing = money(3, "-12", 4), money(4, "0", 4)
    deals = [deal(1), money(2, "100"), charge, nothing, money(5, "7", 99)]
    assert [d.ticket for d in results(deals)] == [3, 5]
    assert operation_of(money(5, "7", 99)) is Operation.OTHER
