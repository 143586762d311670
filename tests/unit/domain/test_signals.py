"""A signal as an admin writes it; what is wrong names the word."""

import pytest

from core.domain.broker import Side
from core.domain.signals import BadSignal, check_levels, parse_signal
from tests.unit.domain.make import D


def test_levels_may_come_in_either_order_or_not_at_all() -> None:
    one = parse_signal("XAUUSD buy 0.10 sl 1950 tp 1990")
    assert (one.symbol, one.side, one.volume) == ("XAUUSD", Side.BUY, D("0.10"))
    assert (one.stop_loss, one.take_profit) == (D(1950), D(1990))
    assert parse_signal("XAUUSD BUY 0.10 TP 1990 SL 1950") == one
    assert parse_signal("XAUUSD sell 1").stop_loss is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "too_few"),
        ("XAUUSD buy", "too_few"),
        ("XAUUSD buy 1 sl 1 tp 2 more", "too_many.*'more'"),
        ("XAU/USD buy 1", "symbol.*'XAU/USD'"),
        ("X" * 30 + " buy 1", "symbol.*'X{30}'"),
        ("XAUUSD long 1", "side.*'long'"),
        *[
            (f"XAUUSD buy {bad}", "not_positive: volume")
            for bad in ("0", "-1", "nan", "sNaN", "inf", "-inf")
        ],
        ("XAUUSD buy x", "no_number: volume 'x'"),
        ("XAUUSD buy 1,5", "comma: volume '1,5'"),
        ("XAUUSD buy 0.000000001", "too_long: volume"),
        ("XAUUSD buy 1e12", "too_long: volume"),
        ("XAUUSD buy 1 sl", "no_price.*'sl'"),
        ("XAUUSD buy 1 sl 1 sl 2", "twice.*'sl'"),
        ("XAUUSD buy 1 at 5", "no_level.*'at'"),
        ("XAUUSD buy 1 tp nan", "not_positive: take_profit"),
    ],
)
def test_what_is_wrong_is_named(text: str, names: str) -> None:
    with pytest.raises(BadSignal, match=names):
        parse_signal(text)


@pytest.mark.parametrize("text", ["X" * 29 + " buy 1", "XAUUSD buy 0.00000001", "A buy 1e11"])
def test_at_each_bound_it_is_a_signal(text: str) -> None:
    assert parse_signal(text).volume > 0


@pytest.mark.parametrize(
    ("text", "price", "wrong"),
    [
        ("A buy 1 sl 99 tp 101", 100, None),
        ("A buy 1 sl 100", 100, "sl"),
        ("A buy 1 tp 100", 100, "tp"),
        ("A sell 1 sl 101 tp 99", 100, None),
        ("A sell 1 sl 100", 100, "sl"),
        ("A sell 1 tp 100", 100, "tp"),
    ],
)
def test_a_level_stands_on_its_own_side_of_the_market(
    text: str, price: int, wrong: str | None
) -> None:
    assert check_levels(parse_signal(text), D(price)) == wrong
