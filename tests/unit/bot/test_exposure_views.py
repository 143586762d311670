"""Exposure by symbol: in words, as bars of text, and as a picture."""

import struct
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.charts import render
from bot.exposure_chart import SYMBOLS_MAX, drawn, figure_of
from bot.views.boards import positions
from bot.views.exposure import bars, exposure
from bot.views.message import ExposureChart, Message, Voice
from bot.views.sparks import chart_in_words
from core.domain.board import AccountBoard
from tests.fakes.clock import START
from tests.fakes.exposures import exposures, held
from tests.fakes.shell import account
from tests.unit.bot.html import words

DEMO = Voice(mark="[DEMO]")


def shown(board: AccountBoard) -> Message:
    (message,) = exposure([board], DEMO, START)
    return message


def chart(board: AccountBoard) -> ExposureChart:
    found = shown(board).chart
    assert isinstance(found, ExposureChart)
    return found


def test_each_symbol_is_told_with_its_net_both_sides_and_value_by_sign_and_word() -> None:
    """155,000 together at an equity of 9,580 is 16.2 times as much."""
    assert words(shown(account(exposure=exposures())).html).splitlines() == [
        "[DEMO] ⚖️ Exposure by symbol",
        "50001 Main",
        "Figures as of 14:02:08 UTC, 3 s ago",
        "All together: 155,000.00 GBP, 16.2 times the equity",
        "• XAUUSD: net +0.30 lots (long 0.50, short 0.20)",
        "   net +47,000.00 GBP, both sides 109,000.00 GBP",
        "• EURUSD: net -0.30 lots (short 0.30)",
        "   value -26,000.00 GBP",
        "• US30.cash: net +1.00 lots (long 1.00)",
        "   value +20,000.00 GBP",
    ]


def test_what_is_not_known_is_said_and_not_left_out_of_the_sum() -> None:
    odd = held("ODD", ("5", None))
    text = words(shown(account(exposure=(*exposures(), odd))).html)
    assert "All together: not known, the value of a symbol is missing" in text
    assert "• ODD: net +5.00 lots (long 5.00)\n   its value is not known" in text
    assert shown(account(exposure=(odd,))).chart is None


def test_an_account_that_cannot_be_read_says_so_first_and_whether_anything_is_open() -> None:
    lost = account(exposure=exposures(), unavailable_since=START - timedelta(minutes=5))
    first, *_ = words(shown(lost).html).splitlines()
    assert first == "[DEMO] ⚠️ 1 account cannot be read"
    assert "No open position." in words(shown(account(positions=(), positions_count=0)).html)
    unread = account(positions=(), positions_count=None)
    assert "Positions: not known" in words(shown(unread).html)


def test_without_a_picture_the_bars_are_text_short_to_the_left_long_to_the_right() -> None:
    """Nine columns are 78,000: 31,000 are three and a half of them, 26,000 three, 20,000 two."""
    text = bars(exposures()).removeprefix("<pre>").removesuffix("</pre>")
    assert text.splitlines() == [
        "               short│long",
        "XAUUSD          ▐███│█████████",
        "EURUSD           ███│",
        "US30.cash           │██",
    ]
    assert max(map(len, text.splitlines())) <= 36
    said = chart_in_words(shown(account(exposure=exposures())))
    assert said.html.endswith("</pre>")
    assert said.chart is None


def test_many_accounts_get_a_button_each_and_positions_has_them_too() -> None:
    boards = [account(exposure=exposures()), account(account_id=8, login=50002, exposure=())]
    (message,) = exposure([*boards, account(exposure=exposures(), login=50003)], DEMO, START)
    labels = [button.label for row in message.keyboard for button in row]
    assert labels == ["Exposure 50001", "Exposure 50003"]
    (listed,) = positions(boards, DEMO, START)
    assert [b.label for row in listed.keyboard for b in row] == ["Exposure", "Refresh"]


def test_the_picture_is_a_png_of_the_largest_symbols_and_says_how_many_it_leaves_out() -> None:
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    png = render(chart(account(exposure=exposures())))
    assert struct.unpack(">II", png[16:24]) == (1200, 675)
    many = tuple(held(f"S{n}", ("1", str(1000 * n))) for n in range(20, 20 - SYMBOLS_MAX - 2, -1))
    asked = chart(account(exposure=many))
    assert [row.symbol for row in drawn(asked)] == [f"S{n}" for n in range(20, 13, -1)]
    texts = {text.get_text() for text in figure_of(asked).texts}
    assert "Values in GBP, as of 22 Nov 14:02:08 UTC; symbols not drawn: 2" in texts
    assert drawn(replace(asked, rows=asked.rows[:SYMBOLS_MAX])) == list(asked.rows[:SYMBOLS_MAX])


def test_another_reading_is_another_picture() -> None:
    asked = chart(account(exposure=exposures()))
    later = replace(asked, read="22 Nov 14:03:08 UTC")
    assert asked.key != later.key
    assert asked.key != replace(asked, equity=Decimal(1)).key
