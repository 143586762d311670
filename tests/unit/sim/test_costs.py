"""What holding costs: commission, swaps at the server's midnight, and figures real ones print."""

from decimal import Decimal
from typing import Any

import pytest

from core.sim.codes import SwapMode
from core.sim.swaps import NIGHTS_MAX, charges
from core.sim.symbols import weekday
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, START_MS, Bench
from tests.unit.sim.surface import Surface, deal

D = Decimal
DAY_MS = 86_400_000
TUESDAY = 19_675
"""The server's day of the bench's start: 14 November 2023 is a Tuesday in UTC, and it is 22:13
there: with the server at +3 h it is Wednesday the 15th, day 19,676."""
WEDNESDAY_WORD = 3


def test_the_bench_starts_on_a_wednesday_of_the_server() -> None:
    assert (START_MS + 10_800_000) // DAY_MS == TUESDAY + 1
    assert weekday(TUESDAY + 1) == WEDNESDAY_WORD


@pytest.mark.parametrize(
    ("from_day", "to_day", "count"),
    [
        (TUESDAY, TUESDAY, 0),
        (TUESDAY, TUESDAY + 1, 1),  # Tuesday to Wednesday
        (TUESDAY + 1, TUESDAY + 2, 3),  # Wednesday to Thursday stands for the weekend
        (TUESDAY + 3, TUESDAY + 4, 1),  # Friday to Saturday
        (TUESDAY + 4, TUESDAY + 6, 0),  # Saturday and Sunday
        (TUESDAY, TUESDAY + 7, 7),  # a week is a week
        (TUESDAY, TUESDAY + 70, 70),
        (TUESDAY + 7, TUESDAY, 0),  # a clock that went back
        # Past the bound, the older nights are forgotten: as many as the newest NIGHTS_MAX make.
        (0, 7 * 100, charges(7 * 100 - NIGHTS_MAX, 7 * 100, WEDNESDAY_WORD)),
    ],
)
def test_a_week_has_seven_swaps_in_five_nights(from_day: int, to_day: int, count: int) -> None:
    assert charges(from_day, to_day, WEDNESDAY_WORD) == count


def test_nights_within_the_bound_all_count() -> None:
    """399 days are 57 weeks of 7; 400 nights of 403 days past the bound are not 403."""
    assert charges(0, NIGHTS_MAX - 1, WEDNESDAY_WORD) == 399
    assert charges(0, NIGHTS_MAX + 350, WEDNESDAY_WORD) < NIGHTS_MAX + 350 - 300


SWAPS: list[tuple[str, dict[str, Any], str, str]] = [
    # 0.50 lots, 3 swaps from Wednesday to Thursday. -7.5 points of 0.01 are -0.075 USD an ounce.
    ("XAUUSD", {"swap_mode": SwapMode.POINTS, "swap_long": D("-7.5")}, "buy", "-11.25"),
    ("XAUUSD", {"swap_mode": SwapMode.POINTS, "swap_short": D("2.5")}, "sell", "3.75"),
    ("XAUUSD", {"swap_mode": SwapMode.POINTS, "swap_long": D("-7.5")}, "sell", "0"),
    # 5 francs a lot and night, 7.5 in all, bought at the bid: 7.5 / 0.88000 = 8.5227.
    ("USDCHF", {"swap_mode": SwapMode.POINTS, "swap_short": D(-5)}, "sell", "-8.52"),
    # A gain is sold at the ask: 7.5 / 0.88012 = 8.5216.
    ("USDCHF", {"swap_mode": SwapMode.POINTS, "swap_long": D(5)}, "buy", "8.52"),
    # 2 euros a lot: 3 euros at the bid of 1.08500 as a gain, at the ask of 1.08510 as a loss.
    ("EURUSD", {"swap_mode": SwapMode.CURRENCY_SYMBOL, "swap_long": D(2)}, "buy", "3.26"),
    ("EURUSD", {"swap_mode": SwapMode.CURRENCY_MARGIN, "swap_long": D(-2)}, "buy", "-3.26"),
    ("EURUSD", {"swap_mode": SwapMode.CURRENCY_DEPOSIT, "swap_long": D(-2)}, "buy", "-3.00"),
    # 50 oz at 1970.00 now, at 1970.30 when bought: 3.6 % of it a year of 360 days.
    ("XAUUSD", {"swap_mode": SwapMode.INTEREST_CURRENT, "swap_long": D("-3.6")}, "buy", "-29.55"),
    ("XAUUSD", {"swap_mode": SwapMode.INTEREST_OPEN, "swap_long": D("-3.6")}, "buy", "-29.55"),
    ("XAUUSD", {"swap_mode": SwapMode.DISABLED, "swap_long": D(-9)}, "buy", "0"),
]


@pytest.mark.parametrize(("symbol", "terms", "side", "swap"), SWAPS)
def test_a_night_is_charged_at_the_servers_midnight(
    bench: Bench, symbol: str, terms: dict[str, Any], side: str, swap: str
) -> None:
    bench.sim.set_terms(symbol, **terms)
    bench.trade(HEDGING_USD, side, 0.5, symbol)
    # 22:13:20 UTC is 01:13:20 of the server's Wednesday: its midnight is 22:46:40 h away.
    midnight_ms = START_MS + 82_000_000
    bench.now = midnight_ms - 1
    bench.sim.walk()
    assert bench.positions(HEDGING_USD)[0].swap == 0
    bench.now = midnight_ms
    bench.sim.walk()
    bench.sim.walk()
    (held,) = bench.positions(HEDGING_USD)
    assert held.swap == D(swap)
    value = bench.sim.broker.value(HEDGING_USD)
    assert value.equity == D(12_000) + value.profits[held.ticket] + D(swap)
    assert bench.balance(HEDGING_USD) == 12_000


def test_swaps_missed_while_the_world_slept_are_made_up_for_once(bench: Bench) -> None:
    """Wednesday to the Wednesday after next: two weeks of 7 swaps of 2.00 in the account's own."""
    bench.sim.set_terms("XAUUSD", swap_mode=SwapMode.CURRENCY_DEPOSIT, swap_long=D(-2))
    bench.trade(HEDGING_USD, "buy", 1.0)
    bench.now += 14 * DAY_MS
    bench.reopen()
    bench.sim.set_terms("XAUUSD", swap_mode=SwapMode.CURRENCY_DEPOSIT, swap_long=D(-2))
    bench.sim.walk()
    bench.now += 1_000
    bench.sim.walk()
    assert bench.positions(HEDGING_USD)[0].swap == D(-28)


def test_a_close_realises_the_swap_and_a_part_its_share(bench: Bench) -> None:
    bench.sim.set_terms("XAUUSD", swap_mode=SwapMode.CURRENCY_DEPOSIT, swap_long=D("-3.35"))
    ticket = bench.trade(HEDGING_USD, "buy", 0.3)
    bench.now += DAY_MS
    bench.sim.walk()
    # 3 swaps of 0.3 * 3.35 = 3.015, rounded once: -3.02.
    assert bench.positions(HEDGING_USD)[0].swap == D("-3.02")
    bench.trade(HEDGING_USD, "sell", 0.1, position=ticket)
    # A third of it: -1.0066...
    assert bench.deals(HEDGING_USD)[-1].swap == D("-1.01")
    assert bench.positions(HEDGING_USD)[0].swap == D("-2.01")
    bench.trade(HEDGING_USD, "sell", 0.2, position=ticket)
    assert bench.deals(HEDGING_USD)[-1].swap == D("-2.01")
    # 30 oz lost 0.30 each, and the swap.
    assert bench.balance(HEDGING_USD) == D("12000") - 9 - D("3.02")


def test_a_reversal_realises_the_swap(bench: Bench) -> None:
    bench.sim.set_terms("EURUSD", swap_mode=SwapMode.CURRENCY_DEPOSIT, swap_long=D(-1))
    bench.trade(NETTING_EUR, "buy", 1.0, "EURUSD")
    bench.now += DAY_MS
    bench.sim.walk()
    bench.trade(NETTING_EUR, "sell", 1.5, "EURUSD")
    (held,) = bench.positions(NETTING_EUR)
    assert (bench.deals(NETTING_EUR)[-1].swap, held.swap) == (D(-3), D(0))


@pytest.mark.parametrize(
    ("mode", "side", "again"),
    [
        # Closed at the bid of 1970.00 (buys) or the ask of 1970.30 (sells); 3 nights of -5 points.
        (SwapMode.REOPEN_CURRENT, "buy", "1970.15"),
        (SwapMode.REOPEN_CURRENT, "sell", "1970.15"),
        (SwapMode.REOPEN_BID, "buy", "1970.15"),
        (SwapMode.REOPEN_BID, "sell", "1969.85"),
    ],
)
def test_a_reopened_position_has_a_new_ticket_and_its_old_identifier(
    bench: Bench, mode: int, side: str, again: str
) -> None:
    bench.sim.set_terms("XAUUSD", swap_mode=mode, swap_long=D(-5), swap_short=D(-5))
    ticket = bench.trade(HEDGING_USD, side, 0.1, sl=1950.0 if side == "buy" else 1990.0)
    bench.now += DAY_MS
    bench.sim.walk()
    (held,) = bench.positions(HEDGING_USD)
    assert held.ticket != ticket
    assert (held.identifier, held.volume, held.price_open) == (ticket, D("0.1"), D(again))
    assert held.sl == (1950 if side == "buy" else 1990)
    booked = bench.deals(HEDGING_USD)[-2:]
    assert [(one.entry, one.reason, one.position_id) for one in booked] == [
        (1, 7, ticket),
        (0, 7, ticket),
    ]
    # The spread of 0.30 on 10 oz is realised by the close.
    assert bench.balance(HEDGING_USD) == 11_997
    assert bench.send(HEDGING_USD, action=6, position=ticket, sl=1940.0).retcode == 10036


def test_commission_is_charged_on_entries_alone(mt5: Surface, bench: Bench) -> None:
    """4.00 a lot: a real 0.01 lot of EURUSD carries -0.04 on its entry (facts, 9)."""
    bench.sim.set_account(HEDGING_USD, commission=D(4))
    mt5.symbol_select("EURUSD")
    sent = mt5.send(**deal(volume=0.01, symbol="EURUSD"))
    mt5.send(**deal("sell", 0.01, "EURUSD"), position=sent.order)
    deposit, entry, leaving = mt5.history_deals_get(0, 2**31 - 1)
    assert (entry.entry, entry.commission, entry.profit) == (0, -0.04, 0.0)
    # 1,000 euros lost the spread of 0.0001.
    assert (leaving.entry, leaving.commission, leaving.profit) == (1, 0.0, -0.1)
    assert mt5.account_info().balance == 11_999.86
    assert (deposit.type, deposit.order, deposit.position_id, deposit.symbol) == (2, 0, 0, "")


def test_a_symbol_may_have_its_own_commission(bench: Bench) -> None:
    bench.sim.set_terms("XAUUSD", commission=D("6.5"))
    bench.sim.set_account(HEDGING_USD, commission=D(1))
    bench.trade(HEDGING_USD, "buy", 0.33)
    # 7.5 * 0.33 = 2.475
    assert bench.deals(HEDGING_USD)[-1].commission == D("-2.48")
    bench.trade(HEDGING_USD, "buy", 0.1, "EURUSD")
    assert bench.deals(HEDGING_USD)[-1].commission == D("-0.10")


def test_a_reversal_pays_for_what_it_opens(bench: Bench) -> None:
    """Sold 1.5 against 1.0: 0.5 lots are new."""
    bench.sim.set_account(NETTING_EUR, commission=D(4))
    bench.trade(NETTING_EUR, "buy", 1.0, "EURUSD")
    bench.trade(NETTING_EUR, "sell", 1.5, "EURUSD")
    assert [one.commission for one in bench.deals(NETTING_EUR)] == [D("-4.00"), D("-2.00")]


def test_tick_values_differ_by_the_side_of_their_conversion(mt5: Surface, bench: Bench) -> None:
    """USDJPY printed 0.63155634 and 0.63156033 (facts, 2): 100 yen at 158.339 and 158.338."""
    bench.price("USDJPY", "158.338", "158.339")
    info = mt5.symbol_info("USDJPY")
    assert round(info.trade_tick_value_profit, 8) == 0.63155634
    assert round(info.trade_tick_value_loss, 8) == 0.63156033
    assert info.trade_tick_value == info.trade_tick_value_profit
    assert mt5.symbol_info("XAUUSD").trade_tick_value == 1.0


def test_the_printed_account_figures_are_reached(mt5: Surface, bench: Bench) -> None:
    """Balance 941.54, profit 2.37, margin 2.36: the level is 39996.18644067797 (facts, 9).

    A margin of 2.36 USD is 0.01 lots of EURUSD at 1.18 with leverage 500; 2.37 is 237 points.
    """
    bench.sim.broker.cash(HEDGING_USD, D("941.54") - 12_000, "balance")
    bench.sim.set_account(HEDGING_USD, leverage=500)
    bench.price("EURUSD", "1.17990", "1.18000")
    mt5.send(**deal(volume=0.01, symbol="EURUSD"))
    bench.price("EURUSD", "1.18237", "1.18247")
    account = mt5.account_info()
    assert (account.balance, account.profit, account.equity) == (941.54, 2.37, 943.91)
    assert (account.margin, account.margin_free) == (2.36, 941.55)
    assert account.margin_level == 39996.18644067797


def test_a_netting_account_without_margin_shows_a_level_of_nothing(bench: Bench) -> None:
    assert bench.sim.view(NETTING_EUR)["account"]["margin_level"] == 0.0
    assert bench.sim.view(HEDGING_GBP)["account"]["margin_level"] == 0.0


GOLDEN = [
    ("EURUSD", "sell", 0.01, "1.09301", "1.10104", -8.03),
    ("EURUSD", "buy", 0.01, "1.08676", "1.10099", 14.23),
    ("EURUSD", "buy", 0.01, "1.08640", "1.10099", 14.59),
    ("EURUSD", "buy", 0.01, "1.09545", "1.10099", 5.54),
    ("EURUSD", "buy", 0.02, "1.09536", "1.10099", 11.26),
    ("USDCHF", "buy", 0.01, "0.97898", "0.95758", -22.35),
    ("USDCHF", "sell", 0.10, "0.93475", "0.93751", -29.44),
    ("XAUUSD", "buy", 0.01, "2420.07", "2419.91", -0.16),
    ("GBPJPY", "sell", 0.01, "142.506", "142.513", -0.07),
]
"""Rows printed by real terminals, USD accounts (facts, 9): opened, now or closed, profit."""


@pytest.mark.parametrize(("symbol", "side", "lots", "opened", "closed", "profit"), GOLDEN)
def test_the_golden_rows_come_out_of_the_module(
    mt5: Surface, bench: Bench, symbol: str, side: str, lots: float, opened: str, closed: str,
    profit: float,
) -> None:  # fmt: skip
    bench.price("USDJPY", "103.700", "103.710")
    bench.price(symbol, opened, opened)
    ticket = mt5.send(**deal(side, lots, symbol)).order
    bench.price(symbol, closed, closed)
    assert mt5.positions_get(ticket=ticket)[0].profit == profit
    mt5.send(**deal("sell" if side == "buy" else "buy", lots, symbol), position=ticket)
    (entry, leaving) = mt5.history_deals_get(position=ticket)
    assert (entry.profit, leaving.profit, leaving.price) == (0.0, profit, float(closed))
    assert mt5.account_info().balance == round(12_000 + profit, 2)
