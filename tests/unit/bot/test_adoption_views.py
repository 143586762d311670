"""The question which signal a position is, word by word, as an admin and a client read it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.views import alerts_adoption as views
from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain.alerts_adoption import PositionQuestion
from tests.fakes.clock import START
from tests.fakes.questions import OTHER, adopted, card, choice
from tests.unit.bot.html import words

VOICE = Voice()
ADMIN, CLIENT = Audience.ADMIN, Audience.CLIENT


def labels(alert: PositionQuestion) -> list[list[str]]:
    return [[b.label for b in row] for row in views.question(alert, VOICE).keyboard]


def test_a_question_has_the_figures_to_decide_by_and_a_button_for_each() -> None:
    message = render(card(), VOICE, ADMIN)
    assert words(message.html) == (
        "❓ Which signal? XAUUSD buy 0.10 on 50001\n"
        "Client: Ann Smith, account 50001\n"
        "Opened by hand, on a phone, at 1,950.20, 14:02:11 UTC.\n"
        "Position 900001\n"
        "It may be:\n"
        "• Signal 5: 0.10 lots, expected at 1,950.00: 2.0 pips worse than expected, opened 41 s "
        "after its approval\n"
        "• Signal 7: 0.20 lots, expected at 1,950.35: 1.5 pips better than expected, opened 41 s "
        "after its approval, other lots\n"
        "Reckoner does not guess. Until an admin says so it is nobody's, and the drawdown and "
        "market guards apply to it as to any other.\n"
        "Or write: /adopt 900001 and the number of the signal"
    )
    assert labels(card()) == [
        ["Signal 5: 0.10 lots, 2.0 pips worse"],
        ["Signal 7: 0.20 lots, 1.5 pips better"],
        ["A trade of its own", "None of these"],
    ]
    assert not message.silent


def test_a_half_filled_trade_says_what_it_has() -> None:
    half = choice(filled=Decimal("0.04"), off_pips=None, after=timedelta(seconds=-3))
    text = words(views.question(card(choices=(half, OTHER)), VOICE).html)
    assert (
        "• Signal 5: 0.10 lots (0.04 filled), expected at 1,950.00, opened 3 s before its approval,"
        " other lots"
    ) in text


@pytest.mark.parametrize(
    ("alert", "title", "buttons"),
    [
        (
            card(choices=()),
            "❓ No signal fits XAUUSD buy 0.10 on 50001",
            [["A trade of its own", "Leave it unknown"]],
        ),
        (
            card(state="declined", by="Olga", at=START),
            "✋ No signal's: XAUUSD buy 0.10 on 50001",
            [["Answer again"]],
        ),
        (
            card(state="adopted", signal_id=5, by="Olga", at=START),
            "✅ Signal 5: XAUUSD buy 0.10 on 50001",
            [["Take it back"]],
        ),
        (
            card(state="adopted", by="Olga", at=START),
            "✅ A trade of its own: XAUUSD buy 0.10 on 50001",
            [["Take it back"]],
        ),
        (
            card(state="disowned", signal_id=5, by="Olga", at=START),
            "↩️ Taken back: XAUUSD buy 0.10 on 50001",
            [["Answer again"]],
        ),
        (card(state="over"), "✅ Nothing to answer: XAUUSD buy 0.10 on 50001", []),
    ],
)
def test_what_became_of_it_stands_in_its_place(
    alert: PositionQuestion, title: str, buttons: list[list[str]]
) -> None:
    text = words(views.question(alert, VOICE).html)
    assert text.split("\n", 1)[0] == title
    assert labels(alert) == buttons
    if alert.by:
        assert "Olga said so at 14:02:11 UTC" in text


def test_the_client_reads_what_is_expected_of_it_from_now_on() -> None:
    assert words(render(adopted(), VOICE, CLIENT).html) == (
        "🔗 Signal 5: XAUUSD buy 0.10 on 50001\n"
        "Olga said so: this position counts as the trade that was approved.\n"
        "Opened at 1,950.20, expected 1,950.00.\n"
        "Expected of it: 0.10 lots, stop loss: 1,945.00, take profit: none. I tell every "
        "difference.\n"
        "Position 900001\n"
        "Time: 14:02:11 UTC"
    )
    own = words(render(adopted(signal_id=None), VOICE, CLIENT).html)
    assert own.startswith(
        "🔗 Watched as a trade: XAUUSD buy 0.10 on 50001\nOlga said so; no signal"
    )
    back = words(render(adopted(undone_by="Olga"), VOICE, CLIENT).html)
    assert back.startswith(
        "↩️ Not signal 5 after all: XAUUSD buy 0.10 on 50001\n"
        "Olga took that back. It is told as unknown again."
    )
