"""What is told of differences that grow, change together, or last."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.domain.broker import NOT_TOLD
from core.domain.divergences import DIVERGENCES, Role
from core.domain.speech import EDIT, NEW, REPLY, deliver
from tests.fakes.alerts import finding, items
from tests.fakes.alerts_terminal import ACCOUNT
from tests.fakes.clock import START
from tests.unit.bot.html import words

EARLIER = START - timedelta(hours=1)


def said(alert: a.Alert) -> list[str]:
    """The lines that a client reads."""
    return words(render(alert, Voice(), Audience.CLIENT).html).split("\n")


def many(**facts: object) -> a.DivergencesOpened:
    """Stops removed, four of twelve shown."""
    base = a.DivergencesOpened(**ACCOUNT, finding="sl_removed", count=12, items=items(), at=START)
    return replace(base, **facts)


def test_what_grew_says_so_first_and_comes_as_a_reply() -> None:
    alert = finding("over_volume", expected="0.10", observed="0.40", changed=True)
    alert = replace(alert, volume=Decimal("0.40"))
    grown = replace(alert, worse=True)
    assert said(grown)[0] == "⚠️ Grown: More volume than approved: XAUUSD 0.40 on 50001"
    assert "It has changed since it was last told." in said(grown)
    assert (deliver(alert).mode, deliver(grown).mode) == (EDIT, REPLY)
    assert deliver(alert).thread == deliver(grown).thread


@pytest.mark.parametrize("kind", sorted({r.code for r in DIVERGENCES if r.role is Role.DIVERGENCE}))
@pytest.mark.parametrize("again", [{"lasting_since": EARLIER}, {"changed": True, "worse": True}])
def test_what_is_told_again_fits_a_push_preview(kind: str, again: dict[str, Any]) -> None:
    assert len(said(finding(kind, **again))[0]) <= 60


def test_what_lasts_says_so_first_and_then_for_how_long_one_or_many() -> None:
    one = finding("sl_removed", lasting_since=EARLIER)
    assert said(one)[0] == "⚠️ Still: Stop loss removed: XAUUSD 0.10 on 50001"
    assert said(one)[1] == "XAUUSD buy 0.10"
    several = said(many(lasting_since=EARLIER))
    assert several[0] == "⚠️ Still: Stop loss removed, 12 of them, on 50001"
    since = f"since {EARLIER:%H:%M:%S} UTC."
    assert f"It has lasted 1 h, {since}" in said(one)
    assert f"It has lasted 1 h, {since}" in several
    assert deliver(one).mode == REPLY


def test_many_that_changed_say_so_and_are_not_taken_for_new_ones() -> None:
    lines = said(many(changed=True))
    assert "They have changed since they were last told." in lines
    assert "and 8 more" in lines
    threads = {
        deliver(each).thread for each in (many(), many(changed=True), many(lasting_since=EARLIER))
    }
    assert len(threads) == 3
    assert deliver(many(changed=True)).mode == NEW


@pytest.mark.parametrize(("by", "line"), [(1, "Placed by hand, on a phone.\n"), (NOT_TOLD, "")])
def test_a_pending_order_is_called_what_it_is_and_by_whom_it_was_placed(by: int, line: str) -> None:
    alert = finding("unknown_pending_order", expected="buy limit", observed="1950.00", opened_by=by)
    told = words(render(alert, Voice(), Audience.CLIENT).html)
    assert "Unknown pending order: XAUUSD buy limit 0.10 on 50001" in told.splitlines()[0]
    assert "A buy limit waits to open XAUUSD buy 0.10 at 1,950.00" in told
    assert ("Placed" in told) is bool(line)
    assert line in told


@pytest.mark.parametrize(("signal", "named"), [(12, True), (0, False)])
def test_a_position_by_hand_names_a_signal_for_the_same(
    signal: int,
    named: bool,  # noqa: FBT001 - a case
) -> None:
    alert = finding("unknown_position", waiting_signal=signal)
    told = words(render(alert, Voice(), Audience.CLIENT).html)
    line = "Signal 12 for the same symbol and side still waits for your answer"
    assert (line in told) is named
