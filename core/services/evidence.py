"""What a decision was made on: one value, written into every link that tells of one (law 8).

The reading is the one that was judged, the limits those in force at that moment. `rules` names the
settings: what they say stands in the system's chain, once for each version.
"""

from datetime import datetime
from typing import Any, Final

from core.domain import audit_words as words
from core.domain.broker import AccountSnapshot
from core.domain.cycle import Cycle, limits_in_force
from core.domain.freshness import is_stale
from core.domain.ledger import is_consistent
from core.services.desk import AccountMemory

DECISIONS: Final = frozenset(
    {
        words.GUARD_ARMED,
        words.GUARD_WARNED,
        words.GUARD_BREACHED,
        words.RULE_BROKEN,
        words.GUARD_BLIND,
        words.CLOSE_STARTED,
        words.CLOSE_INTENDED,
        words.CLOSE_CONFIRMED,
        words.CLOSE_SUPERSEDED,
        words.LATCH_REAPPEARED,
        words.LATCH_RELEASED,
        words.RELEASE_ASKED,
        words.RELEASE_GRANTED,
        words.RELEASE_REFUSED,
        words.TERMINAL_BLOCKED,
        words.TERMINAL_CLEARED,
    }
)
"""The words of links that carry what was decided on."""


def inputs(memory: AccountMemory, cycle: Cycle | None, reading: AccountSnapshot | None) -> Any:  # noqa: ANN401 - JSON is what it is
    """What there was to decide on. Without a cycle of its own, what the last one left.

    Amounts in the account's currency, instants UTC.
    """
    state = memory.state if cycle is None else cycle.state
    snapshot = memory.snapshot if reading is None else reading
    account = memory.account
    limits = limits_in_force(account, state.gbp_rate) if cycle is None else cycle.limits
    return {
        "reading": None if snapshot is None else _reading(memory, cycle, snapshot),
        "peak": state.peak_equity,
        "drawdown_percent": state.drawdown_percent,
        "limits": {
            "max_drawdown_percent": limits.max_drawdown_percent,
            "warn_drawdown_percent": limits.warn_drawdown_percent,
            "minimum_equity": limits.minimum_equity,
            "min_equity_gbp": account.min_equity_gbp,
            "gbp_rate": state.gbp_rate,
            "gbp_rate_at": state.gbp_rate_at,
            "countdown_s": account.countdown_s,
        },
        "rules": memory.rules,
    }


def _reading(
    memory: AccountMemory, cycle: Cycle | None, snapshot: AccountSnapshot
) -> dict[str, Any]:
    figures = snapshot.state
    if cycle is None:
        trusted = is_consistent(figures) and memory.state.unexplained_since is None
    else:
        trusted = cycle.ledger.trusted
    return {
        "began_at": snapshot.began_at,
        "received_at": snapshot.observed_at,
        "broker_at": _newest_tick(snapshot),
        "server_offset_s": snapshot.server_offset_s,
        "equity": figures.equity,
        "balance": figures.balance,
        "credit": figures.credit,
        "profit": figures.profit,
        "margin": figures.margin,
        "margin_level_percent": figures.margin_level_percent,
        "positions": len(snapshot.positions),
        "orders": len(snapshot.orders),
        "trusted": trusted,
        "stale": is_stale(snapshot),
        "failed_reads": memory.failures,
    }


def _newest_tick(snapshot: AccountSnapshot) -> datetime | None:
    """The broker's time as far as its prices tell it, UTC."""
    return max((tick.at for tick in snapshot.ticks.values()), default=None)
