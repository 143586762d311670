"""Prices that stand still: when a reading is stale, and when that is told."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from core.domain.broker import AccountSnapshot
from core.domain.freshness import in_session, is_stale, quotes_age, still_since
from tests.unit.domain.make import NOW, at, position, snapshot, tick

HOUR_S = 3600


def aged(seconds: float, *, held: bool = True, offset_s: int = 0) -> AccountSnapshot:
    """A reading of Wednesday, 10:00 UTC, whose newest quote is so old."""
    ticks = {"XAUUSD": tick(s=-seconds), "EURUSD": tick("EURUSD", s=-seconds - 7000)}
    holds = (position(),) if held else ()
    return replace(snapshot(*holds), ticks=ticks, server_offset_s=offset_s)


@pytest.mark.parametrize(("seconds", "stale"), [(299.999, False), (300, True), (1e6, True)])
def test_from_five_minutes_on_a_reading_is_stale_to_the_guard(
    *, seconds: float, stale: bool
) -> None:
    """The newest of all its quotes counts: one that moves shows that the terminal lives."""
    assert is_stale(aged(seconds)) is stale


def test_without_positions_no_price_is_behind_the_figures() -> None:
    assert not is_stale(aged(1e6, held=False))
    assert still_since(aged(1e6, held=False), told=False) is None


def test_without_any_quote_a_held_position_is_of_no_known_age() -> None:
    blind = replace(aged(0), ticks={})
    assert is_stale(blind)
    assert still_since(blind, told=False) is None


def test_a_quote_from_a_clock_ahead_is_new() -> None:
    assert quotes_age(aged(-90)) == timedelta()


@pytest.mark.parametrize(
    ("seconds", "told", "since"),
    [
        (1199.999, False, None),
        (1200, False, -1200),  # told from twenty minutes on
        (1200, True, -1200),
        (60.001, True, -60.001),  # told once, it lasts until a quote is a minute old or less
        (60, True, None),
    ],
)
def test_standing_still_is_told_late_and_is_over_soon(
    seconds: float, since: float | None, *, told: bool
) -> None:
    expected = None if since is None else at(since)
    assert still_since(aged(seconds), told=told) == expected


@pytest.mark.parametrize(
    ("there", "open_"),
    [
        ("2026-03-06T22:59:59", True),  # Friday evening by the broker's clock
        ("2026-03-06T23:00:00", False),  # the last hour of a day, and the first, rest
        ("2026-03-07T12:00:00", False),  # Saturday
        ("2026-03-08T22:00:00", False),  # Sunday
        ("2026-03-09T00:59:59", False),
        ("2026-03-09T01:00:00", True),  # Monday
    ],
)
@pytest.mark.parametrize("offset_h", [-5, 0, 2, 3])
def test_the_session_follows_the_brokers_clock(*, there: str, open_: bool, offset_h: int) -> None:
    utc = datetime.fromisoformat(there).replace(tzinfo=UTC) - timedelta(hours=offset_h)
    assert in_session(utc, offset_h * HOUR_S) is open_


def test_out_of_session_nothing_is_told() -> None:
    """13 hours ahead, Wednesday 10:00 UTC is 23:00 there."""
    assert still_since(aged(5000, offset_s=13 * HOUR_S), told=False) is None
    assert still_since(aged(5000), told=False) == NOW - timedelta(seconds=5000)
