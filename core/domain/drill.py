"""A rehearsal of closing: what would block it now, how long it would take, when the next is due."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from statistics import quantiles

from msgspec import Struct

from core.domain.alert_parts import Blocked
from core.domain.broker import AccountSnapshot, Position
from core.domain.close_request import pieces
from core.domain.closing import FLAT_GAP_S, REQUESTS_PER_ROUND_MAX
from core.domain.freshness import STALE_AFTER
from core.domain.retcodes import RetcodeClass, outcome
from core.domain.sessions import usual_open

WOULD_BE_TAKEN = 0
"""What `order_check` answers for a request that would be taken (facts: mt5, 1.2)."""
MAKE_UP = timedelta(hours=12)
"""A rehearsal missed for longer than this waits for its next week."""
WEEK_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SENDS_MIN = 5
"""Requests of the account's own that must have been answered before their times are gone by."""


class Slot(Struct, frozen=True):
    """A moment of each week: `weekday` 0 is Monday, `at` in UTC."""

    weekday: int
    at: time

    def latest(self, now: datetime) -> datetime:
        """The last such moment up to now."""
        day = now.astimezone(UTC).date()
        made = datetime.combine(day, self.at, UTC)
        made -= timedelta(days=(made.weekday() - self.weekday) % len(WEEK_DAYS))
        return made if made <= now else made - timedelta(days=len(WEEK_DAYS))


def due_slot(slot: Slot | None, now: datetime) -> datetime | None:
    """The moment whose rehearsal is due, as long as it is made up for; None for none."""
    if slot is None:
        return None
    latest = slot.latest(now)
    return latest if now - latest <= MAKE_UP else None


class Timing(Struct, frozen=True, kw_only=True):
    """How long things take, seconds. `read_s`: one reading. `send_s`: one request, None unknown.

    `from_sends`: by the account's own closes, else by how long its terminal took to answer now.
    """

    read_s: float
    send_s: float | None
    from_sends: bool


class Drilled(Struct, frozen=True, kw_only=True):
    """What the rehearsal of one account showed; nothing was sent.

    `blocks` is empty where it could be closed now. `requests` are those that closing takes, with
    positions in `pieces` more than one each; `untried` of them were not tried. `close_s` and
    `proof_s`: how long closing and proving would take, without a countdown. `opens_at`: when a
    closed market that blocks usually opens. `margin_level_percent` and `stop_out_percent` are the
    account's now.
    """

    account_id: int
    login: int
    client: str
    blocks: tuple[Blocked, ...] = ()
    positions: int = 0
    orders: int = 0
    requests: int = 0
    split: int = 0
    untried: int = 0
    fifo: bool = False
    close_s: float | None = None
    proof_s: float | None = None
    from_sends: bool = False
    margin_level_percent: str | None = None
    stop_out_percent: str | None = None
    opens_at: datetime | None = None

    @property
    def ready(self) -> bool:
        """Whether the account could be closed now."""
        return not self.blocks


def refused(position: Position, retcode: int, comment: str) -> Blocked | None:
    """What an answer of `order_check` to a position's close says; None where it would be taken.

    That an older one has to go first is no obstacle: it does.
    """
    if retcode == WOULD_BE_TAKEN:
        return None
    row = outcome(retcode, comment)
    if row.answer in {RetcodeClass.ACCEPTED, RetcodeClass.GONE, RetcodeClass.OLDEST_FIRST}:
        return None
    return Blocked(
        word=row.trouble or "rejected",
        ticket=position.ticket,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        code=retcode,
        detail=comment,
    )


def resting(snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Held symbols whose prices stand still, so that their market is probably closed.

    `order_check` looks at the request and the account, not surely at the session.
    """
    held = {p.symbol for p in snapshot.positions} | {o.symbol for o in snapshot.orders}
    ticks = snapshot.ticks
    return tuple(
        symbol
        for symbol in sorted(held)
        if symbol in ticks and snapshot.observed_at - ticks[symbol].at >= STALE_AFTER
    )


def opens_at(snapshot: AccountSnapshot, symbols: Sequence[str]) -> datetime | None:
    """When the first of these markets usually opens, where that is known."""
    specs, now = snapshot.symbols, snapshot.observed_at
    known = (usual_open(symbol, specs.get(symbol), now) for symbol in symbols)
    return min((at for at in known if at is not None), default=None)


def requests(snapshot: AccountSnapshot) -> tuple[int, int]:
    """How many requests closing everything takes, and the most that one position takes."""
    each = [len(pieces(p.volume, snapshot.symbols.get(p.symbol))) for p in snapshot.positions]
    return len(snapshot.orders) + sum(each), max(each, default=0)


def closing_s(count: int, longest: int, timing: Timing) -> float | None:
    """Seconds until everything is sent: requests one by one, a reading between rounds.

    A position's pieces each wait for a reading. None where no request's time is known.
    """
    if timing.send_s is None:
        return None
    rounds = max(-(-count // REQUESTS_PER_ROUND_MAX), longest)
    return count * timing.send_s + rounds * timing.read_s


def proof_s(timing: Timing) -> float:
    """Seconds of the proof: two readings, the second begun the gap after the first (law 7)."""
    return FLAT_GAP_S + 2 * timing.read_s


def timing(read_s: float, sends_s: Sequence[float], checks_s: Sequence[float]) -> Timing:
    """The 95th percentile of the account's own closes; without enough of them, of the checks."""
    if len(sends_s) >= SENDS_MIN:
        return Timing(read_s=read_s, send_s=quantiles(sends_s, n=20)[-1], from_sends=True)
    slowest = max(checks_s, default=None)
    return Timing(read_s=read_s, send_s=slowest, from_sends=False)


def by_symbol(symbols: Sequence[str]) -> tuple[Blocked, ...]:
    """Markets that are probably closed, as blocks."""
    return tuple(Blocked(word="market_closed", symbol=symbol) for symbol in symbols)


def audited(drilled: Drilled) -> Mapping[str, object]:
    """What the audit keeps of it."""
    return {
        "ready": drilled.ready,
        "blocks": drilled.blocks,
        "positions": drilled.positions,
        "orders": drilled.orders,
        "requests": drilled.requests,
        "untried": drilled.untried,
        "close_ms": None if drilled.close_s is None else round(drilled.close_s * 1000),
    }
