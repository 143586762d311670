"""Quotes in, faults out: a jump, a wide spread, a price that stands still.

What is remembered of each symbol at each server is a `Track`; one reading makes the next of it and
says what is wrong (`Seen`). Nothing is said of what cannot be known:

1. A jump needs an earlier quote: the last one seen, one kept over a restart, or the fill of a
   position just opened. After more than a day of open market without looking it is no comparison.
2. The first quotes after a break settle first; then the quote from before the break is compared.
3. While the broker's day turns, wide spreads and unusual moves are not looked at (rollover).
4. A symbol stands still only while others at its server move, in an hour it is quoted in.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal
from enum import StrEnum

from msgspec import Struct

from core.domain.broker import Position, Side, SymbolSpec, Tick
from core.domain.freshness import FRESH_WITHIN, in_session
from core.domain.money import HUNDRED
from core.domain.pips import by_symbol, in_pips, pip_size, point_size
from core.domain.usual import (
    SPREADS_MIN,
    Usual,
    expected_move,
    learned,
    open_time,
    server_hour,
    unmarked,
)

GAP_QUANTUM = Decimal("0.01")
UNUSUAL_QUANTUM = Decimal("0.0001")
PRICE_QUANTUM = Decimal("0.00000001")
"""What is stored of a price (law 11)."""
UNUSUAL_GAP_PERCENT_MIN = Decimal("0.1")
"""A smaller jump is never told, however many times the typical move it is."""
UNUSUAL_SPREAD_SHARE = Decimal("0.5")
"""A spread within this part of the symbol's limit is never told either."""
CALM_SHARE = Decimal("0.8")
"""A wide spread is over at or below this part of the limit it passed: hysteresis."""
BREAK_MIN = timedelta(minutes=30)
"""Quotes further apart have a break between them, after which the market settles."""
UNSEEN_MAX = timedelta(minutes=10)
"""Not looked at for longer, the time without a look counts, and not only the break."""
ABSENCE_MAX = timedelta(hours=24)
"""After more open time without a look, the last quote is no comparison."""
FILL_AGE_MAX = timedelta(minutes=5)
"""A fill is a quote to compare with for so long."""
TRADE_DISABLED = 0
"""SYMBOL_TRADE_MODE_DISABLED."""


class WarningKind(StrEnum):
    """What is wrong with the market of a symbol."""

    GAP = "gap"
    SPREAD = "spread"
    STILL = "still"


class WarningRule(StrEnum):
    """Which rule found it: a set limit, or a multiple of what is typical."""

    LIMIT = "limit"
    TYPICAL = "typical"


class Action(StrEnum):
    """What follows, the mildest first; each includes those before it."""

    WARN = "warn"
    BLOCK = "block"
    CLOSE = "close"


ACTIONS = tuple(Action)


class Window(Struct, frozen=True, gc=False):
    """A part of every day of the broker's clock; it may go over midnight."""

    begin: time
    end: time

    def holds(self, at: datetime, server_offset_s: int) -> bool:
        """Whether the instant lies in it; its end does not."""
        there = (at + timedelta(seconds=server_offset_s)).time()
        if self.begin <= self.end:
            return self.begin <= there < self.end
        return there >= self.begin or there < self.end


class MarketPolicy(Struct, frozen=True, kw_only=True):
    """Thresholds, times and actions of the market guard.

    Spreads in pips, gaps in percent of the mid. A multiple of 0 switches its rule off. `unusual`
    is what follows where only a multiple was passed. `close_spread_wait_s`: how long a close that
    is due waits for a wide spread to narrow before it is carried out all the same; 0 for not at
    all. `mute`: when spreads and unusual moves are not looked at, None for never.
    """

    gap_percent: Decimal
    spread_pips: Decimal
    spread_pips_by_symbol: Mapping[str, Decimal]
    pip_by_symbol: Mapping[str, Decimal]
    grace_s: float
    hold_s: float
    gap_multiple: Decimal = Decimal(0)
    spread_multiple: Decimal = Decimal(0)
    quote_age_s: float = 1200.0
    gap_action: Action = Action.CLOSE
    spread_action: Action = Action.WARN
    unusual_action: Action = Action.WARN
    still_action: Action = Action.WARN
    settle_s: float = 0.0
    close_spread_wait_s: float = 0.0
    mute: Window | None = None


class Alarm(Struct, frozen=True, kw_only=True, gc=False):
    """One quote's fault: the figure and the limit it passed; a gap's two prices.

    `figure` and `limit`: percent for a gap, pips for a spread, seconds for a still price.
    `typical`: the usual figure, in the same unit, None where too few quotes are known to say.
    """

    kind: WarningKind
    figure: Decimal
    limit: Decimal
    rule: WarningRule = WarningRule.LIMIT
    action: Action = Action.WARN
    typical: Decimal | None = None
    before: Decimal | None = None
    before_at: datetime | None = None
    after: Decimal | None = None


class Earlier(Struct, frozen=True, kw_only=True, gc=False):
    """A price from before, and whether it is a mid, an ask or a bid."""

    price: Decimal
    at: datetime
    of: str = "mid"


class Track(Struct, frozen=True, kw_only=True, gc=False):
    """What is remembered of one symbol at one server.

    `tick` is its last quote, `seen_at` when a reading last showed it. While the market settles
    after a break, `before` is the last quote from before it and `settles_at` when it has.
    """

    tick: Tick
    spec: SymbolSpec | None
    seen_at: datetime
    server_offset_s: int
    usual: Usual
    before: Tick | None = None
    settles_at: datetime | None = None

    @property
    def lasting(self) -> Tick:
        """The quote to compare with after a restart: not one of a market that settles."""
        return self.before or self.tick


class Seen(Struct, frozen=True, kw_only=True, gc=False):
    """What a reading says of one symbol.

    `pips` is None where nothing may be said of its spread: while it is muted or settles. `too_wide`
    is what a close would meet, muted or not. `resting` where no price is to be expected now.
    """

    jump: Alarm | None = None
    wide: Alarm | None = None
    too_wide: Alarm | None = None
    resting: bool = False
    still: Alarm | None = None
    pips: Decimal | None = None
    age: timedelta = timedelta()


class Reading(Struct, frozen=True, kw_only=True, gc=False):
    """One quote as read: `newest_at` is the newest quote of any other symbol at its server."""

    tick: Tick
    spec: SymbolSpec
    now: datetime
    server_offset_s: int
    opened: Position | None = None
    newest_at: datetime | None = None


def look(known: Track | None, reading: Reading, policy: MarketPolicy) -> tuple[Track, Seen]:
    """Judge one quote by what is remembered of its symbol, and remember it."""
    tick, now, offset_s = reading.tick, reading.now, reading.server_offset_s
    usual = known.usual if known else Usual()
    fresh = known is None or tick.at > known.tick.at
    before = known.before if known else None
    settles_at = known.settles_at if known else None
    fill = _fill(known, reading)
    if fill is not None:
        before = settles_at = None  # nearer than any quote from before it
    elif known is not None and fresh and before is None and _broken_off(known.tick, tick):
        usual = unmarked(usual)
        if _comparable(known, now, offset_s):
            before, settles_at = known.tick, now + timedelta(seconds=policy.settle_s)
    muted = policy.mute is not None and policy.mute.holds(now, offset_s)
    earlier = _earlier(known, reading, fill) if before is None else _of(before)
    settling = settles_at is not None and now < settles_at
    if before is not None and not settling:
        fresh = True  # settled: judged once, whether or not a new quote came with it
    jump = None
    if fresh and earlier is not None and not settling:
        jump = gap(earlier, tick, usual, policy, server_offset_s=offset_s, muted=muted)
    if not settling:
        before = settles_at = None
    quiet = muted or settling or not is_quoted(tick)
    hour = server_hour(now, offset_s)
    too_wide = spread(tick, reading.spec, policy, usual.spread_points.get(hour))
    pips = None if quiet else _pips(tick, reading.spec, policy)
    if fresh and not quiet:
        usual = learned(usual, tick, point_size(reading.spec), hour)
    track = Track(
        tick=tick if fresh or known is None else known.tick,
        spec=reading.spec,
        seen_at=now,
        server_offset_s=offset_s,
        usual=usual,
        before=before,
        settles_at=settles_at,
    )
    still = _still(track, reading, policy)
    return track, Seen(
        jump=jump,
        wide=None if quiet else too_wide,
        too_wide=too_wide,
        still=still,
        resting=not in_session(now, offset_s),
        pips=pips,
        age=now - track.tick.at,
    )


def gap(
    earlier: Earlier,
    tick: Tick,
    usual: Usual,
    policy: MarketPolicy,
    *,
    server_offset_s: int = 0,
    muted: bool = False,
) -> Alarm | None:
    """A jump between an earlier price and a fresh quote of both sides.

    By the set percent, or by a multiple of the typical move in the open time between the two.
    """
    if earlier.at >= tick.at or not is_quoted(tick) or earlier.price <= 0:
        return None
    after = {"mid": tick.mid, "ask": tick.ask, "bid": tick.bid}[earlier.of]
    percent = abs(after - earlier.price) * HUNDRED / earlier.price
    typical = expected_move(usual, open_time(earlier.at, tick.at, server_offset_s))
    shown = None if typical is None else typical.quantize(UNUSUAL_QUANTUM, ROUND_UP)
    rule, limit, action = WarningRule.LIMIT, policy.gap_percent, policy.gap_action
    quantum = GAP_QUANTUM
    if percent < policy.gap_percent:
        if muted or typical is None or policy.gap_multiple <= 0:
            return None
        least = max(typical * policy.gap_multiple, UNUSUAL_GAP_PERCENT_MIN)
        if percent < least:
            return None
        rule, action, quantum = WarningRule.TYPICAL, policy.unusual_action, UNUSUAL_QUANTUM
        limit = least.quantize(UNUSUAL_QUANTUM, ROUND_HALF_EVEN)
    return Alarm(
        kind=WarningKind.GAP,
        figure=percent.quantize(quantum, ROUND_HALF_EVEN),
        limit=limit,
        rule=rule,
        action=action,
        typical=shown,
        before=earlier.price.quantize(PRICE_QUANTUM, ROUND_HALF_EVEN).normalize(),
        before_at=earlier.at,
        after=after.quantize(PRICE_QUANTUM, ROUND_HALF_EVEN).normalize(),
    )


def spread(
    tick: Tick, spec: SymbolSpec, policy: MarketPolicy, typical_points: Decimal | None = None
) -> Alarm | None:
    """A spread wider than the symbol's limit, or than a multiple of what this hour has usually."""
    if not is_quoted(tick):
        return None
    own = by_symbol(policy.spread_pips_by_symbol, spec)
    limit = policy.spread_pips if own is None else own
    pips = _pips(tick, spec, policy)
    pip = pip_size(spec, policy.pip_by_symbol)
    typical = None if typical_points is None else in_pips(typical_points * point_size(spec), pip)
    rule, action = WarningRule.LIMIT, policy.spread_action
    if pips <= limit:
        if typical is None or typical <= 0 or policy.spread_multiple <= 0:
            return None
        limit = max(typical * policy.spread_multiple, limit * UNUSUAL_SPREAD_SHARE)
        if pips <= limit:
            return None
        rule, action = WarningRule.TYPICAL, policy.unusual_action
    return Alarm(
        kind=WarningKind.SPREAD, figure=pips, limit=limit, rule=rule, action=action, typical=typical
    )


def is_quoted(tick: Tick) -> bool:
    """Whether the tick is a market: both sides above zero, the ask not under the bid."""
    return 0 < tick.bid <= tick.ask


def graver(one: str, other: str) -> str:
    """Of two actions the one that does more."""
    return max(Action(one), Action(other), key=ACTIONS.index)


def includes(action: str, other: Action) -> bool:
    """Whether an action does what another does."""
    return ACTIONS.index(Action(action)) >= ACTIONS.index(other)


def _comparable(known: Track, now: datetime, server_offset_s: int) -> bool:
    """Whether the quote was looked at lately enough to say that the price jumped from it."""
    if now - known.seen_at <= UNSEEN_MAX:
        return True
    return open_time(known.seen_at, now, server_offset_s) <= ABSENCE_MAX


def _broken_off(before: Tick, after: Tick) -> bool:
    return after.at - before.at >= BREAK_MIN


def _fill(known: Track | None, reading: Reading) -> Earlier | None:
    """The fill of a position opened lately, where no quote was seen since it."""
    opened = reading.opened
    if opened is None or reading.now - opened.opened_at > FILL_AGE_MAX or opened.price_open <= 0:
        return None
    if known is not None and known.seen_at >= opened.opened_at:
        return None
    of = "ask" if opened.side is Side.BUY else "bid"
    return Earlier(price=opened.price_open, at=opened.opened_at, of=of)


def _earlier(known: Track | None, reading: Reading, fill: Earlier | None) -> Earlier | None:
    """The latest price known from before this quote."""
    if fill is not None:
        return fill
    if known is None or not _comparable(known, reading.now, reading.server_offset_s):
        return None
    return _of(known.tick)


def _of(tick: Tick) -> Earlier | None:
    return Earlier(price=tick.mid, at=tick.at) if is_quoted(tick) else None


def _pips(tick: Tick, spec: SymbolSpec, policy: MarketPolicy) -> Decimal:
    return in_pips(tick.ask - tick.bid, pip_size(spec, policy.pip_by_symbol))


def _still(track: Track, reading: Reading, policy: MarketPolicy) -> Alarm | None:
    """A price that stands still while others move, in an hour in which it is quoted usually."""
    now, offset_s, newest = reading.now, reading.server_offset_s, reading.newest_at
    age = now - track.tick.at
    if age < timedelta(seconds=policy.quote_age_s) or reading.spec.trade_mode == TRADE_DISABLED:
        return None
    if newest is None or now - newest > FRESH_WITHIN or not in_session(now, offset_s):
        return None
    if len(track.usual.spreads.get(server_hour(now, offset_s), ())) < SPREADS_MIN:
        return None
    return Alarm(
        kind=WarningKind.STILL,
        figure=Decimal(age // timedelta(seconds=1)),
        limit=Decimal(timedelta(seconds=policy.quote_age_s) // timedelta(seconds=1)),
        action=policy.still_action,
    )
