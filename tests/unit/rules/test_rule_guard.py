"""Rules judged on readings: doubt, episodes, pauses, hurry, resets that lie ahead."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.rule_clock import RuleClock
from core.domain.rule_floor import RuleReading, Trusted
from core.domain.rule_guard import (
    DOUBT_WAIT,
    RESET_LEAD,
    Memories,
    RuleVerdict,
    judge,
    paused,
    restarted,
)
from core.domain.rules import (
    Amount,
    AmountKind,
    Base,
    HeldRule,
    Measure,
    Mode,
    RuleSet,
    RuleSpec,
    Severity,
)
from tests.unit.domain.make import NOW

D = Decimal
SPEC = RuleSpec(
    name="daily",
    title="Daily",
    clock=RuleClock("UTC", 22, 0),
    base=Base.BALANCE,
    amount=Amount(AmountKind.FIXED, D(1000)),
)
RESET = NOW.replace(hour=22, minute=0)


class Account:
    """One rule followed through readings of an account of 10,000."""

    def __init__(self, spec: RuleSpec = SPEC, mode: Mode = Mode.ENFORCE) -> None:
        self.rules = RuleSet(profile="x", rules=(HeldRule(spec, mode),))
        self.memories: Memories = {}
        self.last: Trusted | None = None
        self.now = NOW
        self.reads("10000")

    def reads(self, equity: str, after: timedelta = timedelta(), **more: Any) -> RuleVerdict:
        """The verdict on the next reading."""
        self.now += after
        facts = {"balance": D(10000), **more}
        reading = RuleReading(at=self.now, equity=D(equity), **facts)
        verdict = judge(self.rules, self.memories, self.last, reading)
        self.memories = verdict.memories
        if not reading.doubtful:
            self.last = Trusted(reading.at, reading.equity, reading.balance)
        return verdict.rules[0]


def test_at_the_limit_is_not_below_it() -> None:
    account = Account()
    assert not account.reads("9000").stands
    assert account.reads("8999.99").stands


def test_where_touching_is_enough_it_is() -> None:
    assert Account(replace(SPEC, touch=True)).reads("9000").stands


def test_a_buffer_acts_before_the_floor_and_leaves_no_countdown_at_it() -> None:
    """A tenth of 1,000 is kept back: it acts below 9,100, and hurries below 9,000."""
    account = Account(replace(SPEC, buffer_percent=D(10)))
    assert not account.reads("9100").stands
    rules, memories = account.rules, account.memories

    def hurry(equity: str) -> str:
        reading = RuleReading(at=NOW, equity=D(equity), balance=D(10000))
        return judge(rules, memories, account.last, reading).hurry

    assert account.reads("9099.99").stands
    assert [hurry("9099.99"), hurry("9000"), hurry("8999.99")] == ["", "", "far_past_limit"]


@pytest.mark.parametrize(("equity", "hurry"), [("8800.01", ""), ("8800", "far_past_limit")])
def test_two_percent_of_the_base_past_the_floor_there_is_no_countdown(
    equity: str, hurry: str
) -> None:
    """9,000 - 2 % of 10,000 (law 8)."""
    account = Account()
    reading = RuleReading(at=NOW, equity=D(equity), balance=D(10000))
    assert judge(account.rules, account.memories, account.last, reading).hurry == hurry


def test_doubt_neither_breaks_a_rule_nor_ends_what_is_broken() -> None:
    account = Account(mode=Mode.ADVISE)
    assert not account.reads("5000", doubtful=True, trusted=False).stands
    assert account.reads("8999").begun
    assert not account.reads("10000", doubtful=True).ended
    assert account.reads("10000").ended


def test_over_the_limit_in_doubt_for_long_counts() -> None:
    """At the bound and just before it; a restart in between does not begin it anew."""
    account = Account()
    account.reads("8000", doubtful=True)
    short = DOUBT_WAIT - timedelta(seconds=1)
    assert not account.reads("8000", after=short, doubtful=True).stands
    assert account.reads("8000", after=timedelta(seconds=1), doubtful=True).stands


def test_a_trusted_reading_sets_the_time_of_doubt_back() -> None:
    account = Account()
    account.reads("8000", doubtful=True)
    account.reads("9500", after=DOUBT_WAIT / 2)
    assert not account.reads("8000", after=DOUBT_WAIT / 2, doubtful=True).stands


def test_an_episode_begins_once_and_ends_a_margin_inside() -> None:
    """5 % of the amount: 9,050."""
    account = Account(mode=Mode.ADVISE)
    assert [account.reads(e).begun for e in ("8990", "8980", "9010", "8990")] == [
        True,
        False,
        False,
        False,
    ]
    assert not account.reads("9049.99").ended
    assert account.reads("9050").ended
    assert account.reads("8999").begun


def test_what_closes_at_once_has_no_episode() -> None:
    """It is latched; while that waits for its second reading it stands each time."""
    account = Account()
    told = [account.reads("8990") for _ in range(2)]
    assert [(v.stands, v.begun) for v in told] == [(True, False)] * 2


def test_a_pause_lasts_until_the_reset_whatever_the_equity_does() -> None:
    account = Account(replace(SPEC, severity=Severity.PAUSE_DAY))
    assert account.reads("8990").memory.paused_until == RESET
    assert not account.reads("10000").ended
    assert paused(account.memories, RESET - timedelta(seconds=1)) == ("daily", RESET)
    assert paused(account.memories, RESET) is None
    account.now = RESET
    assert account.reads("10000").ended


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ADVISE])
def test_only_enforcing_pauses(mode: Mode) -> None:
    account = Account(replace(SPEC, severity=Severity.PAUSE_DAY), mode)
    assert account.reads("8990").begun
    assert paused(account.memories, NOW) is None


def test_the_floor_after_the_reset_is_told_once_and_not_early() -> None:
    """Won 2,000 and floating 1,500 below: 12,000 - 1,000 = 11,000 is above 10,500."""
    account = Account()
    account.now = RESET - RESET_LEAD - timedelta(seconds=1)
    assert account.reads("10500", balance=D(12000)).ahead is None
    ahead = account.reads("10500", after=timedelta(seconds=1), balance=D(12000)).ahead
    assert ahead is not None
    assert ahead.limit == D(11000)
    assert account.reads("10400", balance=D(12000)).ahead is None


def test_nothing_is_told_of_a_reset_that_breaks_nothing() -> None:
    account = Account()
    account.now = RESET - timedelta(minutes=5)
    assert account.reads("9500").ahead is None


def test_a_base_says_how_old_it_was_at_its_reset() -> None:
    """Nobody read from 18:00 until the day after: the reset at 22:00 takes what was read then."""
    account = Account()
    account.now = RESET - timedelta(hours=4)
    account.reads("9700", balance=D(9800))
    verdict = account.reads("9600", after=timedelta(hours=12), balance=D(9700))
    assert verdict.new_day
    assert (verdict.memory.base, verdict.memory.base_age_s) == (D(9800), 4 * 3600)
    assert verdict.floor.limit == D(8800)


def test_a_changed_rule_begins_anew_and_a_changed_figure_does_not() -> None:
    account = Account()
    account.reads("9500", balance=D(9600))
    smaller = replace(SPEC, amount=Amount(AmountKind.FIXED, D(500)))
    account.rules = RuleSet(profile="x", rules=(HeldRule(smaller, Mode.ENFORCE),))
    assert account.reads("9600", balance=D(9600)).floor.limit == D(9500)  # 10,000 - 500
    other = replace(smaller, base=Base.EQUITY)
    account.rules = RuleSet(profile="x", rules=(HeldRule(other, Mode.ENFORCE),))
    assert account.reads("9600", balance=D(9700)).floor.limit == D(9100)


def test_after_a_release_every_rule_begins_at_that_reading() -> None:
    account = Account()
    account.reads("8000")
    reading = RuleReading(at=NOW, equity=D(8000), balance=D(8000))
    account.memories = restarted(account.rules, reading)
    assert account.reads("8000", balance=D(8000)).floor.limit == D(7000)


@pytest.mark.parametrize(
    ("measure", "limit", "inside", "past"),
    [
        (
            Measure.MARGIN_LEVEL,
            "200",
            {"margin_level_percent": D(200)},
            {"margin_level_percent": D(199)},
        ),
        (Measure.POSITIONS, "3", {"positions": 3}, {"positions": 4}),
        (Measure.EXPOSURE, "5000", {"exposure": D(5000)}, {"exposure": D("5000.01")}),
    ],
)
def test_margin_level_positions_and_exposure_are_rules_too(
    measure: Measure, limit: str, inside: dict[str, Any], past: dict[str, Any]
) -> None:
    spec = RuleSpec(name="x", title="X", measure=measure, amount=Amount(AmountKind.FIXED, D(limit)))
    account = Account(spec)
    assert not account.reads("10000", **inside).stands
    assert account.reads("10000", **past).stands


def test_a_margin_level_or_exposure_that_is_not_known_breaks_nothing() -> None:
    spec = RuleSpec(
        name="x",
        title="X",
        measure=Measure.EXPOSURE,
        amount=Amount(AmountKind.FIXED, D(1)),
    )
    assert not Account(spec).reads("10000", exposure=None).stands


@pytest.mark.parametrize(("equity", "near"), [("9250", False), ("9249.99", True)])
def test_with_little_room_left_the_account_is_read_as_often_as_possible(
    equity: str,
    near: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A quarter of 1,000 above the floor."""
    account = Account()
    reading = RuleReading(at=NOW, equity=D(equity), balance=D(10000))
    assert judge(account.rules, account.memories, account.last, reading).near is near


def test_a_rule_that_is_broken_at_its_first_reading_is_told_and_closes_nothing() -> None:
    """A floor of 90,000 for an account of 10,000 is a typing mistake, not a loss of 80,000."""
    account = Account(replace(SPEC, clock=None, base=Base.INITIAL))
    account.rules = replace(account.rules, initial=D(100_000))
    first = account.reads("10000")
    assert (first.stands, first.closes, first.begun) == (True, False, True)
    assert not account.reads("9000").closes


def test_once_inside_it_closes_after_a_restart_too() -> None:
    account = Account()
    assert account.memories["daily"].armed
    assert account.reads("8999").closes
    held = account.reads("8999", after=timedelta(hours=1))
    assert held.memory.armed
    assert held.closes


def test_a_reading_in_doubt_arms_nothing() -> None:
    account = Account(replace(SPEC, clock=None, base=Base.INITIAL))
    account.rules = replace(account.rules, initial=D(100_000))
    account.reads("10000")
    assert not account.reads("100000", doubtful=True).memory.armed
    assert account.reads("100000").memory.armed
