"""What a person hears: the matrix, quiet hours on their own clock, and what no choice softens."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from core.domain import hearing as h
from core.domain.alert_parts import AccountAlert
from core.domain.alerts import Alert, Priority
from core.domain.hearing import Group, Hearing, Level, QuietHours, is_off, is_silent, parse_quiet
from core.services.speaking import ADMIN_ONLY

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
NIGHT = QuietHours(22 * 60, 7 * 60)
ALL_OFF = Hearing(levels=dict.fromkeys(Group, Level.OFF), quiet=QuietHours(0, 1439))


def test_every_kind_about_an_account_that_a_client_is_sent_is_in_a_group() -> None:
    """What is not about an account (access, chats) is rare, and always on."""
    kinds = get_args(Alert)
    theirs = {k for k in kinds if issubclass(k, AccountAlert) and k not in ADMIN_ONLY}
    assert {kind.__name__ for kind in theirs} | {"DailyDigest"} == set(h.GROUPS)


@pytest.mark.parametrize(
    ("kind", "priority"),
    [
        ("GuardBreached", Priority.CRITICAL),
        ("DrawdownWarning", Priority.WARNING),
        ("CloseConfirmed", Priority.CRITICAL),
        ("CloseStalled", Priority.CRITICAL),
        ("LatchedReappeared", Priority.CRITICAL),
        ("GuardBlind", Priority.CRITICAL),
        ("TerminalBlocked", Priority.CRITICAL),
        ("PositionClosed", Priority.CRITICAL),  # a stop-out
        ("ReleaseAnswered", Priority.WARNING),
        ("SomethingNew", Priority.CRITICAL),
    ],
)
def test_what_is_critical_or_the_guards_is_heard_whatever_was_chosen(
    kind: str, priority: Priority
) -> None:
    assert not is_off(ALL_OFF, kind, priority)
    assert not is_silent(ALL_OFF, kind, priority, NOON)


@pytest.mark.parametrize(
    ("kind", "level", "off", "silent"),
    [
        ("MarketCloseAhead", Level.ON, False, False),
        ("MarketCloseAhead", Level.SILENT, False, True),
        ("MarketCloseAhead", Level.OFF, True, True),
        ("DailyDigest", Level.OFF, True, True),
        ("TradeOpened", Level.OFF, True, True),
        # Only its reader can answer an offer, so it still comes.
        ("SignalOffered", Level.OFF, False, True),
        ("DrawdownWarning", Level.OFF, False, False),
    ],
)
def test_a_group_is_heard_as_it_was_chosen(
    kind: str,
    level: Level,
    off: bool,  # noqa: FBT001 - a column of the table
    silent: bool,  # noqa: FBT001
) -> None:
    chosen = Hearing(levels=dict.fromkeys(Group, level))
    assert is_off(chosen, kind, Priority.WARNING) is off
    assert is_silent(chosen, kind, Priority.WARNING, NOON) is silent


def test_good_news_of_the_guard_is_never_off_and_waits_its_turn_at_night() -> None:
    asleep = Hearing(levels={Group.GUARD: Level.OFF}, quiet=NIGHT)
    midnight = NOON.replace(hour=0)
    assert not is_off(asleep, "LimitsChanged", Priority.INFO)
    assert is_silent(asleep, "LimitsChanged", Priority.INFO, midnight)
    assert not is_silent(asleep, "DrawdownWarning", Priority.WARNING, midnight)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("21:59", False),
        ("22:00", True),
        ("23:59", True),
        ("00:00", True),
        ("06:59", True),
        ("07:00", False),
    ],
)
def test_quiet_hours_over_midnight_begin_and_end_on_the_minute(at: str, quiet: bool) -> None:  # noqa: FBT001 - a column of the table
    hour, minute = at.split(":")
    assert NIGHT.cover(NOON.replace(hour=int(hour), minute=int(minute)), "UTC") is quiet
    by_day = QuietHours(7 * 60, 22 * 60)
    assert by_day.cover(NOON.replace(hour=int(hour), minute=int(minute)), "UTC") is not quiet


@pytest.mark.parametrize(
    ("utc", "quiet"),
    [
        # London, 29 March 2026: 01:00 GMT is followed by 02:00 BST.
        ("2026-03-28T21:59", False),
        ("2026-03-28T22:00", True),  # 22:00 GMT
        ("2026-03-29T05:59", True),  # 06:59 BST
        ("2026-03-29T06:00", False),  # 07:00 BST: an hour earlier by UTC than the day before
        ("2026-03-29T20:59", False),
        ("2026-03-29T21:00", True),  # 22:00 BST
        # 25 October 2026: 02:00 BST is followed by 01:00 GMT.
        ("2026-10-24T21:00", True),  # 22:00 BST
        ("2026-10-25T06:59", True),  # 06:59 GMT
        ("2026-10-25T07:00", False),
        ("2026-10-25T21:59", False),
        ("2026-10-25T22:00", True),
    ],
)
def test_quiet_hours_go_by_the_persons_own_clock_over_both_changes(utc: str, quiet: bool) -> None:  # noqa: FBT001 - a column of the table
    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert NIGHT.cover(at, "Europe/London") is quiet


def test_the_hour_that_comes_twice_is_quiet_twice_and_the_lost_one_never() -> None:
    short = QuietHours(60, 120)  # 01:00 to 02:00
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    assert [short.cover(at, "Europe/London") for at in twice] == [True, True, False]
    lost = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [short.cover(at, "Europe/London") for at in lost] == [False, False]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("22:00-07:00", 1320, 420), ("22-7", 1320, 420), ("9:30 \N{EN DASH} 12:05", 570, 725)],
)
def test_quiet_hours_are_read_as_people_write_them(text: str, start: int, end: int) -> None:
    assert parse_quiet(text) == QuietHours(start, end)


@pytest.mark.parametrize(
    "text", ["", "22:00", "22:00-22:00", "24:00-07:00", "22:60-07:00", "22:0-07:00", "x-y", "-1-5"]
)
def test_what_are_no_quiet_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_quiet(text)
