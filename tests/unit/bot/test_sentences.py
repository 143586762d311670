"""One sentence for every row of the taxonomy, written out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from bot.views.sentences import SENTENCES, Fact, of_divergence, sentence
from core.domain.divergences import BY_REASON
from core.domain.findings import Kind
from tests.fakes.alerts import closed, finding
from tests.fakes.clock import START
from tests.unit.bot.html import words

D = Decimal
FIGURES: dict[str, dict[str, Any]] = {
    "lots": {"expected": "0.1", "observed": "0.04"},
    "level": {"expected": "1950.00", "observed": "1945.50"},
    "won": {"pnl": D("12.40"), "currency": "GBP"},
    "lost": {"pnl": D("-18.00"), "currency": "GBP"},
}
SAID: list[tuple[str, dict[str, Any], str]] = [
    (
        "entry_slippage",
        {"observed": "1950.72", "slippage_pips": D("7.2"), "slippage_points": D(72)},
        "Your XAUUSD buy 0.10 was filled at 1,950.72, 7.2 pips (72 points) worse than expected.",
    ),
    ("partial_fill", FIGURES["lots"], "Only 0.04 of 0.10 lots of your XAUUSD buy were filled."),
    ("split_fill", {}, "A further part of your trade, XAUUSD buy 0.10, was filled at 14:02:11."),
    (
        "over_volume",
        {"expected": "0.1", "observed": "0.15"},
        "Your XAUUSD buy holds 0.15 lots; 0.10 were approved.",
    ),
    (
        "scaled_in",
        {"expected": "0.1", "observed": "0.15"},
        "Somebody added to your XAUUSD buy: 0.15 lots instead of 0.10.",
    ),
    (
        "scaled_out",
        FIGURES["lots"],
        "A part of your XAUUSD buy was closed: 0.04 of 0.10 lots are left.",
    ),
    (
        "duplicate_execution",
        {},
        "Your trade was placed more than once: this XAUUSD buy 0.10 is one too many.",
    ),
    (
        "late_execution",
        {"expected": "2026-03-04T10:01:00+00:00", "observed": "2026-03-04T10:01:31+00:00"},
        "Your XAUUSD buy 0.10 was opened at 10:01:31, after its deadline at 10:01:00.",
    ),
    ("not_executed", {}, "Your XAUUSD buy 0.10 was not placed."),
    (
        "direction_mismatch",
        {"expected": "buy", "observed": "sell"},
        "Your trade in XAUUSD should be buy, and it is sell.",
    ),
    (
        "netting_reversed",
        {"expected": "buy", "observed": "sell"},
        "An order turned your XAUUSD position round: it was buy and is sell now.",
    ),
    (
        "symbol_mismatch",
        {"expected": "XAUUSD", "observed": "EURUSD"},
        "Your trade in XAUUSD was placed in EURUSD.",
    ),
    (
        "sl_moved",
        FIGURES["level"],
        "The stop loss of your XAUUSD buy 0.10 was moved from 1,950.00 to 1,945.50.",
    ),
    (
        "sl_moved",
        {"observed": "1945.50"},
        "A stop loss was set on your XAUUSD buy 0.10 at 1,945.50; the signal has none.",
    ),
    (
        "sl_removed",
        {"expected": "1950.00"},
        "The stop loss of your XAUUSD buy 0.10 at 1,950.00 was removed.",
    ),
    (
        "sl_missing",
        {"expected": "1950.00"},
        "Your XAUUSD buy 0.10 never had its stop loss at 1,950.00.",
    ),
    (
        "tp_moved",
        {"expected": "1990.00", "observed": "1985.00"},
        "The take profit of your XAUUSD buy 0.10 was moved from 1,990.00 to 1,985.00.",
    ),
    (
        "tp_removed",
        {"expected": "1990.00"},
        "The take profit of your XAUUSD buy 0.10 at 1,990.00 was removed.",
    ),
    (
        "tp_missing",
        {"expected": "1990.00"},
        "Your XAUUSD buy 0.10 never had its take profit at 1,990.00.",
    ),
    (
        "unknown_position_manual",
        {"opened_by": 1},
        "You opened XAUUSD buy 0.10 by hand, on a phone; no signal called for it.",
    ),
    (
        "unknown_position_foreign_ea",
        {"opened_by": 3, "magic": 555},
        "A program with the number 555 opened XAUUSD buy 0.10; no signal called for it.",
    ),
    (
        "unknown_position_orphan",
        {},
        "XAUUSD buy 0.10 carries Reckoner's mark, and Reckoner knows no open trade that it is.",
    ),
    (
        "unknown_pending_order",
        {"observed": "1900"},
        "A pending order waits to open XAUUSD buy 0.10 at 1,900.00; no signal called for it.",
    ),
    (
        "missing_unexplained",
        {},
        "Your XAUUSD buy 0.10 is gone, and the broker has not said why yet.",
    ),
    (
        "manual_close_mobile",
        {**FIGURES["won"], "to_target_pips": D(47)},
        "You closed this on your phone at 14:02:11, +12.40 GBP, 47.0 pips before target.",
    ),
    (
        "manual_close_web",
        {**FIGURES["won"], "to_target_pips": D("-3.5")},
        "You closed this in the web terminal at 14:02:11, +12.40 GBP, 3.5 pips past target.",
    ),
    (
        "manual_close_desktop",
        FIGURES["lost"],
        "You closed this in the desktop terminal at 14:02:11, -18.00 GBP.",
    ),
    (
        "foreign_ea_close",
        FIGURES["lost"],
        "Another program closed this at 14:02:11, -18.00 GBP.",
    ),
    ("reckoner_close", FIGURES["lost"], "Reckoner closed this at 14:02:11, -18.00 GBP."),
    ("stop_loss", FIGURES["lost"], "Its stop loss closed this at 14:02:11, -18.00 GBP."),
    ("take_profit", FIGURES["won"], "Its take profit closed this at 14:02:11, +12.40 GBP."),
    (
        "stop_out",
        FIGURES["lost"],
        "The broker closed this for want of margin at 14:02:11, -18.00 GBP.",
    ),
    (
        "close_by",
        FIGURES["won"],
        "This was closed by an opposite position at 14:02:11, +12.40 GBP.",
    ),
    (
        "netting_reversal",
        FIGURES["won"],
        "An order the other way closed this at 14:02:11, +12.40 GBP.",
    ),
    (
        "rollover_close",
        FIGURES["lost"],
        "The broker closed this at the rollover, 14:02:11, -18.00 GBP.",
    ),
    (
        "other_close",
        FIGURES["lost"],
        "This was closed at 14:02:11, -18.00 GBP, for a reason that Reckoner does not know.",
    ),
    (
        "rollover_reopen",
        {},
        (
            "The broker closed XAUUSD buy 0.10 and opened it again at the rollover, 14:02:11; "
            "it goes on."
        ),
    ),
    (
        "exit_slippage",
        {**FIGURES["lost"], "slippage_pips": D(6)},
        "This was closed at 14:02:11, 6.0 pips worse than its stop or target, -18.00 GBP.",
    ),
    (
        "gap_fill",
        {**FIGURES["lost"], "slippage_pips": D(60)},
        (
            "The price jumped over the stop loss: this was closed at 14:02:11, 60.0 pips beyond "
            "it, -18.00 GBP."
        ),
    ),
    (
        "balance_operation",
        {"pnl": D(500), "currency": "GBP"},
        "500.00 GBP came into the account at 14:02:11.",
    ),
    (
        "balance_operation",
        {"pnl": D(-500), "currency": "GBP"},
        "500.00 GBP left the account at 14:02:11.",
    ),
    (
        "pnl_mismatch",
        {"pnl": D(-50), "currency": "GBP"},
        "The balance changed by -50.00 GBP, and no deal explains it.",
    ),
    (
        "wrong_account",
        {},
        "At 14:02:11 the terminal answered for another account than it was asked about.",
    ),
    (
        "stale_data",
        {},
        "At 14:02:11 no price had moved on your account for long: its figures may be old.",
    ),
    # Words of older rows mean what they mean now; what no row has is shown as it is.
    (
        "volume_reduced",
        FIGURES["lots"],
        "A part of your XAUUSD buy was closed: 0.04 of 0.10 lots are left.",
    ),
    ("some_new_word", {}, "some new word"),
]


def said(reason: str, audience: Audience = Audience.CLIENT, **figures: Any) -> str:
    """The sentence about gold, at the fakes' present."""
    facts: dict[str, Any] = {"symbol": "XAUUSD", "side": "buy", "volume": D("0.10"), "at": START}
    fact = Fact(reason=reason, **{**facts, **figures})
    return words(sentence(fact, Voice(), audience))


@pytest.mark.parametrize(
    ("reason", "figures", "expected"), SAID, ids=[f"{n}-{r}" for n, (r, _, _) in enumerate(SAID)]
)
def test_each_row_is_one_sentence(reason: str, figures: dict[str, Any], expected: str) -> None:
    assert said(reason, **figures) == expected


def test_every_row_has_its_sentence_and_its_example() -> None:
    assert SENTENCES.keys() == BY_REASON.keys()
    assert {reason for reason, _, _ in SAID} >= BY_REASON.keys()


@pytest.mark.parametrize("reason", sorted(BY_REASON))
def test_an_admin_never_reads_that_it_was_they(reason: str) -> None:
    text = said(reason, Audience.ADMIN, pnl=D(1), currency="GBP", expected="1950")
    assert "you" not in text.lower().split()
    assert "your" not in text.lower().split()


@pytest.mark.parametrize("reason", sorted(BY_REASON))
@pytest.mark.parametrize("evil", ["<b>&amp;", "a\nb\u202ec\x00", "nan", "1e999", "x" * 3000])
def test_nothing_from_outside_becomes_markup(reason: str, evil: str) -> None:
    facts: dict[str, Any] = {
        "symbol": evil,
        "side": evil,
        "expected": evil,
        "observed": evil,
        "currency": evil,
    }
    text = said(reason, pnl=D(1), **facts)
    assert "\u202e" not in text
    assert "\x00" not in text


def test_a_message_says_it_in_a_sentence_where_it_has_more_to_say_than_its_headline() -> None:
    odd = closed(close_reason="stop_loss", note="gap_fill", slippage_pips=D(60), pnl=D(-18))
    assert (
        "The price jumped over the stop loss: this was closed at 14:02:11, 60.0 pips beyond it, "
        "-18.00 GBP."
    ) in words(render(odd, Voice(), Audience.CLIENT).html).splitlines()
    near = words(render(closed(to_target_pips=D(47)), Voice(), Audience.ADMIN).html)
    assert "The client closed this on their phone at 14:02:11, +12.40 GBP, 47.0 pips before" in near
    assert "closed this" not in words(render(closed(), Voice(), Audience.CLIENT).html)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_difference_has_a_title_and_its_sentence(kind: Kind) -> None:
    lines = words(render(finding(kind.value), Voice(), Audience.CLIENT).html).splitlines()
    assert kind.value.replace("_", " ") not in lines[0], "a title of its own"
    fact = of_divergence(finding(kind.value))
    assert words(sentence(fact, Voice(), Audience.CLIENT)) in lines
