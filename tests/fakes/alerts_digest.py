"""A daily digest with plausible figures."""

from datetime import date
from decimal import Decimal
from typing import Any

from core.domain.alerts_digest import DailyDigest, DigestAccount
from tests.fakes.clock import START


def day_of(**changes: Any) -> DigestAccount:
    """Ann's day: two won, one lost, a deposit, half an hour without readings."""
    facts: dict[str, Any] = {
        "login": 50001,
        "currency": "GBP",
        "realised": Decimal("98.25"),
        "floating": Decimal(12),
        "trades": 3,
        "won": 2,
        "lost": 1,
        "followed": 2,
        "missed": 1,
        "rejected": 0,
        "expired": 1,
        "deposits": Decimal(500),
        "withdrawals": Decimal("-20.50"),
        "credit": Decimal(0),
        "worst_drawdown_percent": Decimal("4.2"),
        "unread_s": 1800,
        "curve": (Decimal(1), Decimal(2), Decimal(3)),
    }
    return DigestAccount(**{**facts, **changes})


def digest(*accounts: DigestAccount, **changes: Any) -> DailyDigest:
    """Yesterday, told in London."""
    facts: dict[str, Any] = {
        "user_id": 1,
        "day": date(2026, 11, 21),
        "time_zone": "Europe/London",
        "accounts": accounts or (day_of(),),
        "left_out": 0,
        "at": START,
    }
    return DailyDigest(**{**facts, **changes})
