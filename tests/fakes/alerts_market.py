"""Every alert of the market guard, in its variants."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts as a
from core.domain.alert_parts import Exposure
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from tests.fakes.alerts_terminal import ACCOUNT, SOON
from tests.fakes.clock import START


def market(**changes: Any) -> MarketWarning:
    """A gap, waiting for an answer."""
    facts: dict[str, Any] = {
        "warning_id": 21,
        "version": 1,
        "warning": "gap",
        "symbol": "XAUUSD",
        "server": "Reckoner-Demo",
        "state": "open",
        "figure": Decimal("5.4321"),
        "limit": Decimal(5),
        "worst": Decimal("5.4321"),
        "action": "close",
        "accounts": ("Ann Smith 50001", "Bo Lee 50002"),
        "opened_at": START,
        "deadline_at": SOON,
        "hold_until": None,
        "answered_by": "",
        "at": START,
    }
    return MarketWarning(**{**facts, **changes})


def close_ahead(**changes: Any) -> MarketCloseAhead:
    """To a client who holds gold: a gap is about to close it."""
    facts: dict[str, Any] = {
        "warning_id": 21,
        "warning": "gap",
        "symbol": "XAUUSD",
        "state": "open",
        "figure": Decimal("5.4321"),
        "limit": Decimal(5),
        "price_before": Decimal("2000.00"),
        "price_after": Decimal("1880.00"),
        "deadline_at": SOON,
        "wait_until": None,
        "hold_until": None,
        "exposures": (
            Exposure(
                account="Ann Smith 50001",
                side="buy",
                volume=Decimal("0.10"),
                profit=Decimal(-25),
                currency="GBP",
            ),
        ),
        "at": START,
    }
    return MarketCloseAhead(**{**ACCOUNT, **facts, **changes})


def exposures() -> tuple[Exposure, ...]:
    """What the accounts of the warning hold: one of them on both sides."""
    held = [
        ("Ann Smith 50001", "buy", 12),
        ("Ann Smith 50001", "sell", -3),
        ("Bo Lee 50002", "sell", 7),
    ]
    return tuple(
        Exposure(
            account=account,
            side=side,
            volume=Decimal("0.10"),
            profit=Decimal(profit),
            currency="GBP",
        )
        for account, side, profit in held
    )


def markets() -> list[a.Alert]:
    """Each kind and state."""
    return [
        market(),
        market(
            warning="spread",
            figure=Decimal("14.2"),
            limit=Decimal(10),
            worst=Decimal("15.01"),
            again=True,
        ),
        market(
            warning="spread",
            action="close",
            figure=Decimal("14.2"),
            limit=Decimal(10),
            worst=Decimal("15.01"),
            typical=Decimal("3.10"),
            spread_now=Decimal("14.2"),
        ),
        market(
            rule="typical",
            action="block",
            figure=Decimal("0.9"),
            limit=Decimal("0.4"),
            typical=Decimal("0.02"),
        ),
        market(warning="still", action="block", figure=Decimal(1260), limit=Decimal(1200)),
        market(warning="still", action="block", state="resolved", ended="resting"),
        market(wait_until=SOON + timedelta(minutes=10), spread_now=Decimal(25)),
        market(action="block", state="resolved", ended="passed"),
        *(
            close_ahead(state=state, hold_until=SOON)
            for state in ("open", "held", "dismissed", "closing", "resolved")
        ),
        close_ahead(wait_until=SOON + timedelta(minutes=10)),
        market(
            price_before=Decimal("1970.15"), price_after=Decimal("1863.10"), exposures=exposures()
        ),
        market(state="held", hold_until=SOON, answered_by="Olga"),
        market(state="dismissed", answered_by="Olga"),
        market(state="closing"),
        market(state="resolved", ended="not_held"),
        market(warning="spread", state="dismissed", ended="calm", answered_by="Olga"),
    ]
