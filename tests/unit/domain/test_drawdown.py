"""The drawdown guard's verdicts at their boundaries (law 8, law 9)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from core.domain.drawdown import GuardMemory, Limits, Reading, Rule, Verdict, floor_equity, judge
from tests.unit.domain.make import D

LIMITS = Limits(max_drawdown_percent=D(20), warn_drawdown_percent=D(15), minimum_equity=D(100))


def judged(equity: str | Decimal, memory: GuardMemory | None = None, **changes: Any) -> Verdict:
    """The verdict on a reading of an account whose peak is 10,000."""
    facts: dict[str, Any] = {
        "equity": D(equity),
        "flow": D(0),
        "trusted": True,
        "consistent": True,
        "margin_level_percent": None,
        "stop_out_level_percent": D(50),
        **changes,
    }
    return judge(memory or remembered(), Reading(**facts), LIMITS)


def remembered(peak: str | None = "10000", **changes: Any) -> GuardMemory:
    """What the guard knew."""
    known = {"warned": False, "withdrawal_exempt": False, **changes}
    return GuardMemory(peak_equity=None if peak is None else D(peak), **known)


@pytest.mark.parametrize(
    ("equity", "warned", "broken"),
    [
        ("8500.01", False, None),  # a cent above 15 %
        ("8500.00", True, None),  # at the warning level counts as over it
        ("8499.99", True, None),
        ("8000.01", True, None),  # a cent above 20 %
        ("8000.00", True, Rule.DRAWDOWN),  # at the limit counts as over it
        ("7999.99", True, Rule.DRAWDOWN),
        ("100.00", True, Rule.DRAWDOWN),  # at the minimum is not below it
        ("99.99", True, Rule.MINIMUM_EQUITY),
    ],
)
def test_the_limits_count_from_where_they_are_reached(
    *, equity: str, warned: bool, broken: Rule | None
) -> None:
    verdict = judged(equity)
    assert (verdict.warning_opened, verdict.broken) == (warned, broken)


def test_the_limit_is_compared_without_rounding() -> None:
    """A peak that no division of which comes out even: 20 % of 9999.99 leaves 7999.992."""
    memory = remembered("9999.99")
    assert judged("8000.00", memory).broken is None
    assert judged("7999.99", memory).broken is Rule.DRAWDOWN
    assert judged("8000.00", memory).drawdown_percent == D("19.9999")


@pytest.mark.parametrize(
    ("trusted", "consistent", "peak"),
    [(True, True, 11000), (True, False, 10000), (False, True, 10000), (False, False, 10000)],
)
def test_the_peak_rises_only_on_a_trusted_and_consistent_reading(
    *, trusted: bool, consistent: bool, peak: int
) -> None:
    verdict = judged("11000", trusted=trusted, consistent=consistent)
    assert verdict.memory.peak_equity == peak


def test_the_peak_begins_only_on_a_trusted_and_consistent_reading() -> None:
    """A first glimpse of 99,757 of an account of 785 must not close it at its second reading."""
    glimpse = judged("99757", remembered(None), consistent=False)
    assert glimpse.memory.peak_equity is None
    assert glimpse.broken is None
    sound = judged("785", glimpse.memory)
    assert (sound.memory.peak_equity, sound.broken) == (D(785), None)
    assert judged("99.99", remembered(None), consistent=False).broken is Rule.MINIMUM_EQUITY


def test_the_peak_does_not_fall_with_equity() -> None:
    assert judged("9000").memory.peak_equity == 10000


@pytest.mark.parametrize(
    ("equity_before", "flow"),
    [(9000, 1000), (9000, -1000), (8200, 5000), (8200, -5000), (9999, 1), (10000, -9000)],
)
def test_a_flow_multiplies_the_peak_by_what_it_did_to_equity(equity_before: int, flow: int) -> None:
    verdict = judged(D(equity_before + flow), flow=D(flow))
    exact = Fraction(10000 * (equity_before + flow), equity_before)
    peak = verdict.memory.peak_equity
    assert peak is not None
    assert abs(Fraction(peak) - exact) <= Fraction(1, 2 * 10**8)
    assert verdict.peak_before_flow == 10000


@pytest.mark.parametrize(("equity", "flow"), [("0", "-10000"), ("-20", "-9990"), ("0", "-8000.01")])
def test_whoever_takes_everything_out_restarts_the_peak(equity: str, flow: str) -> None:
    verdict = judged(equity, flow=D(flow))
    assert verdict.memory.peak_equity == D(equity)


@pytest.mark.parametrize(
    ("equity", "flow", "peak"),
    [
        ("0", "-8000", "10000"),  # 8,000 of 10,000 were left: 20 % lost, then all taken out
        ("-20", "-500", "10000"),  # 480 were left
        ("1000", "1000", "1250"),  # nothing was left; 1,000 are 20 % under 1,250
        ("1000", "1200", "1250"),  # 200 were owed
        ("100.01", "200", "125.0125"),
    ],
)
def test_a_loss_stays_a_loss_whatever_is_paid_in_or_taken_out_after_it(
    equity: str, flow: str, peak: str
) -> None:
    """Law 8: not by a deposit. The peak stays where the next reading finds the breach, too."""
    verdict = judged(equity, flow=D(flow))
    assert verdict.memory.peak_equity == D(peak)
    assert verdict.broken is not None
    assert judged(equity, remembered(peak)).broken is not None


@pytest.mark.parametrize(
    ("equity", "flow", "exempt"),
    [
        ("99.99", "-100", True),  # the withdrawal took it under the minimum
        ("50", "-50", True),  # exactly the minimum stood there before
        ("50", "-49.99", False),  # a cent less did: it was lost, not withdrawn
        ("99.99", "0", False),
        ("99.99", "5", False),  # money came in: what is missing was lost
    ],
)
def test_only_a_withdrawal_excuses_less_than_the_minimum(
    *, equity: str, flow: str, exempt: bool
) -> None:
    verdict = judged(equity, remembered("100"), flow=D(flow))
    assert verdict.memory.withdrawal_exempt is exempt
    assert (verdict.broken is Rule.MINIMUM_EQUITY) is not exempt


def test_the_excuse_lasts_until_the_minimum_is_there_again() -> None:
    excused = remembered("99", withdrawal_exempt=True)
    assert judged("99", excused).broken is None
    assert judged("79.20", excused).broken is Rule.DRAWDOWN
    assert judged("100", excused).memory.withdrawal_exempt is False
    again = judged("100", excused).memory
    assert judged("99.99", again).broken is Rule.MINIMUM_EQUITY


def test_an_untrusted_reading_ends_no_excuse() -> None:
    excused = remembered("99", withdrawal_exempt=True)
    assert judged("150", excused, trusted=False).memory.withdrawal_exempt is True


@pytest.mark.parametrize(
    ("equity", "changes", "hurry"),
    [
        ("8000", {}, ""),
        ("7800.01", {}, ""),  # a cent less than 2 points past the limit
        ("7800.00", {}, "far_past_limit"),
        ("99.99", {}, "below_minimum"),
        ("8000", {"margin_level_percent": D(60)}, ""),  # at 1.2 x 50 %
        ("8000", {"margin_level_percent": D("59.99")}, "near_stop_out"),
        ("8000", {"margin_level_percent": None}, ""),  # no margin is no level
        ("8000", {"margin_level_percent": D(1), "stop_out_level_percent": None}, ""),
    ],
)
def test_a_countdown_runs_only_while_there_is_time(
    equity: str, changes: dict[str, Any], hurry: str
) -> None:
    assert judged(equity, **changes).hurry == hurry


def test_the_warning_opens_once_and_eases_once() -> None:
    opened = judged("8500")
    assert opened.warning_opened
    still = judged("8400", opened.memory)
    assert (still.warning_opened, still.warning_eased) == (False, False)
    # It is over a point below its level, so that an equity around 15 % tells nobody twice.
    hardly = judged("8600.00", still.memory)
    assert (hardly.warning_opened, hardly.warning_eased) == (False, False)
    eased = judged("8600.01", hardly.memory)
    assert (eased.warning_opened, eased.warning_eased) == (False, True)


@pytest.mark.parametrize("warned", [True, False])
@pytest.mark.parametrize("equity", ["50", "7000", "8400", "9000", "12000"])
def test_an_untrusted_reading_changes_no_verdict(*, equity: str, warned: bool) -> None:
    memory = remembered(warned=warned)
    verdict = judged(equity, memory, trusted=False)
    assert verdict.memory == memory
    assert (verdict.broken, verdict.warning_opened, verdict.warning_eased) == (None, False, False)


@pytest.mark.parametrize(
    ("peak", "exempt", "floor"),
    [("10000", False, "8000"), ("110", False, "100"), ("110", True, "88"), ("125", False, "100")],
)
def test_the_floor_is_the_higher_of_both_rules(*, peak: str, exempt: bool, floor: str) -> None:
    assert floor_equity(D(peak), LIMITS, exempt=exempt) == D(floor)


def test_without_a_rate_only_the_drawdown_counts() -> None:
    unknown = Limits(max_drawdown_percent=D(20), warn_drawdown_percent=D(15), minimum_equity=None)
    reading = Reading(
        equity=D(1),
        flow=D(0),
        trusted=True,
        consistent=True,
        margin_level_percent=None,
        stop_out_level_percent=None,
    )
    assert judge(remembered("1"), reading, unknown).broken is None
    assert judge(remembered("10000"), reading, unknown).broken is Rule.DRAWDOWN
    assert floor_equity(D(1000), unknown, exempt=False) == 800
