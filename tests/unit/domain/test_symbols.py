"""Which of a broker's symbols is meant by a name, and which is meant by none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.symbols import (
    AmbiguousSymbol,
    CalcMode,
    Listing,
    TradeMode,
    canonical,
    crosses,
    resolve,
)

CFD_FUTURES, EXCHANGE_STOCKS, EXCHANGE_FUTURES, EXCHANGE_OPTIONS = 1, 32, 33, 34


def listing(
    path: str, base: str, profit: str, calc_mode: int = CalcMode.FOREX, **changes: Any
) -> Listing:
    """A line of a catalogue; the name is the last part of the path, as brokers have it."""
    facts: dict[str, Any] = {
        "trade_mode": TradeMode.FULL,
        "digits": 5,
        "currency_margin": base,
        **changes,
    }
    return Listing(
        name=path.rpartition("\\")[2],
        path=path,
        currency_base=base,
        currency_profit=profit,
        calc_mode=calc_mode,
        **facts,
    )


PAIRS = {
    "EURUSDm": listing(r"Forex\Majors\EURUSDm", "EUR", "USD"),
    "EURUSD.m": listing(r"Forex\EURUSD.m", "EUR", "USD"),
    "EUR/USD": listing(r"FX\EUR/USD", "EUR", "USD"),
    "mEURUSD": listing(r"Forex Micro\mEURUSD", "EUR", "USD"),
    "EURUSDf": listing(r"Forex\EURUSDf", "EUR", "USD"),
    "EURUSD.a1": listing(r"Forex\EURUSD.a1", "EUR", "USD"),
    "EURUSD_SB": listing(r"Spread Betting\EURUSD_SB", "EUR", "USD", CalcMode.CFD_LEVERAGE),
    "FX-1": listing(r"Forex\FX-1", "EUR", "USD"),
}
"""What means EURUSD, with a suffix, a prefix or a name of its own."""

NOT_EURUSD = {
    "an index on it": listing(r"Indices\EURUSD_index", "EUR", "USD", CalcMode.CFD_INDEX),
    "an index on it, listed as a CFD": listing(r"CFD\EURUSD_index", "EUR", "USD", CalcMode.CFD),
    "an index on it, listed as forex": listing(r"Forex\EURUSD_index", "EUR", "USD"),
    "a future on it": listing(r"Futures\EURUSDZ5", "EUR", "USD", CFD_FUTURES),
    "a future at an exchange": listing(r"CME\6EZ5", "EUR", "USD", EXCHANGE_FUTURES),
    "a future, listed as forex": listing(r"Forex\EURUSD_H26", "EUR", "USD"),
    "an option on it": listing(r"FX\EURUSD.c108", "EUR", "USD", EXCHANGE_OPTIONS),
    "an option, listed as forex": listing(r"FX Options\EURUSD.108", "EUR", "USD"),
    "a disabled symbol": listing(r"Forex\EURUSDm", "EUR", "USD", trade_mode=TradeMode.DISABLED),
    "an expired symbol": listing(r"Expired\EURUSDm", "EUR", "USD"),
    "a custom symbol": listing(r"Custom\EURUSD", "EUR", "USD", custom=True),
    "a custom symbol in a plain folder": listing(r"Forex\EURUSD", "EUR", "USD", custom=True),
    "its mirror image": listing(r"Forex\USDEUR", "USD", "EUR"),
    "a name that begins alike": listing(r"Forex\EURUSDm", "EUR", "AUD"),
    "a basket": listing(r"Forex\EURUSD.basket", "EUR", "USD"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_pair_is_found_under_whatever_name_its_broker_gives_it(name: str) -> None:
    assert resolve("EURUSD", [listing(r"Forex\GBPUSD", "GBP", "USD"), PAIRS[name]]) == name
    assert canonical(PAIRS[name]) == "EURUSD"


@pytest.mark.parametrize("what", NOT_EURUSD)
def test_what_only_looks_like_a_pair_is_not_taken_for_it(what: str) -> None:
    assert resolve("EURUSD", [NOT_EURUSD[what]]) is None


@pytest.mark.parametrize(
    ("asked", "path", "base", "profit", "calc_mode", "reckoners"),
    [
        ("XAUUSD", r"Metals\XAUUSD.r", "XAU", "USD", CalcMode.CFD_LEVERAGE, "XAUUSD"),
        ("XAUUSD", r"Spot Metals\GOLD", "XAU", "USD", CalcMode.CFD, "XAUUSD"),
        ("XAUUSD", r"Metals\GOLD.pro", "USD", "USD", CalcMode.CFD, "XAUUSD"),
        ("GOLD", r"Metals\XAUUSDm", "XAU", "USD", CalcMode.FOREX, "XAUUSD"),
        ("GOLDEUR", r"Metals\XAUEUR.r", "XAU", "EUR", CalcMode.CFD, "XAUEUR"),
        ("SILVER", r"Metals\XAGUSD", "XAG", "USD", CalcMode.CFD, "XAGUSD"),
        ("BTCUSD", r"Crypto\BTCUSDc", "BTC", "USD", CalcMode.CFD, "BTCUSD"),
        ("BTCUSD", r"Crypto\BTCUSD#", "USD", "USD", CalcMode.CFD, "BTCUSD"),
        ("DOGEUSD", r"Crypto\DOGEUSD", "DOGE", "USD", CalcMode.CFD, "DOGEUSD"),
        ("US30", r"Cash Indices\US30.cash", "USD", "USD", CalcMode.CFD, "US30"),
        ("US30", r"Indices\DJ30.c", "USD", "USD", CalcMode.CFD_INDEX, "US30"),
        ("US30", r"CFD\WS30", "USD", "USD", CalcMode.CFD, "US30"),
        ("US30", r"CFD\#US30Cash", "USD", "USD", CalcMode.CFD, "US30"),
        ("US30", r"Indices\US30USD", "US30", "USD", CalcMode.CFD_LEVERAGE, "US30"),
        ("YM", r"Indices\US30", "USD", "USD", CalcMode.CFD_INDEX, "US30"),
        ("US30.cash", r"Indices\DJI30m", "USD", "USD", CalcMode.CFD_INDEX, "US30"),
        ("US500", r"Indices\SPX500.r", "USD", "USD", CalcMode.CFD, "US500"),
        ("NAS100", r"Indices\USTECm", "USD", "USD", CalcMode.CFD, "NAS100"),
        ("GER40", r"Indices\DE40", "EUR", "EUR", CalcMode.CFD_INDEX, "GER40"),
        ("GER40", r"Indices\DAX", "EUR", "EUR", CalcMode.CFD_INDEX, "GER40"),
        ("UK100", r"Indices\FTSE100", "GBP", "GBP", CalcMode.CFD_INDEX, "UK100"),
        ("JP225", r"Indices\JPN225", "USD", "USD", CalcMode.CFD_INDEX, "JP225"),
        ("USDX", r"Indices\DXY", "USD", "USD", CalcMode.CFD_INDEX, "USDX"),
    ],
)
def test_metals_coins_and_indices_are_found_by_what_they_are(
    asked: str, path: str, base: str, profit: str, calc_mode: int, reckoners: str
) -> None:
    there = listing(path, base, profit, calc_mode)
    assert resolve(asked, [there]) == there.name
    assert canonical(there) == reckoners


@pytest.mark.parametrize(
    ("asked", "path", "base", "profit", "calc_mode"),
    [
        ("XAUUSD", r"Metals\XAUEUR", "XAU", "EUR", CalcMode.CFD),
        ("GOLD", r"Stocks\NYSE\GOLD", "USD", "USD", CalcMode.CFD),
        ("GOLD", r"NYSE\GOLD", "USD", "USD", EXCHANGE_STOCKS),
        ("XAUUSD", r"Metals\GOLD.ft", "XAU", "USD", CalcMode.CFD),
        ("XAUUSD", r"Futures\GCZ5", "XAU", "USD", CFD_FUTURES),
        ("US30", r"Indices\US30.f", "USD", "USD", CalcMode.CFD),
        ("US30", r"Indices\US30-DEC25", "USD", "USD", CalcMode.CFD),
        ("US30", r"Bonds\US30Y", "USD", "USD", CalcMode.CFD),
        ("US30", r"CFD\US30Y", "USD", "USD", CalcMode.CFD),
        ("US30", r"Indices\US3000", "USD", "USD", CalcMode.CFD),
        ("US30", r"NYSE\DOW", "USD", "USD", CalcMode.CFD),
        ("US30", r"CFD\betaUS30", "USD", "USD", CalcMode.CFD),
        ("US500", r"NYSE\ES", "USD", "USD", CalcMode.CFD),
        ("US500", r"Indices\US500EUR", "EUR", "EUR", CalcMode.CFD),
        ("NAS100", r"Indices\AUS200", "AUD", "AUD", CalcMode.CFD),
        ("USDX", r"Forex\USDXAF", "USD", "XAF", CalcMode.FOREX),
        ("AAPL", r"Stocks\AAPL.US", "USD", "USD", EXCHANGE_STOCKS),
        ("AAPL", r"Forex\AAPLm", "USD", "USD", CalcMode.FOREX),
    ],
)
def test_a_namesake_of_another_kind_is_not_taken_for_it(
    asked: str, path: str, base: str, profit: str, calc_mode: int
) -> None:
    assert resolve(asked, [listing(path, base, profit, calc_mode)]) is None


def test_a_name_that_we_do_not_know_is_found_by_exactly_that_name() -> None:
    share = listing(r"Stocks\AAPL.US", "USD", "USD", EXCHANGE_STOCKS)
    assert resolve("AAPL.US", [share]) == "AAPL.US"
    assert canonical(share) == "AAPL.US"


def test_a_custom_symbol_stands_for_nothing_and_is_known_as_nothing_else() -> None:
    mine = listing(r"My\SPREAD1", "USD", "USD", custom=True)
    assert resolve("SPREAD1", [mine]) is None
    assert canonical(listing(r"Forex\EURUSD.mine", "EUR", "USD", custom=True)) == "EURUSD.mine"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"trade_mode": TradeMode.FULL}, {"trade_mode": TradeMode.CLOSE_ONLY, "selected": True}),
        ({"trade_mode": TradeMode.FULL}, {"trade_mode": TradeMode.LONG_ONLY}),
        ({"trade_mode": TradeMode.LONG_ONLY}, {"trade_mode": TradeMode.CLOSE_ONLY}),
        ({"selected": True}, {"selected": False}),
    ],
)
def test_of_several_the_tradable_then_the_watched_one_is_meant(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    better = listing(r"Forex\EURUSD.z", "EUR", "USD", **first)
    worse = listing(r"Forex\EURUSD.a", "EUR", "USD", **second)
    assert resolve("EURUSD", [better, worse]) == "EURUSD.z"
    assert resolve("EURUSD", [worse, better]) == "EURUSD.z"


def test_the_exact_name_goes_before_a_suffixed_one_but_not_when_it_can_only_be_closed() -> None:
    suffixed = listing(r"Forex\EURUSD.m", "EUR", "USD", selected=True)
    assert resolve("EURUSD", [suffixed, listing(r"Forex\EURUSD", "EUR", "USD")]) == "EURUSD"
    leaving = listing(r"Forex\EURUSD", "EUR", "USD", trade_mode=TradeMode.CLOSE_ONLY)
    assert resolve("EURUSD", [suffixed, leaving]) == "EURUSD.m"


def test_of_several_equal_ones_none_is_guessed() -> None:
    catalogue = [
        listing(r"Metals\GOLDmicro", "XAU", "USD", CalcMode.CFD),
        listing(r"Metals\GOLD", "XAU", "USD", CalcMode.CFD),
    ]
    with pytest.raises(AmbiguousSymbol, match="XAUUSD may be any of GOLD, GOLDmicro") as caught:
        resolve("XAUUSD", catalogue)
    assert caught.value.names == ("GOLD", "GOLDmicro")


CROSSES = [
    listing(r"Forex\EURUSD.r", "EUR", "USD"),
    listing(r"Forex\GBPUSD.r", "GBP", "USD"),
    listing(r"Forex\EURGBP.r", "EUR", "GBP"),
    listing(r"Forex\USDJPY.r", "USD", "JPY"),
    listing(r"Forex\EURHUF.r", "EUR", "HUF"),
    listing(r"Futures\GBPUSDZ5", "GBP", "USD", CFD_FUTURES),
]


@pytest.mark.parametrize(
    ("currencies", "symbols"),
    [
        (["GBP"], ()),
        (["USD"], ("GBPUSD.r",)),
        (["EUR"], ("EURGBP.r",)),
        (["JPY"], ("GBPUSD.r", "USDJPY.r")),
        (["HUF"], ("EURGBP.r", "EURHUF.r")),
        (["ZAR"], ()),
        (["USC"], ()),
        (["USD", "HUF", "GBP"], ("EURGBP.r", "EURHUF.r", "GBPUSD.r")),
    ],
)
def test_a_currency_becomes_pounds_directly_or_through_dollars_or_euros(
    currencies: list[str], symbols: tuple[str, ...]
) -> None:
    assert crosses(currencies, CROSSES) == symbols


def test_a_cross_that_comes_twice_is_read_once_and_is_no_reason_to_fail() -> None:
    twice = [listing(r"Forex\GBPUSD.b", "GBP", "USD"), listing(r"Forex\GBPUSD.a", "GBP", "USD")]
    assert crosses(["USD"], twice) == ("GBPUSD.a",)


CODES = st.sampled_from(["EUR", "USD", "GBP", "JPY", "CHF", "XAU", "XAG", "BTC"])
LISTINGS = st.builds(
    lambda name, base, profit, calc, trade, selected, custom: listing(
        f"Folder\\{name}", base, profit, calc, trade_mode=trade, selected=selected, custom=custom
    ),
    st.one_of(
        st.tuples(CODES, CODES, st.sampled_from(["", "m", ".r", "_index", "Z5", "#"])).map("".join),
        st.text("EURUSDGBP.m#_Z5", min_size=1, max_size=10),
    ),
    CODES,
    CODES,
    st.sampled_from([0, 1, 2, 3, 4, 5, 32, 33, 34]),
    st.sampled_from([0, 1, 2, 3, 4]),
    st.booleans(),
    st.booleans(),
)


def answers(asked: str, catalogue: list[Listing]) -> tuple[str, ...]:
    """The one symbol that is meant, or the several that are."""
    try:
        found = resolve(asked, catalogue)
    except AmbiguousSymbol as ambiguous:
        return ambiguous.names
    return () if found is None else (found,)


@given(
    st.lists(LISTINGS, max_size=8, unique_by=lambda each: each.name),
    st.tuples(CODES, CODES).filter(lambda pair: pair[0] != pair[1]),
)
def test_whatever_a_catalogue_holds_a_pair_is_only_ever_that_pair_at_the_spot(
    catalogue: list[Listing], pair: tuple[str, str]
) -> None:
    asked = "".join(pair)
    for meant in (each for each in catalogue if each.name in answers(asked, catalogue)):
        assert (meant.currency_base, meant.currency_profit) == pair
        assert meant.calc_mode in CalcMode.SPOT
        assert meant.trade_mode != TradeMode.DISABLED
        assert not meant.custom
        assert canonical(meant) == asked


@given(st.lists(LISTINGS, max_size=8, unique_by=lambda each: each.name))
def test_the_order_of_the_catalogue_changes_nothing(catalogue: list[Listing]) -> None:
    backwards = catalogue[::-1]
    assert answers("EURUSD", catalogue) == answers("EURUSD", backwards)
    assert crosses(["USD"], catalogue) == crosses(["USD"], backwards)
