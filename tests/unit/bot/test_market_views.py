"""The market guard in words: what admins and clients see, written out by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from tests.fakes.alerts_market import close_ahead, market
from tests.fakes.alerts_terminal import SOON
from tests.unit.bot.html import words


def said(alert: a.Alert) -> str:
    """The words of an alert."""
    return words(render(alert, Voice(), Audience.ADMIN).html)


def test_a_spread_that_closes_says_that_the_settings_chose_so() -> None:
    text = said(market(warning="spread", figure=Decimal(14), limit=Decimal(10), worst=Decimal(14)))
    assert text.startswith("🟠 Spread 14.0 pips on XAUUSD - closing at 14:04:11\n")
    assert "Settings say to close at a wide spread (MARKET_SPREAD_ACTION)." in text


def test_a_close_that_waits_for_the_spread_says_until_when_and_what_now_would_pay() -> None:
    text = said(market(wait_until=SOON + timedelta(minutes=10), spread_now=Decimal(25)))
    assert text.startswith("🟠 Gap 5.4 % on XAUUSD - closing by 14:14:11\n")
    assert "The close waits for the spread to narrow, at most until 14:14:11 UTC" in text
    assert "The spread is 25.0 pips now, which is wide: Close now would pay it." in text
    closing = said(market(state="closing", spread_now=Decimal(25)))
    assert "The spread is 25.0 pips now, which is wide: the close pays it." in closing


def test_what_is_usual_stands_beside_what_is_not() -> None:
    figures = {"figure": Decimal("0.9"), "limit": Decimal("0.4"), "typical": Decimal("0.0200")}
    text = said(market(rule="typical", action="block", **figures))
    assert text.startswith("🟠 Gap 0.9 % on XAUUSD - 45 times the usual\n")
    assert "Limit: 0.4 %. Usual in that time: 0.02 %" in text
    assert "Nothing is closed. This gap is over at 14:04:11 UTC if no other follows." in text
    wide = {"figure": Decimal(8), "limit": Decimal(6), "worst": Decimal(8)}
    usual = market(
        warning="spread", rule="typical", action="block", typical=Decimal("1.20"), **wide
    )
    assert "worst so far 8.0 pips. Usual at this hour: 1.2 pips" in said(usual)


def test_a_still_price_is_told_by_its_age() -> None:
    text = said(market(warning="still", action="block", figure=Decimal(1260), limit=Decimal(1200)))
    assert text.startswith("🟠 No new price for 21 min on XAUUSD - limit 20 min\n")
    assert "Other prices of this server move." in text


@pytest.mark.parametrize(
    ("changes", "first", "what"),
    [
        (
            {},
            "🟠 XAUUSD on 50001 will be closed at 14:04:11: gap 5.4 %",
            "Unless an admin decides otherwise, Reckoner closes your XAUUSD positions",
        ),
        (
            {"wait_until": SOON + timedelta(minutes=10)},
            "🟠 XAUUSD on 50001 will be closed by 14:14:11: gap 5.4 %",
            "It waits for the spread to narrow, and closes then at the latest.",
        ),
        (
            {"state": "held", "hold_until": SOON},
            "⏸ XAUUSD on 50001 stays open until 14:04:11: gap 5.4 %",
            "The drawdown guard still works.",
        ),
        (
            {"state": "dismissed"},
            "✅ XAUUSD on 50001 is not closed: gap 5.4 %",
            "The drawdown guard still works.",
        ),
        (
            {"state": "closing"},
            "🔴 XAUUSD on 50001 is being closed: gap 5.4 %",
            "The result follows when it is proved.",
        ),
        (
            {"state": "resolved"},
            "✅ Over: gap 5.4 %, XAUUSD on 50001",
            "Nothing is closed for it any more.",
        ),
    ],
)
def test_a_client_is_told_before_a_close_and_what_became_of_it(
    changes: dict[str, Any], first: str, what: str
) -> None:
    text = said(close_ahead(**changes))
    assert text.startswith(first + "\n")
    assert what in text
    assert "buy 0.10, -25.00 GBP so far" in text
    assert "The price went down from 2,000.00 to 1,880.00." in text
