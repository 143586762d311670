"""Ledger, drawdown and limits under any sequence (the numbers are the modules' invariants)."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.domain import drawdown, ledger, limits
from core.domain.broker import Deal
from tests.unit.domain.make import NOW, D, at, money, state

CENTS = st.integers(-50_000, 50_000).map(lambda n: D(n) / 100)
EQUITY = st.integers(1, 2_000_000).map(lambda n: D(n) / 100)
START = ledger.LedgerMemory(booked=D(10000), written_off=D(0), unexplained_since=None)
NO_FLOW = D(0)
LIMITS = drawdown.Limits(
    max_drawdown_percent=D(20), warn_drawdown_percent=D(15), minimum_equity=D(100)
)


def booked(readings: list[list[Deal]]) -> ledger.LedgerMemory:
    """Readings of balances that follow their deals at once."""
    memory, balance = START, D(10000)
    for s, deals in enumerate(readings):
        balance += sum((d.amount for d in deals), D(0))
        step = ledger.book(
            memory, state(balance=balance), tuple(deals), at(s), explanation_wait_s=10
        )
        assert step.trusted
        memory = step.memory
    return memory


@given(st.lists(st.tuples(CENTS, st.integers(0, 12))), st.data())
def test_ledger_1_any_split_of_the_same_deals_ends_in_the_same_memory(
    moves: list[tuple[Decimal, int]], data: st.DataObject
) -> None:
    deals = [money(n, amount, kind) for n, (amount, kind) in enumerate(moves)]
    cut = data.draw(st.integers(0, len(deals)))
    again = data.draw(st.integers(cut, len(deals)))
    total = booked([deals])
    assert booked([deals[:cut], deals[cut:again], [], deals[again:]]) == total
    explained = sum((amount for amount, _ in moves), D(10000))
    assert total.booked == explained


@given(CENTS.filter(bool), st.lists(CENTS, max_size=4), st.integers(0, 40))
def test_ledger_2_a_deal_however_late_leaves_nothing_written_off(
    amount: Decimal, others: list[Decimal], late_s: int
) -> None:
    memory, balance = START, D(10000) + amount
    for s in range(late_s + 1):
        new = [money(s, others.pop())] if others and s % 3 == 0 else []
        balance += sum((d.amount for d in new), D(0))
        memory = ledger.book(
            memory, state(balance=balance), new, at(s), explanation_wait_s=10
        ).memory
    step = ledger.book(
        memory, state(balance=balance), [money(99, amount)], at(late_s + 1), explanation_wait_s=10
    )
    assert step.trusted
    assert step.memory == ledger.LedgerMemory(
        booked=balance, written_off=D(0), unexplained_since=None
    )


def judged(
    peak: Decimal, equity: Decimal, flow: Decimal = NO_FLOW, *, sound: bool = True
) -> drawdown.Verdict:
    """The verdict on one reading."""
    return drawdown.judge(
        drawdown.GuardMemory(peak_equity=peak, warned=False, withdrawal_exempt=False),
        drawdown.Reading(
            equity=equity,
            flow=flow,
            trusted=sound,
            consistent=sound,
            margin_level_percent=None,
            stop_out_level_percent=None,
        ),
        LIMITS,
    )


def badness(verdict: drawdown.Verdict) -> tuple[bool, bool, bool]:
    """How bad, thing by thing."""
    return (verdict.warning_opened, verdict.broken is not None, bool(verdict.hurry))


@given(EQUITY, EQUITY, EQUITY)
def test_drawdown_3_no_verdict_improves_as_equity_falls(
    peak: Decimal, one: Decimal, other: Decimal
) -> None:
    better, worse = judged(peak, max(one, other)), judged(peak, min(one, other))
    assert all(b <= w for b, w in zip(badness(better), badness(worse), strict=True))
    assert worse.drawdown_percent >= better.drawdown_percent


@given(EQUITY, EQUITY, CENTS)
@example(D(10000), D("8000.01"), D(500))
def test_drawdown_1_money_in_or_out_is_neither_profit_nor_loss(
    peak: Decimal, equity: Decimal, flow: Decimal
) -> None:
    assume(equity <= peak and equity + flow >= 1)
    before, after = judged(peak, equity), judged(peak, equity + flow, flow)
    new_peak = after.memory.peak_equity
    assert new_peak is not None
    exact = Fraction(peak) * Fraction(equity + flow) / Fraction(equity)
    assert abs(Fraction(new_peak) - exact) <= Fraction(1, 2 * 10**8)
    assert abs(after.drawdown_percent - before.drawdown_percent) <= D("0.0002")


@given(EQUITY, EQUITY)
def test_drawdown_4_an_untrusted_reading_changes_nothing(peak: Decimal, equity: Decimal) -> None:
    verdict = judged(peak, equity, sound=False)
    assert verdict.memory.peak_equity == peak
    assert (verdict.broken, verdict.warning_opened, verdict.warning_eased) == (None, False, False)


FIGURES = st.builds(
    limits.GuardLimits,
    max_drawdown_percent=st.integers(5, 40).map(D),
    warn_drawdown_percent=st.integers(1, 30).map(D),
    min_equity_gbp=st.integers(0, 300).map(D),
)


def is_looser(one: limits.GuardLimits, other: limits.GuardLimits) -> bool:
    """Whether `one` allows in any figure what `other` does not."""
    return limits.tightest(one, other) != one


@given(
    FIGURES,
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(range(3)), st.booleans()), max_size=12),
    st.lists(FIGURES, min_size=3, max_size=3),
)
def test_limits_never_loosen_but_by_one_wish_kept_for_a_day_on_a_flat_account(
    first: limits.GuardLimits,
    steps: list[tuple[int, int, bool]],
    wishes: list[limits.GuardLimits],
) -> None:
    """Each step: hours that pass, the setting then, and whether the account is flat."""
    current, now = limits.LimitState(in_force=first), NOW
    wished: tuple[limits.GuardLimits, datetime] | None = None
    for hours, choice, flat in steps:
        now += timedelta(hours=hours)
        wanted = wishes[choice]
        if wished is None or wished[0] != wanted:
            wished = (wanted, now)
        after = limits.align(current, wanted, now, may_loosen=flat)
        if is_looser(after.in_force, current.in_force):
            assert flat
            assert now - wished[1] >= timedelta(hours=24)
        assert not is_looser(after.in_force, wanted), "tighter is in force at once"
        assert limits.align(after, wanted, now, may_loosen=flat) == after
        current = after
