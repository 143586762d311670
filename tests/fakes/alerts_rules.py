"""Alerts about guard rules and a blind guard, one of every kind and turn."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts as a
from core.domain import alerts_rules as r
from tests.fakes.alerts_terminal import ACCOUNT, EARLIER, SOON
from tests.fakes.clock import START

PRAGUE = "Europe/Prague"


def rules() -> list[a.Alert]:
    """Every turn of them."""
    return [
        broken(),
        broken(mode="advise", severity="close_all"),
        broken(mode="enforce", severity="close_all"),
        broken(mode="advise", severity="pause_day"),
        broken(severity="pause_day", paused_until=SOON, zone=PRAGUE),
        broken(measure="margin_level", figure=Decimal("180.5"), floor=Decimal(200)),
        broken(measure="positions", figure=Decimal(11), floor=Decimal(10)),
        broken(measure="exposure", figure=Decimal(250000), floor=Decimal(200000)),
        eased(),
        eased(figure=None),
        ahead(),
        ahead(mode="advise"),
        r.RulesChanged(
            **ACCOUNT,
            profile="two-step",
            rules=(("Daily loss", "enforce"), ("Maximum loss", "observe")),
            pending=False,
            effective_at=None,
            at=START,
        ),
        r.RulesChanged(
            **ACCOUNT, profile="default", rules=(), pending=True, effective_at=SOON, at=START
        ),
        blind(),
        r.GuardSees(**ACCOUNT, since=EARLIER, equity=Decimal("9480.00"), at=START),
    ]


def broken(**changes: Any) -> r.RuleBroken:
    """A daily warning of an account."""
    facts: dict[str, Any] = {
        "rule": "daily_warning",
        "title": "Daily warning",
        "severity": "warn",
        "mode": "enforce",
        "measure": "loss",
        "figure": Decimal("9480.00"),
        "floor": Decimal("9500.00"),
        "equity": Decimal("9480.00"),
        "paused_until": None,
        "zone": "",
        "at": START,
    }
    return r.RuleBroken(**ACCOUNT, **{**facts, **changes})


def eased(**changes: Any) -> r.RuleEased:
    """It is over."""
    facts: dict[str, Any] = {
        "rule": "daily_warning",
        "title": "Daily warning",
        "severity": "warn",
        "mode": "enforce",
        "measure": "loss",
        "figure": Decimal("9530.00"),
        "floor": Decimal("9500.00"),
        "equity": Decimal("9530.00"),
        "result": Decimal("50.00"),
        "opened_at": EARLIER,
        "at": START,
    }
    return r.RuleEased(**ACCOUNT, **{**facts, **changes})


def ahead(**changes: Any) -> r.RuleResetAhead:
    """At midnight the floor becomes 95,400 and equity is 120 below it."""
    facts: dict[str, Any] = {
        "rule": "daily_loss",
        "title": "Daily loss",
        "severity": "close_all",
        "mode": "enforce",
        "figure": Decimal(95280),
        "floor": Decimal(93000),
        "floor_after": Decimal(95400),
        "resets_at": START + timedelta(minutes=59),
        "zone": PRAGUE,
        "at": START,
    }
    return r.RuleResetAhead(**ACCOUNT, **{**facts, **changes})


def blind(**changes: Any) -> r.GuardBlind:
    """Nothing was seen for 90 s with three positions open."""
    facts: dict[str, Any] = {
        "since": START - timedelta(seconds=90),
        "positions_count": 3,
        "reason": "no connection to the terminal",
        "at": START,
    }
    return r.GuardBlind(**ACCOUNT, **{**facts, **changes})
