"""What a latched account's watch does with what re-appears: close it again, or only tell of it."""

from enum import StrEnum

from core.domain.drawdown import Rule


class Reappeared(StrEnum):
    """What is done (setting LATCHED_REAPPEARED)."""

    CLOSE = "close"
    REPORT = "report"


ALWAYS_CLOSED = frozenset({Rule.DRAWDOWN.value, Rule.MINIMUM_EQUITY.value})
"""Latches whose rules always enforce (law 8): no setting keeps them from closing."""


def closes_again(latch_reason: str | None, wish: Reappeared) -> bool:
    """Whether what re-appears is closed; a latch of unknown reason closes."""
    if latch_reason is None or latch_reason in ALWAYS_CLOSED:
        return True
    return wish is Reappeared.CLOSE
