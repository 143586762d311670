"""Rules in words: the arithmetic of each floor, what may be lost, until when, and by what."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from bot.views import alerts, alerts_guard
from bot.views import rules as views
from bot.views.message import Audience, Voice
from core.domain import drawdown
from core.domain.board import DrawdownBoard
from core.domain.rule_board import PendingRules
from core.domain.rules import HeldRule, Mode
from core.rule_files import shipped
from tests.fakes.alerts import breach
from tests.fakes.alerts_rules import ahead, blind, broken
from tests.fakes.rules import DAILY, MAXIMUM, NOW, always, enforced, event, rule_board, rule_line
from tests.fakes.shell import account
from tests.unit.bot.html import words

VOICE = Voice()
D = Decimal
LIMITS = drawdown.Limits(
    max_drawdown_percent=D(20), warn_drawdown_percent=D(15), minimum_equity=D(100)
)


def shown(*lines: object, **changes: object) -> list[str]:
    """The lines of a board of these rules, without title and age."""
    pages = views.board([rule_board(*lines, **changes)], VOICE, NOW)  # type: ignore[arg-type]  # a test's own lines
    return words("\n".join(page.html for page in pages)).split("\n")[3:]


def test_a_daily_floor_is_worked_out_in_words() -> None:
    """100,000 - 5 % of 100,000 = 95,000; 95,412.30 is 412.30 above it, 5 h 12 min before."""
    assert shown(rule_line(enforced(), "95412.30")) == [
        "Daily loss (closes everything)",
        (
            "Floor 95,000.00 USD = 100,000.00 USD (balance at 00:00 Prague) - 5,000.00 USD "
            "(5 % of the initial balance 100,000.00 USD)"
        ),
        (
            "You can lose 412.30 USD more before everything is closed (daily loss, floor "
            "95,000.00 USD), until 00:00 Prague in 5 h 12 min."
        ),
    ]


def test_of_a_locked_account_the_rules_say_so_and_announce_no_close() -> None:
    """It read as if everything were about to be closed once more."""
    lines = always(LIMITS, "79000")
    assert any("waits 10 s" in each for each in shown(*lines))
    locked = words(views.board([rule_board(*lines, locked_since=NOW)], VOICE, NOW)[0].html)
    assert "🔒 Locked since " in locked
    assert "waits 10 s" not in locked


def test_a_floor_that_the_reset_would_break_is_said_before_it() -> None:
    """Balance 110,000: 105,000 from midnight on, 8,000 above an equity of 97,000."""
    assert shown(rule_line(enforced(), "97000", "110000"))[-1] == (
        "🟠 At 00:00 Prague this floor becomes 105,000.00 USD: with the figures of now that is "
        "broken by 8,000.00 USD."
    )


@pytest.mark.parametrize(
    ("profile", "floor", "rest"),
    [
        (
            "percent-of-peak",
            "Floor 96,960.00 USD = 101,000.00 USD (highest equity) - 4,040.00 USD (4 % of it)",
            "It follows the highest equity up and falls only by a release, or with money paid out.",
        ),
        (
            "intraday-lock",
            (
                "Floor 98,500.00 USD = 101,000.00 USD (highest equity or initial balance) - "
                "2,500.00 USD"
            ),
            "It follows the highest equity up and falls only by a release, or with money paid out.",
        ),
        (
            "one-step",
            (
                "Floor 90,000.00 USD = 100,000.00 USD (highest balance at the end of a day or "
                "initial balance) - 10,000.00 USD (10 % of the initial balance 100,000.00 USD)"
            ),
            (
                "It follows the highest balance at the end of a day up and falls only by a "
                "release, or with money paid out."
            ),
        ),
    ],
)
def test_a_trail_says_what_it_follows(profile: str, floor: str, rest: str) -> None:
    lines = shown(rule_line(enforced(shipped()[profile].rules[0]), "101000"))
    assert lines[1:3] == [floor, rest]


def test_a_locked_floor_says_so() -> None:
    """105,000 - 2,500 is past the lock at 100,100."""
    lines = shown(rule_line(enforced(shipped()["intraday-lock"].rules[0]), "105000"))
    assert lines[1:3] == [
        "Floor 100,100.00 USD, locked at the initial balance + 100.00 USD",
        "It follows the highest equity up and has reached its lock and stays there.",
    ]


def test_a_buffer_says_where_the_guard_acts() -> None:
    """A tenth of 5,000 above 95,000."""
    spec = replace(DAILY, buffer_percent=D(10))
    lines = shown(rule_line(enforced(spec), "95600"))
    assert lines[2] == "Acts at 95,500.00 USD: 10 % of the amount is kept back."
    assert lines[3].startswith("You can lose 100.00 USD more")


def test_the_two_that_always_enforce_stand_first_of_all() -> None:
    lines = shown(*always(LIMITS, "95412.30"))
    assert lines[:2] == [
        "Peak drawdown (closes everything)",
        "Floor 80,000.00 USD = 100,000.00 USD (highest equity) - 20,000.00 USD (20 % of it)",
    ]
    assert "Floor 100.00 USD, whatever was won before" in lines


def test_rules_give_one_answer_of_what_may_be_lost_and_no_two() -> None:
    """Of a peak of 100,000: 20 % is 80,000, 15 % is 85,000. 87,500 is 7,500 and 2,500 above them.

    The minimum of 100 would be 87,400 away, which is no answer: the drawdown closes long before.
    """
    lines = shown(*always(LIMITS, "87500"))
    assert lines == [
        "Peak drawdown (closes everything)",
        "Floor 80,000.00 USD = 100,000.00 USD (highest equity) - 20,000.00 USD (20 % of it)",
        "It follows the highest equity up and falls only by a release, or with money paid out.",
        (
            "You can lose 7,500.00 USD more before everything is closed (peak drawdown, floor "
            "80,000.00 USD)."
        ),
        "Drawdown warning (warns)",
        "Floor 85,000.00 USD = 100,000.00 USD (highest equity) - 15,000.00 USD (15 % of it)",
        (
            "You can lose 2,500.00 USD more before a warning (drawdown warning, floor "
            "85,000.00 USD)."
        ),
        "Minimum equity (closes everything)",
        "Floor 100.00 USD, whatever was won before",
        "By this rule alone it would be 87,400.00 USD (minimum equity, floor 100.00 USD).",
        (
            "Before it closes everything Reckoner waits 10 s, so that you can act. At once, "
            "without waiting: 2 points past the limit, below the minimum equity, or near the "
            "broker's stop-out."
        ),
    ]


def test_past_the_warning_is_said_as_that_and_a_broken_limit_leaves_no_other_answer() -> None:
    """84,000 is 1,000 below 85,000; 79,000 is 1,000 below 80,000."""
    warned = shown(*always(LIMITS, "84000"))
    assert "🟠 1,000.00 USD past the warning at 85,000.00 USD (drawdown warning)." in warned
    broken_ = shown(*always(LIMITS, "79000"))
    assert "🔴 1,000.00 USD below the floor of 80,000.00 USD (peak drawdown)." in broken_
    assert not [line for line in broken_ if line.startswith("You can lose")]


def test_without_a_countdown_rules_say_that_they_close_at_once() -> None:
    lines = shown(*always(LIMITS, "95000"), countdown_s=0)
    assert lines[-1] == "When a rule closes everything, it does so at once."


def test_a_rule_that_closes_later_than_another_is_no_answer_in_drawdown_either() -> None:
    """400 are left to the drawdown's 80,000, 5,412.30 to a maximum loss's 90,000."""
    reading = (*always(LIMITS, "80400"), rule_line(enforced(MAXIMUM), "95412.30"))
    board = DrawdownBoard(account=account(currency="USD"), history=(), rules=reading)
    assert views.headroom(board, NOW)[0] == (
        "By this rule alone it would be 5,412.30 USD (maximum loss, floor 90,000.00 USD)."
    )


def test_limits_that_are_no_floors_show_figure_and_limit() -> None:
    """2,000 % of 94,000 is 1,880,000."""
    rules = shipped()["soft-daily"].rules
    figures: dict[str, Any] = {
        "margin_level_percent": D(500),
        "positions": 2,
        "exposure": D(100_000),
    }
    lines = shown(*(rule_line(enforced(each), "94000", **figures) for each in rules[1:]))
    assert lines == [
        "Margin level (warns)",
        "At least 200 %",
        "Now 500 %, at least 200 % (margin level).",
        "Open positions (warns)",
        "At most 10",
        "Now 2, at most 10 (open positions).",
        "Exposure (warns)",
        "At most 1,880,000.00 USD = 2,000 % of equity",
        "Now 100,000.00 USD, at most 1,880,000.00 USD (exposure).",
    ]


def test_a_pause_says_until_when() -> None:
    """17:00 in New York is 22:00 UTC in winter."""
    lines = shown(rule_line(enforced(shipped()["soft-daily"].rules[0]), "94000"))
    assert lines[-2:] == [
        (
            "🔴 1,000.00 USD below the floor of 95,000.00 USD (daily loss), until 17:00 New York "
            "in 4 h 12 min."
        ),
        "⏸ Approvals pause until 22:00:00 UTC.",
    ]


def test_what_a_rule_would_have_done_and_what_came_of_it() -> None:
    lines = shown(events=(event(), event(resolved_at=None), event(mode="enforce")))
    assert lines == [
        (
            "15:48:00 UTC: Daily loss would have closed everything at 94,900.00 USD; +600.00 USD "
            "until it was over 1 h later, lowest 94,100.00 USD"
        ),
        "15:48:00 UTC: Daily loss would have closed everything at 94,900.00 USD; not over yet",
        (
            "15:48:00 UTC: Daily loss closed everything at 94,900.00 USD; +600.00 USD until it "
            "was over 1 h later, lowest 94,100.00 USD"
        ),
    ]


def test_looser_rules_that_wait_are_named() -> None:
    pending = PendingRules((("Daily loss", "observe"),), NOW)
    assert shown(pending=pending) == [
        (
            "Looser rules wait until 17:48:00 UTC, and for a flat account that is not locked: "
            "Daily loss (observe)."
        )
    ]


def test_drawdown_says_what_may_be_lost_and_what_each_position_has_in_it() -> None:
    """Gold: 48 oz at 2,000 are 96 % of 100,000; 412.30 / 48 = 8.59 below 2,000 it uses that up."""
    rules = (
        *always(LIMITS, "95412.30"),
        rule_line(enforced(), "95412.30"),
        rule_line(HeldRule(MAXIMUM, Mode.OBSERVE), "95412.30"),
    )
    board = DrawdownBoard(account=account(currency="USD"), history=(), rules=rules)
    assert views.headroom(board, NOW) == [
        (
            "You can lose 412.30 USD more before everything is closed (daily loss, floor "
            "95,000.00 USD), until 00:00 Prague in 5 h 12 min."
        ),
        (
            "You can lose 5,412.30 USD more above floor 90,000.00 USD (maximum loss: only keeps "
            "a log, closes nothing)."
        ),
        "XAUUSD buy 0.48: 96.0 % of the exposure; alone it ends the room at 1,991.41",
        "EURUSD sell 0.04: 4.0 % of the exposure; alone it ends the room at 1.10308",
    ]


@pytest.mark.parametrize("guard", ["latched", "closing", "countdown"])
def test_nothing_may_be_lost_where_the_account_is_being_closed(guard: str) -> None:
    board = DrawdownBoard(
        account=account(guard=guard), history=(), rules=(rule_line(enforced(), "95412.30"),)
    )
    assert views.headroom(board, NOW) == []


def test_a_blind_guard_says_how_long_and_what_is_open() -> None:
    lines = words(alerts.render(blind(), VOICE, Audience.CLIENT).html).split("\n")
    assert lines[:2] == [
        "🔴 The guard is blind on 50001, 3 positions open",
        (
            "The guard is blind: no trustworthy reading of account 50001 for 1 min 30 s with 3 "
            "positions open."
        ),
    ]


def test_what_is_only_advised_is_left_to_the_reader() -> None:
    advice = broken(mode="advise", severity="close_all")
    assert "Closing is up to you." in alerts.render(advice, VOICE, Audience.CLIENT).html


def test_a_reset_that_breaks_a_rule_is_told_with_both_floors() -> None:
    """95,280 is 120 below 95,400."""
    lines = words(alerts.render(ahead(), VOICE, Audience.CLIENT).html).split("\n")
    assert lines[2] == "With 95,280.00 GBP now that is 120.00 GBP below it."
    assert lines[3] == "Then Reckoner closes everything."


def test_a_breach_of_a_rule_names_it_and_its_floor() -> None:
    alert = breach(
        rule="daily_loss",
        title="Daily loss",
        measure="loss",
        figure=D("9480.00"),
        floor=D("9500.00"),
    )
    lines = words(alerts_guard.breached(alert, VOICE, Audience.CLIENT).html).split("\n")
    assert lines[0].endswith("- daily loss")
    assert "Daily loss: 9,480.00 GBP, floor 9,500.00 GBP." in lines


def test_a_zone_that_is_not_known_here_is_told_in_utc() -> None:
    assert views.at_reset(NOW, "Mars/Base") == "17:48 UTC"
