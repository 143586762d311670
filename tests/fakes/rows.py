"""Rows with plausible values, for tests that need one and change what they are about."""

from decimal import Decimal
from typing import Any

from core.records import AccountRow
from tests.fakes.clock import START


def account_row(**changes: Any) -> AccountRow:
    """Ann's account in pounds, with the limits that come with Reckoner."""
    facts: dict[str, Any] = {
        "user_id": 1,
        "login": 50001,
        "server": "S",
        "name": "Main",
        "currency": "GBP",
        "margin_mode": "hedging",
        "max_drawdown_percent": Decimal(20),
        "warn_drawdown_percent": Decimal(15),
        "min_equity_gbp": Decimal(100),
        "countdown_s": 10,
        "created_at": START,
        **changes,
    }
    return AccountRow(**facts)
