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


def test_forty_accounts_of_one_terminal_are_one_line_with_the_count_and_their_times() -> None:
    """The first is back at 14:02:46, 35 s after 14:02:11, the others come from 12 min on.

    One more each second: twelve are named, the last of all is the fortieth.
    """
    quick = ending("unread", login=60000, until=START + timedelta(seconds=35))
    rest = [
        ending("unread", login=60000 + n, until=START + timedelta(minutes=12, seconds=n // 20))
        for n in range(1, 40)
    ]
    assert said(quick, *rest).splitlines() == [
        "✅ 40 alerts are over, after 35 s to 12 min",
        "40 accounts that could not be read",
        "14:02:46 UTC: 60000",
        f"14:14:11 UTC: {', '.join(str(60000 + n) for n in range(1, 12))}",
        "and 28 more, the last at 14:14:12 UTC",
    ]


def test_twelve_are_all_named() -> None:
    text = said(*(ending("unread", login=60000 + n) for n in range(12)))
    assert text.splitlines()[2:] == [
        f"14:14:11 UTC: {', '.join(str(60000 + n) for n in range(12))}"
    ]


def test_what_is_over_together_is_counted_by_kind_and_named_with_its_time() -> None:
    """What has no account is named by its symbol, a person or the alarm; one account is once."""
    late = START + timedelta(minutes=12, seconds=40)
    text = said(
        ending("market", about="spread", symbol="XAUUSD", login=0, until=late),
        ending("unread"),
        ending("unread", login=50002),
        ending("drawdown", login=50002, until=START + timedelta(minutes=12, milliseconds=900)),
        ending("chat", about="Ben <b>Brown</b> of Nowhere", login=0, until=late),
        ending("alarm", about="GuardBlind", login=0, until=late),
    )
    assert text.splitlines() == [
        "✅ 6 alerts are over, after 12 min",
        "2 accounts that could not be read",
        "1 market warning",
        "1 drawdown warning",
        "1 chat out of reach",
        "1 alarm",
        "14:14:11 UTC: 50001, 50002",
        "14:14:51 UTC: Ben <b>Brown</b> of…, XAUUSD, the guard is blind",
    ]
