"""After each answer of the order outcome table: when a close is sent again, and what is told.

The figures are those of facts (mt5, 1.4), column "retry", typed by hand.
"""

import pytest
from msgspec.structs import replace

from core.domain import closing
from core.domain.broker import AccountSnapshot
from core.domain.closing import AT_WORK_LONGEST_S, ClosePolicy, Plan, plan
from core.domain.retcodes import LAST_ERRORS, RETCODES, Executed
from core.ports import SendResult
from core.records import CloseOrderRow
from core.services.close_requests import _answered
from tests.unit.domain.make import D, at, job, pending, position, sent, snapshot, state, tick

QUIET_S = 3.0
POLICY = ClosePolicy(quiet_period_s=QUIET_S, deviation_points=50)
QUIET = {"XAUUSD": tick(s=-3600)}
"""The last quote is an hour old."""


def planned(reading: AccountSnapshot, *orders: CloseOrderRow, now: float = 0) -> Plan:
    """The next step after these attempts, `now` seconds from the tests' present."""
    return plan(job(), orders, reading, at(now), POLICY)


def answered(code: int, s: float = 0, **changes: object) -> CloseOrderRow:
    """An attempt as it is recorded after the trade server's answer, with no figures in it."""
    result = SendResult(retcode=code, deal=0, order=0, volume=D(0), price=D(0), comment="")
    row = _answered(sent("intended", s), result)
    return replace(row, answered_at=at(s), **changes)


def failed(code: int, text: str, s: float = 0, **changes: object) -> CloseOrderRow:
    """An attempt as it is recorded after `order_send` gave None."""
    proved = code in {-3, -4, -5, -6, -7, -8, -10003, -10004} or 'Invalid "' in text
    outcome = closing.REFUSED if proved else closing.UNKNOWN
    return replace(sent(outcome, s), retcode=code, error=f"{code} {text}", **changes)


AT_ONCE, LOOK, SETTLE = 0.0, QUIET_S, 1.0
NEXT_TRY = [
    (10004, AT_ONCE),  # yes, fresh price
    (10006, 1.0),  # one delayed try
    (10007, LOOK),  # re-query, then decide
    (10008, LOOK),  # poll, never resend
    (10009, SETTLE),  # still re-read the position
    (10010, SETTLE),
    (10011, LOOK),
    (10012, LOOK),
    (10013, 1.0),
    (10014, 1.0),  # with the volume of a later reading
    (10015, AT_ONCE),  # once with a fresh tick
    (10016, 1.0),
    (10017, 2.0),
    (10018, 5.0),  # at the next open
    (10019, 1.0),
    (10020, AT_ONCE),  # fresh price
    (10021, 1.0),  # back-off
    (10022, 1.0),
    (10023, LOOK),
    (10024, 1.0),  # back-off
    (10025, SETTLE),  # a success: settled by reading
    (10026, 2.0),
    (10027, 2.0),
    (10028, LOOK),  # wait, re-query
    (10029, 1.0),  # wait
    (10030, AT_ONCE),  # with another mode
    (10031, LOOK),
    (10032, 2.0),
    (10033, 1.0),
    (10034, 1.0),
    (10035, 1.0),
    (10036, SETTLE),  # goal reached: settled by reading
    (10038, 1.0),  # re-read volume
    (10039, LOOK),  # no second close
    (10040, 1.0),
    (10041, LOOK),
    (10042, 2.0),
    (10043, 2.0),
    (10044, 2.0),
    (10045, AT_ONCE),  # the oldest first
    (10046, 2.0),
    (0, LOOK),
    (10005, LOOK),  # does not exist
    (10047, LOOK),
]


@pytest.mark.parametrize(("code", "wait_s"), NEXT_TRY)
def test_after_an_answer_the_next_close_waits_and_looks(code: int, wait_s: float) -> None:
    order = answered(code)
    before = planned(snapshot(position(), began=-0.001, took=100, ticks=QUIET), order, now=100)
    assert before.attempts == (), "a reading begun before the answer allows nothing"
    if wait_s:
        early_s = wait_s - 0.001
        early = planned(snapshot(position(), began=early_s, ticks=QUIET), order, now=early_s)
        assert (early.attempts, early.due_at) == ((), at(wait_s))
    late = planned(snapshot(position(), began=wait_s, ticks=QUIET), order, now=wait_s)
    assert [a.attempt for a in late.attempts] == [2]


def test_every_retcode_has_its_next_try_here() -> None:
    assert {row.code for row in RETCODES} == {code for code, _ in NEXT_TRY} - {10005, 10047}


@pytest.mark.parametrize("row", [*RETCODES, *LAST_ERRORS], ids=lambda row: f"{row.code}")
def test_whatever_may_be_executed_is_settled_by_a_reading_and_nothing_else(row: object) -> None:
    assert isinstance(row, type(RETCODES[0]))
    text = row.texts[0] + 'comment" argument' if row.texts == ('Invalid "',) else "".join(row.texts)
    order = answered(row.code) if row in RETCODES else failed(row.code, text)
    perhaps = row.executed is not Executed.NO
    gone = planned(snapshot(began=0), order, now=0)
    assert gone.settled == ((order,) if perhaps else ())
    assert gone.attempts == ()
    assert (order.state in closing.OPEN_STATES) is perhaps


@pytest.mark.parametrize(
    ("code", "text", "wait_s", "trouble"),
    [
        (1, "Success", LOOK, "unknown_outcome"),
        (0, "", LOOK, "unknown_outcome"),
        (-1, "Terminal: Call failed", LOOK, "unknown_outcome"),
        (-2, 'Invalid "comment" argument', 1.0, "rejected"),
        (-2, "Terminal: Invalid params", LOOK, "unknown_outcome"),
        (-3, "Terminal: Out of memory", 1.0, "rejected"),
        (-6, "Terminal: Authorization failed", 2.0, "cannot_trade"),
        (-8, "Auto-Trading using Python API disabled in Terminal", 2.0, "autotrading_off"),
        (-10000, "IPC call failed", LOOK, "unknown_outcome"),
        (-10001, "IPC send failed", LOOK, "unknown_outcome"),
        (-10002, "IPC recv failed", LOOK, "unknown_outcome"),
        (-10003, "IPC initialize failed, MetaTrader 5 x64 not found", 1.0, ""),
        (-10004, "No IPC connection", 1.0, ""),
        (-10005, "IPC timeout", LOOK, "unknown_outcome"),
    ],
)
def test_after_none_the_next_close_waits_and_looks(
    code: int, text: str, wait_s: float, trouble: str
) -> None:
    order = failed(code, text)
    early_s = wait_s - 0.001
    early = planned(snapshot(position(), began=early_s), order, now=early_s)
    assert (early.attempts, early.due_at, early.trouble) == ((), at(wait_s), trouble)
    late = planned(snapshot(position(), began=wait_s), order, now=wait_s)
    assert [a.attempt for a in late.attempts] == [2]


def test_a_refusal_whose_code_proves_nothing_still_has_a_pause() -> None:
    """A gateway may know from elsewhere that nothing left, as when the line was down before."""
    order = replace(sent("refused", 0), retcode=-10002, error="not sent: no line")
    early = planned(snapshot(position(), began=0.999), order, now=0.999)
    assert (early.attempts, early.due_at, early.trouble) == ((), at(1), "")


@pytest.mark.parametrize(
    ("state", "code", "text", "tells"),
    [
        ("refused", -10004, "No IPC connection", True),
        ("refused", -2, 'Invalid "comment" argument', True),
        ("refused", -10002, "IPC recv failed", False),
        ("refused", -2, "Terminal: Invalid params", False),
        ("refused", None, "", False),
        ("unknown", -10002, "IPC recv failed", True),
        ("done", 10009, "", True),
    ],
)
def test_a_code_tells_only_what_it_proves(
    *, state: str, code: int | None, text: str, tells: bool
) -> None:
    order = replace(sent(state, 0), retcode=code, error=text)
    assert closing.telling_code(order) == (code if tells else None)


@pytest.mark.parametrize(
    ("code", "told_after"),
    [
        (10006, 2),  # one delayed try, then alert
        (10015, 2),  # once with a fresh price
        (10004, 5),
        (10020, 5),
        (10021, 5),
        (10029, 5),
        (10045, 5),
        (10019, 1),
        (10033, 1),
        (10034, 1),
        (10040, 1),
        (10017, 1),
        (10018, 1),
        (10027, 1),
    ],
)
def test_what_does_not_help_itself_is_told(code: int, told_after: int) -> None:
    history = [answered(code, n, id=n, attempt=n) for n in range(1, told_after + 1)]
    quiet = planned(snapshot(position(), began=told_after), *history[:-1], now=told_after)
    assert quiet.trouble == ""
    assert planned(snapshot(position(), began=told_after), *history, now=told_after).trouble


def test_a_rejection_after_requotes_is_still_given_its_delayed_try() -> None:
    history = [
        answered(10004, 1, id=1, attempt=1),
        answered(10006, 2, id=2, attempt=2),
        answered(10006, 3, id=3, attempt=3),
    ]
    assert planned(snapshot(position(), began=2), *history[:2], now=2).trouble == ""
    assert planned(snapshot(position(), began=3), *history, now=3).trouble == "rejected"


def test_a_done_that_names_no_deal_is_a_done() -> None:
    """Some successes have deal and order 0 (facts: mt5, 1.4): the code is tested, nothing else."""
    order = answered(10009)
    assert (order.state, order.deal) == (closing.DONE, None)


@pytest.mark.parametrize("code", [10014, 10038])
def test_a_volume_that_was_refused_is_read_anew(code: int) -> None:
    order = answered(code, volume=D("0.10"))
    smaller = snapshot(position(volume=D("0.06")), began=1)
    assert [a.volume for a in planned(smaller, order, now=1).attempts] == [D("0.06")]


# --- the market is closed -------------------------------------------------------------------------


@pytest.mark.parametrize(("quoted_s", "wait_s"), [(-1, 60.0), (0, 60.0), (0.001, 5.0), (20, 5.0)])
def test_a_quote_after_the_refusal_is_the_sign_that_a_session_began(
    quoted_s: float, wait_s: float
) -> None:
    """The library tells no sessions; without a quote it is asked ever more slowly, to 5 min."""
    closed = [answered(10018, -100 * n, id=9 - n, attempt=9 - n) for n in (3, 2, 1, 0)]
    ticks = {"XAUUSD": tick(s=quoted_s)}
    early_s = wait_s - 0.001
    early = snapshot(position(), began=early_s, ticks=ticks)
    assert planned(early, *closed, now=early_s).attempts == ()
    late = snapshot(position(), began=wait_s, ticks=ticks)
    assert len(planned(late, *closed, now=wait_s).attempts) == 1


def test_a_closed_market_without_any_quote_is_asked_all_the_same() -> None:
    reading = snapshot(position(), began=5, ticks={})
    assert len(planned(reading, answered(10018), now=5).attempts) == 1


# --- accepted, not yet filled ---------------------------------------------------------------------

AT_WORK = pending(700001, order_type=1)
"""A market order to sell that the server has not done with."""


def test_an_order_at_work_is_neither_cancelled_nor_doubled() -> None:
    """Two sales of one position would leave an account that nets with a short one."""
    reading = snapshot(position(), AT_WORK, began=10)
    made = planned(reading, answered(10008), now=10)
    assert (made.attempts, made.due_at) == ((), at(11))


def test_an_order_at_work_is_waited_for_no_longer_than_its_bound() -> None:
    assert AT_WORK_LONGEST_S == 30
    order = answered(10008)
    early = planned(snapshot(position(), AT_WORK, began=29.5), order, now=29.5)
    assert (early.attempts, early.due_at) == ((), at(30))
    late = planned(snapshot(position(), AT_WORK, began=30), order, now=30)
    assert [(a.action, a.ticket) for a in late.attempts] == [("cancel", 700001), ("close", 900001)]


@pytest.mark.parametrize(
    ("listed", "order"),
    [
        (pending(700001, order_type=2), answered(10008)),  # at rest, not at work
        (pending(700001, order_type=1, symbol="EURUSD"), answered(10008)),
        (pending(700001, order_type=1), answered(10006)),  # somebody else's
        (pending(700001, order_type=1), answered(10009)),  # what was sent is done
    ],
)
def test_any_other_order_holds_up_nothing(listed: object, order: CloseOrderRow) -> None:
    """What a client's own program keeps sending must not put off the guard."""
    assert isinstance(listed, type(AT_WORK))
    made = planned(snapshot(position(), listed, began=10), order, now=10)
    assert [(a.action, a.ticket) for a in made.attempts] == [("cancel", 700001), ("close", 900001)]


def test_an_order_still_at_work_is_not_flat() -> None:
    made = planned(snapshot(AT_WORK, began=10), answered(10008), now=10)
    assert (made.first_flat, made.finished, made.attempts, made.due_at) == (
        False,
        False,
        (),
        at(11),
    )


# --- oldest first ---------------------------------------------------------------------------------

OLD = position(3, opened_at=at(-300), profit=D(5))
MIDDLE = position(2, opened_at=at(-200), profit=D(-50))
YOUNG = position(1, opened_at=at(-100), profit=D(-10))
EURO = position(4, symbol="EURUSD", opened_at=at(-10), profit=D(-20))
FIFO = state(fifo_close=True)


def tickets(made: Plan) -> list[int]:
    """What is sent for, in turn."""
    return [a.ticket for a in made.attempts]


def test_without_the_rule_the_largest_loss_goes_first() -> None:
    assert tickets(planned(snapshot(OLD, MIDDLE, YOUNG, EURO))) == [2, 4, 1, 3]


def test_where_the_account_says_so_the_oldest_of_each_symbol_goes_first() -> None:
    """Symbols still go by their largest loss: gold has -50, the euro -20."""
    reading = snapshot(YOUNG, MIDDLE, OLD, EURO, state=FIFO)
    assert tickets(planned(reading)) == [3, 2, 1, 4]


def test_one_answer_makes_the_rule_known_for_its_symbol() -> None:
    told = answered(10045, ticket=2, symbol="XAUUSD")
    reading = snapshot(YOUNG, MIDDLE, OLD, EURO, began=0)
    assert tickets(planned(reading, told)) == [3, 2, 1, 4]


@pytest.mark.parametrize("code", [10012, 10018, 10027])
def test_a_younger_one_waits_while_the_oldest_waits(code: int) -> None:
    waiting = answered(code, ticket=3)
    made = planned(snapshot(YOUNG, OLD, EURO, state=FIFO, ticks=QUIET), waiting, now=0.5)
    assert tickets(made) == [4]
    alone = planned(snapshot(YOUNG, OLD, state=FIFO, ticks=QUIET), waiting, now=0.5)
    assert tickets(alone) == []
    assert alone.due_at > at(0.5)


def test_of_two_opened_at_one_instant_the_lower_ticket_is_the_older() -> None:
    twins = [position(n, opened_at=at(-5), profit=D(-n)) for n in (7, 6, 8)]
    assert tickets(planned(snapshot(*twins, state=FIFO))) == [6, 7, 8]


def test_more_positions_than_a_round_takes_are_closed_from_the_oldest_on() -> None:
    many = [position(n, opened_at=at(-n), profit=D(-n)) for n in range(1, 31)]
    assert tickets(planned(snapshot(*many, state=FIFO))) == list(range(30, 5, -1))
