"""An episode's life: when it is told, told again, and over."""

from datetime import timedelta

import pytest

from core.domain.episodes import (
    CHANGES,
    CHANGES_AT_ONCE,
    TIMES_AGAIN,
    Changed,
    Lasting,
    Opened,
    Resolved,
    advance,
)
from core.domain.findings import Finding, Kind, Origin
from core.records import EpisodeRow
from tests.unit.domain.make import NOW, D, at


def finding(kind: Kind, material: str = "", origin: str = "") -> Finding:
    """A difference of position 900001."""
    return Finding(
        kind=kind,
        subject="900001",
        trade_id=1,
        signal_id=1,
        approval_id=1,
        symbol="XAUUSD",
        side="buy",
        volume=D("0.10"),
        expected="",
        observed="",
        material=material,
        origin=origin,
    )


def told(kind: Kind, *, changed_s: float = 0, **detail: int) -> dict[tuple[str, str], EpisodeRow]:
    """It is open since NOW, and changed last at `changed_s`."""
    row = EpisodeRow(
        account_id=1,
        kind=kind.value,
        subject="900001",
        material="",
        detail=dict(detail),
        opened_at=NOW,
        changed_at=at(changed_s),
    )
    return {(kind.value, "900001"): row}


@pytest.mark.parametrize("kind", [Kind.PARTIAL_FILL, Kind.SL_MISSING, Kind.TP_MISSING])
def test_what_an_executor_passes_through_is_told_when_it_stays_three_seconds(kind: Kind) -> None:
    """A fill comes in parts, and its levels after it."""
    first = advance({}, [finding(kind)], NOW)
    assert (first.events, first.observed) == ((), {(kind.value, "900001"): NOW})
    early = advance({}, [finding(kind)], at(2.9), first.observed)
    assert (early.events, early.observed) == ((), first.observed)
    late = advance({}, [finding(kind)], at(3), early.observed)
    assert [type(e) for e in late.events] == [Opened]
    assert late.observed == {}


def test_what_is_gone_before_it_is_confirmed_was_never_told_and_begins_anew() -> None:
    first = advance({}, [finding(Kind.PARTIAL_FILL)], NOW)
    gone = advance({}, [], at(1), first.observed)
    assert (gone.events, gone.observed) == ((), {})
    again = advance({}, [finding(Kind.PARTIAL_FILL)], at(4), gone.observed)
    assert again.events == ()


def test_a_clock_set_back_makes_nothing_wait_longer_than_its_time() -> None:
    first = advance({}, [finding(Kind.SL_MISSING)], at(3600))
    back = advance({}, [finding(Kind.SL_MISSING)], NOW, first.observed)
    assert advance({}, [finding(Kind.SL_MISSING)], at(3), back.observed).events != ()


def test_every_other_kind_is_told_at_once() -> None:
    (event,) = advance({}, [finding(Kind.UNKNOWN_POSITION)], NOW).events
    assert isinstance(event, Opened)


@pytest.mark.parametrize(
    ("told_before", "since_s", "is_told"),
    [
        (CHANGES_AT_ONCE - 1, 1, True),
        (CHANGES_AT_ONCE, 59.9, False),
        (CHANGES_AT_ONCE, 60, True),
        (1_000, 60, True),
    ],
)
def test_a_stop_that_trails_the_market_is_told_three_times_and_then_once_a_minute(
    *, told_before: int, since_s: float, is_told: bool
) -> None:
    known = told(Kind.SL_MOVED, **{CHANGES: told_before})
    events = advance(known, [finding(Kind.SL_MOVED, "1951")], at(since_s)).events
    assert [type(e) for e in events] == ([Changed] if is_told else [])


def test_what_came_back_to_what_was_told_is_no_change() -> None:
    known = told(Kind.SL_MOVED, **{CHANGES: CHANGES_AT_ONCE})
    assert advance(known, [finding(Kind.SL_MOVED, "1951")], at(1)).events == ()
    assert advance(known, [finding(Kind.SL_MOVED, "")], at(61)).events == ()


MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("kind", "origin", "ages_s"),
    [
        (Kind.MISSING_UNEXPLAINED, "", (15 * MINUTE, HOUR, 4 * HOUR)),
        (Kind.DIRECTION_MISMATCH, "", (15 * MINUTE, HOUR, 4 * HOUR)),
        (Kind.UNKNOWN_POSITION, Origin.ORPHAN, (15 * MINUTE, HOUR, 4 * HOUR)),
        (Kind.SL_REMOVED, "", (HOUR,)),
        (Kind.DUPLICATE_EXECUTION, "", (HOUR,)),
        (Kind.UNKNOWN_POSITION, Origin.MANUAL, ()),
        (Kind.ENTRY_SLIPPAGE, "", ()),
        (Kind.TP_MOVED, "", ()),
    ],
)
def test_what_is_grave_or_leaves_more_at_risk_is_told_again_while_it_lasts(
    kind: Kind, origin: str, ages_s: tuple[int, ...]
) -> None:
    known = told(kind)
    times = 0
    for age_s in (1, 15 * MINUTE - 1, *(15 * MINUTE, HOUR, 4 * HOUR, 100 * HOUR)):
        events = advance(known, [finding(kind, origin=origin)], at(age_s)).events
        due = sum(age_s >= limit for limit in ages_s)
        assert [type(e) for e in events] == ([Lasting] if due > times else [])
        for event in events:
            assert isinstance(event, Lasting)
            times = event.times
            known = told(kind, **{TIMES_AGAIN: times})
    assert times == len(ages_s)


def test_after_a_long_absence_it_is_told_again_once_and_not_once_for_each_age_missed() -> None:
    known = told(Kind.MISSING_UNEXPLAINED)
    (event,) = advance(known, [finding(Kind.MISSING_UNEXPLAINED)], at(100 * HOUR)).events
    assert isinstance(event, Lasting)
    assert event.times == 3


def test_what_is_found_no_more_is_over() -> None:
    (event,) = advance(told(Kind.SL_REMOVED), [], at(1)).events
    assert isinstance(event, Resolved)
    assert event.episode.opened_at == NOW + timedelta()
