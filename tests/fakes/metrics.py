"""Metrics that remember what was counted."""

from decimal import Decimal


class CountingMetrics:
    """Remembers what was counted."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    def _add(self, name: str, label: str, amount: int = 1) -> None:
        key = (name, label)
        self.counts[key] = self.counts.get(key, 0) + amount

    def synced(self, outcome: str, latency_s: float) -> None:
        """Count a cycle."""
        del latency_s
        self._add("synced", outcome)

    def divergence(self, reason: str) -> None:
        """Count a divergence."""
        self._add("divergence", reason)

    def guard_triggered(self, guard: str) -> None:
        """Count a trip."""
        self._add("guard", guard)

    def autoclosed(self, reason: str, positions: int) -> None:
        """Count closed positions."""
        self._add("autoclosed", reason, positions)

    def account(
        self, login: int, positions: int, equity_gbp: Decimal | None, drawdown_percent: Decimal
    ) -> None:
        """Ignore gauges."""
        del login, positions, equity_gbp, drawdown_percent

    def terminal(self, login: int, state: str) -> None:
        """Ignore gauges."""
        del login, state

    def terminal_restarted(self, reason: str) -> None:
        """Count a restart."""
        self._add("restarted", reason)
