"""Profit to the cent as real terminals print it; conversions, margin, stop-out."""

from decimal import Decimal

import pytest

from core.sim import arithmetic
from core.sim.arithmetic import Converter, Money, NoRate, Quote
from core.sim.symbols import SYMBOLS, SymbolTerms

D = Decimal
QUOTES = {name: Quote(terms.bid, terms.ask, 0) for name, terms in SYMBOLS.items()}
CONVERTER = Converter(SYMBOLS)
USD = Money("USD", 2, 100)
GBP = Money("GBP", 2, 100)


def terms_of(symbol: str) -> SymbolTerms:
    """Terms of a symbol, those that only the golden rows know included."""
    if symbol in SYMBOLS:
        return SYMBOLS[symbol]
    return SymbolTerms(
        name=symbol,
        digits=5,
        contract=D(100_000),
        base=symbol[:3],
        profit=symbol[3:],
        filling_mode=3,
        is_forex=True,
        bid=D(1),
        ask=D(1),
        path="",
        description="",
    )


GOLDEN = [
    ("EURUSD", -1, "0.01", "1.09301", "1.10104", "-8.03"),
    ("EURUSD", 1, "0.01", "1.08676", "1.10099", "14.23"),
    ("EURUSD", 1, "0.01", "1.08640", "1.10099", "14.59"),
    ("EURUSD", 1, "0.01", "1.09545", "1.10099", "5.54"),
    ("EURUSD", 1, "0.02", "1.09536", "1.10099", "11.26"),
    ("USDCHF", 1, "0.01", "0.97898", "0.95758", "-22.35"),
    ("USDCHF", -1, "0.10", "0.93475", "0.93751", "-29.44"),
    ("AUDUSD", 1, "0.10", "0.66336", "0.66327", "-0.90"),
    ("XAUUSD", 1, "0.01", "2420.07", "2419.91", "-0.16"),
    ("GBPJPY", -1, "0.01", "142.506", "142.513", "-0.07"),
]
"""Rows printed by real terminals, USD accounts (facts, section 9)."""


@pytest.mark.parametrize(("symbol", "sign", "volume", "opened", "closed", "expected"), GOLDEN)
def test_real_terminals_print_the_same_profit(
    symbol: str, sign: int, volume: str, opened: str, closed: str, expected: str
) -> None:
    quotes = {**QUOTES, "USDJPY": Quote(D("103.700"), D("103.710"), 0)}
    deal = (sign, D(volume), D(opened), D(closed))
    assert arithmetic.profit(terms_of(symbol), deal, USD, CONVERTER, quotes) == D(expected)


def test_a_gain_is_sold_and_a_loss_is_bought() -> None:
    """1000 USD on a GBP account: 1000 / 1.27012 = 787.327..., -1000 / 1.27000 = -787.401..."""
    gain = CONVERTER.convert(D(1000), "USD", "GBP", QUOTES)
    loss = CONVERTER.convert(D(-1000), "USD", "GBP", QUOTES)
    assert round(gain, 3) == D("787.327")
    assert round(loss, 3) == D("-787.402")


def test_a_direct_pair_multiplies_bid_for_gains_and_ask_for_losses() -> None:
    assert CONVERTER.convert(D(1000), "EUR", "GBP", QUOTES) == D("854.30")
    assert CONVERTER.convert(D(-1000), "EUR", "GBP", QUOTES) == D("-854.42")


def test_currencies_without_a_pair_go_through_the_dollar() -> None:
    """880.12 CHF / 0.88012 = 1000 USD; / 1.27012 = 787.327 GBP."""
    legs = CONVERTER.legs("CHF", "GBP")
    assert [leg.symbol for leg in legs] == ["USDCHF", "GBPUSD"]
    assert round(CONVERTER.convert(D("880.12"), "CHF", "GBP", QUOTES), 3) == D("787.327")


def test_no_rate_is_an_error_and_never_a_guess() -> None:
    with pytest.raises(NoRate, match="NOK to GBP"):
        CONVERTER.convert(D(1), "NOK", "GBP", QUOTES)


@pytest.mark.parametrize(
    ("symbol", "money", "volume", "opened", "expected"),
    [
        # 0.1 lot of gold: 10 oz * 1970.30 / 100 = 197.03 USD.
        ("XAUUSD", USD, "0.10", "1970.30", "197.0300"),
        # 197.03 USD must be bought with pounds at the bid: / 1.27 = 155.1417...
        ("XAUUSD", GBP, "0.10", "1970.30", "155.1417"),
        # One lot of EURUSD: 100000 EUR / 100 at its own opening price.
        ("EURUSD", USD, "1", "1.08510", "1085.1000"),
        # 1000 EUR bought with pounds at the ask of EURGBP.
        ("EURUSD", GBP, "1", "1.08510", "854.4200"),
        # The base is the account's currency: no conversion.
        ("GBPJPY", GBP, "0.50", "190.525", "500.0000"),
    ],
)
def test_margin(symbol: str, money: Money, volume: str, opened: str, expected: str) -> None:
    found = arithmetic.margin(SYMBOLS[symbol], D(volume), D(opened), money, CONVERTER, QUOTES)
    assert round(found, 4) == D(expected)


def test_a_hedge_takes_the_margin_of_its_larger_leg_per_symbol() -> None:
    rows = [("A", 1, D(100)), ("A", -1, D(60)), ("A", 1, D(10)), ("B", -1, D(5))]
    assert arithmetic.larger_leg(rows) == D(115)


@pytest.mark.parametrize(
    ("equity", "margin", "out"),
    [("500.01", "1000", False), ("500", "1000", True), ("-1", "1000", True), ("-1", "0", False)],
)
def test_stop_out_is_at_half_the_margin_and_not_above(
    equity: str, margin: str, *, out: bool
) -> None:
    assert arithmetic.is_stopped_out(D(equity), D(margin)) is out


def test_the_level_without_margin_is_printed_as_zero() -> None:
    assert arithmetic.margin_level(D("943.91"), D(0)) == 0
    # Printed by a real terminal: equity 943.91, margin 2.36.
    level = arithmetic.margin_level(D("943.91"), D("2.36"))
    assert float(level) == pytest.approx(39996.18644067797, rel=1e-15)


@pytest.mark.parametrize(
    ("amount", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("-0.004", "0"), ("2", "2")]
)
def test_money_rounds_half_away_from_zero(amount: str, rounded: str) -> None:
    found = arithmetic.round_money(D(amount), 2)
    assert found == D(rounded)
    assert not found.is_signed() or found < 0
