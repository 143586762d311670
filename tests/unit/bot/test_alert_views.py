"""Alerts in words: what the reader sees, written out by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import asdict, replace

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from tests.fakes.alerts import (
    breach,
    closed,
    confirmed,
    every_alert,
    finding,
    market,
    offer,
    tickets,
)
from tests.fakes.clock import START
from tests.unit.bot.html import units, words

PLAIN = Voice()
DEMO = Voice(mark="[DEMO]")
CLIENT, ADMIN = Audience.CLIENT, Audience.ADMIN
EVERY = every_alert()
IDS = [f"{n}-{type(alert).__name__}" for n, alert in enumerate(EVERY)]


def said(alert: a.Alert, audience: Audience = CLIENT, voice: Voice = PLAIN) -> str:
    """The words of an alert."""
    return words(render(alert, voice, audience).html)


def labels(alert: a.Alert, audience: Audience) -> list[str]:
    """Its buttons."""
    return [button.label for row in render(alert, PLAIN, audience).keyboard for button in row]


def test_every_kind_of_alert_is_among_the_examples() -> None:
    assert {type(alert) for alert in EVERY} == set(get_args(a.Alert))


@pytest.mark.parametrize("alert", EVERY, ids=IDS)
@pytest.mark.parametrize("audience", [CLIENT, ADMIN])
def test_every_alert_fits_parses_and_is_marked(alert: a.Alert, audience: Audience) -> None:
    message = render(alert, DEMO, audience)
    text = words(message.html)
    assert units(message.html) <= 4096
    first = text.split("\n", 1)[0]
    assert first.startswith("[DEMO] ")
    assert len(first.removeprefix("[DEMO] ")) <= 60, "a push preview shows no more"


@pytest.mark.parametrize("alert", EVERY, ids=IDS)
@pytest.mark.parametrize("evil", ["<b>&amp;", "x" * 5000, "a\nb\u202ec\x00", "'\"<a href=x>"])
def test_nothing_from_outside_becomes_markup_or_breaks_the_bounds(
    alert: a.Alert, evil: str
) -> None:
    texts: dict[str, Any] = {k: evil for k, v in asdict(alert).items() if isinstance(v, str)}
    message = render(replace(alert, **texts), DEMO, ADMIN)
    text = words(message.html)
    assert units(message.html) <= 4096
    assert "\u202e" not in text
    assert "\x00" not in text


@pytest.mark.parametrize("alert", EVERY, ids=IDS)
def test_every_alert_survives_the_outbox(alert: a.Alert) -> None:
    assert msgspec.json.decode(msgspec.json.encode(alert), type=a.Alert) == alert


def test_the_guard_closes_with_a_countdown() -> None:
    assert said(breach()) == (
        "🔴 Closing everything on 50001 at 14:02:21 - drawdown 20.4 %\n"
        "Nobody can stop this. Closing 3 positions and 1 pending order, "
        "beginning at 14:02:21 UTC.\n"
        "Afterwards the account is locked until its release.\n"
        "Equity: 7,955.88 GBP, peak 10,000.00 GBP\n"
        "Limit: 20 % below the peak\n"
        "Time: 14:02:11 UTC"
    )


def test_the_guard_closes_at_once_and_says_why_there_is_no_countdown() -> None:
    text = said(breach(deadline_at=None, skip_reason="near_stop_out"))
    assert text.startswith("🔴 Closing everything on 50001 now - drawdown 20.4 %\n")
    assert "The broker's own stop-out is near, so there is no countdown." in text


def test_a_breach_while_flat_only_locks_and_offers_the_way_out() -> None:
    flat = breach(positions_count=0, orders_count=0, deadline_at=None)
    assert said(flat).startswith("🔒 50001 is locked - drawdown 20.4 %\nNothing was open")
    assert labels(flat, CLIENT) == ["Ask for release"]
    assert labels(flat, ADMIN) == []


def test_confirmed_flat_reports_each_ticket() -> None:
    assert said(confirmed(results=tickets(2))) == (
        "✅ 50001 is flat - confirmed by two reads of the broker\n"
        "Why: drawdown limit\n"
        "Result: -2,044.12 GBP\n"
        "Equity: 7,950.00 GBP, balance 7,950.00 GBP\n"
        "Took 4 s, proved at 14:02:15 UTC.\n"
        "#900001 XAUUSD buy 0.10: closed at 1,949.80, -12.00 GBP\n"
        "#900002 XAUUSD buy 0.10: closed at 1,949.80, -12.00 GBP (2 tries)\n"
        "The account is locked: nothing new may be opened, and anything that appears is closed.\n"
        "When you are ready, ask for release with the button or /release."
    )
    assert labels(confirmed(), CLIENT) == ["Ask for release"]
    assert labels(confirmed(), ADMIN) == []
    assert labels(confirmed(latched=False), CLIENT) == []


def test_a_long_report_is_cut_between_rows_and_says_how_many_are_left() -> None:
    message = render(confirmed(results=tickets(300)), DEMO, CLIENT)
    text = words(message.html)
    assert units(message.html) <= 4096
    rows = text.count("#900")
    assert f"\nand {300 - rows} more\n" in text
    assert text.endswith("/release."), "what comes after the rows is kept"
    assert "(2 tries)\n" in text


def test_the_clients_own_close_is_told_to_the_client() -> None:
    assert said(closed()).split("\n") == [
        "You closed XAUUSD buy 0.10 on your phone: +12.40 GBP",
        "Exit price: 1,951.24",
        "Signal 5, position 900001",
        "Account 50001, 14:02:11 UTC",
    ]
    admin = said(closed(), ADMIN)
    assert admin.startswith("50001 closed XAUUSD buy 0.10 on their phone: +12.40 GBP\n")


@pytest.mark.parametrize(
    ("reason", "first"),
    [
        ("stop_loss", "🛑 Stop loss reached: XAUUSD buy 0.10: +12.40 GBP"),
        ("take_profit", "🎯 Take profit reached: XAUUSD buy 0.10: +12.40 GBP"),
        ("stop_out", "🔴 Broker's stop-out: XAUUSD buy 0.10: +12.40 GBP"),
        ("foreign_ea", "⏹ Closed by another EA: XAUUSD buy 0.10: +12.40 GBP"),
        ("reckoner", "⏹ Closed by Reckoner: XAUUSD buy 0.10: +12.40 GBP"),
        ("client_web", "You closed XAUUSD buy 0.10 in the web terminal: +12.40 GBP"),
    ],
)
def test_every_other_end_is_named(reason: str, first: str) -> None:
    assert said(closed(close_reason=reason)).split("\n", 1)[0] == first


def test_an_offer_has_its_deadline_its_default_and_two_buttons() -> None:
    assert said(offer()) == (
        "📣 Signal: XAUUSD buy 0.10 for 50001\n"
        "Stop loss: 1,950.00, take profit: 1,990.00\n"
        "Answer by 14:04:11 UTC. Without an answer nothing is traded."
    )
    assert labels(offer(), CLIENT) == ["Approve", "Reject"]
    assert labels(offer(), ADMIN) == []


def test_slippage_is_told_in_pips_and_direction() -> None:
    text = said(finding("entry_slippage", slippage_pips=Decimal("7.25"), observed="1950.73"))
    assert text.startswith("⚠️ Slipped entry by 7.2 pips: XAUUSD buy 0.10 on 50001\n")
    assert "Expected: 1,950.00, found: 1,950.73" in text
    assert "7.2 pips worse than expected" in text


def test_volumes_are_told_in_lots() -> None:
    text = said(finding("partial_fill", expected="0.10", observed="0.04"))
    assert "Expected: 0.10 lots, found: 0.04 lots" in text


def test_a_drawdown_warning_says_what_is_left_and_what_happens() -> None:
    warning = next(alert for alert in EVERY if isinstance(alert, a.DrawdownWarning))
    assert said(warning, ADMIN) == (
        "🟠 Drawdown 15.2 % on 50001\n"
        "Client: Ann Smith, account 50001\n"
        "Room left: 480.00 GBP until Reckoner closes everything.\n"
        "Equity: 8,480.00 GBP, peak 10,000.00 GBP\n"
        "At 20 % below the peak Reckoner closes every position and removes every pending order. "
        "Nobody can stop that.\n"
        "Time: 14:02:11 UTC"
    )


def test_a_gap_states_its_deadline_its_default_and_three_answers() -> None:
    assert said(market(), ADMIN) == (
        "🟠 Gap 5.4 % on XAUUSD - closing at 14:04:11\n"
        "Limit: 5 %, worst so far 5.4 %\n"
        "Server: Reckoner-Demo\n"
        "Accounts:\n"
        "• Ann Smith 50001\n"
        "• Bo Lee 50002\n"
        "Without an answer by 14:04:11 UTC Reckoner closes the XAUUSD positions of these "
        "accounts.\n"
        "Time: 14:02:11 UTC"
    )
    assert labels(market(), ADMIN) == ["Close now", "Hold 15 min", "Dismiss"]


def test_a_wide_spread_closes_nothing_and_offers_no_close() -> None:
    spread = market(
        warning="spread", figure=Decimal("14.25"), limit=Decimal(10), worst=Decimal("14.25")
    )
    text = said(spread, ADMIN)
    assert text.startswith("🟠 Spread 14.2 pips on XAUUSD - limit 10.0 pips\n")
    assert "Without an answer by 14:04:11 UTC nothing is closed" in text
    assert labels(spread, ADMIN) == ["Hold 15 min", "Dismiss"]


@pytest.mark.parametrize("state", ["held", "dismissed", "closing", "resolved"])
def test_an_answered_warning_has_no_buttons(state: str) -> None:
    assert labels(market(state=state, hold_until=START), ADMIN) == []


def test_a_release_is_asked_by_the_client_and_answered_by_an_admin() -> None:
    asked = next(alert for alert in EVERY if isinstance(alert, a.ReleaseAsked))
    assert labels(asked, ADMIN) == ["Grant release", "Refuse"]
    assert labels(asked, CLIENT) == []


def test_another_day_is_named_and_each_reader_gets_their_own_time() -> None:
    warned = START - timedelta(days=1)
    eased = next(alert for alert in EVERY if isinstance(alert, a.DrawdownEased))
    message = render(replace(eased, warned_at=warned), PLAIN, CLIENT)
    assert "Warned at 21 Nov 14:02:11 UTC." in words(message.html)
    assert f'<tg-time unix="{int(warned.timestamp())}" format="dT">' in message.html


def test_the_plain_times_follow_the_zone_of_the_setting() -> None:
    text = said(breach(), voice=Voice(time_zone="Europe/Athens"))
    assert "at 16:02:21 - drawdown" in text
    assert "beginning at 16:02:21 EET." in text


def test_the_end_of_a_divergence_keeps_what_it_was() -> None:
    """The message is edited in place: its figures must not be lost with the opening's words."""
    text = said(next(x for x in EVERY if isinstance(x, a.DivergenceResolved)))
    assert "XAUUSD buy 0.10" in text
    assert "Expected: 1,950.00, found: 1,940.50" in text


def test_a_client_reads_that_they_closed_it_themselves() -> None:
    over = next(each for each in EVERY if isinstance(each, a.DivergenceResolved))
    closed_it = replace(over, how="closed:client_mobile")
    assert "How: you closed it on your phone" in said(closed_it)
    assert "How: closed on the client's phone" in said(closed_it, ADMIN)


def test_an_unknown_position_is_told_once_and_not_as_figures() -> None:
    text = said(finding("unknown_position", expected="", observed="0.1"))
    assert "Expected" not in text


def test_who_answered_a_market_warning_stands_on_its_own_line() -> None:
    text = said(market(state="closing", answered_by="Ada"), ADMIN)
    assert "of these accounts now.\nAnswered by Ada." in text


def test_a_gap_that_nobody_holds_any_more_is_not_called_a_calm_market() -> None:
    text = said(market(state="resolved", accounts=()), ADMIN)
    assert "No account holds XAUUSD any more." in text
    assert "within its limits" not in text
