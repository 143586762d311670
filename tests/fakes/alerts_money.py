"""Alerts about money and figures, one of every kind and turn."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts as a
from core.domain import alerts_money as m
from core.domain.operations import FLOWS, Operation
from tests.fakes.alerts_terminal import ACCOUNT, EARLIER
from tests.fakes.clock import START

NIGHT = START - timedelta(hours=4, minutes=30)


def moneys() -> list[a.Alert]:
    """Every turn of them."""
    results = [o for o in Operation if o is not Operation.TRADE and o not in FLOWS]
    return [
        *(booked(m.MoneyItem(operation=o.value, amount=Decimal("-12.00"))) for o in results),
        booked(
            m.MoneyItem(operation="dividend", amount=Decimal("40.00")),
            m.MoneyItem(operation="tax", amount=Decimal("-6.00")),
        ),
        booked(m.MoneyItem(operation="charge", amount=Decimal("-12.00"), comment="Data feed")),
        m.BalanceUnexplained(
            **ACCOUNT, amount=Decimal(-50), since=EARLIER, at=START, episode_id=3, again=True
        ),
        m.BalanceUnexplained(**ACCOUNT, amount=Decimal(50), since=EARLIER, at=START, episode_id=3),
        m.BalanceExplained(**ACCOUNT, episode_id=3, amount=Decimal(-50), since=EARLIER, at=START),
        m.PricesStill(**ACCOUNT, episode_id=4, positions_count=2, since=EARLIER, at=START),
        m.PricesMove(**ACCOUNT, episode_id=4, since=EARLIER, at=START),
        away(),
        away(counts={}, items=(), count=0, result=Decimal(0)),
        away(orders_placed=1, orders_gone=2, vanished=1, unexplained=Decimal("-80.00")),
        away(uncertain=False, positions_before=0, positions_count=0),
    ]


def booked(*items: m.MoneyItem) -> m.ResultsBooked:
    """Operations that are results."""
    return m.ResultsBooked(
        **ACCOUNT,
        count=len(items),
        total=sum((i.amount for i in items), Decimal(0)),
        items=items,
        at=START,
    )


def away(**changes: Any) -> m.WhileAway:
    """Two closes and a deposit between 09:32 and 14:02."""
    facts: dict[str, Any] = {
        "since": NIGHT,
        "until": START,
        "counts": {"closed": 2, "deposit": 1},
        "items": (
            m.AwayItem(
                what="closed",
                at=NIGHT + timedelta(minutes=10),
                symbol="XAUUSD",
                side="buy",
                volume=Decimal("0.10"),
                amount=Decimal("12.40"),
                reason="client_mobile",
            ),
            m.AwayItem(
                what="closed",
                at=NIGHT + timedelta(minutes=20),
                symbol="EURUSD",
                side="sell",
                volume=Decimal("0.50"),
                amount=Decimal("-30.00"),
                reason="stop_loss",
            ),
            m.AwayItem(what="deposit", at=NIGHT + timedelta(hours=2), amount=Decimal(1000)),
        ),
        "count": 3,
        "result": Decimal("-17.60"),
        "orders_placed": 0,
        "orders_gone": 0,
        "vanished": 0,
        "unexplained": Decimal(0),
        "positions_before": 2,
        "positions_count": 0,
        "uncertain": True,
    }
    return m.WhileAway(**{**ACCOUNT, **facts, **changes})
