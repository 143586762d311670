"""Rehearsals of closing, made up."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core.domain.alert_parts import Blocked
from core.domain.drill import Drilled
from core.domain.people import Person
from tests.fakes.clock import START


class FakeDrill:
    """Remembers what it was asked; one account is ready."""

    def __init__(self, asked: Callable[..., None]) -> None:
        self._asked = asked

    async def __call__(self, actor: Person, login: int | None) -> tuple[Drilled, ...]:
        """Answer of one account."""
        self._asked("drill", actor.telegram_id, login)
        return (drilled(login=login or 50001),)


def drilled(*blocks: Blocked, **changes: Any) -> Drilled:
    """Three positions and an order that could be closed in two seconds."""
    facts: dict[str, Any] = {
        "account_id": 7,
        "login": 50001,
        "client": "Ann Smith",
        "positions": 3,
        "orders": 1,
        "requests": 5,
        "split": 1,
        "close_s": 2.2,
        "proof_s": 1.4,
        "from_sends": True,
        "margin_level_percent": "820.5",
        "stop_out_percent": "50",
    }
    return Drilled(blocks=blocks, **{**facts, **changes})


def shut(**changes: Any) -> Drilled:
    """An account whose gold could not be closed on a Saturday."""
    block = Blocked(
        word="market_closed", ticket=900001, symbol="XAUUSD", side="buy", volume=Decimal(2)
    )
    return drilled(block, **{"opens_at": START, **changes})
