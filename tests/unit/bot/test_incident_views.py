"""An incident in words and as a page that stands alone."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.i18n import speaking
from bot.views import alerts, incident_page
from bot.views import incident as views
from bot.views.incident_parts import figure, times
from bot.views.message import Audience, Voice
from core.domain import audit_words as words_
from tests.fakes.alerts_audit import heads_recorded
from tests.fakes.clock import START
from tests.fakes.incidents import incident, link
from tests.unit.bot.html import words

D = Decimal
PRAGUE = Voice(mark="[DEMO]", time_zone="Europe/Prague")


def page() -> str:
    return incident_page.page(incident(), PRAGUE).decode()


def test_the_message_says_what_happened_and_that_the_proof_holds() -> None:
    found = incident()
    said = views.incident(found, PRAGUE).html
    assert words(said)
    assert "Incident 17: 50001, drawdown limit" in said
    assert "1 ticket, 2 requests" in said
    # -120.00 profit, -0.70 commission, -1.25 swap
    assert "121.95" in said
    assert f"50001:41:{found.links[-1].hash[:16]}" in said


def test_a_broken_proof_is_said_first_of_all_to_whoever_reads() -> None:
    said = views.incident(incident(broken=(40,)), PRAGUE).html
    assert "tampered with: link 40" in said
    text = incident_page.page(incident(broken=(40,)), PRAGUE).decode()
    assert "did not hold: 40" in text
    assert "has no link" in views.incident(incident(links=()), PRAGUE).html


def test_the_page_has_tickets_prices_steps_hashes_and_how_to_verify() -> None:
    text, found = page(), incident()
    for wanted in (
        "Incident 17, account 50001",
        "10004: The price had moved before the broker took it.",
        "1,958.20",
        "9,580.00 GBP",
        "drawdown limit",
        *(each.hash for each in found.links),
        f"audit verify --account 50001 --head 50001:41:{found.links[-1].hash[:16]}",
    ):
        assert wanted in text, wanted


def test_the_page_says_its_language_and_speaks_to_people_of_whether_a_reading_was_trusted() -> None:
    assert "<html lang=en>" in page()
    assert '<td>trusted</td><td data-l="decided">yes</td><td data-l="flat">yes' in page()
    with speaking("es"):
        assert "<html lang=es>" in page()


def test_the_page_fits_a_phone_and_begins_with_what_matters() -> None:
    """Began at 14:02:11 UTC, an hour later in Prague; flat twelve seconds after it."""
    text = page()
    assert '<meta name=viewport content="width=device-width' in text
    assert "max-width:48em" in text, "rows are cards on a phone"
    summary = text.split("<ul class=sum>")[1].split("</ul>")[0]
    assert re.findall(r"<li>([^<]*)", summary) == [
        "Drawdown limit: 20.2 % (limit 20 %), 2026-11-22 15:02:11",
        "1 position ended, with -121.95 GBP",
        "Proved flat at 15:02:23, 12 s after the decision",
        "The proof holds",
    ]
    assert text.index("<ul class=sum>") < text.index("<table>")


def test_a_time_is_written_once_in_the_readers_zone() -> None:
    text = page()
    assert "<td>Times</td><td>Europe/Prague (UTC+01:00)" in text
    assert "<td>Began</td><td>2026-11-22 15:02:11<" in text
    assert "14:02:11" not in re.sub(r"<code>.*?</code>", "", text)
    utc = incident_page.page(incident(), Voice()).decode()
    assert "<td>Times</td><td>UTC<" in utc
    # 25 October 2026, 01:00 UTC: Prague goes from +02:00 to +01:00.
    written = times(PRAGUE, datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert written.zone == "Europe/Prague (UTC+02:00)"
    late = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert written.when(late) == "2026-10-25 02:30:00 (UTC+01:00)"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("margin_level_percent", "525.52431923", "525.5 %"),
        ("max_drawdown_percent", "20.00000000", "20.0 %"),
        ("credit", "0.0", "0.00 GBP"),
        ("equity", "8066.654", "8,066.65 GBP"),
        ("min_equity_gbp", "100", "100.00 GBP"),
        ("gbp_rate", "1.2345678901", "1.2346"),
        ("gbp_rate_at", "2026-11-28T14:41:41.067000Z", "2026-11-28 15:41:41"),
        ("countdown_s", 10, "10 s"),
        ("positions", 3, "3"),
        ("trusted", False, "no"),
        ("equity", None, ""),
        ("equity", "NaN", "NaN"),
        ("equity", "unknown", "unknown"),
        ("read_at", "yesterday", "yesterday"),
    ],
)
def test_figures_are_rounded_and_named_as_people_read_them(
    name: str, value: object, shown: str
) -> None:
    assert figure(name, value, "GBP", times(PRAGUE, START)) == shown


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, "a message about the breach reached Telegram"),
        (
            "muted: its reader is blocked",
            "a message about the breach: not sent, its reader is blocked",
        ),
        (
            "muted: its reader switched guard off",
            "a message about the breach: not sent, its reader has switched it off",
        ),
        (
            "folded: too many messages at once, counted in a summary",
            "a message about the breach: not sent, counted in a summary",
        ),
        ("Forbidden: <gone>", "a message about the breach: given up: Forbidden: &lt;gone&gt;"),
    ],
)
def test_a_message_reached_telegram_or_did_not_and_the_page_says_which(
    error: str | None, told: str
) -> None:
    sent = link(42, words_.ALERT_SENT, kind="GuardBreached", message_id=9, error=error)
    text = incident_page.page(incident(links=(sent,)), PRAGUE).decode()
    assert f'<td data-l="what">{told}<' in text
    assert '<td data-l="who">Reckoner<' in text


def test_an_unlocked_account_has_the_peak_that_the_release_began() -> None:
    """The old peak was 12,000; the release was confirmed with 9,458.05."""
    reading = {"equity": "9458.05"}
    inputs = {"reading": reading, "peak": "12000", "limits": {}}
    released = link(42, words_.LATCH_RELEASED, equity="9458.05", inputs=inputs)
    links = (*incident().links, released)
    text = incident_page.page(incident(links=links), PRAGUE).decode()
    assert '<td data-l="flat">12,000.00 GBP</td><td data-l="unlocked">9,458.05 GBP<' in text


def test_a_done_request_says_so_in_the_readers_language_once() -> None:
    done = replace(incident().orders[1], error="Request executed", price=D("1958.20"))
    with speaking("es"):
        text = incident_page.page(incident(orders=(done,)), PRAGUE).decode()
    assert "Request executed" not in text
    assert "10009: El bróker" in text


def test_what_nobody_sent_for_is_told_with_who_closed_it() -> None:
    """Closed on the phone during the countdown: reason 1."""
    phone = replace(incident().deals[0], reason=1)
    text = incident_page.page(incident(orders=(), deals=(phone,)), PRAGUE).decode()
    assert "Reckoner sent no request: nothing was left to close." in text
    assert '<td data-l="closed by">the client, on the phone<' in text
    none = incident_page.page(incident(deals=()), PRAGUE).decode()
    assert "None is known." in none


def test_the_page_stands_alone_and_nothing_from_outside_is_markup() -> None:
    text = page()
    assert "Ann &lt;Smith&gt;" in text
    assert "&lt;requote&gt;" in text
    assert "<requote>" not in text
    assert not re.search(r"<(script|link|img|iframe)|src=|href=|url\(", text)


def test_the_days_head_is_one_line_to_keep() -> None:
    message = alerts.render(heads_recorded(), PRAGUE, Audience.ADMIN)
    assert words(message.html)
    assert message.silent
    assert "<code>system:412:0123456789abcdef</code>" in message.html
    assert "--head system:412:0123456789abcdef" in message.html
