"""Lines about what is over."""

from datetime import datetime, timedelta
from typing import Any

from core.domain.alerts_over import AlertsOver, Ending
from tests.fakes.clock import START


def ending(kind: str = "drawdown", **changes: Any) -> Ending:
    """Something on account 50001 that lasted twelve minutes."""
    until: datetime = START + timedelta(minutes=12)
    facts: dict[str, Any] = {"login": 50001, "since": START, "until": until}
    return Ending(kind=kind, **{**facts, **changes})


def overs() -> list[AlertsOver]:
    """Of one thing of each kind, and of many."""
    one = [
        ending("drawdown"),
        ending("difference", about="unknown_position", symbol="XAUUSD"),
        ending("difference", about="pnl_mismatch"),
        ending("rule", about="Daily loss of <b>equity</b> or balance"),
        ending("prices"),
        ending("unread", since=START + timedelta(minutes=11, seconds=25)),
        ending("market", login=0, about="spread", symbol="XAUUSD"),
        ending("close_ahead", about="gap", symbol="XAUUSD"),
        ending("chat", login=0, about="Ben <b>Brown</b>"),
        ending("alarm", about="GuardBlind"),
        ending("alarm", about="AccountUnavailable", since=START - timedelta(hours=23)),
    ]
    terminal = [ending("unread", login=50001 + n) for n in range(38)]
    return [*(AlertsOver(endings=(each,)) for each in one), AlertsOver(endings=(*terminal, *one))]
