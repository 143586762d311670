"""Summaries of bursts."""

from datetime import timedelta
from typing import Any

from core.domain.alerts_folded import AlertsFolded
from core.domain.bursts import LOGINS_MAX
from tests.fakes.clock import START


def folded(**changes: Any) -> AlertsFolded:
    """Twenty-three messages in 40 s, one of them about several positions."""
    facts: dict[str, Any] = {
        "messages": 23,
        "counts": {"unknown_position": 14, "TradeNotPlaced": 7, "market_spread": 3},
        "logins": (50001, 50002),
        "urgent": True,
        "since": START,
        "at": START + timedelta(seconds=40),
    }
    return AlertsFolded(**{**facts, **changes})


def foldeds() -> list[AlertsFolded]:
    """One message only, many accounts."""
    many = tuple(range(50001, 50001 + LOGINS_MAX))
    return [folded(), folded(messages=1, at=START, counts={"mixed": 1}), folded(logins=many)]
