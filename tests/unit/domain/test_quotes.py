"""What one quote says: gaps, spreads, still prices; and when nothing may be said."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.broker import Side, SymbolSpec, Tick
from core.domain.quotes import (
    Action,
    Earlier,
    MarketPolicy,
    Reading,
    Seen,
    Track,
    WarningRule,
    Window,
    gap,
    look,
    spread,
)
from core.domain.usual import MOVES_MIN, SPREADS_MIN, Usual, of_samples
from tests.unit.domain.make import EURUSD, NOW, USDJPY, D, at, position, spec, tick

POLICY = MarketPolicy(
    gap_percent=D(5),
    spread_pips=D("2.5"),
    spread_pips_by_symbol={"XAUUSD": D(10)},
    pip_by_symbol={"XAUUSD": D("0.10")},
    grace_s=120,
    hold_s=900,
    gap_multiple=D(20),
    spread_multiple=D(5),
    gap_action=Action.CLOSE,
    spread_action=Action.BLOCK,
    unusual_action=Action.WARN,
    still_action=Action.BLOCK,
    settle_s=60,
    mute=Window(time(23, 55), time(0, 15)),
)


def gold(bid: str, ask: str, s: float = 1) -> Tick:
    """A quote of gold."""
    return tick("XAUUSD", bid, ask, s)


def moves(percent: str, count: int = MOVES_MIN) -> Usual:
    """A symbol that moved so much in each minute."""
    return of_samples([int(D(percent) * 1_000_000)] * count, {})


def spreads(points: int, hour: int, count: int = SPREADS_MIN) -> Usual:
    """A symbol quoted so wide in one hour."""
    return of_samples([], {hour: [points] * count})


def earlier(one: Tick) -> Earlier:
    """The middle of an earlier quote."""
    return Earlier(price=one.mid, at=one.at)


def known(one: Tick, *, seen: float | None = None, **changes: Any) -> Track:
    """What is remembered of gold: this quote, read when it came."""
    facts: dict[str, Any] = {
        "tick": one,
        "spec": spec(),
        "seen_at": one.at if seen is None else at(seen),
        "server_offset_s": 0,
        "usual": Usual(),
        **changes,
    }
    return Track(**facts)


def judged(
    before: Track | None, one: Tick, now: datetime | None = None, **changes: Any
) -> tuple[Track, Seen]:
    """One reading of gold at the instant of its quote, or later."""
    facts: dict[str, Any] = {"tick": one, "spec": spec(), "now": now or one.at}
    reading = Reading(**{**facts, "server_offset_s": 0, **changes})
    return look(before, reading, POLICY)


# --- gaps by the set percentage -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "bid", "ask", "figure"),
    [
        (("1999", "2001"), "2099", "2101", "5.00"),  # exactly 5 % up
        (("1999", "2001"), "2098.99", "2100.99", None),  # a cent less
        (("1999", "2001"), "1899", "1901", "5.00"),  # and down
        (("1999", "2001"), "1899.01", "1901.01", None),
        (("1999", "2001"), "2899", "3101", "50.00"),
        (("0", "0"), "2000", "2001", None),  # no market before
        (("1999", "2001"), "0", "0", None),  # no market now: nothing to close at, no jump
        (("1999", "2001"), "0", "2001", None),
        (("2001", "1999"), "2899", "3101", None),  # crossed
        (("1999", "2001"), "3101", "2899", None),
    ],
)
def test_a_gap_is_a_jump_of_the_mid_between_two_markets(
    before: tuple[str, str], bid: str, ask: str, figure: str | None
) -> None:
    _, seen = judged(known(gold(*before, s=0)), gold(bid, ask))
    assert (seen.jump and seen.jump.figure) == (figure and D(figure))
    if seen.jump is not None:
        assert (seen.jump.rule, seen.jump.action) == (WarningRule.LIMIT, Action.CLOSE)


@pytest.mark.parametrize(("s", "seen"), [(0, False), (0.001, True)])
def test_only_a_fresh_tick_can_jump(*, s: float, seen: bool) -> None:
    _, said = judged(known(gold("2000", "2000", s=0)), gold("3000", "3000", s=s))
    assert (said.jump is not None) is seen
    assert judged(None, gold("3000", "3000", s=s))[1].jump is None


# --- unusual moves --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent_after", "minutes", "figure"),
    [
        # Typical 0.02 % a minute, twenty times that is 0.4 %.
        ("0.4", 1, "0.4"),
        ("0.399", 1, None),
        # Within a minute a minute's move is what is typical: seconds are not scaled down.
        ("0.4", 0.05, "0.4"),
        ("0.399", 0.05, None),
        # In four minutes twice as much is typical, in 25 five times.
        ("0.8", 4, "0.8"),
        ("0.799", 4, None),
        ("2.0", 25, "2.0"),
        ("1.999", 25, None),
    ],
)
def test_an_unusual_move_is_measured_in_typical_moves_of_its_time(
    percent_after: str, minutes: float, figure: str | None
) -> None:
    after = D(2000) * (100 + D(percent_after)) / 100
    one = Tick(symbol="XAUUSD", bid=after, ask=after, at=at(minutes * 60))
    alarm = gap(earlier(gold("2000", "2000", s=0)), one, moves("0.02"), POLICY)
    assert (alarm and alarm.figure) == (figure and D(figure))
    if alarm is not None:
        assert (alarm.rule, alarm.action) == (WarningRule.TYPICAL, Action.WARN)


@pytest.mark.parametrize(
    ("count", "typical", "said"),
    [(MOVES_MIN - 1, "0.02", False), (MOVES_MIN, "0.02", True), (MOVES_MIN, "0", False)],
)
def test_without_enough_moves_nothing_is_called_unusual(
    *, count: int, typical: str, said: bool
) -> None:
    """Too few, or a price that mostly stood still: no multiple can be taken."""
    one = gold("2020", "2020", s=3)
    alarm = gap(earlier(gold("2000", "2000", s=0)), one, moves(typical, count), POLICY)
    assert (alarm is not None) is said


def test_a_tiny_move_is_not_told_however_quiet_it_was() -> None:
    """0.1 % at least; a quiet symbol moves 0.001 % a minute."""
    for after, said in (("2001.98", False), ("2002.00", True)):
        one = gold(after, after, s=3)
        alarm = gap(earlier(gold("2000", "2000", s=0)), one, moves("0.001"), POLICY)
        assert (alarm is not None) is said


def test_a_weekend_is_no_time_in_which_a_move_is_typical() -> None:
    """Friday 23:59 to Monday 00:00 by the broker's clock: one minute of open market."""
    friday = datetime(2026, 3, 6, 23, 59, tzinfo=UTC)
    before = Earlier(price=D(2000), at=friday)
    open_again = friday + timedelta(hours=48, minutes=1)
    monday = Tick(symbol="XAUUSD", bid=D(2008), ask=D(2008), at=open_again)
    assert gap(before, monday, moves("0.02"), POLICY) is not None
    tuesday = replace(monday, at=monday.at + timedelta(hours=24))
    assert gap(before, tuesday, moves("0.02"), POLICY) is None


# --- what a quote is compared with ----------------------------------------------------------------


def test_a_gap_over_a_restart_is_compared_with_the_quote_kept() -> None:
    """Down for a quarter of an hour; the quote kept is of before."""
    _, seen = judged(known(gold("2000", "2000", s=0)), gold("1800", "1800", s=900))
    assert seen.jump is not None
    assert (seen.jump.before, seen.jump.before_at) == (D(2000), at(0))


def test_after_a_day_of_open_market_without_looking_there_is_no_comparison() -> None:
    """24 h of a week without its weekend; what moved in that time is no jump."""
    day = timedelta(hours=24).total_seconds()
    for later, said in ((day, True), (day + 1, False)):
        before, _ = judged(known(gold("2000", "2000", s=0)), gold("1800", "1800", s=later))
        assert (before.before is not None) is said


def test_a_market_that_was_silent_while_it_was_looked_at_is_compared_however_long() -> None:
    """Thursday to Monday without a quote, read all the time: the reopening is a gap."""
    days = timedelta(days=4).total_seconds()
    before = known(gold("2000", "2000", s=0), seen=days - 10)
    track, seen = judged(before, gold("1800", "1800", s=days))
    assert seen.jump is None, "the first quote settles"
    _, seen = judged(track, gold("1801", "1801", s=days + 60))
    assert seen.jump is not None
    assert (seen.jump.before, seen.jump.after) == (D(2000), D(1801))


@pytest.mark.parametrize(
    ("side", "price_open", "bid", "ask", "s", "figure"),
    [
        (Side.BUY, "2000", "1899", "1900", 60, "5.00"),  # bought at an ask of 2000
        (Side.BUY, "2000", "1898", "1901", 60, None),
        (Side.SELL, "2000", "2100", "2101", 60, "5.00"),  # sold at a bid of 2000
        (Side.SELL, "2000", "2099", "2103", 60, None),
        (Side.BUY, "2000", "1899", "1900", 300, "5.00"),
        (Side.BUY, "2000", "1899", "1900", 301, None),  # five minutes, and no longer
    ],
)
def test_the_fill_of_a_position_just_opened_is_a_quote_to_compare_with(
    side: Side, price_open: str, bid: str, ask: str, s: float, figure: str | None
) -> None:
    opened = position(side=side, price_open=D(price_open), opened_at=at(0))
    # Also where an older quote is known, from before nobody held it any more.
    for before in (None, known(gold("1500", "1500", s=-3600))):
        _, seen = judged(before, gold(bid, ask, s=s), opened=opened)
        assert (seen.jump and seen.jump.figure) == (figure and D(figure))


# --- the open -------------------------------------------------------------------------------------


def test_after_a_break_nothing_is_judged_until_the_market_has_settled() -> None:
    """A bad first quote is not what is acted upon; the quote after a minute is."""
    half_hour = 1800
    track, seen = judged(known(gold("2000", "2000", s=0)), gold("1700", "1760", s=half_hour))
    assert (seen.jump, seen.wide, seen.pips) == (None, None, None)
    track, seen = judged(track, gold("1750", "1760", s=half_hour + 59.9))
    assert (seen.jump, seen.wide) == (None, None)
    assert track.lasting == gold("2000", "2000", s=0), "a restart now still compares with it"
    settled, seen = judged(track, gold("1990", "1990.5", s=half_hour + 60))
    assert (seen.jump, seen.wide) == (None, None), "it came back: no gap after all"
    assert settled.before is None
    same, seen = judged(track, gold("1750", "1760", s=half_hour + 59.9), now=at(half_hour + 61))
    assert seen.jump is not None, "without a new quote the last one counts"
    assert seen.wide is not None
    assert judged(same, gold("1750", "1760", s=half_hour + 62))[1].jump is None, "told once"


def test_a_pause_of_less_than_half_an_hour_is_no_break() -> None:
    _, seen = judged(known(gold("2000", "2000", s=0)), gold("1800", "1800", s=1799.9))
    assert seen.jump is not None


# --- spreads --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "bid", "ask", "figure"),
    [
        ("XAUUSD", "1970.00", "1971.00", None),  # 10 pips of 0.10: at the limit
        ("XAUUSD", "1970.00", "1971.01", "10.10"),
        ("EURUSD", "1.10000", "1.10025", None),  # 2.5 pips of 0.0001
        ("EURUSD", "1.10000", "1.10026", "2.60"),
        ("USDJPY", "150.000", "150.025", None),  # 2.5 pips of 0.01
        ("USDJPY", "150.000", "150.026", "2.60"),
        ("EURUSD", "0", "1.10026", None),  # one side is no market
        ("EURUSD", "1.10026", "1.10000", None),  # crossed
    ],
)
def test_a_spread_is_too_wide_past_its_limit(
    symbol: str, bid: str, ask: str, figure: str | None
) -> None:
    of: SymbolSpec = {"XAUUSD": spec(), "EURUSD": EURUSD, "USDJPY": USDJPY}[symbol]
    alarm = spread(tick(symbol, bid, ask), of, POLICY)
    assert (alarm and alarm.figure) == (figure and D(figure))


@pytest.mark.parametrize(
    ("points", "count", "ask", "said"),
    [
        # Usual 12 points of 0.01, 1.2 pips; five times that is 6 pips.
        (12, SPREADS_MIN, "1970.60", False),
        (12, SPREADS_MIN, "1970.61", True),
        (12, SPREADS_MIN - 1, "1970.61", False),  # too few to say
        # Usual 2 points: five times that is 1 pip, but within half the limit nothing is told.
        (2, SPREADS_MIN, "1970.50", False),
        (2, SPREADS_MIN, "1970.51", True),
        (0, SPREADS_MIN, "1970.51", False),  # no multiple of nothing
    ],
)
def test_a_spread_is_unusual_by_the_median_of_its_hour(
    *, points: int, count: int, ask: str, said: bool
) -> None:
    one = gold("1970.00", ask)
    before = known(gold("1970.00", "1970.30", s=0), usual=spreads(points, NOW.hour, count))
    _, seen = judged(before, one)
    assert (seen.wide is not None) is said
    if seen.wide is not None:
        assert (seen.wide.rule, seen.wide.action) == (WarningRule.TYPICAL, Action.WARN)
    other_hour = replace(before, usual=spreads(points, NOW.hour + 1, count))
    assert judged(other_hour, one)[1].wide is None


@pytest.mark.parametrize(
    ("hour", "minute", "offset_h", "muted"),
    [
        (23, 54, 0, False),
        (23, 55, 0, True),
        (0, 14, 0, True),
        (0, 15, 0, False),
        (21, 55, 2, True),  # the broker's clock counts
        (23, 55, 2, False),
    ],
)
def test_the_turn_of_the_brokers_day_is_mute_for_spreads_and_unusual_moves(
    *, hour: int, minute: int, offset_h: int, muted: bool
) -> None:
    """Not for gaps past the percentage, and a close that is due still sees the spread."""
    now = datetime(2026, 3, 4, hour, minute, tzinfo=UTC)
    before = known(Tick(symbol="XAUUSD", bid=D(2000), ask=D(2000), at=now - timedelta(seconds=3)))
    before = replace(before, usual=moves("0.02"), seen_at=before.tick.at)
    wide = Tick(symbol="XAUUSD", bid=D(2020), ask=D(2022), at=now)
    _, seen = judged(before, wide, server_offset_s=offset_h * 3600)
    assert (seen.wide is None) is muted
    assert (seen.pips is None) is muted
    assert (seen.jump is None) is muted
    assert seen.too_wide is not None
    far = replace(wide, bid=D(2200), ask=D(2202))
    assert judged(before, far, server_offset_s=offset_h * 3600)[1].jump is not None


# --- still prices ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, True),
        ({"age": 1199}, False),
        ({"newest": 61}, False),  # nothing moves there: told of the account, not of the symbol
        ({"newest": None}, False),
        ({"samples": SPREADS_MIN - 1}, False),  # not known to be quoted in this hour
        ({"trade_mode": 0}, False),  # disabled: no price is to be expected
        ({"now": datetime(2026, 3, 7, 10, tzinfo=UTC)}, False),  # a Saturday
    ],
)
def test_a_price_stands_still_while_others_of_its_server_move(
    *, change: dict[str, Any], said: bool
) -> None:
    now = change.get("now", NOW)
    quote = Tick(
        symbol="XAUUSD",
        bid=D("1970.00"),
        ask=D("1970.30"),
        at=now - timedelta(seconds=change.get("age", 1200)),
    )
    before = known(quote, usual=spreads(30, now.hour, change.get("samples", SPREADS_MIN)))
    newest = change.get("newest", 60)
    _, seen = judged(
        before,
        quote,
        now=now,
        spec=spec(trade_mode=change.get("trade_mode", 4)),
        newest_at=None if newest is None else now - timedelta(seconds=newest),
    )
    assert (seen.still is not None) is said
    if seen.still is not None:
        assert (seen.still.figure, seen.still.limit) == (D(1200), D(1200))
        assert seen.still.action is Action.BLOCK
