"""Stops, targets, resting orders and stop-outs run on quotes, as the server's own acts."""

from decimal import Decimal

import pytest

from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, Bench

D = Decimal


@pytest.mark.parametrize(
    ("side", "levels", "quiet", "hit", "reason", "comment", "price"),
    [
        ("buy", {"sl": 1950.0}, ("1950.01", "1950.31"), ("1950.00", "1950.30"), 4, "[sl 1950.00]",
         "1950.00"),
        ("buy", {"sl": 1950.0}, ("1950.01", "1950.31"), ("1940.00", "1940.30"), 4, "[sl 1950.00]",
         "1940.00"),
        ("buy", {"tp": 1990.0}, ("1989.99", "1990.29"), ("1990.00", "1990.30"), 5, "[tp 1990.00]",
         "1990.00"),
        ("sell", {"sl": 1990.0}, ("1989.69", "1989.99"), ("1989.70", "1990.00"), 4, "[sl 1990.00]",
         "1990.00"),
        ("sell", {"tp": 1950.0}, ("1949.71", "1950.01"), ("1949.70", "1950.00"), 5, "[tp 1950.00]",
         "1950.00"),
    ],
)  # fmt: skip
def test_levels_close_at_the_market_once_reached(
    bench: Bench,
    side: str,
    levels: dict[str, float],
    quiet: tuple[str, str],
    hit: tuple[str, str],
    reason: int,
    comment: str,
    price: str,
) -> None:
    ticket = bench.trade(HEDGING_USD, side, 0.10, "XAUUSD", magic=7, **levels)
    assert bench.price("XAUUSD", *quiet) == 0
    assert bench.price("XAUUSD", *hit) == 1
    assert bench.positions(HEDGING_USD) == []
    deal = bench.deals(HEDGING_USD)[-1]
    assert (deal.reason, deal.comment, deal.price) == (reason, comment, D(price))
    assert (deal.position_id, deal.magic) == (ticket, 7)


@pytest.mark.parametrize(
    ("kind", "price", "quiet", "hit", "filled"),
    [
        (2, 1960.0, ("1959.71", "1960.01"), ("1959.70", "1960.00"), "1960.00"),
        (3, 1980.0, ("1979.99", "1980.29"), ("1980.00", "1980.30"), "1980.00"),
        (4, 1980.0, ("1979.69", "1979.99"), ("1979.80", "1980.10"), "1980.10"),
        (5, 1960.0, ("1960.01", "1960.31"), ("1959.90", "1960.20"), "1959.90"),
    ],
    ids=["buy limit", "sell limit", "buy stop", "sell stop"],
)
def test_resting_orders_fill_when_reached(
    bench: Bench,
    kind: int,
    price: float,
    quiet: tuple[str, str],
    hit: tuple[str, str],
    filled: str,
) -> None:
    sent = bench.send(
        HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=kind, price=price, comment="rest"
    )
    assert sent.result is not None
    assert (sent.retcode, sent.result["deal"], sent.result["price"]) == (10009, 0, 0.0)
    assert bench.price("XAUUSD", *quiet) == 0
    assert bench.price("XAUUSD", *hit) == 1
    (held,) = bench.positions(HEDGING_USD)
    assert (held.ticket, held.price_open) == (sent.result["order"], D(filled))
    assert held.comment == "rest"
    assert bench.sim.ledger.orders(HEDGING_USD) == {}


def test_an_order_that_margin_does_not_carry_is_dropped_when_reached(bench: Bench) -> None:
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=50.0, type=2, price=1960.0)
    assert bench.price("XAUUSD", "1959.00", "1959.30") == 0
    assert bench.positions(HEDGING_USD) == []
    assert bench.sim.ledger.orders(HEDGING_USD) == {}


def test_a_stop_out_closes_the_worst_position_first_and_stops_there(bench: Bench) -> None:
    """Margin of 4 + 1 lots at 1970.30 is 9851.50 USD; half of it is 4925.75.

    At 1955.00 the loss is 15.30 * 500 = 7650: equity 4350 is below. Without the 4 lots the margin
    is 1970.30 and the level is far above, so the small position stays.
    """
    big = bench.trade(HEDGING_USD, "buy", 4.0)
    small = bench.trade(HEDGING_USD, "buy", 1.0)
    # 14.14 * 500 = 7070: equity 4930 is just above the level.
    assert bench.price("XAUUSD", "1956.16", "1956.46") == 0
    assert bench.price("XAUUSD", "1955.00", "1955.30") == 1
    assert [one.ticket for one in bench.positions(HEDGING_USD)] == [small]
    deal = bench.deals(HEDGING_USD)[-1]
    assert (deal.position_id, deal.reason, deal.profit) == (big, 6, D("-6120.00"))
    # 4350 / 9851.50 = 44.155...%
    assert deal.comment == "[so 44.16%/4350.00/9851.50]"


def test_a_withdrawal_can_cause_a_stop_out(bench: Bench) -> None:
    bench.trade(HEDGING_USD, "buy", 4.0)
    bench.sim.broker.cash(HEDGING_USD, D("-9000.00"), "balance")
    assert bench.positions(HEDGING_USD) == []
    assert bench.deals(HEDGING_USD)[-1].reason == 6


def test_a_cross_alone_can_stop_a_foreign_currency_account_out(bench: Bench) -> None:
    """A loss in USD grows in pounds when the pound falls."""
    bench.trade(HEDGING_GBP, "buy", 4.0)
    # Loss 20.30 * 400 = 8120 USD = 6393.70 GBP; margin 7881.2 / 1.27 = 6205.67 GBP.
    bench.price("XAUUSD", "1950.00", "1950.30")
    assert len(bench.positions(HEDGING_GBP)) == 1
    # At 1.05: loss 7733.33, equity 2266.67; margin 7505.90: 30.2 %.
    bench.price("GBPUSD", "1.05000", "1.05012")
    assert bench.positions(HEDGING_GBP) == []


def test_a_fill_may_meet_its_own_stop_on_the_same_tick(bench: Bench) -> None:
    """The second round of the tick: bought at 1950.30, stopped at 1950.00 under its stop."""
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=2, price=1960.0, sl=1955.0)
    assert bench.price("XAUUSD", "1950.00", "1950.30") == 2
    assert bench.positions(HEDGING_USD) == []
    assert [deal.price for deal in bench.deals(HEDGING_USD)] == [D("1950.30"), D("1950.00")]


@pytest.mark.parametrize(("rounds", "fills"), [(2, 2), (1, 1)])
def test_rounds_past_the_bound_wait_for_the_next_tick(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, rounds: int, fills: int
) -> None:
    monkeypatch.setattr("core.sim.broker.REPRICE_ROUNDS_MAX", rounds)
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=2, price=1960.0, sl=1955.0)
    assert bench.price("XAUUSD", "1950.00", "1950.30") == fills
    assert bench.price("XAUUSD", "1950.00", "1950.30") == 2 - fills
