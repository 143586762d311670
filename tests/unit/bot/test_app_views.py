"""What is said of a start, how it stands, and a stop, written out by hand."""

from datetime import timedelta
from typing import Any

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.domain import alerts_app as own
from core.domain.alert_parts import Unguarded
from core.domain.alerts_terminal import AccountRecovered
from core.domain.speech import deliver
from tests.fakes.alerts import standing, started
from tests.fakes.alerts_market import market
from tests.fakes.alerts_terminal import ACCOUNT, blocked, unreadable
from tests.fakes.clock import START
from tests.unit.bot.html import words

ADMIN = Audience.ADMIN


def said(alert: a.Alert, audience: Audience = ADMIN) -> str:
    """The words of an alert."""
    return words(render(alert, Voice(), audience).html)


def test_a_start_claims_no_guard() -> None:
    assert said(started(unfinished_closes=0, open_warnings=0)) == (
        "▶️ Reckoner 0.1.0 has started\nReading 4 accounts.\nTime: 14:02:11 UTC"
    )
    assert "Guarding" not in said(started())
    assert "There is no account to guard yet." in said(started(accounts=0))


def test_how_it_stands_names_whoever_is_not_guarded_and_why() -> None:
    assert said(standing()) == (
        "🟠 Reckoner 0.1.0 is running - 2 accounts not guarded\n"
        "Guarding 2 of 4 accounts, 1 locked.\n"
        "Not guarded: 50003 (no terminal is linked), "
        "50004 (cannot be closed: automated trading is off)\n"
        "Going on with 1 closing that had begun before.\n"
        "2 market warnings still open: see /warnings.\n"
        "Started at 14:02:11 UTC.\n"
        "Time: 14:02:31 UTC"
    )


def test_green_is_only_said_where_every_account_is_guarded() -> None:
    assert said(standing(guarded=4, unguarded=())).startswith("🟢 Reckoner 0.1.0 is running\n")
    nothing = said(standing(guarded=0))
    assert nothing.startswith("🔴 Reckoner 0.1.0 is running - nothing is guarded\n")


def test_ten_unguarded_accounts_are_named_and_the_rest_counted() -> None:
    many = tuple(Unguarded(50_000 + each, "IPC timeout") for each in range(12))
    text = said(standing(guarded=0, unguarded=many))
    assert "50009 (IPC timeout) and 2 more" in text
    assert "50010" not in text


def test_how_it_stands_takes_the_place_of_the_start() -> None:
    first, then = deliver(started()), deliver(standing())
    assert (first.mode, then.mode) == ("new", "edit")
    assert first.thread == then.thread


def stopping(**changes: Any) -> str:
    """The words of a stop."""
    facts: dict[str, Any] = {
        "accounts": 3,
        "open_positions": 2,
        "unfinished_closes": 0,
        "at": START,
    }
    return said(own.AppStopping(**{**facts, **changes}))


def test_a_made_up_flat_of_a_stop() -> None:
    assert "3 accounts with 2 open positions when last read are not guarded" in stopping()
    none = stopping(open_positions=0, never_read=(50001, 50002, 50003))
    assert "0 open positions" not in none
    assert "3 accounts are not guarded until it is back." in none
    assert ("Never read: 50001, 50002, 50003. What is open there is not known.") in none


def test_a_made_up_flat_of_an_account_that_was_never_read() -> None:
    for alert in (unreadable(positions_count=None), blocked(positions_count=None)):
        text = said(alert)
        assert "It was never read: what is open is not known." in text
        assert "No position" not in text
    assert "No position was open when last read." in said(unreadable(positions_count=0))


def test_an_outage_that_is_over_says_from_when_to_when() -> None:
    """It is written over the outage's message, which keeps the time of that."""
    over = AccountRecovered(**ACCOUNT, since=START - timedelta(seconds=95), at=START)
    assert "Not read from 14:00:36 UTC to 14:02:11 UTC (1 min 35 s)." in said(over)


def test_the_servers_of_a_wrong_account_can_be_compared() -> None:
    reason = (
        "asked for 50001 at Reckoner-Demo-Server-With-A-Long-Name, the terminal has 50004 at "
        "Reckoner-Live-Server-With-A-Long-Name"
    )
    assert reason in said(blocked(reason=reason))


def test_a_refusal_of_the_terminal_is_not_the_servers() -> None:
    trouble = a.CloseTrouble(
        **ACCOUNT,
        job_id=3,
        scope="account",
        trouble="autotrading_off",
        detail="AutoTrading disabled by client",
        retcode=10027,
        open_positions=2,
        open_orders=0,
        next_try_at=START + timedelta(seconds=5),
        at=START,
    )
    text = said(trouble)
    assert "The server says" not in text
    assert text.count("utomated trading is") == 2, "the headline and one sentence"


def test_the_edit_of_a_warning_is_less_urgent_than_the_warning() -> None:
    assert deliver(market()).priority is a.Priority.WARNING
    assert deliver(market(state="resolved", version=3)).priority is a.Priority.INFO
    assert deliver(market(version=3, again=True)).priority is a.Priority.WARNING
