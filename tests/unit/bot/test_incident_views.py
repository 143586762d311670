"""An incident in words and as a page that stands alone."""

import re

from bot.i18n import speaking
from bot.views import alerts, incident_page
from bot.views import incident as views
from bot.views.message import Audience, Voice
from tests.fakes.alerts_audit import heads_recorded
from tests.fakes.incidents import incident
from tests.unit.bot.html import words

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
        "10004",
        "1,958.20",
        "9580",
        "max drawdown percent",
        *(link.hash for link in found.links),
        f"audit verify --account 50001 --head 50001:41:{found.links[-1].hash[:16]}",
    ):
        assert wanted in text, wanted


def test_the_page_says_its_language_and_speaks_to_people_of_whether_a_reading_was_trusted() -> None:
    assert "<html lang=en>" in page()
    assert "<td>trusted<td>yes<td>yes" in page()
    with speaking("es"):
        assert "<html lang=es>" in page()


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
