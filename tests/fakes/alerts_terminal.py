"""Alerts about the way to the broker, one of every kind and turn."""

from datetime import timedelta
from typing import Any

from core.domain import alerts as a
from core.domain import alerts_terminal as t
from core.domain.linking import LOGIN_REFUSED
from core.domain.permissions import Obstacle
from tests.fakes.clock import START

ACCOUNT: dict[str, Any] = {
    "account_id": 7,
    "login": 50001,
    "client": "Ann Smith",
    "currency": "GBP",
}
SOON = START + timedelta(seconds=120)
EARLIER = START - timedelta(minutes=35)


def terminals() -> list[a.Alert]:
    """Every turn of them."""
    return [
        unreadable(),
        unreadable(terminal="starting", reason="the terminal is being started"),
        unreadable(
            terminal="failing", attempts=3, next_try_at=SOON, reason="Process create failed"
        ),
        unreadable(terminal="unlinked"),
        unreadable(terminal="refused", reason=LOGIN_REFUSED),
        unreadable(terminal="refused", reason=LOGIN_REFUSED, renewable=True, changed=True),
        t.AccountRecovered(**ACCOUNT, since=EARLIER, at=START),
        t.AccountRecovered(**ACCOUNT, since=EARLIER, at=START, blocked=True),
        *(cannot_close(each.value) for each in Obstacle if each is not Obstacle.SYMBOL_DISABLED),
        cannot_close("symbol_disabled:XAUUSD.r", "symbol_disabled:US30.cash", news="changed"),
        cannot_close("autotrading_off", "api_disabled", news="reminder"),
        cannot_close("investor_password", news="held"),
        cannot_close("investor_password", positions_count=0),
        t.CanCloseAgain(**ACCOUNT, since=EARLIER, at=START),
        blocked(),
        blocked(closing="account"),
        blocked(closing="XAUUSD", right_again=True),
        t.TerminalCleared(**ACCOUNT, by="Olga", closing="account", blocked_at=EARLIER, at=START),
        t.TerminalCleared(**ACCOUNT, by="Olga", closing="", blocked_at=EARLIER, at=START),
    ]


def unreadable(**changes: Any) -> t.AccountUnavailable:
    """An account whose terminal does not answer."""
    facts: dict[str, Any] = {"reason": "IPC recv failed", "since": START, "positions_count": 3}
    return t.AccountUnavailable(**ACCOUNT, **{**facts, **changes})


def cannot_close(*obstacles: str, **changes: Any) -> t.CannotClose:
    """An account with three positions that cannot be closed."""
    facts: dict[str, Any] = {"news": "appeared", "positions_count": 3, "since": EARLIER}
    return t.CannotClose(**ACCOUNT, obstacles=obstacles, at=START, **{**facts, **changes})


def blocked(**changes: Any) -> t.TerminalBlocked:
    """A terminal that answered for its neighbour."""
    facts: dict[str, Any] = {
        "reason": "asked for 50001 at Sim, the terminal answered for 50002, Sim",
        "positions_count": 3,
        "closing": "",
        "right_again": False,
        "blocked_at": EARLIER,
    }
    return t.TerminalBlocked(**ACCOUNT, at=START, **{**facts, **changes})
