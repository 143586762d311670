"""What is usual of a symbol at one server: its move in a minute, its spread in each hour.

Learned from the quotes that were read, one sample a minute, the oldest forgotten. With fewer than
the least number of samples nothing is said (law 14): a rule that asks for a multiple is silent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import Tick
from core.domain.money import HUNDRED

SAMPLE_EVERY = timedelta(minutes=1)
MOVE_TAKES_MAX = timedelta(minutes=2)
"""A move that took longer is no move of a minute, and no sample."""
MOVES_MAX = 240
"""Moves remembered of a symbol: four hours of quotes."""
MOVES_MIN = 30
"""From so many on the typical move is known."""
SPREADS_MAX = 180
"""Spreads remembered of each hour of the broker's day: three days of it."""
SPREADS_MIN = 20
"""From so many on the typical spread of that hour is known."""
MOVE_UNIT_PERCENT = Decimal("0.000001")
SATURDAY = 5
DAY = timedelta(days=1)


class Usual(Struct, frozen=True, kw_only=True, gc=False):
    """Samples and their medians.

    `moves`: changes of the mid in a minute, in millionths of a percent. `spreads`: per hour of the
    broker's day, in points. `marked`: the quote that the next move is measured from.
    `move_percent` and `spread_points` are the medians, where there are enough samples.
    """

    moves: tuple[int, ...] = ()
    spreads: Mapping[int, tuple[int, ...]] = {}
    marked: Tick | None = None
    move_percent: Decimal | None = None
    spread_points: Mapping[int, Decimal] = {}


def of_samples(moves: Sequence[int], spreads: Mapping[int, Sequence[int]]) -> Usual:
    """What is usual by samples that were kept; no more than may be remembered."""
    kept = {hour: tuple(points)[-SPREADS_MAX:] for hour, points in spreads.items()}
    known = tuple(moves)[-MOVES_MAX:]
    medians = {hour: _median(points) for hour, points in kept.items() if len(points) >= SPREADS_MIN}
    return Usual(
        moves=known, spreads=kept, move_percent=_typical_move(known), spread_points=medians
    )


def learned(usual: Usual, tick: Tick, point: Decimal, hour: int) -> Usual:
    """The same after one more quote; unchanged within a minute of the last sample.

    A first quote, and one after a break, is only marked.
    """
    marked = usual.marked
    if marked is not None and tick.at - marked.at < SAMPLE_EVERY:
        return usual
    spreads = (*usual.spreads.get(hour, ()), _points(tick, point))[-SPREADS_MAX:]
    medians = dict(usual.spread_points)
    if len(spreads) >= SPREADS_MIN:
        medians[hour] = _median(spreads)
    moves = usual.moves
    if marked is not None and tick.at - marked.at <= MOVE_TAKES_MAX:
        moves = (*moves, _move(marked, tick))[-MOVES_MAX:]
    return Usual(
        moves=moves,
        spreads={**usual.spreads, hour: spreads},
        marked=tick,
        move_percent=usual.move_percent if moves is usual.moves else _typical_move(moves),
        spread_points=medians,
    )


def unmarked(usual: Usual) -> Usual:
    """The same, the next move to be measured from the next quote."""
    return replace(usual, marked=None)


def server_hour(at: datetime, server_offset_s: int) -> int:
    """The hour of the broker's day."""
    return (at + timedelta(seconds=server_offset_s)).hour


def expected_move(usual: Usual, open_for: timedelta) -> Decimal | None:
    """The typical move in so much open time, percent; None where it is not known.

    Moves grow with the root of the time, as those of a random walk do; never less than a minute's.
    """
    if usual.move_percent is None or usual.move_percent <= 0:
        return None
    minutes = Decimal(max(open_for, SAMPLE_EVERY) // timedelta(seconds=1)) / 60
    return usual.move_percent * minutes.sqrt()


def open_time(since: datetime, until: datetime, server_offset_s: int) -> timedelta:
    """The time between two instants without the weekends of the broker's calendar."""
    shift = timedelta(seconds=server_offset_s)
    at, end = since + shift, until + shift
    length = max(end - at, timedelta())
    weeks = length // timedelta(weeks=1)
    at += weeks * timedelta(weeks=1)
    rest = timedelta()
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    saturday = midnight + (SATURDAY - at.weekday()) * DAY
    for start in (saturday, saturday + timedelta(weeks=1)):
        rest += max(min(end, start + 2 * DAY) - max(at, start), timedelta())
    return length - rest - weeks * 2 * DAY


def _typical_move(moves: Sequence[int]) -> Decimal | None:
    return _median(moves) * MOVE_UNIT_PERCENT if len(moves) >= MOVES_MIN else None


def _median(samples: Sequence[int]) -> Decimal:
    ordered, half = sorted(samples), len(samples) // 2
    if len(ordered) % 2:
        return Decimal(ordered[half])
    return Decimal(ordered[half - 1] + ordered[half]) / 2


def _move(before: Tick, after: Tick) -> int:
    percent = abs(after.mid - before.mid) * HUNDRED / before.mid
    return int((percent / MOVE_UNIT_PERCENT).to_integral_value(ROUND_HALF_EVEN))


def _points(tick: Tick, point: Decimal) -> int:
    return int(((tick.ask - tick.bid) / point).to_integral_value(ROUND_HALF_EVEN))
