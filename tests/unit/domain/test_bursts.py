"""What is folded into a summary, what never is, from which message on, and what it counts."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alarms
from core.domain import alerts as a
from core.domain import alerts_rules as r
from core.domain.alert_parts import AccountAlert
from core.domain.alerts_market import MarketWarning
from core.domain.bursts import (
    LASTS,
    LOGINS_MAX,
    SPAN,
    folded_as,
    goes_on,
    grown,
    is_burst,
    is_heard,
)
from core.domain.hearing import GROUPS, LOCKED
from core.domain.speech import NEW, deliver
from tests.fakes.alerts import every_alert, finding
from tests.fakes.alerts_folded import folded
from tests.fakes.alerts_market import market
from tests.fakes.clock import START

ALERTS = every_alert()
FOLDED = [alert for alert in ALERTS if folded_as(alert) is not None]


def first(kind: type[a.Alert]) -> a.Alert:
    return next(alert for alert in ALERTS if isinstance(alert, kind))


def test_what_is_critical_or_an_alarm_or_the_guards_own_or_an_answer_is_never_folded() -> None:
    assert FOLDED
    for alert in FOLDED:
        delivery = deliver(alert)
        assert delivery.mode == NEW
        assert delivery.priority is not a.Priority.CRITICAL
        assert not alarms.raises(alert)
        assert GROUPS.get(type(alert).__name__) not in LOCKED


def test_what_has_to_be_answered_or_is_told_once_goes_alone() -> None:
    alone = {type(x).__name__ for x in ALERTS} - {type(x).__name__ for x in FOLDED}
    assert alone >= {
        "SignalOffered",
        "PositionQuestion",
        "AccessAsked",
        "ReleaseAsked",
        "MarketCloseAhead",
        "DrawdownWarning",
        "GuardBreached",
        "CloseConfirmed",
        "GuardBlind",
        "AppStarted",
        "AppStopping",
        "DailyDigest",
        "AlertsFolded",
        "PositionClosed",
        "PositionsClosed",
    }


@pytest.mark.parametrize(
    ("action", "counted"),
    [("warn", ("market_gap", 1)), ("block", ("market_gap", 1)), ("close", None)],
)
def test_a_market_warning_that_is_to_close_something_goes_alone(
    action: str, counted: tuple[str, int] | None
) -> None:
    warning = market(warning="gap", action=action, version=1)
    assert isinstance(warning, MarketWarning)
    assert folded_as(warning) == counted


@pytest.mark.parametrize(
    ("severity", "counted"), [("warn", ("RuleBroken", 1)), ("pause_day", None), ("close_all", None)]
)
def test_a_broken_rule_that_stops_something_goes_alone(
    severity: str, counted: tuple[str, int] | None
) -> None:
    broken = first(r.RuleBroken)
    assert isinstance(broken, r.RuleBroken)
    assert folded_as(replace(broken, severity=severity)) == counted


def test_one_message_about_many_counts_as_many() -> None:
    many = first(a.DivergencesOpened)
    assert isinstance(many, a.DivergencesOpened)
    many = replace(many, finding="unknown_position", count=14, severity="warning")
    assert folded_as(many) == ("unknown_position", 14)
    summary = grown(None, many, ("unknown_position", 14), START)
    assert (summary.messages, summary.counts) == (1, {"unknown_position": 14})


@pytest.mark.parametrize(
    ("lately", "group", "burst"),
    [
        (0, True, False),
        (7, True, False),
        (8, True, True),
        (500, True, True),
        (19, False, False),
        (20, False, True),
    ],
)
def test_of_a_minute_eight_go_alone_to_a_group_and_twenty_to_a_person(
    lately: int,
    group: bool,  # noqa: FBT001 - a column of the table
    burst: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_burst(lately, group=group) is burst


@pytest.mark.parametrize(
    ("began", "last", "on"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(seconds=59), timedelta(seconds=59), True),
        (timedelta(seconds=60), timedelta(seconds=60), False),
        (timedelta(seconds=299), timedelta(seconds=1), True),
        (timedelta(seconds=300), timedelta(seconds=1), False),
    ],
)
def test_a_burst_ends_after_a_quiet_minute_and_its_summary_after_five(
    began: timedelta,
    last: timedelta,
    on: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert (timedelta(seconds=60), timedelta(minutes=5)) == (SPAN, LASTS)
    summary = folded(since=START - began, at=START - last)
    assert goes_on(summary, START) is on


def test_a_summary_grows_by_what_is_folded_and_names_the_first_accounts_once() -> None:
    opened = first(a.TradeOpened)
    assert isinstance(opened, AccountAlert)
    summary = None
    for number in range(20):
        told = replace(opened, login=50001 + number // 2)
        summary = grown(summary, told, ("TradeOpened", 1), START + timedelta(seconds=number))
    assert summary is not None
    assert (summary.messages, summary.counts, summary.urgent) == (20, {"TradeOpened": 20}, True)
    assert summary.logins == tuple(range(50001, 50011))
    assert (summary.since, summary.at) == (START, START + timedelta(seconds=19))
    for number in range(20):
        told = replace(opened, login=60001 + number)
        summary = grown(summary, told, ("TradeOpened", 1), START)
    assert len(summary.logins) == LOGINS_MAX


def test_a_summary_of_mere_news_is_not_urgent_until_a_warning_is_in_it() -> None:
    news, warning = first(a.TradeNotPlaced), first(a.TradeOpened)
    summary = grown(None, news, ("TradeNotPlaced", 1), START)
    assert not summary.urgent
    assert grown(summary, warning, ("TradeOpened", 1), START).urgent


def test_a_summary_that_rang_speaks_for_a_minute_and_no_longer() -> None:
    warning = finding("unknown_position")
    summary = grown(None, warning, ("unknown_position", 1), START)
    assert is_heard(summary, warning, START + timedelta(seconds=59))
    assert not is_heard(summary, warning, START + timedelta(seconds=60))
