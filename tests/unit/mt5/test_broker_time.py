"""The broker's clock is told from fresh prices, and from nothing else."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.broker_time import (
    CHANGE_AGREEING_MIN,
    FIRST_AGREEING_MIN,
    LOOKS_APART_MAX,
    PRICES_APART_MAX,
    BrokerClock,
    Change,
    Look,
    observe,
    restated,
)

HOUR_S = 3600
MONDAY = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FLIGHT = timedelta(milliseconds=40)


def ms(instant: datetime) -> int:
    """Milliseconds since 1970, as MetaTrader counts them."""
    return round(instant.timestamp() * 1000)


@dataclass
class Feed:
    """A server whose newest price is as old as it is told, and a clock of ours that may be off."""

    at: datetime = MONDAY
    offset_s: int = 2 * HOUR_S
    ours_wrong_s: int = 0
    tick_ms: int = 0
    clock: BrokerClock = field(default_factory=BrokerClock)

    def live(self, looks: int, every_s: float = 1) -> None:
        """Prices come all the time."""
        for _ in range(looks):
            self.at += timedelta(seconds=every_s)
            self.tick_ms = ms(self.at) + self.offset_s * 1000 - 200
            self.look()

    def still(self, looks: int, every_s: float = 1) -> None:
        """No price comes."""
        for _ in range(looks):
            self.at += timedelta(seconds=every_s)
            self.look()

    def shown(self, priced_at: datetime) -> None:
        """The terminal shows a price of then, whatever the time is now."""
        self.at += SECOND
        self.tick_ms = ms(priced_at) + self.offset_s * 1000
        self.look()

    def look(self) -> None:
        """Ask for the newest price's time."""
        ours = self.at + timedelta(seconds=self.ours_wrong_s)
        self.clock = observe(
            self.clock, Look(tick_ms=self.tick_ms, asked_at=ours, answered_at=ours + FLIGHT)
        )


def test_nothing_is_known_before_prices_move() -> None:
    feed = Feed(tick_ms=ms(MONDAY) + 7_200_000)

    feed.still(looks=500)

    assert feed.clock.offset_s is None
    assert feed.clock.fresh_at is None
    assert feed.clock.watched_since == MONDAY + SECOND


@pytest.mark.parametrize(
    "offset_s",
    [-12 * HOUR_S, -5 * HOUR_S, 0, 900, 2 * HOUR_S, 3 * HOUR_S, 20_700, 14 * HOUR_S],
    ids=lambda offset_s: f"{offset_s / HOUR_S:+g}h",
)
def test_fresh_prices_tell_the_offset(offset_s: int) -> None:
    feed = Feed(offset_s=offset_s)

    feed.live(looks=12)

    assert feed.clock.offset_s == offset_s


@pytest.mark.parametrize("offset_s", [-12 * HOUR_S - 900, 14 * HOUR_S + 900])
def test_an_offset_that_no_time_zone_has_is_not_believed(offset_s: int) -> None:
    feed = Feed(offset_s=offset_s)

    feed.live(looks=100)

    assert feed.clock.offset_s is None


def test_the_first_offset_needs_agreeing_prices_over_a_while() -> None:
    few = Feed()
    few.live(looks=FIRST_AGREEING_MIN, every_s=10)  # the first look proves nothing by itself
    assert few.clock.offset_s is None
    few.live(looks=1, every_s=10)
    assert few.clock.offset_s == 2 * HOUR_S

    short = Feed()
    short.live(looks=11)  # ten fresh prices, over nine seconds
    assert short.clock.offset_s is None
    short.live(looks=1)
    assert short.clock.offset_s == 2 * HOUR_S


def test_looks_far_apart_prove_no_price_fresh() -> None:
    bound_s = LOOKS_APART_MAX.total_seconds() - FLIGHT.total_seconds()
    near, far = Feed(), Feed()

    near.live(looks=20, every_s=bound_s)
    far.live(looks=20, every_s=bound_s + 0.001)

    assert near.clock.offset_s == 2 * HOUR_S
    assert far.clock.offset_s is None
    assert far.clock.fresh_at is None


def test_prices_too_far_apart_stand_in_no_row() -> None:
    near, far = Feed(), Feed()
    for feed, pause_s in ((near, 119), (far, 120)):
        for _ in range(10):
            feed.still(looks=pause_s)
            feed.live(looks=1)

    assert PRICES_APART_MAX.total_seconds() == 120
    assert near.clock.offset_s == 2 * HOUR_S
    assert far.clock.offset_s is None


@pytest.mark.parametrize("wrong_s", [-40, 40])
def test_a_clock_wrong_by_seconds_does_no_harm(wrong_s: int) -> None:
    feed = Feed(ours_wrong_s=wrong_s)

    feed.live(looks=20)

    assert feed.clock.offset_s == 2 * HOUR_S


def test_a_clock_wrong_by_minutes_tells_nothing() -> None:
    """Server time minus such a clock is no whole number of quarter hours: either may be wrong."""
    feed = Feed(ours_wrong_s=300)

    feed.live(looks=100)

    assert feed.clock.offset_s is None


# --- daylight saving -----------------------------------------------------------------------------

NEW_YORK, ATHENS = "America/New_York", "Europe/Athens"
"""A server of the New York close keeps seven hours ahead of there; others keep eastern Europe."""


@pytest.mark.parametrize(
    ("zone", "ahead_h", "sunday", "before_h", "after_h"),
    [
        # The United States change on 8 March and 1 November 2026, Europe on 29 March, 25 October.
        (NEW_YORK, 7, datetime(2026, 3, 8, tzinfo=UTC), 2, 3),
        (ATHENS, 0, datetime(2026, 3, 8, tzinfo=UTC), 2, 2),
        (NEW_YORK, 7, datetime(2026, 3, 29, tzinfo=UTC), 3, 3),
        (ATHENS, 0, datetime(2026, 3, 29, tzinfo=UTC), 2, 3),
        (NEW_YORK, 7, datetime(2026, 10, 25, tzinfo=UTC), 3, 3),
        (ATHENS, 0, datetime(2026, 10, 25, tzinfo=UTC), 3, 2),
        (NEW_YORK, 7, datetime(2026, 11, 1, tzinfo=UTC), 3, 2),
        (ATHENS, 0, datetime(2026, 11, 1, tzinfo=UTC), 2, 2),
    ],
)
def test_a_weekend_of_changing_clocks_is_followed_when_prices_move_again(
    zone: str, ahead_h: int, sunday: datetime, before_h: int, after_h: int
) -> None:
    """The market closes on Friday and opens on Sunday evening; the clock changes in between."""
    rules = ZoneInfo(zone)

    def server_offset_s(at: datetime) -> int:
        local = at.astimezone(rules).utcoffset()
        assert local is not None
        return int(local.total_seconds()) + ahead_h * HOUR_S

    friday = sunday - timedelta(days=2) + timedelta(hours=20)
    feed = Feed(at=friday, offset_s=server_offset_s(friday))
    feed.live(looks=20, every_s=5)
    assert feed.clock.offset_s == before_h * HOUR_S

    feed.still(looks=5000, every_s=30)  # 41 h 40 min
    assert feed.clock.offset_s == before_h * HOUR_S
    assert feed.at < sunday + timedelta(hours=22, minutes=5)

    feed.at = sunday + timedelta(hours=22, minutes=5)
    feed.offset_s = server_offset_s(feed.at)
    feed.still(looks=1)
    feed.live(looks=CHANGE_AGREEING_MIN + 2, every_s=10)
    assert feed.clock.offset_s == after_h * HOUR_S


def test_a_change_needs_more_prices_than_a_first_offset() -> None:
    few = Feed()
    few.live(looks=20)
    few.offset_s = 3 * HOUR_S
    few.live(looks=CHANGE_AGREEING_MIN - 1, every_s=10)
    assert few.clock.offset_s == 2 * HOUR_S
    few.live(looks=1, every_s=10)
    assert few.clock.offset_s == 3 * HOUR_S

    short = Feed()
    short.live(looks=20)
    short.offset_s = 3 * HOUR_S
    short.live(looks=30)  # thirty prices, over 29 seconds
    assert short.clock.offset_s == 2 * HOUR_S
    short.live(looks=1)
    assert short.clock.offset_s == 3 * HOUR_S


def test_one_price_that_agrees_with_what_is_known_breaks_the_row() -> None:
    feed = Feed()
    feed.live(looks=20)
    for _ in range(10):
        feed.offset_s = 3 * HOUR_S
        feed.live(looks=CHANGE_AGREEING_MIN - 1, every_s=10)
        feed.offset_s = 2 * HOUR_S
        feed.live(looks=2, every_s=10)

    assert feed.clock.offset_s == 2 * HOUR_S


def test_what_was_stamped_before_a_change_keeps_its_instant() -> None:
    """20:59 UTC on Friday was stamped 22:59 (+2 h); read on Monday at +3 h it is still 20:59."""
    friday = datetime(2026, 3, 6, 20, 59, tzinfo=UTC)
    feed = Feed(at=friday - timedelta(seconds=20))
    feed.live(looks=20)
    stamped_ms = ms(friday) + 2 * HOUR_S * 1000
    feed.at = datetime(2026, 3, 8, 21, 5, tzinfo=UTC)
    feed.offset_s = 3 * HOUR_S
    feed.still(looks=1)
    feed.live(looks=10, every_s=10)
    assert feed.clock.offset_s == 3 * HOUR_S

    assert restated(stamped_ms, feed.clock, feed.at) - 3 * HOUR_S * 1000 == ms(friday)
    assert restated(feed.tick_ms, feed.clock, feed.at) == feed.tick_ms


def test_what_was_stamped_since_the_sunday_of_a_change_is_new_though_nobody_looked() -> None:
    """Reckoner stood still from before the weekend to Monday noon; a stop was hit at 08:00 UTC."""
    feed = Feed(
        at=datetime(2026, 3, 9, 12, 0, tzinfo=UTC),
        offset_s=3 * HOUR_S,
        clock=BrokerClock(offset_s=2 * HOUR_S),
    )
    feed.live(looks=60)
    assert feed.clock.offset_s == 3 * HOUR_S

    friday, monday = (datetime(2026, 3, day, 8, 0, tzinfo=UTC) for day in (6, 9))
    assert (
        restated(ms(friday) + 2 * HOUR_S * 1000, feed.clock, feed.at)
        == ms(friday) + 3 * HOUR_S * 1000
    )
    assert (
        restated(ms(monday) + 3 * HOUR_S * 1000, feed.clock, feed.at)
        == ms(monday) + 3 * HOUR_S * 1000
    )


def test_a_clock_put_back_reads_the_hour_that_is_stamped_twice_as_the_later_one() -> None:
    """Coins trade through the change: 03:30 to 04:30 is stamped before it and after."""
    change_at = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    feed = Feed(at=change_at - timedelta(seconds=100), offset_s=3 * HOUR_S)
    feed.live(looks=100)
    feed.offset_s = 2 * HOUR_S
    feed.live(looks=60)
    assert feed.clock.offset_s == 2 * HOUR_S

    just_before = change_at - timedelta(seconds=10)
    assert restated(ms(just_before) + 3 * HOUR_S * 1000, feed.clock, feed.at) == (
        ms(just_before) + 2 * HOUR_S * 1000
    ), "as the later one it would lie an hour ahead"
    long_before, after = change_at - timedelta(hours=2), change_at + timedelta(seconds=50)
    assert restated(ms(long_before) + 3 * HOUR_S * 1000, feed.clock, feed.at) == (
        ms(long_before) + 2 * HOUR_S * 1000
    )
    assert (
        restated(ms(after) + 2 * HOUR_S * 1000, feed.clock, feed.at)
        == ms(after) + 2 * HOUR_S * 1000
    )


def test_a_correction_that_is_no_daylight_saving_changes_no_old_time() -> None:
    feed = Feed(clock=BrokerClock(offset_s=0))

    feed.live(looks=60)

    assert feed.clock.offset_s == 2 * HOUR_S
    assert feed.clock.change is None
    assert restated(5, feed.clock, feed.at) == 5


def test_a_change_is_kept_from_the_last_price_that_still_agreed() -> None:
    clock = BrokerClock(offset_s=7200, change=Change(before_s=10_800, until_ms=1_000_000))

    assert restated(999_999, clock, MONDAY) == 999_999 - 3_600_000
    assert restated(1_000_000, clock, MONDAY) == 1_000_000


# --- what must not be believed -------------------------------------------------------------------


def test_a_closed_weekend_changes_nothing() -> None:
    feed = Feed(at=datetime(2026, 11, 20, 21, 58, tzinfo=UTC))
    feed.live(looks=60)
    feed.still(looks=6000, every_s=29)

    assert feed.clock.offset_s == 2 * HOUR_S


def test_prices_of_hours_ago_shown_after_a_reconnect_are_not_fresh() -> None:
    """The link was down from 19:00; on Saturday the terminal catches up with Friday's last hours.

    Each catch-up is a whole number of quarter hours old, the worst case.
    """
    for age_quarters in range(1, 60):
        feed = Feed(at=datetime(2026, 11, 20, 19, 0, tzinfo=UTC))
        feed.live(looks=20)
        feed.at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        feed.still(looks=3)
        last = feed.at - timedelta(minutes=15) * age_quarters
        for seconds_before in (20, 12, 7, 3, 1, 0):
            feed.shown(last - timedelta(seconds=seconds_before))
        feed.still(looks=600)
        assert feed.clock.offset_s == 2 * HOUR_S


def test_a_burst_of_old_prices_is_no_first_offset_either() -> None:
    feed = Feed(at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    feed.tick_ms = ms(datetime(2026, 11, 20, 19, 0, tzinfo=UTC)) + 7_200_000
    feed.still(looks=3)
    last = feed.at - timedelta(minutes=15)
    for seconds_before in (9, 8, 7, 6, 5, 4, 3, 2, 1):
        feed.shown(last - timedelta(seconds=seconds_before))
    feed.still(looks=600)

    assert feed.clock.offset_s is None


def test_a_market_that_opens_later_tells_it_then() -> None:
    feed = Feed(at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    feed.tick_ms = ms(datetime(2026, 11, 20, 21, 59, 59, tzinfo=UTC)) + 7_200_000
    feed.still(looks=1000, every_s=30)
    assert feed.clock.offset_s is None

    feed.live(looks=12)
    assert feed.clock.offset_s == 2 * HOUR_S


@pytest.mark.parametrize("jump_s", [-HOUR_S, HOUR_S])
def test_a_passing_jump_of_our_own_clock_changes_nothing(jump_s: int) -> None:
    feed = Feed()
    feed.live(looks=60)
    feed.ours_wrong_s = jump_s
    feed.live(looks=30)
    feed.ours_wrong_s = 0
    feed.live(looks=30)

    assert feed.clock.offset_s == 2 * HOUR_S
    assert feed.clock.change is None


@pytest.mark.parametrize("jump_s", [-HOUR_S, HOUR_S])
def test_our_own_clock_is_what_utc_means(jump_s: int) -> None:
    """Set for good, it is believed: instants must agree with the clock all else goes by."""
    feed = Feed()
    feed.live(looks=60)
    feed.ours_wrong_s = jump_s
    feed.live(looks=60)

    assert feed.clock.offset_s == 2 * HOUR_S - jump_s


@given(
    offset_quarters=st.integers(-48, 56),
    pauses_s=st.lists(st.floats(0.05, 59), min_size=1, max_size=60),
    ages_s=st.lists(st.floats(0, 20), min_size=60, max_size=60),
)
def test_whatever_comes_of_a_true_feed_is_the_true_offset_or_nothing(
    offset_quarters: int, pauses_s: list[float], ages_s: list[float]
) -> None:
    """Prices may be late, looks irregular: an offset that is believed is the right one."""
    feed = Feed(offset_s=offset_quarters * 900)
    for pause_s, age_s in zip(pauses_s, ages_s, strict=False):
        feed.at += timedelta(seconds=pause_s)
        feed.tick_ms = max(
            feed.tick_ms, ms(feed.at - timedelta(seconds=age_s)) + feed.offset_s * 1000
        )
        feed.look()
        assert feed.clock.offset_s in {None, offset_quarters * 900}
