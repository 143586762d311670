"""A close job's next step: what is sent, what waits, and what proves an account flat (law 6, 7)."""

import pytest
from msgspec.structs import replace

from core.domain.broker import AccountSnapshot, Side
from core.domain.close_request import close_volume, filling_modes
from core.domain.closing import ClosePolicy, Plan, plan
from core.records import CloseJobRow, CloseOrderRow
from tests.unit.domain.make import D, at, job, pending, position, sent, snapshot, spec, state

QUIET_S = 2.0
POLICY = ClosePolicy(quiet_period_s=QUIET_S, deviation_points=50)


def planned(
    reading: AccountSnapshot,
    *orders: CloseOrderRow,
    now: float = 0,
    of: CloseJobRow | None = None,
) -> Plan:
    """The next step after these attempts, `now` seconds from the tests' present."""
    return plan(of or job(), orders, reading, at(now), POLICY)


# --- what is sent ---------------------------------------------------------------------------------


def test_pending_orders_go_before_positions_and_the_largest_loss_before_others() -> None:
    reading = snapshot(
        position(1, profit=D(5)),
        position(2, profit=D(-10), swap=D(9)),
        position(3, profit=D(-5)),
        pending(4),
    )
    attempts = planned(reading).attempts
    assert [(a.action, a.ticket) for a in attempts] == [
        ("cancel", 4),
        ("close", 3),
        ("close", 2),
        ("close", 1),
    ]


def test_a_request_names_the_ticket_its_side_and_what_is_held() -> None:
    held = position(5, identifier=3, side=Side.SELL, volume=D("0.37"))
    attempt = planned(snapshot(held)).attempts[0]
    assert (attempt.ticket, attempt.position_id, attempt.side) == (5, 3, "sell")
    assert (attempt.volume, attempt.attempt, attempt.deviation_points) == (D("0.37"), 1, 50)


def test_a_job_for_a_symbol_leaves_the_others_alone() -> None:
    reading = snapshot(position(1), position(2, symbol="EURUSD"), pending(3, symbol="EURUSD"))
    assert [a.ticket for a in planned(reading, of=job("XAUUSD")).attempts] == [1]


@pytest.mark.parametrize(("held", "sent_for"), [(24, 24), (25, 25), (26, 25), (60, 25)])
def test_a_round_has_a_bound(held: int, sent_for: int) -> None:
    reading = snapshot(*[position(n) for n in range(1, held + 1)])
    made = planned(reading)
    assert len(made.attempts) == sent_for
    assert made.due_at == at(0)


def test_a_symbol_without_data_is_closed_all_the_same() -> None:
    """Neither a missing specification nor a missing tick may hold up a close."""
    attempt = planned(snapshot(position(volume=D(300)), symbols={}, ticks={})).attempts[0]
    assert (attempt.ticket, attempt.volume, attempt.filling) == (900001, D(300), 0)


def test_a_half_filled_order_and_its_position_share_a_ticket_but_no_attempt() -> None:
    """Attempts are unique per ticket, and the one's answer is not the other's."""
    reading = snapshot(position(7), pending(7))
    first, second = planned(reading).attempts
    assert {(first.action, first.attempt), (second.action, second.attempt)} == {
        ("cancel", 1),
        ("close", 2),
    }
    waiting = sent("unknown", 0, ticket=7, action="cancel")
    assert [(a.action, a.attempt) for a in planned(reading, waiting, now=0.1).attempts] == [
        ("close", 2)
    ]


def test_a_cancelled_order_is_settled_while_its_position_is_still_there() -> None:
    cancelled = sent("done", -1, ticket=7, action="cancel")
    assert planned(snapshot(position(7)), cancelled).settled == (cancelled,)


@pytest.mark.parametrize(
    ("held", "largest", "step", "least", "asked"),
    [
        ("0.10", "100", "0.01", "0.01", "0.10"),
        ("100", "100", "0.01", "0.01", "100"),  # at the largest order
        ("100.01", "100", "0.01", "0.01", "100"),  # a closable rest of 0.01 stays
        ("100.05", "100", "0.01", "0.10", "99.95"),  # a rest of 0.05 could not be closed
        ("100.10", "100", "0.01", "0.10", "100"),  # a rest of exactly the minimum can
        ("250", "100", "0.01", "0.01", "100"),
        ("7", "2.5", "1", "1", "2"),  # the largest order that is a whole number of steps
        ("1.5", "1", "0.5", "1", "1"),  # whatever is left, something must be asked for
        ("5", "0", "0.01", "0.01", "5"),  # a symbol not selected shows zeroes
        ("5", "1", "0", "0.01", "5"),
    ],
)
def test_a_split_leaves_what_can_be_closed_afterwards(
    held: str, largest: str, step: str, least: str, asked: str
) -> None:
    symbol = spec(volume_max=D(largest), volume_step=D(step), volume_min=D(least))
    assert close_volume(D(held), symbol) == D(asked)


@pytest.mark.parametrize(
    ("execution", "flags", "modes"),
    [
        (0, 2, (0, 1, 2)),  # request: fill or kill first
        (1, 2, (0, 1, 2)),  # instant: the same
        (2, 1, (0, 1, 2)),  # market: what is flagged, here fill or kill
        (2, 2, (1, 0, 2)),
        (2, 3, (1, 0, 2)),  # a part closed is better than none
        (3, 0, (0, 1, 2)),  # exchange takes all
    ],
)
def test_filling_modes_in_the_order_to_try(
    execution: int, flags: int, modes: tuple[int, ...]
) -> None:
    assert filling_modes(spec(execution_mode=execution, filling_mode=flags)) == modes


def test_a_refused_filling_mode_is_followed_by_the_next_and_the_first_again() -> None:
    orders = [sent("refused", n - 300, attempt=n, id=n, retcode=10030) for n in range(1, 4)]
    tried = [planned(snapshot(position()), *orders[:n]).attempts[0].filling for n in range(4)]
    assert tried == [1, 0, 2, 1]


@pytest.mark.parametrize(
    ("retcodes", "points"),
    [
        ((), 20),
        ((10004,), 35),  # a requote: a step more
        ((10004, 10020), 50),
        ((10004, 10020, 10015), 60),  # the bound, not 65
        ((10004, 10020, 10015, 10004), 60),
        ((10018, 10006, 10024, 10030), 20),  # not refused for the price
        ((10004, 10018), 35),  # what was granted stays
    ],
)
def test_the_price_may_move_further_with_each_refusal_for_it_up_to_a_bound(
    retcodes: tuple[int, ...], points: int
) -> None:
    policy = ClosePolicy(
        quiet_period_s=QUIET_S,
        deviation_points=20,
        deviation_step_points=15,
        deviation_max_points=60,
    )
    orders: list[CloseOrderRow] = []
    asked = 0
    for n, code in enumerate((*retcodes, None), start=1):
        made = plan(job(), orders, snapshot(position(), began=1000 * n), at(1000 * n), policy)
        asked = made.attempts[0].deviation_points
        row = sent("refused", 1000 * n, id=n, attempt=n, retcode=code, deviation_points=asked)
        orders.append(row)
    assert asked == points


def test_a_bound_below_the_start_takes_nothing_from_the_start() -> None:
    policy = ClosePolicy(quiet_period_s=QUIET_S, deviation_points=80, deviation_max_points=50)
    refused = sent("refused", -300, deviation_points=80)
    for orders in ((), (refused,)):
        (attempt,) = plan(job(), orders, snapshot(position()), at(0), policy).attempts
        assert attempt.deviation_points == 80


# --- what waits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "retcode", "wait_s"),
    [
        ("intended", None, QUIET_S),  # a crash after the commit: perhaps it was sent
        ("unknown", None, QUIET_S),  # the line broke
        ("unknown", 10012, QUIET_S),
        ("done", 10009, 1.0),  # the server said so; the position may linger a moment
        ("done", 10008, QUIET_S),  # accepted is not filled: poll, do not send again
        ("refused", 10004, 0.0),  # a requote: at once, with a fresh price
        ("refused", 10006, 1.0),
        ("refused", 10018, 5.0),
        ("refused", 10027, 2.0),
        ("refused", 10013, 1.0),
        ("refused", 10030, 0.0),
        ("refused", None, 1.0),  # certainly not sent
    ],
)
def test_an_attempt_rests_until_a_reading_begun_late_enough(
    answer: str, retcode: int | None, wait_s: float
) -> None:
    order = sent(answer, 0, retcode=retcode)
    if wait_s:
        early = planned(snapshot(position(), began=wait_s - 0.001), order, now=wait_s - 0.001)
        assert early.attempts == ()
        assert early.due_at == at(wait_s)
    late = planned(snapshot(position(), began=wait_s), order, now=wait_s)
    assert [a.attempt for a in late.attempts] == [2]


@pytest.mark.parametrize("answer", ["intended", "unknown", "done", "refused"])
def test_a_reading_begun_before_the_answer_allows_nothing(answer: str) -> None:
    order = sent(answer, 0)
    made = planned(snapshot(position(), began=-0.001, took=100), order, now=100)
    assert (made.attempts, made.settled) == ((), ())
    assert made.due_at == at(100)


@pytest.mark.parametrize(
    ("answer", "retcode", "next_volume"),
    [
        ("done", 10010, "0.04"),
        ("done", 10009, "0.04"),
        ("done", 10008, None),
        ("unknown", 10012, None),
    ],
)
def test_after_a_partial_fill_the_rest_is_sent_for_at_once(
    answer: str, retcode: int, next_volume: str | None
) -> None:
    """Not after a request that may still be filling: two at work could open the other way."""
    reading = snapshot(position(volume=D("0.04")), began=0.1)
    attempts = planned(reading, sent(answer, 0, retcode=retcode), now=0.2).attempts
    assert [a.volume for a in attempts] == ([] if next_volume is None else [D(next_volume)])


def test_pauses_grow_to_a_bound_and_begin_anew_with_another_answer() -> None:
    def pause_s(*retcodes: int) -> float:
        orders = [
            sent("refused", n - len(retcodes), id=n, attempt=n, retcode=code)
            for n, code in enumerate(retcodes, 1)
        ]
        made = planned(snapshot(position()), *orders, now=0)
        return 0 if made.attempts else (made.due_at - at(0)).total_seconds()

    assert [pause_s(*[10006] * n) for n in range(1, 9)] == [1, 2, 4, 8, 15, 30, 30, 30]
    assert [pause_s(*[10004] * n) for n in range(1, 8)] == [0, 0, 0.5, 1, 2, 5, 5]
    assert pause_s(10006, 10006, 10004) == 0
    assert pause_s(10006, 10006, 10004, 10006) == 1


def test_one_ticket_that_waits_holds_up_no_other() -> None:
    reading = snapshot(pending(1), position(2), position(3))
    waiting = (sent("refused", 0, ticket=1, action="cancel", retcode=10018),)
    made = planned(reading, *waiting, sent("unknown", 0, ticket=2, id=2), now=0.1)
    assert [a.ticket for a in made.attempts] == [3]


@pytest.mark.parametrize(
    ("answer", "retcode", "attempts", "trouble"),
    [
        ("unknown", None, 1, "unknown_outcome"),
        ("refused", 10018, 1, "market_closed"),
        ("refused", 10026, 1, "autotrading_off"),
        ("refused", 10027, 1, "autotrading_off"),
        ("refused", 10017, 1, "cannot_trade"),
        ("refused", 10013, 1, "rejected"),
        ("refused", 10004, 4, ""),  # requotes come in twos and threes
        ("refused", 10004, 5, "rejected"),
        ("done", 10009, 1, ""),
        ("intended", None, 1, ""),
    ],
)
def test_what_holds_a_job_up_has_a_word(
    answer: str, retcode: int | None, attempts: int, trouble: str
) -> None:
    orders = [sent(answer, n, id=n, attempt=n, retcode=retcode) for n in range(1, attempts + 1)]
    assert planned(snapshot(position(), began=attempts), *orders, now=attempts).trouble == trouble


# --- what settles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "began", "settles"),
    [
        ("intended", 0, True),
        ("done", 0, True),
        ("unknown", 0, True),
        ("unknown", -0.001, False),
        ("refused", 0, False),  # it never was open
        ("settled", 0, False),
    ],
)
def test_a_reading_without_the_ticket_settles_what_was_open(
    *, answer: str, began: float, settles: bool
) -> None:
    order = sent(answer, 0)
    made = planned(snapshot(began=began), order, now=1)
    assert made.settled == ((order,) if settles else ())
    assert made.attempts == ()


def test_a_refusal_of_a_ticket_that_is_gone_does_not_stand_in_the_way() -> None:
    made = planned(snapshot(began=5), sent("refused", 0), now=5)
    assert (made.first_flat, made.trouble) == (True, "")


# --- the proof ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap_s", "finished"), [(0.999, False), (1.0, True), (1.001, True)])
def test_two_readings_a_second_apart_prove_it(*, gap_s: float, finished: bool) -> None:
    first = planned(snapshot(began=0, took=0.2), now=0.2)
    assert (first.first_flat, first.finished, first.due_at) == (True, False, at(1.2))
    proved = job(flat_read_at=at(0.2))
    second = planned(snapshot(began=0.2 + gap_s), of=proved, now=2)
    assert (second.finished, second.first_flat, second.reset_flat) == (finished, False, False)


@pytest.mark.parametrize(("began", "counts"), [(-0.001, False), (0, True)])
@pytest.mark.parametrize("answer", ["done", "refused", "unknown"])
def test_a_reading_begun_before_the_last_request_proves_nothing(
    *, answer: str, began: float, counts: bool
) -> None:
    made = planned(snapshot(began=began, took=5), sent(answer, 0), now=5)
    assert made.first_flat is counts
    proved = planned(
        snapshot(began=began, took=5), sent(answer, 0), of=job(flat_read_at=at(-50)), now=5
    )
    assert not proved.finished


@pytest.mark.parametrize(
    ("profit", "margin", "scope", "counts"),
    [
        ("0", "0", "account", True),
        ("0.01", "0", "account", False),
        ("0", "0.01", "account", False),
        ("-3", "40", "XAUUSD", True),  # another symbol's
    ],
)
def test_profit_and_margin_must_be_gone_where_the_scope_is_the_account(
    *, profit: str, margin: str, scope: str, counts: bool
) -> None:
    figures = state(profit=D(profit), margin=D(margin))
    made = planned(snapshot(state=figures), of=job(scope))
    assert made.first_flat is counts
    again = planned(snapshot(state=figures), of=job(scope, flat_read_at=at(-50)))
    assert (again.finished, again.reset_flat) == (counts, not counts)


@pytest.mark.parametrize("held", [position(), pending()])
def test_what_appears_between_the_two_readings_undoes_the_first(held: object) -> None:
    assert isinstance(held, type(position()) | type(pending()))
    made = planned(snapshot(held), of=job(flat_read_at=at(-5)))
    assert (made.reset_flat, made.finished) == (True, False)
    assert len(made.attempts) == 1


# --- a clock set back -----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["intended", "unknown", "done", "refused"])
def test_an_attempt_dated_in_the_future_counts_as_made_now(answer: str) -> None:
    """An hour set back must not make a close wait an hour, nor send again before it looked."""
    order = sent(answer, 3600)
    made = planned(snapshot(position(), began=-0.1), order, now=0)
    assert made.redated == (order,)
    assert made.attempts == ()
    assert made.due_at <= at(QUIET_S)
    gone = planned(snapshot(began=-0.1), order, now=0)
    assert (gone.redated, gone.first_flat, gone.settled) == ((order,), False, ())


def test_a_proof_dated_in_the_future_is_begun_again() -> None:
    made = planned(snapshot(), of=job(flat_read_at=at(3600)))
    assert (made.first_flat, made.finished, made.due_at) == (True, False, at(1))


def test_a_job_dated_in_the_future_is_proved_all_the_same() -> None:
    assert planned(snapshot(), of=job(created_at=at(3600))).first_flat


def test_a_request_of_another_job_whose_outcome_is_open_is_looked_at_first() -> None:
    """The account's job takes over a symbol's: what that one sent may still be executed."""
    before = sent("unknown", -0.5, id=9, job_id=8)
    reading = snapshot(position(), began=-0.1)
    assert planned(reading, before).attempts == ()
    later = planned(snapshot(position(), began=2), before, now=2)
    assert [a.attempt for a in later.attempts] == [2]


def test_a_server_that_says_done_in_vain_is_asked_ever_more_slowly_and_told_of() -> None:
    """1, 2, 4 ... seconds between closes that leave the position there; told from the third on."""
    history: list[CloseOrderRow] = []
    for attempt, pause_s in enumerate([1, 2, 4, 8, 16, 30, 30], start=1):
        history.append(sent("done", 0, attempt=attempt, retcode=10009))
        early = planned(snapshot(position(), began=pause_s - 0.1), *history, now=pause_s - 0.1)
        ready = planned(snapshot(position(), began=pause_s), *history, now=pause_s)
        assert (early.attempts, len(ready.attempts)) == ((), 1), attempt
        assert ready.trouble == ("unknown_outcome" if attempt >= 3 else "")


@pytest.mark.parametrize(
    ("first_s", "began_s", "is_flat"),
    [(100.0, 101.0, True), (100.0, 100.999, False), (None, 500.0, False)],
)
def test_a_clock_put_forward_brings_two_flat_readings_no_further_apart(
    *, first_s: float | None, began_s: float, is_flat: bool
) -> None:
    """By the clock on the wall an hour lies between them; one of another process proves nothing."""
    reading = replace(snapshot(began=3600), began_s=began_s, observed_s=began_s)
    made = plan(job(flat_read_at=at(0)), (), reading, at(3600), POLICY, first_s)
    assert made.finished is is_flat
    assert made.first_flat is (first_s is None)
