"""Closing until proved flat: what a close job does next, decided from the latest complete reading.

Invariants:

1. A ticket has at most one attempt whose outcome is open. An attempt is settled only by a reading
   begun after it, and an unknown one only after the quiet period (law 6).
2. Every request names a position or order ticket and a volume not above what that reading shows.
3. Pending orders of the scope are cancelled before positions are closed; neither waits for the
   other to succeed.
4. Done means confirmed flat (law 7): two complete readings at least `FLAT_GAP_S` apart, begun after
   the last request, no position and no order in scope, and for a whole account profit and margin
   zero.
5. A job never gives up. Refusals are retried with a growing, bounded pause.
6. No figure but the ticket and its volume is needed to close: a symbol without data holds up
   nothing.
7. A clock set back holds nothing up: an attempt dated after `now` counts as made now.
8. Where only the oldest position of a symbol may be closed (FIFO), a younger one never goes first.
9. The price may move further with each refusal for it, from the start to the bound of the policy.
10. A position that a deal says was closed, and that is shown as it was, is not sent for again
   before the reading has caught up, for at most `LAG_LONGEST_S`.
11. While a close that was only accepted (10008) is listed at work, neither is it cancelled nor its
   position closed again, for at most `AT_WORK_LONGEST_S`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import AccountSnapshot, DealEntry, PendingOrder, Position
from core.domain.close_request import CANCEL, CLOSE, Attempt, Refused, attempt
from core.domain.close_turn import CloseFirst, in_turn
from core.domain.flat import apart
from core.domain.results import COMMENT_PREFIX, DEAL_CLOCK_SLACK
from core.domain.retcodes import (
    INVALID_VOLUME,
    PLACED,
    REFUSALS_TOLD,
    Executed,
    OrderOutcome,
    RetcodeClass,
    outcome,
)
from core.domain.sessions import usual_open
from core.records import CloseJobRow, CloseOrderRow

ACCOUNT_SCOPE = "account"
FLAT_GAP_S = 1.0
"""The two readings that prove flatness begin at least this far apart (law 7)."""
REQUESTS_PER_ROUND_MAX = 25
"""Requests sent between two readings, so that a large account is re-read while it closes."""
DONE_IN_VAIN_TOLD = 3
"""Closes of one ticket that the server calls done, and that leave it there, before it is told."""
SETTLE_LONGEST_S = 30.0
SETTLE_S = 1.0
"""A server may say done before the position is gone (300 to 800 ms seen on ECN brokers)."""
AT_WORK_LONGEST_S = 30.0
"""How long an order that was accepted and is still listed keeps its position from another close."""
LAG_LONGEST_S = 30.0
"""How long a position whose closing deal is in the history may still be shown as it was."""
PARKED_LOOK_S = 900.0
"""A market that is closed until a known hour is tried this often all the same: hours may differ."""
MARKET_TYPES = frozenset({0, 1})
"""ORDER_TYPE buy and sell: such an order is listed only while the server works on it."""
NOT_SENT = -10004
"""Stands for a request that did not leave and whose `last_error` is not known."""

Key = tuple[str, int]
"""An action and the ticket it is for."""

INTENDED = "intended"
DONE = "done"
REFUSED = "refused"
UNKNOWN = "unknown"
SETTLED = "settled"
OPEN_STATES = (INTENDED, DONE, UNKNOWN)
"""Not yet settled by a reading."""


class ClosePolicy(Struct, frozen=True, kw_only=True):
    """Bounds of closing.

    The price may move by `deviation_points` at first, by a step more after each refusal for it,
    and by no more than the maximum.
    """

    quiet_period_s: float
    deviation_points: int
    deviation_step_points: int = 50
    deviation_max_points: int = 500
    first: CloseFirst = CloseFirst.LARGEST_LOSS


class Plan(Struct, frozen=True, kw_only=True, gc=False):
    """The next safe step.

    `settled` are attempts that this reading settles, `redated` those to be dated now because their
    own date is still to come. Then exactly one of: attempts to make; `first_flat` (remember this
    reading as the first proof) or `finished`; otherwise wait until `due_at`. `reset_flat` where an
    earlier first proof no longer stands. `opens_at`: where a closed market holds something up, when
    the first that is known to usually opens.
    """

    settled: tuple[CloseOrderRow, ...]
    redated: tuple[CloseOrderRow, ...]
    attempts: tuple[Attempt, ...]
    first_flat: bool
    finished: bool
    reset_flat: bool
    due_at: datetime
    trouble: str
    opens_at: datetime | None = None


def plan(
    job: CloseJobRow,
    orders: Sequence[CloseOrderRow],
    snapshot: AccountSnapshot,
    now: datetime,
    policy: ClosePolicy,
    proof_s: float | None = None,
) -> Plan:
    """Decide the next step of a job that is past its deadline.

    `orders` are the attempts of this job, and those of other jobs whose outcome is open. `proof_s`:
    the first flat reading's `AccountSnapshot.observed_s`, None where this process did not see it.
    """
    redated = tuple(o for o in orders if _sent_at(o) > now)
    orders = [_dated(o, now) for o in orders]
    positions = [p for p in snapshot.positions if job.scope in (ACCOUNT_SCOPE, p.symbol)]
    pending = [o for o in snapshot.orders if job.scope in (ACCOUNT_SCOPE, o.symbol)]
    histories: dict[Key, list[CloseOrderRow]] = {}
    numbers: dict[int, int] = {}
    for order in sorted(orders, key=lambda o: (o.created_at, o.id)):
        histories.setdefault((order.action, order.ticket), []).append(order)
        numbers[order.ticket] = max(order.attempt, numbers.get(order.ticket, 0))
    there: list[Position | PendingOrder] = [*snapshot.positions, *snapshot.orders]
    live = {_key(item): item.volume for item in there}
    settled = tuple(o for o in orders if _settles(o, live.get((o.action, o.ticket)), snapshot))
    if not positions and not pending:
        return _prove(job, orders, snapshot, now, settled, redated, proof_s)
    attempts: list[Attempt] = []
    waits, opens = list[datetime](), list[datetime]()
    troubles: list[str] = []
    look = _Look(snapshot=snapshot, now=now, policy=policy)
    at_work = _at_work(histories, look)
    fifo = _fifo_symbols(orders, snapshot)
    held_until: dict[str, datetime] = {}
    for item in in_turn(pending, positions, fifo, policy.first, snapshot.symbols):
        history = histories.get(_key(item), [])
        wait_until = _wait_until(history, item, look, at_work)
        troubles.append(_trouble(history))
        opens += _opens(history, look)
        if isinstance(item, Position) and item.symbol in fifo:
            wait_until = held_until.get(item.symbol, wait_until)
            if wait_until is not None:
                held_until[item.symbol] = wait_until
        if wait_until is not None:
            waits.append(wait_until)
        elif len(attempts) < REQUESTS_PER_ROUND_MAX:
            number = numbers[item.ticket] = numbers.get(item.ticket, 0) + 1
            spec, points = snapshot.symbols.get(item.symbol), _deviation(history, policy)
            attempts.append(attempt(item, spec, number, _refused(history), points))
    return Plan(
        settled=settled,
        redated=redated,
        attempts=tuple(attempts),
        first_flat=False,
        finished=False,
        reset_flat=job.flat_read_at is not None,
        due_at=now if attempts else min(waits),
        trouble=next((t for t in troubles if t), ""),
        opens_at=min(opens, default=None),
    )


def _sent_at(order: CloseOrderRow) -> datetime:
    """The last instant at which the request may have left."""
    return order.answered_at or order.created_at


def _dated(order: CloseOrderRow, now: datetime) -> CloseOrderRow:
    return replace(order, answered_at=now) if _sent_at(order) > now else order


def _key(item: Position | PendingOrder) -> Key:
    """A half-filled order and its position bear the same ticket: what is done with it differs."""
    return (CANCEL if isinstance(item, PendingOrder) else CLOSE, item.ticket)


def _held(order: CloseOrderRow) -> Decimal:
    """What was shown of the ticket when the attempt was made."""
    return order.volume if order.held is None else order.held


def _settles(order: CloseOrderRow, shown: Decimal | None, snapshot: AccountSnapshot) -> bool:
    """Whether a reading settles an attempt: the ticket is gone, or a close that was done shows.

    `shown` is the ticket's volume, None where it is gone.
    """
    if order.state not in OPEN_STATES or snapshot.began_at < _sent_at(order):
        return False
    return shown is None or (order.action == CLOSE and _is_filled(order) and shown < _held(order))


def _is_filled(order: CloseOrderRow) -> bool:
    """Whether the server said that it has filled something, and is done with it."""
    return order.state == DONE and order.retcode != PLACED


def _prove(  # noqa: PLR0913, PLR0917 - what `plan` was given, and what it settled
    job: CloseJobRow,
    orders: Sequence[CloseOrderRow],
    snapshot: AccountSnapshot,
    now: datetime,
    settled: tuple[CloseOrderRow, ...],
    redated: tuple[CloseOrderRow, ...],
    proof_s: float | None,
) -> Plan:
    last_sent = max(map(_sent_at, orders), default=min(job.created_at, snapshot.began_at))
    state = snapshot.state
    clean = job.scope != ACCOUNT_SCOPE or (state.profit == 0 and state.margin == 0)
    counts = clean and snapshot.began_at >= last_sent
    proof = job.flat_read_at
    gap = timedelta(seconds=FLAT_GAP_S)
    lies_apart = None if proof is None else apart(snapshot, proof, proof_s)
    stands = proof is not None and lies_apart is not None and last_sent <= proof <= now
    since = lies_apart if stands and lies_apart is not None else timedelta()
    return Plan(
        settled=settled,
        redated=redated,
        attempts=(),
        first_flat=counts and not stands,
        finished=counts and stands and since >= gap,
        reset_flat=not counts and proof is not None,
        due_at=now + min(gap, max(timedelta(), gap - since)),
        trouble="",
    )


class _Look(Struct, frozen=True, kw_only=True, gc=False):
    """What there is to judge by."""

    snapshot: AccountSnapshot
    now: datetime
    policy: ClosePolicy


def _at_work(histories: dict[Key, list[CloseOrderRow]], look: _Look) -> dict[str, datetime]:
    """Symbols with an order of ours at work, and until when it is left alone.

    That is a market order still listed, after a close of that symbol that was only accepted. A
    second close beside it could open the other way on an account that nets; and to cancel it would
    undo the close.
    """
    listed = {o.symbol for o in look.snapshot.orders if o.order_type in MARKET_TYPES}
    until: dict[str, datetime] = {}
    for (action, _), history in histories.items():
        last = history[-1]
        placed = action == CLOSE and last.state == DONE and last.retcode == PLACED
        limit = _sent_at(last) + timedelta(seconds=AT_WORK_LONGEST_S)
        if placed and last.symbol in listed and look.now < limit:
            again = min(limit, look.now + timedelta(seconds=SETTLE_S))
            until[last.symbol] = max(again, until.get(last.symbol, again))
    return until


def _fifo_symbols(orders: Sequence[CloseOrderRow], snapshot: AccountSnapshot) -> frozenset[str]:
    """Symbols whose oldest position has to be closed first: the account says so, or an answer did.

    (facts: mt5, section 2, FIFO)
    """
    held = {p.symbol for p in snapshot.positions}
    if snapshot.state.fifo_close:
        return frozenset(held)
    told = (o.symbol for o in orders if _answer(o).answer is RetcodeClass.OLDEST_FIRST)
    return frozenset(held.intersection(told))


def _wait_until(
    history: Sequence[CloseOrderRow],
    item: Position | PendingOrder,
    look: _Look,
    at_work: dict[str, datetime],
) -> datetime | None:
    """When to read again before the next attempt at this ticket; None where it may be made now.

    Readings decide, not answers: an attempt rests until a reading begun late enough shows that the
    ticket is still there.
    """
    snapshot, now = look.snapshot, look.now
    rests = isinstance(item, PendingOrder) and item.order_type not in MARKET_TYPES
    if item.symbol in at_work and not rests:
        return at_work[item.symbol]
    if not history:
        return None
    last = history[-1]
    base = _sent_at(last)
    if last.state == REFUSED:
        ready = base + timedelta(seconds=_pause_s(history, look))
        return None if now >= ready and snapshot.began_at >= base else max(ready, now)
    filled = _is_filled(last)
    shows = filled or last.state == SETTLED
    if shows and item.volume < _held(last) and snapshot.began_at >= base:
        return None  # a piece or a part of it was filled: this reading shows what is left
    limit = base + timedelta(seconds=LAG_LONGEST_S)
    if now < limit and _lags(last, item, snapshot):
        return min(limit, now + timedelta(seconds=SETTLE_S))
    quiet_s = _settle_s(history) if filled else max(SETTLE_S, look.policy.quiet_period_s)
    ready = base + timedelta(seconds=quiet_s)
    return None if snapshot.began_at >= ready else max(ready, now)


def _lags(order: CloseOrderRow, item: Position | PendingOrder, snapshot: AccountSnapshot) -> bool:
    """Whether a deal shows that the close was executed, and the position does not show it yet."""
    if order.state not in OPEN_STATES or item.volume < _held(order):
        return False
    ours = f"{COMMENT_PREFIX}{order.id}"
    since = order.created_at - DEAL_CLOCK_SLACK
    return any(
        deal.position_id == order.position_id
        and deal.entry in DealEntry.EXITS
        and deal.executed_at >= since
        # Brokers may write over a comment; that of another request of ours tells of that one.
        and (deal.comment == ours or not deal.comment.startswith(COMMENT_PREFIX))
        for deal in snapshot.deals
        if order.position_id
    )


def _opens(history: Sequence[CloseOrderRow], look: _Look) -> list[datetime]:
    """When the market that refused the last attempt usually opens, where that is known."""
    if not history or history[-1].state != REFUSED:
        return []
    last = history[-1]
    if _answer(last).answer is not RetcodeClass.SESSION or _is_quoted_since(last, look):
        return []
    opens = usual_open(last.symbol, look.snapshot.symbols.get(last.symbol), look.now)
    return [] if opens is None else [opens]


def _is_quoted_since(order: CloseOrderRow, look: _Look) -> bool:
    """The library tells no sessions: a quote after the refusal is the sign that one began."""
    tick = look.snapshot.ticks.get(order.symbol)
    return tick is not None and tick.at > _sent_at(order)


def _deviation(history: Sequence[CloseOrderRow], policy: ClosePolicy) -> int:
    """How far the price may move: as at the last attempt, further where that was refused for it."""
    start = policy.deviation_points
    if not history:
        return start
    last = history[-1]
    points = start if last.deviation_points is None else last.deviation_points
    if last.state == REFUSED and _answer(last).answer is RetcodeClass.REPRICE:
        points += policy.deviation_step_points
    return max(start, min(points, policy.deviation_max_points))


def _refused(history: Sequence[CloseOrderRow]) -> Refused:
    answers = [o for o in history if o.retcode is not None and o.state == REFUSED]
    return Refused(
        filling=sum(1 for o in answers if _answer(o).answer is RetcodeClass.FILLING),
        volume=sum(1 for o in answers if o.retcode == INVALID_VOLUME),
    )


def _done_in_vain(history: Sequence[CloseOrderRow]) -> int:
    """How often in a row the server said done, and as much as before was still there."""
    count = 0
    for order in reversed(history):
        if order.state != DONE or _held(order) != _held(history[-1]):
            break
        count += 1
    return count


def _settle_s(history: Sequence[CloseOrderRow]) -> float:
    return min(SETTLE_S * (1 << max(0, _done_in_vain(history) - 1)), SETTLE_LONGEST_S)


def _pause_s(history: Sequence[CloseOrderRow], look: _Look) -> float:
    last = history[-1]
    answer = _answer(last)
    times = 0
    for order in reversed(history):
        if _answer(order).answer is not answer.answer:
            break
        times += 1
    pauses = answer.pauses_s
    pause_s = pauses[min(times, len(pauses)) - 1]
    if answer.answer is not RetcodeClass.SESSION:
        return pause_s
    if _is_quoted_since(last, look):
        return min(pause_s, pauses[0])
    spec = look.snapshot.symbols.get(last.symbol)
    opens = usual_open(last.symbol, spec, _sent_at(last))
    if opens is None:
        return pause_s
    return min((opens - _sent_at(last)).total_seconds(), PARKED_LOOK_S)


def _answer(order: CloseOrderRow) -> OrderOutcome:
    code = telling_code(order)
    return outcome(NOT_SENT if code is None else code, order.error or "")


def telling_code(order: CloseOrderRow) -> int | None:
    """The code that tells what became of an attempt; None where it does not.

    One that certainly did not leave may bear a code that by itself proves nothing: that of a call
    made before it.
    """
    if order.retcode is None:
        return None
    executed = outcome(order.retcode, order.error or "").executed
    return None if order.state == REFUSED and executed is not Executed.NO else order.retcode


def standing_trouble(last: CloseOrderRow) -> str:
    """The trouble that the last attempt met, told or not; "" where the server took it."""
    if last.state in {UNKNOWN, INTENDED}:
        return "unknown_outcome"
    return _answer(last).trouble if last.state == REFUSED else ""


def _trouble(history: Sequence[CloseOrderRow]) -> str:
    if not history:
        return ""
    last = history[-1]
    if last.state == UNKNOWN or _done_in_vain(history) >= DONE_IN_VAIN_TOLD:
        return "unknown_outcome"
    if last.state != REFUSED:
        return ""
    answer = _answer(last)
    same = sum(1 for o in history if _answer(o) == answer)
    told = same >= answer.told_after or len(history) >= REFUSALS_TOLD
    return answer.trouble if told else ""
