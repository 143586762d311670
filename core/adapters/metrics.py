"""Prometheus metrics (names and meanings: docs/metrics.md).

Per-account series carry the login and are capped; past the cap an account is only in the totals.
"""

from decimal import Decimal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from core.ports import TerminalState

ACCOUNT_SERIES_MAX = 500
LATENCY_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PrometheusMetrics:
    """The engine's figures in one registry of their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._syncs = Counter(
            "mt5_position_sync_total", "Account cycles by outcome.", ["outcome"], registry=registry
        )
        self._divergences = Counter(
            "reconciliation_divergences_total",
            "Divergence episodes opened, by reason.",
            ["reason"],
            registry=registry,
        )
        self._triggers = Counter(
            "drawdown_guard_triggers_total",
            "Guard trips by guard.",
            ["guard"],
            registry=registry,
        )
        self._closed = Counter(
            "positions_autoclosed_total",
            "Positions closed by close jobs, counted when confirmed flat, by reason.",
            ["reason"],
            registry=registry,
        )
        self._latency = Histogram(
            "reconciliation_latency_seconds",
            "From the start of an account's cycle to its last commit.",
            buckets=LATENCY_BUCKETS_S,
            registry=registry,
        )
        self._positions = Gauge(
            "mt5_positions_total", "Open positions.", ["login"], registry=registry
        )
        self._equity = Gauge(
            "account_equity_gbp", "Equity in pounds.", ["login"], registry=registry
        )
        self._drawdown = Gauge(
            "account_drawdown_percent",
            "Drawdown from the cash-flow-adjusted peak, percent.",
            ["login"],
            registry=registry,
        )
        self._logins: set[int] = set()
        self._last_sync = Gauge(
            "reconciliation_last_sync_timestamp_seconds",
            "When an account was last read and reconciled, seconds since 1970.",
            registry=registry,
        )
        self._skipped = Counter(
            "reconciliation_skipped_total",
            "Cycles not run, by reason.",
            ["reason"],
            registry=registry,
        )
        self._jobs = Counter(
            "scheduler_job_events_total",
            "Scheduler jobs missed, overlapping or failed.",
            ["job", "event"],
            registry=registry,
        )
        self._watch_terminals(registry)

    def _watch_terminals(self, registry: CollectorRegistry) -> None:
        self._terminals = Gauge(
            "mt5_terminal_state",
            "1 for the state a terminal is in, 0 for the others.",
            ["login", "state"],
            registry=registry,
        )
        self._restarts = Counter(
            "mt5_terminal_restarts_total",
            "Terminal agents killed or died, by reason.",
            ["reason"],
            registry=registry,
        )
        self._terminal_logins: set[int] = set()

    def synced(self, outcome: str, latency_s: float) -> None:
        """Count one account cycle."""
        self._syncs.labels(outcome).inc()
        if outcome == "ok":
            self._latency.observe(latency_s)
            self._last_sync.set_to_current_time()

    def divergence(self, reason: str) -> None:
        """Count an opened divergence."""
        self._divergences.labels(reason).inc()

    def guard_triggered(self, guard: str) -> None:
        """Count a guard's trip."""
        self._triggers.labels(guard).inc()

    def autoclosed(self, reason: str, positions: int) -> None:
        """Count positions confirmed closed."""
        self._closed.labels(reason).inc(positions)

    def account(
        self, login: int, positions: int, equity_gbp: Decimal | None, drawdown_percent: Decimal
    ) -> None:
        """Set the account's gauges, up to the cap."""
        if login not in self._logins and len(self._logins) >= ACCOUNT_SERIES_MAX:
            return
        self._logins.add(login)
        label = str(login)
        self._positions.labels(label).set(positions)
        self._drawdown.labels(label).set(float(drawdown_percent))
        if equity_gbp is not None:
            self._equity.labels(label).set(float(equity_gbp))

    def skipped(self, reason: str) -> None:
        """Count a cycle that was not run."""
        self._skipped.labels(reason).inc()

    def job_event(self, job: str, event: str) -> None:
        """Count a scheduler event."""
        self._jobs.labels(job, event).inc()

    def terminal(self, login: int, state: str) -> None:
        """Set the terminal's state, up to the cap."""
        if login not in self._terminal_logins and len(self._terminal_logins) >= ACCOUNT_SERIES_MAX:
            return
        self._terminal_logins.add(login)
        for word in TerminalState:
            self._terminals.labels(str(login), word.value).set(float(word.value == state))

    def terminal_restarted(self, reason: str) -> None:
        """Count an agent that was killed or died."""
        self._restarts.labels(reason).inc()
