"""Pounds through the broker's own crosses: the right side of each quote, two at most, no guess."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.broker import SymbolSpec, Tick
from core.domain.rates import gbp_rate
from tests.unit.domain.make import NOW, D, spec, tick

QUOTES = {
    "EURGBP": ("0.85000", "0.86000"),
    "GBPUSD": ("1.24000", "1.25000"),
    "AUDUSD": ("0.64000", "0.65000"),
    "USDJPY": ("149.000", "150.000"),
    "EURHUF": ("399.00", "400.00"),
    "NOKEUR": ("0.08700", "0.08800"),
}


def market(*pairs: str, suffix: str = ".r") -> tuple[dict[str, Tick], dict[str, SymbolSpec]]:
    """Ticks and data of these pairs, under the broker's names, each a second older than the next.

    The first of n is n seconds old, the last one second.
    """
    ticks: dict[str, Tick] = {}
    symbols: dict[str, SymbolSpec] = {}
    for number, pair in enumerate(pairs):
        name = pair + suffix
        ticks[name] = tick(name, *QUOTES[pair], s=number - len(pairs))
        symbols[name] = spec(name, canonical=pair, currency_base=pair[:3], currency_profit=pair[3:])
    return ticks, symbols


@pytest.mark.parametrize(
    ("currency", "pairs", "rate", "how"),
    [
        ("EUR", ("EURGBP",), "0.85", "euros sold at the bid"),
        ("USD", ("GBPUSD",), "0.8", "pounds bought at the ask: 1 / 1.25"),
        # c/usd then usd/gbp; the four ways a currency and the pound may stand to the bridge
        ("AUD", ("AUDUSD", "GBPUSD"), "0.512", "0.64 x 1 / 1.25"),
        ("JPY", ("USDJPY", "GBPUSD"), "0.00533333", "1 / 150 x 1 / 1.25 = 1 / 187.5"),
        ("NOK", ("NOKEUR", "EURGBP"), "0.07395", "0.087 x 0.85"),
        ("HUF", ("EURHUF", "EURGBP"), "0.002125", "1 / 400 x 0.85"),
    ],
)
def test_a_rate_is_what_selling_the_currency_fetches(
    currency: str, pairs: tuple[str, ...], rate: str, how: str
) -> None:
    ticks, symbols = market(*pairs)
    found = gbp_rate(currency, ticks, symbols, NOW)
    assert found is not None
    assert found.gbp_per_unit == D(rate), how
    assert found.at == NOW - timedelta(seconds=len(pairs)), "as old as the older quote"


def test_two_steps_are_as_old_as_the_older_quote_whichever_that_is() -> None:
    ticks, symbols = market("GBPUSD", "USDJPY")
    found = gbp_rate("JPY", ticks, symbols, NOW)
    assert found is not None
    assert found.at == NOW - timedelta(seconds=2)


def test_pounds_are_pounds_now() -> None:
    found = gbp_rate("GBP", {}, {}, NOW)
    assert found is not None
    assert (found.gbp_per_unit, found.at) == (D(1), NOW)


@pytest.mark.parametrize(
    ("currency", "pairs"),
    [
        ("USD", ()),
        ("JPY", ("USDJPY",)),
        ("JPY", ("USDJPY", "EURGBP")),
        ("HUF", ("EURHUF", "GBPUSD")),
        ("USC", ("GBPUSD", "EURGBP")),  # cents are not dollars
    ],
)
def test_no_path_is_not_convertible(currency: str, pairs: tuple[str, ...]) -> None:
    assert gbp_rate(currency, *market(*pairs), NOW) is None


@pytest.mark.parametrize(
    ("bid", "ask"), [("0", "1.25"), ("1.24", "0"), ("0", "0"), ("1.26", "1.25"), ("-1", "1")]
)
@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_a_crossed_or_empty_quote_is_no_quote(bid: str, ask: str, currency: str) -> None:
    ticks, symbols = market("USDJPY", "GBPUSD")
    ticks["GBPUSD.r"] = tick("GBPUSD.r", bid, ask)
    assert gbp_rate(currency, ticks, symbols, NOW) is None


def test_a_direct_rate_goes_before_two_steps() -> None:
    ticks, symbols = market("EURGBP", "GBPUSD")
    symbols["EURUSD"] = spec("EURUSD", currency_base="EUR")
    ticks["EURUSD"] = tick("EURUSD", "1.10", "1.11")
    found = gbp_rate("EUR", ticks, symbols, NOW)
    assert found is not None
    assert found.gbp_per_unit == D("0.85")


def test_of_two_quotes_of_one_pair_the_fresher_counts() -> None:
    ticks, symbols = market("GBPUSD")
    symbols["GBPUSD.a"] = spec("GBPUSD.a", canonical="GBPUSD")
    ticks["GBPUSD.a"] = tick("GBPUSD.a", "1.59", "1.60", s=-60)
    found = gbp_rate("USD", ticks, symbols, NOW)
    assert found is not None
    assert found.gbp_per_unit == D("0.8")


def test_what_only_has_the_currencies_of_a_pair_is_not_its_quote() -> None:
    """A future on the pound, priced in dollars, is another market."""
    ticks = {"6BZ5": tick("6BZ5", "1.50", "1.60")}
    symbols = {"6BZ5": spec("6BZ5", currency_base="GBP", currency_profit="USD")}
    assert gbp_rate("USD", ticks, symbols, NOW) is None


def test_a_rate_too_small_to_be_stored_converts_nothing() -> None:
    symbols = {"GBPVND": spec("GBPVND", currency_base="GBP", currency_profit="VND")}
    ticks = {"GBPVND": tick("GBPVND", "200000000", "200000001")}
    assert gbp_rate("VND", ticks, symbols, NOW) is None


PRICES = st.decimals("0.01", "1000", places=5)


@given(PRICES, PRICES, PRICES, PRICES)
def test_there_and_back_again_never_gains(
    bid: Decimal, spread: Decimal, other_bid: Decimal, other_spread: Decimal
) -> None:
    """What a currency fetches is never more than what buying it back would cost."""
    symbols = {"GBPUSD": spec("GBPUSD"), "USDJPY": spec("USDJPY")}
    ticks = {
        "GBPUSD": tick("GBPUSD", str(bid), str(bid + spread)),
        "USDJPY": tick("USDJPY", str(other_bid), str(other_bid + other_spread)),
    }
    found = gbp_rate("JPY", ticks, symbols, NOW)
    cost = bid * other_bid  # yen for one pound, sold for dollars and yen at the bids
    assert found is None or found.gbp_per_unit * cost <= 1 + cost * D("0.00000001")
