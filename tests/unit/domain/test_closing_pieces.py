"""Large positions in lawful pieces, readings that lag behind deals, and whose turn it is."""

import pytest
from msgspec.structs import replace

from core.domain.broker import AccountSnapshot, Position
from core.domain.close_blocks import blocks
from core.domain.close_request import PIECES_MAX, close_volume, pieces
from core.domain.close_turn import CloseFirst, exposure
from core.domain.closing import LAG_LONGEST_S, ClosePolicy, Plan, plan
from core.domain.results import deals_seen
from core.records import CloseOrderRow
from tests.unit.domain.make import D, at, deal, job, pending, position, sent, snapshot, spec, state

POLICY = ClosePolicy(quiet_period_s=2.0, deviation_points=50)
BIG = {"XAUUSD": spec(volume_max=D(50))}
"""Gold of which no order may be larger than 50 lots."""


def planned(
    reading: AccountSnapshot, *orders: CloseOrderRow, now: float = 0, first: str = "largest_loss"
) -> Plan:
    policy = ClosePolicy(quiet_period_s=2.0, deviation_points=50, first=CloseFirst(first))
    return plan(job(), orders, reading, at(now), policy)


def lots(volume: str) -> Position:
    return position(volume=D(volume))


# --- pieces ---------------------------------------------------------------------------------------


def test_120_lots_of_which_50_may_be_sent_at_a_time_are_three_pieces() -> None:
    assert pieces(D(120), spec(volume_max=D(50))) == (D(50), D(50), D(20))


@pytest.mark.parametrize(
    ("held", "largest", "step", "least", "made"),
    [
        ("0.10", "50", "0.01", "0.01", "0.10"),
        ("100", "50", "0.01", "0.01", "50 50"),
        ("100.05", "50", "0.01", "0.10", "50 49.95 0.10"),  # no piece below the minimum is left
        ("7", "2.5", "1", "1", "2 2 2 1"),
    ],
)
def test_pieces_are_on_the_grid_and_leave_no_rest_that_cannot_be_closed(
    held: str, largest: str, step: str, least: str, made: str
) -> None:
    symbol = spec(volume_max=D(largest), volume_step=D(step), volume_min=D(least))
    assert pieces(D(held), symbol) == tuple(D(piece) for piece in made.split())


def test_the_count_of_pieces_has_a_bound() -> None:
    assert len(pieces(D(PIECES_MAX), spec(volume_max=D(1)))) == PIECES_MAX
    assert len(pieces(D(PIECES_MAX + 1), spec(volume_max=D(1)))) == PIECES_MAX


def test_each_piece_follows_the_reading_that_shows_the_one_before_and_none_is_called_in_vain() -> (
    None
):
    """Five pieces of the same size: the position shrinks each time, so nothing is held up."""
    orders: list[CloseOrderRow] = []
    asked = []
    for n, left in enumerate(("250", "200", "150", "100", "50")):
        made = planned(snapshot(lots(left), symbols=BIG, began=n), *orders, now=n)
        (attempt,) = made.attempts
        assert made.trouble == ""
        assert [o.id for o in made.settled] == [o.id for o in orders[-1:]]
        asked.append(attempt.volume)
        orders = [o if o.id != n else _settled(o) for o in orders]
        row = sent("done", n + 0.2, id=n + 1, attempt=n + 1, retcode=10009)
        orders.append(replace(row, volume=attempt.volume, held=attempt.held))
    assert asked == [50] * 5


def _settled(order: CloseOrderRow) -> CloseOrderRow:
    return sent("settled", 0, id=order.id, volume=order.volume, held=order.held)


def test_a_piece_is_not_sent_again_while_the_reading_shows_the_position_as_it_was() -> None:
    before = sent("done", 0, volume=D(50), held=D(120))
    early = planned(snapshot(lots("120"), symbols=BIG, began=0.9), before, now=0.9)
    assert (early.attempts, early.settled, early.due_at) == ((), (), at(1))
    late = planned(snapshot(lots("120"), symbols=BIG, began=1), before, now=1)
    assert [a.volume for a in late.attempts] == [50]


def test_three_pieces_that_leave_as_much_as_before_are_told() -> None:
    vain = [sent("done", n, id=n, attempt=n, volume=D(50), held=D(120)) for n in (1, 2, 3)]
    reading = snapshot(lots("120"), symbols=BIG, began=3)
    assert planned(reading, *vain, now=3).trouble == "unknown_outcome"
    moving = [
        sent("done", n, id=n, attempt=n, volume=D(50), held=D(170 - 50 * n)) for n in (1, 2, 3)
    ]
    assert planned(reading, *moving, now=3).trouble == ""


@pytest.mark.parametrize(("refused", "asked"), [(0, "0.015"), (1, "0.01"), (2, "0.015")])
def test_a_volume_off_the_grid_is_asked_for_whole_and_rounded_in_turn(
    refused: int, asked: str
) -> None:
    orders = [sent("refused", n - 300, id=n, attempt=n, retcode=10014) for n in range(refused)]
    (attempt,) = planned(snapshot(lots("0.015")), *orders).attempts
    assert attempt.volume == D(asked)
    assert close_volume(D("0.005"), spec(), refused=1) == D("0.005"), "nothing is left to round to"


@pytest.mark.parametrize(("seen", "whole"), [(["50"], False), (["50", "50", "20"], True)])
def test_a_result_is_whole_when_every_piece_has_its_deal(seen: list[str], whole: bool) -> None:  # noqa: FBT001 - the table's column
    orders = [
        sent("done", n, id=n, volume=D(50), held=held)
        for n, held in enumerate((D(120), D(70), D(20)))
    ]
    deals = {900001: [deal(n, volume=D(v), executed_at=at(n)) for n, v in enumerate(seen)]}
    assert deals_seen(orders, deals) is whole


@pytest.mark.parametrize(("sold_s", "whole"), [(-31, False), (-30, True), (0, True)])
def test_what_somebody_sold_after_the_reading_counts_and_what_was_sold_long_before_does_not(
    *, sold_s: float, whole: bool
) -> None:
    """The reading that the first request was made on may be up to 30 s older than its intent."""
    orders = [sent("done", 0, volume=D(50), held=D(50))]
    by_phone = deal(1, volume=D(20), executed_at=at(sold_s))
    ours = deal(2, volume=D(30), executed_at=at(0.5))
    assert deals_seen(orders, {900001: [by_phone, ours]}) is whole


# --- readings that lag ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["unknown", "intended", "done"])
def test_what_a_deal_shows_as_closed_is_not_sent_for_again_while_the_position_lags(
    answer: str,
) -> None:
    """Law 6: an unknown outcome is settled by positions and deals."""
    order = sent(answer, 0, held=D("0.10"))
    ours = deal(1, comment="rc:1", executed_at=at(0.1))
    lagging = planned(snapshot(position(), began=10, deals=(ours,)), order, now=10)
    assert (lagging.attempts, lagging.due_at) == ((), at(11))
    bound_s = LAG_LONGEST_S
    last = planned(snapshot(position(), began=bound_s - 0.1, deals=(ours,)), order, now=29.9)
    assert (last.attempts, last.due_at) == ((), at(bound_s))
    over = planned(snapshot(position(), began=bound_s, deals=(ours,)), order, now=bound_s)
    assert [a.attempt for a in over.attempts] == [2]


@pytest.mark.parametrize(
    "changes",
    [
        {"entry": 0},  # an opening
        {"position_id": 900002},  # another position's
        {"executed_at": at(-1.1)},  # from before the request
        {"comment": "rc:7"},  # another request of ours
    ],
)
def test_any_other_deal_proves_nothing(changes: dict[str, object]) -> None:
    other = deal(1, **{"comment": "rc:1", "executed_at": at(0.1), **changes})
    made = planned(
        snapshot(position(), began=10, deals=(other,)), sent("unknown", 0, held=D("0.10")), now=10
    )
    assert len(made.attempts) == 1


def test_a_comment_that_the_broker_wrote_over_is_still_a_deal_of_the_position() -> None:
    overwritten = deal(1, comment="close", executed_at=at(0.1))
    reading = snapshot(position(), began=10, deals=(overwritten,))
    assert planned(reading, sent("unknown", 0, held=D("0.10")), now=10).attempts == ()


def test_the_rest_after_a_deal_that_shows_is_sent_for() -> None:
    part = deal(1, comment="rc:1", volume=D("0.04"), executed_at=at(0.1))
    reading = snapshot(lots("0.06"), began=10, deals=(part,))
    (attempt,) = planned(reading, sent("unknown", 0, held=D("0.10")), now=10).attempts
    assert attempt.volume == D("0.06")


# --- whose turn it is -----------------------------------------------------------------------------

OLD_LOSS = position(1, opened_at=at(-300), profit=D(-5), volume=D("0.10"))
MID_GAIN = position(2, opened_at=at(-200), profit=D(50), volume=D("0.30"))
NEW_LOSS = position(3, opened_at=at(-100), profit=D(-50), volume=D("0.20"))
RESTING = pending(4)


@pytest.mark.parametrize(
    ("first", "turn"),
    [
        ("largest_loss", [4, 3, 1, 2]),
        ("largest_profit", [4, 2, 1, 3]),
        ("largest_exposure", [4, 2, 3, 1]),
        ("oldest", [4, 1, 2, 3]),
        ("newest", [4, 3, 2, 1]),
    ],
)
def test_positions_go_in_the_order_that_is_set_and_orders_before_them(
    first: str, turn: list[int]
) -> None:
    reading = snapshot(OLD_LOSS, MID_GAIN, NEW_LOSS, RESTING)
    assert [a.ticket for a in planned(reading, first=first).attempts] == turn


def test_where_the_oldest_has_to_be_closed_first_no_setting_changes_it() -> None:
    reading = snapshot(OLD_LOSS, MID_GAIN, NEW_LOSS, state=state(fifo_close=True))
    for first in CloseFirst:
        assert [a.ticket for a in planned(reading, first=first).attempts] == [1, 2, 3], first


def test_exposure_is_the_price_in_ticks_times_what_a_tick_makes() -> None:
    """0.10 lots of gold at 1970.00: 197,000 ticks of a cent, 1 a tick and lot: 19,700."""
    assert exposure(position(volume=D("0.10")), spec()) == 19_700
    assert exposure(position(), None) == exposure(position(), spec(tick_size=D(0))) == 0


# --- what blocks ----------------------------------------------------------------------------------


def test_what_keeps_each_ticket_open_is_named() -> None:
    reading = snapshot(position(1), position(2), position(3), pending(4))
    orders = [
        sent("refused", 0, id=1, ticket=1, retcode=10018, error="Market closed"),
        sent("refused", 5, id=2, ticket=1, attempt=2, retcode=10018, error="Market closed"),
        sent("unknown", 0, id=3, ticket=2),
        sent("done", 0, id=4, ticket=4, action="cancel"),
    ]
    found = blocks(job(), orders, reading)
    assert [(b.ticket, b.is_order, b.word, b.code, b.tries) for b in found] == [
        (4, True, "lingers", 10009, 1),
        (1, False, "market_closed", 10018, 2),
        (2, False, "unknown_outcome", None, 1),
        (3, False, "not_tried", None, 0),
    ]


def test_figures_that_are_not_zero_block_only_a_whole_account() -> None:
    figures = snapshot(state=state(margin=D(3)))
    assert [b.word for b in blocks(job(), (), figures)] == ["figures"]
    assert blocks(job("XAUUSD"), (), figures) == ()
    assert blocks(job(), (), snapshot()) == ()
