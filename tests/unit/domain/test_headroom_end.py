"""At which price a position alone uses up the room, by arithmetic of its own."""

from decimal import Decimal

import pytest

from core.domain.broker import Side
from core.domain.headroom import shares_of
from tests.unit.domain.make import D, position, snapshot, spec, state

PRICE = D("1.0851")
EURUSD = spec(
    "EURUSD",
    digits=5,
    tick_size=D("0.00001"),
    tick_value=D("0.00001") * 100_000 / PRICE,  # a lot's dollars, in euros
    currency_base="EUR",
    currency_profit="USD",
)


@pytest.mark.parametrize(
    ("side", "currency", "ends_at"),
    [
        # 10,000 EUR x (1 - 1.0851 / x) = -1,600 EUR: x = 1.0851 / 1.16
        (Side.BUY, "EUR", D("0.93543")),
        # 10,000 EUR x (1.0851 / x - 1) = -1,600 EUR: x = 1.0851 / 0.84
        (Side.SELL, "EUR", D("1.29179")),
        # In another currency a straight line at today's rate: 1.0851 - 1,600 x 1.0851 / 10,000
        (Side.BUY, "GBP", D("0.91148")),
    ],
)
def test_an_account_that_holds_what_the_symbol_buys_ends_sooner_than_a_straight_line_says(
    side: Side, currency: str, ends_at: Decimal
) -> None:
    held = position(
        symbol="EURUSD", side=side, volume=D("0.10"), price_open=PRICE, price_current=PRICE
    )
    seen = snapshot(positions=(held,), symbols={"EURUSD": EURUSD}, state=state(currency=currency))
    (share,) = shares_of(seen, D(1600))
    assert share.ends_at == ends_at
