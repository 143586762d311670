"""The ledger: deals explain the balance; what none explains waits, and then counts (law 9)."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.domain.broker import Deal
from core.domain.ledger import (
    LedgerMemory,
    LedgerStep,
    book,
    contradiction,
    is_confirmed,
    is_consistent,
    is_exact,
    unseen,
)
from tests.unit.domain.make import D, at, money, state

WAIT_S = 10.0
BALANCED = LedgerMemory(booked=D(10000), written_off=D(0), unexplained_since=None)


def read(
    memory: LedgerMemory,
    balance: str | Decimal,
    deals: Sequence[Deal] = (),
    s: float = 0,
    credit: str = "0",
) -> LedgerStep:
    """One reading, `s` seconds from the tests' present."""
    shown = state(balance=D(balance), credit=D(credit))
    return book(memory, shown, tuple(deals), at(s), explanation_wait_s=WAIT_S)


def written_off(balance: str) -> LedgerMemory:
    """An account of 10,000 whose balance went to this without a deal, and was given up on."""
    waiting = read(BALANCED, balance, s=0).memory
    return read(waiting, balance, s=WAIT_S).memory


def test_the_first_reading_begins_the_sum_and_has_no_flows() -> None:
    nothing = LedgerMemory(booked=None, written_off=D(0), unexplained_since=None)
    step = read(nothing, "10000", [money(1, "10000")])
    assert (step.memory, step.flow, step.trusted) == (BALANCED, D(0), True)


@pytest.mark.parametrize(
    ("deal_type", "is_flow"),
    [
        (2, True),  # balance: a deposit
        (3, True),  # credit
        (6, True),  # bonus
        (4, False),  # charge
        (5, False),  # correction
        (7, False),  # commission
        (12, False),  # interest
        (15, False),  # dividend
        (17, False),  # tax
        (99, False),  # a type newer than this code
    ],
)
@pytest.mark.parametrize("to_credit", [False, True])
def test_only_balance_credit_and_bonus_are_flows(
    *, deal_type: int, is_flow: bool, to_credit: bool
) -> None:
    """Whether the broker books it to the balance or to the credit is the same."""
    balance, credit = ("10000", "50") if to_credit else ("10050", "0")
    step = read(BALANCED, balance, [money(1, "50", deal_type)], credit=credit)
    assert step.trusted
    assert (step.flow, len(step.flows)) == ((D(50), 1) if is_flow else (D(0), 0))
    assert step.memory.booked == D(10050)


def test_credit_that_becomes_balance_is_no_change() -> None:
    credited = read(BALANCED, "10000", [money(1, "500", 3)], credit="500").memory
    step = read(credited, "10500", s=1)
    assert (step.trusted, step.flow, step.memory.booked) == (True, D(0), D(10500))


def test_credit_that_vanishes_without_a_deal_is_a_change_that_none_explains() -> None:
    credited = read(BALANCED, "10000", [money(1, "500", 3)], credit="500").memory
    assert read(credited, "10000", s=1).unexplained == D(-500)


def test_a_deal_shown_twice_counts_once() -> None:
    again = [money(2, "30"), money(1, "20"), money(2, "30")]
    assert [d.ticket for d in unseen(again, {})] == [1, 2]
    assert [d.ticket for d in unseen(again, {1})] == [2]


def test_profit_commission_swap_and_fee_are_signed_and_added_as_they_are() -> None:
    deal = money(1, "20", 0, commission=D("-1.50"), swap=D("-0.25"), fee=D("-0.05"))
    assert read(BALANCED, "10018.20", [deal]).trusted
    assert not read(BALANCED, "10020", [deal]).trusted


@pytest.mark.parametrize(
    ("deals", "bound"), [(0, "0.005"), (1, "0.010"), (2, "0.015"), (5, "0.030")]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_half_a_cent_for_the_balance_and_for_each_deal_with_parts_of_a_cent_is_rounding(
    deals: int, bound: str, sign: int
) -> None:
    some = [money(n, "1", 0, commission=D("0.0025"), fee=D("-0.0025")) for n in range(deals)]
    base = D(10000) + deals
    assert read(BALANCED, base + sign * D(bound), some).trusted
    assert not read(BALANCED, base + sign * (D(bound) + D("0.001")), some).trusted


@pytest.mark.parametrize("digits", [0, 2, 8])
def test_amounts_in_whole_units_leave_half_a_unit_however_many(digits: int) -> None:
    """The deal of a cent that is late must not pass for rounding, and count again when it comes."""
    unit = D(1).scaleb(-digits)
    some = [money(n, unit, 0, commission=-unit, swap=unit) for n in range(9)]
    funds = D(10000) + 9 * unit
    half = state(balance=funds + unit / 2, currency_digits=digits)
    assert book(BALANCED, half, some, at(0), explanation_wait_s=10).trusted
    late = state(balance=funds + unit, currency_digits=digits)
    assert not book(BALANCED, late, some, at(0), explanation_wait_s=10).trusted


@pytest.mark.parametrize("part", ["profit", "commission", "swap", "fee"])
def test_a_part_of_a_cent_in_any_amount_of_a_deal_is_inexact(part: str) -> None:
    assert is_exact(money(1, "0"), 2)
    assert not is_exact(replace(money(1, "0"), **{part: D("0.001")}), 2)
    assert is_exact(replace(money(1, "0"), **{part: D("0.010")}), 2)


def test_a_change_without_a_deal_is_distrusted_for_the_wait_and_then_a_loss() -> None:
    first = read(BALANCED, "9900", s=0)
    assert (first.trusted, first.unexplained, first.lost) == (False, D(-100), None)
    assert first.memory.unexplained_since == at(0)
    just_before = read(first.memory, "9900", s=9.999)
    assert (just_before.trusted, just_before.lost) == (False, None)
    over = read(just_before.memory, "9900", s=10)
    assert (over.trusted, over.lost, over.memory.written_off) == (True, D(-100), D(-100))
    again = read(over.memory, "9900", s=11)
    assert (again.trusted, again.lost) == (True, None)


def test_a_deal_within_the_wait_explains() -> None:
    waiting = read(BALANCED, "9900", s=0).memory
    step = read(waiting, "9900", [money(1, "-100")], s=5)
    assert (step.trusted, step.flow) == (True, D(-100))
    assert step.memory == LedgerMemory(booked=D(9900), written_off=D(0), unexplained_since=None)


def test_a_late_deal_takes_the_write_off_back() -> None:
    step = read(written_off("9900"), "9900", [money(1, "-100")], s=60)
    assert (step.trusted, step.flow, step.lost) == (True, D(-100), None)
    assert (step.memory.booked, step.memory.written_off) == (D(9900), D(0))


def test_a_late_deal_takes_back_the_part_that_it_explains() -> None:
    step = read(written_off("9850"), "9850", [money(1, "-100")], s=60)
    assert (step.trusted, step.flow, step.lost) == (True, D(-100), None)
    assert (step.memory.booked, step.memory.written_off) == (D(9900), D(-50))


def test_deals_ahead_of_their_balance_explain_nothing_yet() -> None:
    """No write-off is there to be taken back: the balance must still follow."""
    assert not read(BALANCED, "10000", [money(1, "-100")]).trusted
    assert not read(written_off("9900"), "9900", [money(1, "100")], s=60).trusted
    assert not read(written_off("9900"), "9900", [money(1, "-150")], s=60).trusted


def test_rounding_after_a_write_off_does_not_add_up() -> None:
    """Deals of a third of a cent, booked to the cent, in many readings after a write-off."""
    memory, balance = written_off("9900"), D(9900)
    for n in range(30):
        step = read(memory, balance, [money(n, "0.003")], s=20 + n)
        assert step.trusted
        memory = step.memory
        assert read(memory, balance, s=20 + n).trusted


def test_a_second_unexplained_change_waits_anew() -> None:
    step = read(written_off("9900"), "9800", s=60)
    assert (step.trusted, step.unexplained) == (False, D(-100))
    over = read(step.memory, "9800", s=70)
    assert (over.lost, over.memory.written_off) == (D(-100), D(-200))


def test_a_change_that_undoes_itself_is_forgotten() -> None:
    waiting = read(BALANCED, "9900", s=0).memory
    assert read(waiting, "10000", s=5).memory == BALANCED


@pytest.mark.parametrize(
    ("equity", "consistent"),
    [("943.91", True), ("943.925", True), ("943.926", False), ("943.894", False)],
)
def test_equity_is_balance_credit_and_profit_to_the_rounding_of_three_figures(
    *, equity: str, consistent: bool
) -> None:
    """A printed terminal: balance 941.54, profit 2.37, equity 943.91."""
    shown = state(balance=D("941.54"), profit=D("2.37"), equity=D(equity))
    assert is_consistent(shown) is consistent


@pytest.mark.parametrize(
    ("equity", "doubt"),
    [
        ("943.91", "0"),  # swap counted into the profit
        ("938.71", "0"),  # 943.91 - 5.20: swap beside the profit
        ("938.725", "0"),
        ("938.726", "-5.184"),
        ("1943.91", "1000"),
    ],
)
def test_swaps_may_stand_in_the_equity_beside_the_profit(equity: str, doubt: str) -> None:
    shown = state(balance=D("941.54"), profit=D("2.37"), equity=D(equity))
    assert contradiction(shown, D("-5.20")) == D(doubt)


@pytest.mark.parametrize(
    ("doubt", "before", "confirmed"),
    [
        ("0", None, True),
        ("0", "500", True),
        ("500", None, False),
        ("500", "0", False),
        ("500", "500.015", True),  # half a cent for each of three figures
        ("500", "500.016", False),
        ("500", "-500", False),
    ],
)
def test_a_contradiction_is_believed_the_second_time_it_is_the_same(
    *, doubt: str, before: str | None, confirmed: bool
) -> None:
    assert is_confirmed(D(doubt), None if before is None else D(before), 2) is confirmed


def test_a_flow_seen_before_its_money_is_judged_with_the_money() -> None:
    """A torn reading shows the deal and not yet the balance; the flow waits for a trusted one."""
    torn = read(BALANCED, "10000", [money(1, "5000")])
    assert (torn.trusted, torn.flow, torn.memory.pending_flow) == (False, D(0), D(5000))
    whole = read(torn.memory, "15000", s=1)
    assert (whole.trusted, whole.flow, whole.memory.pending_flow) == (True, D(5000), D(0))
