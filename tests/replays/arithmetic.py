"""What a recording should have led to, worked out from the file and the instants of the reads.

Nothing here comes from the engine: gaps, spreads, what is usual, drawdown and results are computed
anew, in straight loops over the reads of the account that holds the symbol.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from tests.replays.harness import Quoted, Recording

D = Decimal
CENT = D("0.01")


@dataclass
class Jump:
    """A gap found at a read: from which quote to which."""

    at: datetime
    before: Quoted
    after: Quoted
    percent: Decimal


@dataclass
class Wide:
    """An episode of wide spreads, pips."""

    opened: datetime
    worst: Decimal
    limit: Decimal
    resolved: datetime | None = None


@dataclass
class Minutes:
    """One sample a minute: moves in percent, spreads in pips by hour."""

    marked: Quoted | None = None
    moves: list[Decimal] = field(default_factory=list)
    spreads: dict[int, list[Decimal]] = field(default_factory=dict)

    def learn(self, quote: Quoted, hour: int, pip: Decimal) -> None:
        """Take a sample where a minute has passed."""
        before = self.marked
        if before is not None and quote.at - before.at < timedelta(minutes=1):
            return
        if before is not None and quote.at - before.at <= timedelta(minutes=2):
            self.moves.append(abs(quote.mid - before.mid) / before.mid * 100)
        self.spreads.setdefault(hour, []).append((quote.ask - quote.bid) / pip)
        self.marked = quote


def gaps(
    reads: Sequence[datetime], file: Recording, percent: Decimal, settle: timedelta
) -> list[Jump]:
    """Jumps of so many percent between the quotes that were read, settled ones after a break."""
    found: list[Jump] = []
    last: Quoted | None = None
    before: Quoted | None = None
    settles_at: datetime | None = None
    for at in reads:
        quote = file.known(at)
        if last is not None and before is None and quote.at - last.at >= timedelta(minutes=30):
            before, settles_at = last, at + settle
        if settles_at is not None and at < settles_at:
            last = quote
            continue
        earlier = before or last
        if earlier is not None and quote.at > earlier.at:
            moved = abs(quote.mid - earlier.mid) / earlier.mid * 100
            if moved >= percent:
                found.append(Jump(at, earlier, quote, moved.quantize(CENT)))
        last, before, settles_at = quote, None, None
    return found


def unusual(
    reads: Sequence[datetime],
    file: Recording,
    pip: Decimal,
    limit_pips: Decimal,
    hour: Callable[[datetime], int],
) -> tuple[list[Wide], list[Jump]]:
    """By the limit, or by five medians of the hour and twenty typical moves of a minute.

    Of reads a minute apart at most, without a break: time is not scaled. Moves of 0.1 % at least,
    spreads of half the limit at least. An episode is over after half a minute at 80 % of its limit.
    """
    wide: list[Wide] = []
    jumps: list[Jump] = []
    known, last, calm = Minutes(), None, None
    for at in reads:
        quote = file.known(at)
        pips = (quote.ask - quote.bid) / pip
        samples = known.spreads.get(hour(at), [])
        limit = limit_pips
        if pips <= limit and len(samples) >= 20:
            limit = max(5 * median(samples), limit_pips / 2)
        if last is not None and quote.at > last.at:
            moved = abs(quote.mid - last.mid) / last.mid * 100
            if len(known.moves) >= 30 and moved >= max(20 * median(known.moves), D("0.1")):
                jumps.append(Jump(at, last, quote, moved))
        if wide and wide[-1].resolved is None:
            one = wide[-1]
            one.worst = max(one.worst, pips) if pips > limit else one.worst
            calm = (calm or at) if pips <= one.limit * D("0.8") else None
            if calm is not None and at - calm >= timedelta(seconds=30):
                one.resolved, calm = at, None
        elif pips > limit:
            wide.append(Wide(at, pips, limit))
        if last is None or quote.at > last.at:
            known.learn(quote, hour(at), pip)
        last = quote
    return wide, jumps


@dataclass
class Course:
    """Equity, peak and drawdown at each read of one position in dollars."""

    breach: datetime | None = None
    equity: Decimal = Decimal()
    peak: Decimal = Decimal()
    fallen: Decimal = Decimal()


def follow(
    reads: Sequence[datetime], worth: Callable[[datetime], Decimal], limit_percent: Decimal
) -> Course:
    """The peak of all reads, and the read at which equity was so far below it."""
    course = Course()
    for at in reads:
        course.equity = worth(at)
        course.peak = max(course.peak, course.equity)
        course.fallen = (course.peak - course.equity) * 100 / course.peak
        if course.fallen >= limit_percent:
            course.breach = at
            break
    return course


def rounded(amount: Decimal) -> Decimal:
    """To the cent, as brokers do."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def first_close(
    holder: Sequence[datetime],
    others: Sequence[datetime],
    file: Recording,
    deadline: datetime,
    wide: Decimal,
    wait: timedelta,
) -> datetime:
    """When a close that is due at a deadline begins: at once, or once the spread is narrow.

    The deadline is looked at after every account's read, by the quote the holder's last one had.
    """

    def narrow(at: datetime) -> bool:
        quote = file.known(max(r for r in holder if r <= at))
        return quote.ask - quote.bid <= wide

    due = min(at for at in (*holder, *others) if at >= deadline)
    if narrow(due):
        return due
    return min(at for at in holder if at > due and (narrow(at) or at >= deadline + wait))
