"""What ends aloud-told things in place gets a silent line; what ends otherwise gets none."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.alerts_over import AlertsOver
from core.domain.endings import (
    ENDINGS_MAX,
    GATHER_MAX,
    ending_of,
    gathered,
    is_told,
)
from core.domain.hearing import Group, Hearing, Level
from core.domain.speech import EDIT, deliver
from tests.fakes.alerts import every_alert
from tests.fakes.alerts_market import market
from tests.fakes.alerts_over import ending
from tests.fakes.clock import START

ALERTS = every_alert()
IN_PLACE = {type(alert).__name__ for alert in ALERTS if deliver(alert).mode == EDIT}


def of(kind: type[a.Alert]) -> a.Alert:
    return next(alert for alert in ALERTS if isinstance(alert, kind))


def test_every_kind_that_ends_something_in_its_place_was_decided_about() -> None:
    """The others change what stands there, or show what a person answered."""
    ends = {type(alert).__name__ for alert in ALERTS if ending_of(alert) is not None}
    assert ends == {
        "DrawdownEased",
        "DivergenceResolved",
        "RuleEased",
        "PricesMove",
        "AccountRecovered",
        "MarketWarning",
        "ChatReachable",
        "MarketCloseAhead",
    }
    assert IN_PLACE - ends == {
        "OfferAnswered",
        "DivergenceOpened",
        "PositionQuestion",
        "PositionAdopted",
        "ReleaseAnswered",
        "AppStanding",
        "AccessAnswered",
        "LinkAnswered",
    }


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("as_expected", True),
        ("gone", True),
        ("closed:stop_loss", True),
        ("closed:reckoner", False),
        ("cancelled", False),
        ("adopted", False),
        ("otherwise", True),  # what it has become is not told to everybody who heard of it
    ],
)
def test_a_difference_that_a_close_report_or_a_person_ends_needs_no_line(
    how: str,
    says: bool,  # noqa: FBT001 - a column of the table
) -> None:
    resolved = of(a.DivergenceResolved)
    assert isinstance(resolved, a.DivergenceResolved)
    assert (ending_of(replace(resolved, how=how)) is not None) is says


@pytest.mark.parametrize(
    ("how", "positions", "own", "told"),
    [
        ("closed:stop_loss", Level.ON, True, True),
        ("closed:stop_loss", Level.SILENT, True, True),
        ("closed:stop_loss", Level.OFF, True, False),
        ("closed:stop_loss", Level.ON, False, False),
        ("closed:stop_out", Level.OFF, True, True),
        ("closed:stop_out", Level.ON, False, True),
        ("as_expected", Level.ON, True, False),
    ],
)
def test_a_close_is_told_by_its_own_message_to_its_client_and_a_stop_out_to_all(
    how: str,
    positions: Level,
    own: bool,  # noqa: FBT001 - a column of the table
    told: bool,  # noqa: FBT001 - a column of the table
) -> None:
    resolved = of(a.DivergenceResolved)
    assert isinstance(resolved, a.DivergenceResolved)
    hearing = Hearing(levels={Group.POSITIONS: positions})
    assert is_told(replace(resolved, how=how), hearing, own=own) is told


def test_a_close_is_told_to_whoever_chose_nothing_and_ends_nothing_else() -> None:
    resolved = of(a.DivergenceResolved)
    assert isinstance(resolved, a.DivergenceResolved)
    assert is_told(replace(resolved, how="closed:take_profit"), None, own=True)
    assert not is_told(of(a.DrawdownEased), None, own=True)


@pytest.mark.parametrize(
    ("state", "action", "ended", "says"),
    [
        ("resolved", "block", "calm", True),
        ("resolved", "block", "not_held", True),
        ("resolved", "close", "closed", False),
        ("resolved", "close", "", False),  # a gap that was closed for
        ("resolved", "warn", "passed", True),
        ("dismissed", "close", "", False),
        ("held", "close", "", False),
        ("open", "block", "", False),
        ("closing", "close", "", False),
    ],
)
def test_a_market_warning_is_over_when_it_is_resolved_and_nothing_was_closed_for_it(
    state: str,
    action: str,
    ended: str,
    says: bool,  # noqa: FBT001 - a column of the table
) -> None:
    warning = market(warning="gap", state=state, action=action, ended=ended)
    assert isinstance(warning, MarketWarning)
    assert (ending_of(warning) is not None) is says


@pytest.mark.parametrize(
    ("state", "says"),
    [("open", False), ("held", False), ("closing", False), ("dismissed", True), ("resolved", True)],
)
def test_a_client_learns_that_what_was_announced_is_not_closed(
    state: str,
    says: bool,  # noqa: FBT001 - a column of the table
) -> None:
    ahead = of(MarketCloseAhead)
    assert isinstance(ahead, MarketCloseAhead)
    assert (ending_of(replace(ahead, state=state)) is not None) is says


def test_a_line_waits_for_the_next_five_seconds_anew_and_never_past_its_own_bound() -> None:
    first = AlertsOver(endings=(ending(),))
    line, due_at = gathered(first, START, ending("unread"), START + timedelta(seconds=4)) or (0, 0)
    assert isinstance(line, AlertsOver)
    assert [each.kind for each in line.endings] == ["drawdown", "unread"]
    assert due_at == START + timedelta(seconds=9)
    late = START + timedelta(seconds=44)
    assert (gathered(first, START, ending(), late) or (0, 0))[1] == START + GATHER_MAX
    assert gathered(first, START, ending(), START + GATHER_MAX) is None


def test_a_line_counts_a_hundred_and_no_more() -> None:
    almost = AlertsOver(endings=(ending(),) * (ENDINGS_MAX - 1))
    assert gathered(almost, START, ending(), START) is not None
    full = AlertsOver(endings=(ending(),) * ENDINGS_MAX)
    assert gathered(full, START, ending(), START) is None
