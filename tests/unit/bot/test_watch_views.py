"""Messages about closes without progress and what re-appears, as a client who loses money reads."""

import pytest

from bot.markup import plain
from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.domain.alert_parts import Blocked
from tests.fakes.alerts_closing import appeared, held, reappeared, stalled

VOICE = Voice()


def said(alert: a.Alert, audience: Audience = Audience.CLIENT) -> str:
    """The message as people read it."""
    return plain(render(alert, VOICE, audience).html)


def test_a_close_without_progress_says_how_long_what_is_in_its_way_and_what_to_do() -> None:
    text = said(stalled(held("autotrading_off", code=10027, tries=9)))
    assert text == (
        "🔴 Still not closed: 50001 - no progress for 5 min\n"
        "#900001 XAUUSD buy 0.10: automated trading is off in the terminal, 9 tries\n"
        "Please switch on “Algo Trading” in the terminal now.\n"
        "You can still close in MetaTrader yourself.\n"
        "Reckoner tries again at 14:02:41 UTC and goes on until it is flat.\n"
        "Time: 14:02:11 UTC"
    )


def test_an_admin_reads_the_code_and_what_it_means() -> None:
    text = said(stalled(held("rejected", code=10006, tries=1)), Audience.ADMIN)
    assert (
        "#900001 XAUUSD buy 0.10: the broker refuses it (10006: The broker rejected the request.), "
        "1 try" in text
    )
    assert "close in MetaTrader yourself" not in text


def test_what_blocks_the_whole_account_needs_no_ticket() -> None:
    assert "\nThe account cannot be read.\n" in said(stalled(Blocked(word="unreadable")))
    assert "(IPC recv failed)" in said(
        stalled(Blocked(word="unreadable", detail="IPC recv failed")), Audience.ADMIN
    )
    blocked = stalled(Blocked(word="terminal_blocked"))
    assert "Unblock it: /unblock 50001" in said(blocked, Audience.ADMIN)


def test_a_closed_market_is_nothing_that_anybody_can_close_by_hand() -> None:
    text = said(stalled(held("market_closed")))
    assert "MetaTrader does not say when it opens" in text
    assert "yourself" not in text


@pytest.mark.parametrize(
    ("alert", "lines"),
    [
        (
            reappeared(appeared()),
            (
                "🔒 A position was opened on locked 50001\n"
                "Reckoner is closing it.\n"
                "#900001 XAUUSD buy 0.10, opened by hand, on a phone\n"
            ),
        ),
        (
            reappeared(appeared(is_order=True, opened_by=0)),
            (
                "🔒 A pending order was placed on locked 50001\n"
                "Reckoner is cancelling it.\n"
                "pending order #900001 XAUUSD buy 0.10, placed by hand, in the desktop terminal\n"
            ),
        ),
        (
            reappeared(appeared(), appeared(is_order=True), more=3),
            "🔒 Positions and pending orders appeared on locked 50001\nReckoner is closing them.\n",
        ),
        (
            reappeared(appeared(opened_by=3, magic=77)),
            (
                "🔒 A position was opened on locked 50001\nReckoner is closing it.\n"
                "#900001 XAUUSD buy 0.10, opened by an expert advisor, "
                "a program with the number 77\n"
            ),
        ),
        (
            reappeared(appeared(opened_by=3, magic=7, trade_id=5)),
            (
                "🔒 A position was opened on locked 50001\nReckoner is closing it.\n"
                "#900001 XAUUSD buy 0.10, opened by your own program for a signal (trade 5)\n"
            ),
        ),
        (
            reappeared(appeared(is_order=True, opened_by=None), job_id=0),
            (
                "🔒 A pending order was placed on locked 50001\n"
                "pending order #900001 XAUUSD buy 0.10\n"
                "The account is locked. It is not closed by Reckoner, as this lock is set: "
                "close it by hand.\n"
            ),
        ),
    ],
)
def test_what_reappears_is_called_what_it_is_and_who_made_it(alert: a.Alert, lines: str) -> None:
    assert said(alert).startswith(lines)
