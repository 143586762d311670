"""Alerts about closes without progress and what re-appears, one of every turn."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts as a
from core.domain import alerts_closing as c
from core.domain.alert_parts import Appeared, Blocked
from core.domain.drill import Drilled
from tests.fakes.clock import START
from tests.fakes.drill import drilled, shut

ACCOUNT: dict[str, Any] = {
    "account_id": 7,
    "login": 50001,
    "client": "Ann Smith",
    "currency": "GBP",
}
WORDS = (
    "market_closed",
    "autotrading_off",
    "rejected",
    "unknown_outcome",
    "cannot_trade",
    "not_tried",
    "lingers",
)


def watched() -> list[a.Alert]:
    """Every turn of them."""
    return [
        *(stalled(held(word)) for word in WORDS),
        stalled(Blocked(word="unreadable", detail="IPC recv failed")),
        stalled(Blocked(word="figures")),
        stalled(Blocked(word="terminal_blocked", detail="asked for 50001"), held("not_tried")),
        stalled(held("market_closed"), opens_at=START + timedelta(days=2), scope="XAUUSD", more=7),
        drill_blocked(shut()),
        drill_blocked(shut(), drilled(Blocked(word="autotrading_off")), more=4),
        reappeared(appeared()),
        reappeared(appeared(opened_by=3, magic=77)),
        reappeared(appeared(opened_by=3, magic=761000005, trade_id=5)),
        reappeared(appeared(is_order=True, ticket=800001)),
        reappeared(appeared(), appeared(is_order=True, ticket=800001), more=3),
        reappeared(appeared(is_order=True, opened_by=None), job_id=0),
    ]


def held(word: str, **changes: Any) -> Blocked:
    """A position of 0.10 lots of gold that is not closed yet."""
    facts: dict[str, Any] = {
        "ticket": 900001,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": Decimal("0.10"),
        "code": 10018,
        "detail": "Market closed",
        "tries": 4,
    }
    return Blocked(word=word, **{**facts, **changes})


def stalled(*blocks: Blocked, **changes: Any) -> c.CloseStalled:
    """No progress for five minutes."""
    facts: dict[str, Any] = {
        "job_id": 3,
        "scope": "account",
        "since": START - timedelta(minutes=5),
        "more": 0,
        "next_try_at": START + timedelta(seconds=30),
        "opens_at": None,
        "at": START,
    }
    return c.CloseStalled(**ACCOUNT, blocks=blocks, **{**facts, **changes})


def drill_blocked(*accounts: Drilled, **changes: Any) -> c.DrillBlocked:
    """The weekly rehearsal found something."""
    facts: dict[str, Any] = {"more": 0, "rehearsed": 12, "at": START}
    return c.DrillBlocked(accounts=accounts, **{**facts, **changes})


def appeared(**changes: Any) -> Appeared:
    """A position of 0.10 lots of gold, opened on a phone."""
    facts: dict[str, Any] = {
        "ticket": 900001,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": Decimal("0.10"),
        "is_order": False,
        "opened_by": 1,
        "magic": 0,
    }
    return Appeared(**{**facts, **changes})


def reappeared(*items: Appeared, **changes: Any) -> a.LatchedReappeared:
    """Found on a locked account, and being closed."""
    return a.LatchedReappeared(**ACCOUNT, items=items, **{"job_id": 4, "at": START, **changes})
