"""The line about what is over: short, silent, with how long it lasted."""

from datetime import timedelta

import pytest

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain.alerts_over import AlertsOver, Ending
from tests.fakes.alerts_over import ending
from tests.fakes.clock import START
from tests.unit.bot.html import words


def said(*endings: Ending) -> str:
    message = render(AlertsOver(endings=endings), Voice(), Audience.CLIENT)
    assert message.silent
    return words(message.html)


@pytest.mark.parametrize(
    ("one", "title"),
    [
        (ending("drawdown"), "✅ Over: drawdown warning on 50001"),
        (ending("unread"), "✅ 50001 can be read again"),
        (ending("prices"), "✅ Prices move again on 50001"),
        (
            ending("difference", about="sl_missing", symbol="XAUUSD"),
            "✅ Over: no stop loss, XAUUSD on 50001",
        ),
        (
            ending("difference", about="unknown_position", symbol=""),
            "✅ Over: unknown position, account 50001",
        ),
        (ending("rule", about="Daily loss"), "✅ Over: Daily loss on 50001"),
        (
            ending("market", about="spread", symbol="XAUUSD", login=0),
            "✅ Over: wide spread, XAUUSD",
        ),
        (ending("chat", about="Ben", login=0), "✅ Messages reach Ben again"),
        (ending("alarm", about="GuardBlind"), "✅ Over: the guard is blind, 50001"),
    ],
)
def test_one_thing_is_one_line_and_how_long_it_lasted(one: Ending, title: str) -> None:
    assert said(one) == f"{title}\nAfter 12 min."


def test_of_a_close_that_was_announced_only_that_it_is_off_is_said() -> None:
    off = ending("close_ahead", about="gap", symbol="XAUUSD")
    assert said(off) == "✅ XAUUSD on 50001 is not going to be closed"


def test_forty_accounts_of_one_terminal_are_one_line_with_the_count() -> None:
    """The first came back after 35 s, the last after 12 min; twelve are named."""
    quick = ending("unread", login=60000, until=START + timedelta(seconds=35))
    rest = [ending("unread", login=60000 + n) for n in range(1, 40)]
    assert said(quick, *rest).splitlines() == [
        "✅ 40 alerts are over, after 35 s to 12 min",
        "40 accounts that could not be read",
        f"{', '.join(str(60000 + n) for n in range(12))} and 28 more",
    ]


def test_what_is_over_together_is_counted_by_kind() -> None:
    text = said(
        ending("market", about="spread", symbol="XAUUSD", login=0),
        ending("unread"),
        ending("unread", login=50002),
    )
    assert text.splitlines() == [
        "✅ 3 alerts are over, after 12 min",
        "2 accounts that could not be read",
        "1 market warning",
        "XAUUSD, 50001, 50002",
    ]
