"""A signal means a symbol; each account trades what its own broker calls it.

The terminals of this house's broker speak of gold as `GOLD.r`, and of US500 as two symbols.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alerts_market import MarketWarning
from core.domain.broker import AccountSnapshot
from core.domain.signals import parse_signal
from core.records import SignalRow, TradeRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, ALICE, GBP, House

D = Decimal
GOLD = "GOLD.r"


def renamed(house: House, *, only: int = 0, **spec: Any) -> None:
    """Readings come with the broker's own name of gold, and its data changed as given."""

    def as_read(read: AccountSnapshot) -> AccountSnapshot:
        if only and read.state.login != only:
            return read
        symbols = {GOLD if name == "XAUUSD" else name: s for name, s in read.symbols.items()}
        if GOLD in symbols:
            symbols[GOLD] = replace(symbols[GOLD], name=GOLD, **spec)
        return replace(
            read,
            symbols=symbols,
            ticks={
                GOLD if name == "XAUUSD" else name: replace(tick, symbol=_own(tick.symbol))
                for name, tick in read.ticks.items()
            },
            positions=tuple(replace(p, symbol=_own(p.symbol)) for p in read.positions),
            orders=tuple(replace(o, symbol=_own(o.symbol)) for o in read.orders),
            deals=tuple(replace(d, symbol=_own(d.symbol)) for d in read.deals),
            aliases={"XAUUSD": GOLD} if GOLD in symbols else {},
        )

    house.gateway.as_read = as_read


def _own(name: str) -> str:
    return GOLD if name == "XAUUSD" else name


async def refused(house: House, text: str = "XAUUSD buy 0.10") -> tuple[str, dict[str, Any]]:
    """Why Alice's approval of a signal is refused; the signal itself is posted."""
    as_read, house.gateway.as_read = house.gateway.as_read, lambda read: read
    signal = await house.signal(text)
    house.gateway.as_read = as_read
    with pytest.raises(Refused) as why:
        await house.approve(ALICE, signal)
    assert await house.rows(TradeRow) == []
    return why.value.code, why.value.facts


async def test_an_approval_bears_the_brokers_name_and_the_signal_its_own(house: House) -> None:
    """What the executor places, and what the broker then shows, is one trade."""
    renamed(house)
    signal = await house.signal()
    await house.approve(ALICE, signal)
    (trade,) = await house.rows(TradeRow)
    assert trade.symbol == GOLD
    assert trade.expected_entry == D("1970.30")
    assert [row.symbol for row in await house.rows(SignalRow)] == ["XAUUSD"]
    (told,) = [
        x for x in await house.said(ALICE) if isinstance(x, a.OfferAnswered) and x.broker_symbol
    ]
    assert (told.symbol, told.broker_symbol, told.outcome) == ("XAUUSD", GOLD, "approved")

    tokens = await house.engine.tokens.keep_or_mint({})
    handed = await house.engine.expected(tokens[str(GBP)])
    assert handed is not None
    assert [order["symbol"] for order in handed] == [GOLD]
    house.open(
        GBP,
        "buy",
        "0.10",
        source="executor",
        sl=1950.0,
        tp=1990.0,
        magic=handed[0]["magic"],
        comment=handed[0]["comment"],
    )
    await house.run(4)
    (opened,) = [x for x in await house.said(ALICE) if isinstance(x, a.TradeOpened)]
    assert (opened.symbol, opened.slippage_pips) == (GOLD, D(0))
    assert "DivergenceOpened" not in await house.kinds(ALICE)


async def test_pips_and_spreads_are_set_by_what_a_symbol_is(house: House) -> None:
    """Gold's pip is 0.10 and its limit 10 pips, under whatever name: 1.10 is 11 pips."""
    renamed(house)
    house.open(GBP, "buy", "0.10")
    await house.run(11)
    house.price("1970.00", "1971.00")
    await house.run(5)
    assert "MarketWarning" not in await house.kinds(-100)
    house.price("1970.00", "1971.10")
    await house.run(5)
    (warning,) = [x for x in await house.said(-100) if isinstance(x, MarketWarning)]
    assert (warning.symbol, warning.figure, warning.limit) == (GOLD, D("11.00"), D(10))


async def test_a_broker_without_the_symbol_is_told_as_such(house: House) -> None:
    def without(read: AccountSnapshot) -> AccountSnapshot:
        return replace(read, symbols={}, ticks={})

    house.gateway.as_read = without
    assert await refused(house) == ("no_such_symbol", {"symbol": "XAUUSD"})


async def test_where_a_name_may_be_several_none_is_taken(house: House) -> None:
    def several(read: AccountSnapshot) -> AccountSnapshot:
        return replace(read, ambiguous={"XAUUSD": ("GOLD", "GOLDmicro")})

    house.gateway.as_read = several
    code, facts = await refused(house)
    assert code == "ambiguous_symbol"
    assert facts == {"symbol": "XAUUSD", "names": ("GOLD", "GOLDmicro")}
    with pytest.raises(Refused, match="ambiguous_symbol"):
        await house.signal("XAUUSD sell 0.10")


async def test_a_share_of_the_metals_name_is_not_the_metal(house: House) -> None:
    """The client holds the share GOLD; the signal means the metal, which this broker has not."""

    def share(read: AccountSnapshot) -> AccountSnapshot:
        gold = read.symbols.get("XAUUSD")
        if gold is None:
            return read
        held = replace(gold, name="GOLD", canonical="GOLD", path="Stocks\\NYSE\\GOLD")
        tick = replace(read.ticks["XAUUSD"], symbol="GOLD")
        return replace(read, symbols={"GOLD": held}, ticks={"GOLD": tick})

    house.open(GBP, "buy", "0.10")
    await house.run(11)
    house.gateway.as_read = share
    ada = await house.person(ADMIN)
    with pytest.raises(Refused, match="unknown_symbol"):
        await house.engine.post_signal(ada, parse_signal("GOLD buy 0.10"), "key")


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"trade_mode": 3}, "symbol_not_tradable"),
        ({"trade_mode": 2}, "symbol_not_tradable"),
        ({"trade_mode": 1}, None),
        ({"volume_min": D("0.2")}, "bad_volume"),
        ({"volume_step": D("0.03")}, "bad_volume"),
        ({"volume_max": D("0.09")}, "bad_volume"),
        ({"volume_max": D("0.10")}, None),
    ],
)
async def test_what_this_broker_would_refuse_is_not_approved(
    house: House, spec: dict[str, Any], code: str | None
) -> None:
    """Another broker's limits than those the signal was checked against."""
    renamed(house, **spec)
    if code is not None:
        assert (await refused(house))[0] == code
        return
    await house.approve(ALICE, await house.signal())
    (trade,) = await house.rows(TradeRow)
    assert trade.symbol == GOLD
