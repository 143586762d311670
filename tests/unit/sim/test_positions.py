"""Hedging keeps many positions per symbol, netting one; partial closes, averages, reversals."""

from decimal import Decimal

import pytest

from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, Bench

D = Decimal


def test_hedging_keeps_every_position_by_its_opening_order(bench: Bench) -> None:
    first = bench.trade(HEDGING_USD, "buy", 0.10)
    second = bench.trade(HEDGING_USD, "sell", 0.20)
    held = bench.positions(HEDGING_USD)
    assert [(one.ticket, one.identifier, one.sign, one.volume) for one in held] == [
        (first, first, 1, D("0.1")),
        (second, second, -1, D("0.2")),
    ]
    assert [one.price_open for one in held] == [D("1970.30"), D("1970.00")]


def test_a_misspelt_position_opens_the_opposite_on_a_hedging_account(bench: Bench) -> None:
    ticket = bench.trade(HEDGING_USD, "buy", 0.10)
    bench.trade(HEDGING_USD, "sell", 0.10, postion=ticket)
    assert [one.sign for one in bench.positions(HEDGING_USD)] == [1, -1]


def test_a_partial_close_keeps_the_ticket_and_books_its_share(bench: Bench) -> None:
    """0.04 of 0.10 lots closed 10 USD up: 4 oz * 10 = 40.00 USD."""
    ticket = bench.trade(HEDGING_USD, "buy", 0.10)
    bench.price("XAUUSD", "1980.30", "1980.60")
    bench.trade(HEDGING_USD, "sell", 0.04, position=ticket)
    (left,) = bench.positions(HEDGING_USD)
    assert (left.ticket, left.volume, left.price_open) == (ticket, D("0.06"), D("1970.30"))
    deal = bench.deals(HEDGING_USD)[-1]
    assert (deal.entry, deal.position_id, deal.profit) == (1, ticket, D("40.00"))
    assert bench.balance(HEDGING_USD) == D("12040.00")


def test_a_gbp_account_books_gold_at_the_cross(bench: Bench) -> None:
    """10 oz * (1960.00 - 1970.30) = -103 USD, bought at the bid 1.27: -81.10 GBP."""
    ticket = bench.trade(HEDGING_GBP, "buy", 0.10)
    bench.price("XAUUSD", "1960.00", "1960.30")
    bench.trade(HEDGING_GBP, "sell", 0.10, position=ticket)
    assert bench.positions(HEDGING_GBP) == []
    assert bench.balance(HEDGING_GBP) == D("9918.90")


def test_netting_averages_what_is_added(bench: Bench) -> None:
    """(0.10 * 1.08510 + 0.30 * 1.08710) / 0.40 = 1.0866."""
    ticket = bench.trade(NETTING_EUR, "buy", 0.10, "EURUSD")
    bench.price("EURUSD", "1.08700", "1.08710")
    bench.trade(NETTING_EUR, "buy", 0.30, "EURUSD")
    (held,) = bench.positions(NETTING_EUR)
    assert (held.ticket, held.identifier, held.volume) == (ticket, ticket, D("0.4"))
    assert held.price_open == D("1.0866")


def test_netting_reduces_by_the_opposite_side_without_a_position(bench: Bench) -> None:
    """0.10 of 0.30 lots, 20 points up: 20 USD / 1.08710 = 18.40 EUR."""
    ticket = bench.trade(NETTING_EUR, "buy", 0.30, "EURUSD")
    bench.price("EURUSD", "1.08710", "1.08720")
    bench.trade(NETTING_EUR, "sell", 0.10, "EURUSD")
    (held,) = bench.positions(NETTING_EUR)
    assert (held.ticket, held.sign, held.volume) == (ticket, 1, D("0.2"))
    deal = bench.deals(NETTING_EUR)[-1]
    assert (deal.entry, deal.profit) == (1, D("18.40"))


def test_a_netting_reversal_keeps_the_identifier_and_changes_the_ticket(bench: Bench) -> None:
    ticket = bench.trade(NETTING_EUR, "buy", 0.10, "EURUSD", sl=1.07)
    reversing = bench.trade(NETTING_EUR, "sell", 0.25, "EURUSD")
    (held,) = bench.positions(NETTING_EUR)
    assert (held.ticket, held.identifier) == (reversing, ticket)
    assert (held.sign, held.volume, held.price_open) == (-1, D("0.15"), D("1.08500"))
    assert held.sl == 0
    deal = bench.deals(NETTING_EUR)[-1]
    # 10000 EUR * (1.08500 - 1.08510) = -1 USD / 1.08500 = -0.92 EUR.
    assert (deal.entry, deal.volume, deal.position_id) == (2, D("0.25"), ticket)
    assert deal.profit == D("-0.92")


def test_netting_closes_exactly_and_is_flat(bench: Bench) -> None:
    bench.trade(NETTING_EUR, "buy", 0.10, "EURUSD")
    bench.trade(NETTING_EUR, "sell", 0.10, "EURUSD")
    assert bench.positions(NETTING_EUR) == []
    assert [deal.entry for deal in bench.deals(NETTING_EUR)] == [0, 1]


@pytest.mark.parametrize(
    ("kind", "amount", "balance", "credit", "deal_type"),
    [
        ("balance", "500.00", "12500.00", "0", 2),
        ("balance", "-500.00", "11500.00", "0", 2),
        ("credit", "300.00", "12000", "300.00", 3),
        ("commission", "-7.00", "11993.00", "0", 7),
    ],
)
def test_cash(
    bench: Bench, kind: str, amount: str, balance: str, credit: str, deal_type: int
) -> None:
    deal = bench.sim.broker.cash(HEDGING_USD, D(amount), kind)
    account = bench.sim.ledger.accounts[HEDGING_USD]
    assert (account.balance, account.credit) == (D(balance), D(credit))
    assert (deal.kind, deal.order, deal.position_id, deal.symbol) == (deal_type, 0, 0, "")
    assert deal.profit + deal.commission == D(amount)
