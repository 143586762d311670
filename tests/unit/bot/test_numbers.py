"""Figures as people read them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.views import numbers as n
from bot.views.message import Voice
from tests.fakes.clock import START


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.891", "GBP", "1,234,567.89 GBP"),
        ("-0.5", "USD", "-0.50 USD"),
        ("98765.4", "JPY", "98,765 JPY"),
        ("1.2345", "KWD", "1.234 KWD"),  # half to even
        ("-0.004", "GBP", "0.00 GBP"),  # nothing has no sign
    ],
)
def test_money(amount: str, currency: str, text: str) -> None:
    assert n.money(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("12.4", "+12.40 GBP"), ("-5", "-5.00 GBP"), ("0", "0.00 GBP"), ("-0.001", "0.00 GBP")],
)
def test_a_result_always_shows_its_sign(amount: str, text: str) -> None:
    assert n.gain(Decimal(amount), "GBP") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("26.97", "27.0 %"),
        ("12.25", "12.3 %"),
        ("-0.04", "0.0 %"),
        ("14.9", "14.9 %"),
        ("14.96", "14.96 %"),
        ("19.96", "19.96 %"),
        ("19.9999", "19.99 %"),
        ("20", "20.0 %"),
        ("20.04", "20.04 %"),
        ("20.1", "20.1 %"),
    ],
)
def test_a_percentage_below_a_level_never_reads_as_that_level(value: str, text: str) -> None:
    assert n.percent(Decimal(value), Decimal(15), Decimal(20)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1950.00000000", "1,950.00"),
        ("1.08345000", "1.08345"),
        ("150.1", "150.10"),
        ("1.08000", "1.08000"),
        ("190.560", "190.560"),
    ],
)
def test_prices_keep_their_digits_and_lose_the_zeros_of_their_storage(
    value: str, text: str
) -> None:
    assert n.price(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [("0.10000000", "0.10"), ("1", "1.00"), ("0.005", "0.005")]
)
def test_lots(value: str, text: str) -> None:
    assert n.lots(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2.34", "2.3 pips worse than expected"),
        ("-0.4", "0.4 pips better than expected"),
        ("0.04", "exactly as expected"),
    ],
)
def test_slippage_in_words_and_shorter_for_a_button(value: str, text: str) -> None:
    assert n.slippage(Decimal(value)) == text
    assert n.slippage_short(Decimal(value)) == text.removesuffix(" than expected")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (2100, "35 min"),
        (7500, "2 h 5 min"),
        (86_400, "1 d"),
        (280_800, "3 d 6 h"),
    ],
)
def test_spans(seconds: int, text: str) -> None:
    assert n.span(timedelta(seconds=seconds)) == text


def test_a_moment_carries_the_instant_for_the_reader_and_utc_in_words() -> None:
    assert n.moment(START, Voice()) == (
        '<tg-time unix="1795356131" format="T">14:02:11 UTC</tg-time>'
    )
