"""The day's head of the audit."""

from datetime import timedelta
from typing import Any

from core.domain.alerts_audit import HeadsRecorded
from tests.fakes.clock import START


def heads_recorded(**changes: Any) -> HeadsRecorded:
    """Four chains, the day before."""
    facts: dict[str, Any] = {
        "day": (START - timedelta(days=1)).date(),
        "sequence": 412,
        "hash": "0123456789abcdef",
        "accounts": 4,
        "at": START,
    }
    return HeadsRecorded(**{**facts, **changes})
