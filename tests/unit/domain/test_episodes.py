"""An episode's life: when it is told, told again, and over."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.episodes import (
    ALOUD,
    CHANGES,
    CHANGES_AT_ONCE,
    CHANGES_TOLD_MAX,
    TIMES_AGAIN,
    TOLD_EVER_MAX,
    WORSE_TOLD_MAX,
    Changed,
    Lasting,
    Opened,
    Resolved,
    advance,
    detail_after,
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


def grown(lots: str, kind: Kind = Kind.OVER_VOLUME, side: str = "buy") -> Finding:
    """So many lots are held."""
    return replace(finding(kind, lots), volume=D(lots), side=side)


def told_with(
    lots: str, kind: Kind = Kind.OVER_VOLUME, *, changes: int = 0, **detail: Any
) -> dict[tuple[str, str], EpisodeRow]:
    """It was told with so many lots."""
    (key, row), *_ = told(kind, changed_s=0).items()
    kept = {"side": "buy", "volume": lots, "slippage_pips": None, CHANGES: changes, **detail}
    return {key: replace(row, material=lots, detail=kept)}


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
        (CHANGES_AT_ONCE + 1, 119.9, False),
        (CHANGES_AT_ONCE + 1, 120, True),
        (CHANGES_AT_ONCE + 5, 32 * 60 - 0.1, False),
        (CHANGES_AT_ONCE + 5, 32 * 60, True),
        (CHANGES_AT_ONCE + 6, 3599.9, False),
        (CHANGES_AT_ONCE + 6, 3600, True),
        (1_000, 3600, True),
    ],
)
def test_a_stop_that_trails_the_market_is_told_three_times_and_then_ever_more_rarely(
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


@pytest.mark.parametrize(
    ("lots", "side", "worse"),
    [("0.39", "buy", False), ("0.40", "buy", True), ("0.10", "buy", False), ("0.20", "sell", True)],
)
def test_what_doubles_or_turns_round_is_worse(lots: str, side: str, *, worse: bool) -> None:
    """It began with 0.20 lots bought."""
    held = replace(grown(lots, side=side), material=f"{side} {lots}")
    (event,) = advance(told_with("0.20"), [held], at(1)).events
    assert isinstance(event, Changed)
    assert (event.worse, event.told) == (worse, True)


def test_worse_does_not_wait_and_other_changes_do() -> None:
    known = told_with("0.20", changes=CHANGES_AT_ONCE)
    assert advance(known, [grown("0.39")], at(1)).events == ()
    (event,) = advance(known, [grown("0.40")], at(1)).events
    assert isinstance(event, Changed)
    assert event.worse


def test_each_doubling_is_told_aloud_once_however_the_lots_go_up_and_down() -> None:
    """From 0.20: aloud at 0.40 and at 0.80, whatever lies between."""
    known = told_with("0.20")
    aloud = []
    for lots in ("0.30", "0.40", "0.20", "0.45", "0.79", "0.80", "0.40", "1.59"):
        for event in advance(known, [grown(lots)], at(1)).events:
            assert isinstance(event, Changed)
            (key, row), *_ = known.items()
            known = {key: replace(row, material=lots, detail=detail_after(event))}
            aloud += [lots] if event.worse else []
    assert aloud == ["0.40", "0.80"]


def test_a_position_that_was_only_cut_is_not_worse_and_a_level_never_is() -> None:
    (cut,) = advance(told_with("0.20"), [grown("0.10")], at(1)).events
    (moved,) = advance(
        told_with("0.20", Kind.SL_MOVED), [grown("0.90", Kind.SL_MOVED)], at(1)
    ).events
    assert isinstance(cut, Changed)
    assert isinstance(moved, Changed)
    assert (cut.worse, moved.worse) == (False, False)


@pytest.mark.parametrize(("pips", "worse"), [("13.9", False), ("14.0", True)])
def test_twice_the_slippage_is_worse(pips: str, *, worse: bool) -> None:
    known = told_with("0.10", Kind.ENTRY_SLIPPAGE, slippage_pips="7.0")
    slipped = replace(finding(Kind.ENTRY_SLIPPAGE, "1971"), slippage_pips=D(pips))
    (event,) = advance(known, [slipped], at(1)).events
    assert isinstance(event, Changed)
    assert event.worse is worse


@pytest.mark.parametrize(
    ("changes", "lots", "is_told"),
    [
        (CHANGES_TOLD_MAX - 1, "0.30", True),
        (CHANGES_TOLD_MAX, "0.30", False),
        (CHANGES_TOLD_MAX, "0.40", True),
        (WORSE_TOLD_MAX - 1, "0.40", True),
        (WORSE_TOLD_MAX, "0.40", False),
    ],
)
def test_what_changed_too_often_is_recorded_and_no_longer_told(
    *, changes: int, lots: str, is_told: bool
) -> None:
    known = told_with("0.20", changes=changes)
    (event,) = advance(known, [grown(lots)], at(HOUR)).events
    assert isinstance(event, Changed)
    assert event.told is is_told
    after = detail_after(event)
    assert after["volume"] == lots
    assert after[CHANGES] == changes + is_told


def test_a_change_that_must_wait_does_not_keep_quiet_that_it_lasts() -> None:
    known = told_with("0.20", changes=CHANGES_AT_ONCE)
    (key, row), *_ = known.items()
    known = {key: replace(row, changed_at=at(HOUR - 1))}
    (event,) = advance(known, [grown("0.21")], at(HOUR)).events
    assert isinstance(event, Lasting)
    assert detail_after(event)["volume"] == "0.20", "what was told is what it is compared with"


def test_an_episode_of_an_earlier_version_is_compared_with_what_it_has() -> None:
    (event,) = advance(told(Kind.OVER_VOLUME), [grown("0.90")], at(1)).events
    assert isinstance(event, Changed)
    assert not event.worse
    assert detail_after(event)[ALOUD]["volume"] is None


def test_no_episode_can_cause_more_than_fifty_five_messages() -> None:
    """Its beginning, fifty changes, three times that it lasts, its end."""
    assert TOLD_EVER_MAX == 1 + 50 + 3 + 1
