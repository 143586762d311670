"""A close job against a broker that answers anything (the numbers are `closing`'s invariants)."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.domain import close_request, closing
from core.domain.closing import ClosePolicy, plan
from core.domain.retcodes import RetcodeClass, classify
from core.records import CloseJobRow, CloseOrderRow
from tests.unit.domain.make import D, at, job, pending, position, sent, snapshot, spec

POLICY = ClosePolicy(quiet_period_s=2.0, deviation_points=50)
ANSWERS = st.tuples(
    st.sampled_from((None, 10004, 10006, 10008, 10009, 10010, 10012, 10018, 10030, 10036)),
    st.sampled_from(("all", "half", "nothing")),
    st.sampled_from((0, 1, 3)),
)
"""The code, what the server really did, and how many readings later that shows."""
MOVES = st.lists(st.tuples(st.sampled_from((0.1, 0.5, 1.0, 2.0, 31.0)), ANSWERS), max_size=25)


class Server:
    """Tickets with what is held; what was executed shows some readings later."""

    def __init__(self, lots: Sequence[int], orders: int) -> None:
        self.held = {n: D(volume) / 100 for n, volume in enumerate(lots, 1)}
        self.resting = set(range(101, 101 + orders))
        self.late: list[tuple[int, int, Decimal]] = []

    def reading(self) -> tuple[dict[int, Decimal], set[int]]:
        """What shows now; time passes for what is late."""
        still: list[tuple[int, int, Decimal]] = []
        for wait, ticket, volume in self.late:
            if wait:
                still.append((wait - 1, ticket, volume))
                continue
            self.resting.discard(ticket)
            if ticket in self.held:
                self.held[ticket] -= volume
                if self.held[ticket] <= 0:
                    del self.held[ticket]
        self.late = still
        return dict(self.held), set(self.resting)


def state_of(code: int | None) -> str:
    """What the answer leaves the attempt in."""
    meaning = RetcodeClass.UNKNOWN if code is None else classify(code)
    if meaning is RetcodeClass.UNKNOWN:
        return closing.UNKNOWN
    accepted = meaning in {RetcodeClass.ACCEPTED, RetcodeClass.GONE}
    return closing.DONE if accepted else closing.REFUSED


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 50), max_size=4), st.integers(0, 3), MOVES)
def test_whatever_is_answered_no_ticket_is_sent_for_twice_at_a_time(
    lots: list[int],
    resting: int,
    moves: list[tuple[float, tuple[int | None, str, int]]],
) -> None:
    server, orders, current, now_s = Server(lots, resting), list[CloseOrderRow](), job(), 0.0
    for passing_s, (code, does, later) in moves:
        now_s += passing_s
        held, rest = server.reading()
        reading = snapshot(
            *[position(n, volume=v) for n, v in held.items()],
            *[pending(n) for n in rest],
            began=now_s,
        )
        step = plan(current, orders, reading, at(now_s), POLICY)
        kinds = [a.action for a in step.attempts]
        assert kinds == sorted(kinds, reverse=False), "3: cancel goes before close"
        assert len({a.ticket for a in step.attempts}) == len(step.attempts)
        assert bool(step.attempts) + step.first_flat + step.finished <= 1
        if step.finished:
            assert not held
            assert not rest
            return
        for settled in step.settled:
            orders = [replace(o, state="settled") if o.id == settled.id else o for o in orders]
            left = held.get(settled.ticket, D(0)) if settled.action == "close" else D(0)
            assert left < (settled.held or 0), "1: gone, or smaller than it was"
            assert settled.action == "close" or settled.ticket not in rest, "1"
        current = remembered(current, step, now_s)
        for attempt in step.attempts:
            open_ones = [
                o
                for o in orders
                if o.ticket == attempt.ticket
                and o.state in {"unknown", "intended"}
                and at(now_s) < (o.answered_at or o.created_at) + (at(2.0) - at(0))
            ]
            assert not open_ones, "1: nothing unknown within the quiet period"
            assert attempt.volume <= held.get(attempt.ticket, D("0.10")), "2"
            row = sent(
                state_of(code),
                now_s,
                id=len(orders) + 1,
                ticket=attempt.ticket,
                action=attempt.action,
                attempt=attempt.attempt,
                volume=attempt.volume,
                held=attempt.held,
                retcode=code,
            )
            assert (row.ticket, row.attempt) not in {(o.ticket, o.attempt) for o in orders}
            orders.append(row)
            if row.state != closing.REFUSED and does != "nothing":
                whole = attempt.volume if does == "all" else attempt.volume / 2
                server.late.append((later, attempt.ticket, whole))


def remembered(current: CloseJobRow, step: closing.Plan, now_s: float) -> CloseJobRow:
    """The job with its first proof kept or dropped, as the service does."""
    if step.first_flat:
        return replace(current, flat_read_at=at(now_s))
    return replace(current, flat_read_at=None) if step.reset_flat else current


@given(
    st.integers(1, 100_000),
    st.integers(1, 5000),
    st.sampled_from(("0.01", "0.1", "1")),
    st.integers(1, 20),
)
def test_a_split_is_never_more_than_held_nor_past_the_largest_order(
    held: int, largest: int, step: str, least: int
) -> None:
    """2, for volumes that are whole steps, as the broker's are."""
    unit = D(step)
    symbol = spec(
        volume_step=unit, volume_max=largest * unit, volume_min=min(least, largest) * unit
    )
    asked = close_request.close_volume(held * unit, symbol)
    assert 0 < asked <= held * unit
    assert asked <= largest * unit
    assert asked % unit == 0
    rest = held * unit - asked
    if largest >= 2 * least:
        assert rest == 0 or rest >= symbol.volume_min
