"""Rows with plausible values, for tests that need one and change what they are about."""

from decimal import Decimal
from typing import Any

import msgspec

from core.domain.alerts import Alert
from core.records import AccountRow, OutboxRow
from tests.fakes.clock import START
from tests.fakes.telegram import ADMIN_CHAT


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


def outbox_row(alert: Alert, **changes: Any) -> OutboxRow:
    """An alert for the admin chat, due at the start."""
    facts: dict[str, Any] = {
        "dedupe_key": "k",
        "chat_id": ADMIN_CHAT,
        "priority": 2,
        "thread": "t",
        "mode": "new",
        "kind": type(alert).__name__,
        "payload": msgspec.json.encode(alert).decode(),
        "created_at": START,
        "due_at": START,
        **changes,
    }
    return OutboxRow(**facts)
