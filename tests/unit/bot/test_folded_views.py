"""The summary of a burst in words: how many of what, the most first, whose, and where to look."""

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from tests.fakes.alerts_folded import folded
from tests.fakes.clock import START
from tests.unit.bot.html import words


def test_a_client_reads_how_many_of_what_and_where_they_are() -> None:
    message = render(folded(), Voice(mark="[DEMO]"), Audience.CLIENT)
    assert words(message.html).splitlines() == [
        "[DEMO] 📚 23 more alerts in 40 s",
        "Unknown position: 14",
        "Not placed: 7",
        "Wide spread: 3",
        "Accounts: 50001, 50002",
        "They came too fast to be sent one by one. They are in /history.",
        "Time: 14:02:51 UTC",
    ]
    assert not message.silent


def test_admins_are_sent_to_the_account_and_to_the_markets_warnings() -> None:
    text = words(render(folded(), Voice(), Audience.ADMIN).html)
    assert "/history with an account's number has them, /warnings the market's." in text
    alone = folded(logins=(50001,))
    assert "Accounts: 50001" in words(render(alone, Voice(), Audience.ADMIN).html)
    assert "Accounts" not in words(render(alone, Voice(), Audience.CLIENT).html)


def test_one_is_one_and_mere_news_makes_no_sound() -> None:
    message = render(folded(messages=1, at=START, urgent=False), Voice(), Audience.CLIENT)
    assert words(message.html).splitlines()[0] == "📚 1 more alert"
    assert message.silent
