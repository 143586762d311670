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
from core.domain.alert_parts import GroupItem, TicketResult
from tests.fakes.alerts import (
    breach,
    closed,
    confirmed,
    every_alert,
    finding,
    offer,
    started,
    tickets,
)
from tests.fakes.alerts_market import exposures, market
from tests.fakes.clock import START
from tests.unit.bot.html import units, words

PLAIN = Voice()
DEMO = Voice(mark="[DEMO]")
ANSWERS = ["Hold 15 min", "Hold 1 h", "Hold until day's end", "Dismiss"]
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
        "🔴 Closing 50001 in 10 s (14:02:21) - drawdown 20.4 %\n"
        "Closing 3 positions and 1 pending order in 10 s, at 14:02:21 UTC.\n"
        "This cannot be cancelled: it limits your loss. You can still close positions yourself.\n"
        "Afterwards the account is locked until its release.\n"
        "Equity: 7,955.88 GBP, peak 10,000.00 GBP\n"
        "Limit: 20 % below the peak, passed by 44.12 GBP\n"  # 8,000.00 less 7,955.88
        "Time: 14:02:11 UTC"
    )


def test_a_countdown_that_is_over_says_so_and_nothing_that_is_still_to_come() -> None:
    """Told at 14:02:11.9; proved flat at 14:02:26.1: by the clock 15 s later."""
    told = START.replace(microsecond=900_000)
    over = breach(at=told, over_at=told + timedelta(seconds=14, milliseconds=200))
    assert said(over) == (
        "⏹ Over: 50001 was closed - drawdown 20.4 %\n"
        "Equity: 7,955.88 GBP, peak 10,000.00 GBP\n"
        "Limit: 20 % below the peak, passed by 44.12 GBP\n"
        "Time: 14:02:11 UTC\n"
        "Closing was to begin at 14:02:21 UTC.\n"
        "Over at 14:02:26 UTC, proved flat, after 15 s. The result is in a message of its own."
    )
    locked = breach(positions_count=0, orders_count=0, deadline_at=None, over_at=START)
    assert said(locked).startswith("🔓 Over: 50001 was locked - drawdown 20.4 %\n")
    assert said(locked).endswith("Over at 14:02:11 UTC: the account was released.")
    assert labels(locked, CLIENT) == []


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
        "🔒 Everything on 50001 is closed\n"
        "50001 is flat - confirmed by two reads of the broker\n"
        "Why: the drawdown passed 20 % at 14:02:01 UTC (20.4 %).\n"
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
        "At 20 % below the peak Reckoner closes every position and removes every pending order, "
        "at any hour.\n"
        "The client can close or reduce positions until then; /accounts shows where they stand.\n"
        "Time: 14:02:11 UTC"
    )
    assert (
        "You can close or reduce positions in your terminal; /drawdown shows where you stand."
        in said(warning)
    )


def test_a_gap_states_its_deadline_its_default_and_three_answers() -> None:
    assert said(market(), ADMIN) == (
        "🟠 Gap 5.4 % on XAUUSD - closing at 14:04:11\n"
        "Limit: 5 %. What is usual is not known yet: too few quotes were seen\n"
        "Warning 21, server: Reckoner-Demo\n"
        "Accounts:\n"
        "• Ann Smith 50001\n"
        "• Bo Lee 50002\n"
        "Without an answer by 14:04:11 UTC Reckoner closes the XAUUSD positions of these "
        "accounts.\n"
        "Until it is over, nothing new of XAUUSD is approved.\n"
        "Time: 14:02:11 UTC"
    )
    assert labels(market(), ADMIN) == ["Close now", *ANSWERS]


def test_a_wide_spread_closes_nothing_and_offers_no_close() -> None:
    spread = market(
        warning="spread",
        action="warn",
        figure=Decimal("14.25"),
        limit=Decimal(10),
        worst=Decimal("14.25"),
    )
    text = said(spread, ADMIN)
    assert text.startswith("🟠 Spread 14.2 pips on XAUUSD - limit 10.0 pips\n")
    assert "Without an answer by 14:04:11 UTC nothing is closed" in text
    assert "nothing new" not in text
    assert labels(spread, ADMIN) == ANSWERS
    blocking = said(replace(spread, action="block"), ADMIN)
    assert "Until it is over, nothing new of XAUUSD is approved." in blocking


@pytest.mark.parametrize("state", ["dismissed", "closing", "resolved"])
def test_a_warning_that_takes_no_answer_has_no_buttons(state: str) -> None:
    assert labels(market(state=state), ADMIN) == []


def test_a_held_warning_can_still_be_answered() -> None:
    assert labels(market(state="held", hold_until=START), ADMIN) == ["Close now", *ANSWERS]


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
    assert "(16:02:21) - drawdown" in text
    assert "in 10 s, at 16:02:21 EET." in text


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
    text = said(market(state="resolved", ended="not_held"), ADMIN)
    assert "• Ann Smith 50001" in text, "who it was about is kept"
    assert "No account holds XAUUSD any more." in text
    assert "within its limits" not in text


def test_a_close_that_outlived_a_recovery_says_so() -> None:
    better = confirmed(equity=Decimal("8100.00"), equity_at_trigger=Decimal("7955.88"))
    rule = "A close that has begun is not cancelled when the price recovers."
    assert rule in said(better)
    assert rule not in said(confirmed())
    below = confirmed(reason="minimum_equity", equity_at_trigger=Decimal("95.50"))
    assert "Why: equity was below the minimum at 14:02:01 UTC (95.50 GBP)." in said(below)


def test_the_admin_chat_reads_flat_and_no_success_mark_stands_above_a_loss() -> None:
    assert said(confirmed(), ADMIN).startswith(
        "🔒 50001 is flat - confirmed by two reads of the broker\n"
    )
    for alert in (confirmed(), confirmed(latched=False), confirmed(scope="XAUUSD")):
        assert "✅" not in said(alert) + said(alert, ADMIN)
        assert "is flat - confirmed by two reads" in said(alert)


def test_a_result_that_is_not_whole_says_so_and_the_whole_one_follows() -> None:
    assert "Result: -2,044.12 GBP so far\nThe broker has not shown every deal yet." in said(
        confirmed(results_missing=True)
    )
    assert said(confirmed(completed=True)).startswith("📄 The whole result: 50001\n")


def test_a_start_tells_for_how_long_nothing_was_watched() -> None:
    away = started(last_read_at=START - timedelta(seconds=97))
    line = (
        "Reckoner was down from 14:00:34 UTC to 14:02:11 UTC (1 min 37 s). "
        "Nothing was watched in that time."
    )
    assert line in said(away, ADMIN)
    assert "was down" not in said(started(last_read_at=START - timedelta(seconds=29)), ADMIN)
    assert "was down" not in said(started(last_read_at=None), ADMIN)


@pytest.mark.parametrize(
    ("kind", "title", "line"),
    [
        ("sl_moved", "Stop loss set", "Stop loss: none → 1.08000"),
        ("tp_moved", "Take profit set", "Take profit: none → 1.08000"),
    ],
)
def test_a_level_where_none_was_is_set_not_moved(kind: str, title: str, line: str) -> None:
    text = said(finding(kind, expected="", observed="1.08000"))
    assert text.startswith(f"⚠️ {title}: XAUUSD buy 0.10 on 50001\n")
    assert line in text


def test_a_ticket_that_is_still_open_is_said_to_be_closed_now() -> None:
    open_one = TicketResult(
        ticket=900014, symbol="GBPUSD", side="buy", volume=Decimal("0.5"), outcome="open"
    )
    assert "#900014 GBPUSD buy 0.50: being closed" in said(confirmed(results=(open_one,)))


def test_a_gap_says_from_where_to_where_and_what_each_account_holds() -> None:
    gap = market(
        price_before=Decimal("1970.15"), price_after=Decimal("1863.10"), exposures=exposures()
    )
    text = said(gap, ADMIN)
    assert "The price went down from 1,970.15 to 1,863.10.\n" in text
    assert (
        "• Ann Smith 50001: buy 0.10, +12.00 GBP so far; sell 0.10, -3.00 GBP so far\n"
        "• Bo Lee 50002: sell 0.10, +7.00 GBP so far\n"
    ) in text


def test_a_hold_binds_this_warning_only() -> None:
    text = said(market(state="held", hold_until=START), ADMIN)
    assert "This gap closes nothing until 14:02:11 UTC." in text
    assert "The drawdown guard still works." in text


def test_the_end_of_an_answered_warning_keeps_who_answered_and_says_why_it_is_over() -> None:
    text = said(market(warning="spread", state="dismissed", ended="calm", answered_by="Ada"), ADMIN)
    assert "The spread is well within its limit again.\nAnswered by Ada.\n" in text
    assert "• Bo Lee 50002" in text


def test_a_part_closed_by_its_client_is_told_with_its_result() -> None:
    text = said(closed(partial=True, volume=Decimal("0.04")))
    assert text.startswith("You closed XAUUSD buy 0.04 on your phone: +12.40 GBP\n")
    assert "Only this part was closed; the rest stays open." in text


def test_a_drawdown_just_below_its_limit_does_not_read_as_the_limit() -> None:
    near = next(x for x in EVERY if isinstance(x, a.DrawdownWarning))
    assert said(replace(near, drawdown_percent=Decimal("19.9600"))).startswith(
        "🟠 Drawdown 19.96 % on 50001"
    )


def test_a_refused_release_keeps_when_it_was_asked_and_by_whom_it_was_answered() -> None:
    answers = [x for x in EVERY if isinstance(x, a.ReleaseAnswered)]
    text = said(next(x for x in answers if x.state == "refused"), ADMIN)
    assert "Asked at 13:27:11 UTC.\nAnswered by Olga.\n" in text
    assert labels(next(x for x in answers if x.state == "granted"), ADMIN) == []


def test_many_of_a_kind_are_one_message_that_says_how_many_more() -> None:
    """Ten lines at most, then the count of the rest."""
    items = tuple(
        GroupItem(subject=str(n), symbol="XAUUSD", side="buy", volume=Decimal("0.10"))
        for n in range(1, 11)
    )
    alert = a.DivergencesOpened(
        account_id=1,
        login=50001,
        client="Alice",
        currency="GBP",
        finding="unknown_position",
        count=12,
        items=items,
        at=START,
    )
    text = said(alert)
    assert text.startswith("⚠️ Unknown position, 12 of them, on 50001\n#1 XAUUSD buy 0.10\n")
    assert "\n#10 XAUUSD buy 0.10\nand 2 more\n" in text
    assert "No signal called for them." in text


@pytest.mark.parametrize(
    ("retcode", "detail", "sentence"),
    [
        (-8, "-8 Auto-Trading using Python API disabled in Terminal", "disabled in the terminal's"),
        (-2, '-2 Invalid "comment" argument', "names the argument"),
        (10026, "?", "ask the broker"),
    ],
)
def test_an_admin_reads_what_the_answers_code_means(
    retcode: int, detail: str, sentence: str
) -> None:
    alert = next(each for each in every_alert() if isinstance(each, a.CloseTrouble))
    held_up = replace(alert, retcode=retcode, detail=detail)
    assert sentence in said(held_up, ADMIN)
    assert sentence not in said(held_up, CLIENT)
