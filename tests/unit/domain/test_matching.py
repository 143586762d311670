"""Which position is which trade, where that is not one to one (the numbers are the module's)."""

from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.broker import Deal, MarginMode, PendingOrder, Position, Side
from core.domain.matching import NotAdoptable, adopt
from core.domain.reconciliation import Policy, Reconciliation, reconcile
from core.records import TradeRow
from tests.unit.domain.make import NOW, D, at, deal, position, snapshot, spec, state, trade

POLICY = Policy(
    slippage_pips_max=D(5), missing_observations_min=3, pip_by_symbol={"XAUUSD": D("0.10")}
)
WAITING = trade(1, status="pending", position_id=None, observed_volume=None)
OTHER = replace(WAITING, id=2, magic=7002, comment="rk:2")
AFTER = 66.0
"""The deadline is at 60 s, and 5 s are allowed for what was placed at the last moment."""


def read(
    trades: list[TradeRow],
    *held: Position | PendingOrder,
    deals: list[Deal] | None = None,
    netting: bool = False,
    began: float = 0,
    before: Reconciliation | None = None,
    refused: dict[int, frozenset[int]] | None = None,
) -> Reconciliation:
    """The opinion on one reading; deals are sorted by their position."""
    by_position: dict[int, list[Deal]] = {}
    for each in deals or ():
        by_position.setdefault(each.position_id, []).append(each)
    mode = MarginMode.NETTING if netting else MarginMode.HEDGING
    reading = snapshot(*held, state=state(margin_mode=mode), began=began)
    return reconcile(
        tuple(trades), reading, by_position, frozenset(), POLICY, before, refused=refused
    )


def kinds(result: Reconciliation) -> list[tuple[str, str]]:
    """Kind and subject of every difference."""
    return [(f.kind.value, f.subject) for f in result.findings]


def part(ticket: int, volume: str, price: str = "1970.30", **changes: Any) -> Position:
    """A position with the first trade's tag."""
    return position(ticket, volume=D(volume), price_open=D(price), **changes)


def entry(ticket: int, volume: str, **changes: Any) -> Deal:
    """A deal of the first trade's order that bought."""
    facts = {"entry": 0, "deal_type": 0, "reason": 3, "magic": 7001, "price": D("1970.30")}
    return deal(ticket, volume=D(volume), **{**facts, **changes})


# --- one trade as several positions ---------------------------------------------------------------


def test_a_split_fill_is_one_trade_with_all_lots_at_the_mean_price() -> None:
    """0.04 at 1970.00 and 0.06 at 1970.50 make 0.10 at 1970.30."""
    result = read([WAITING], part(5, "0.04", "1970.00"), part(6, "0.06", "1970.50"))
    (match,) = result.matches
    assert (match.first, match.joined) == (True, (5, 6))
    assert (match.position.identifier, match.position.volume) == (5, D("0.10"))
    assert match.position.price_open == D("1970.30")
    assert (result.findings, result.unknown) == ((), ())


def test_a_part_that_comes_later_joins_what_is_there() -> None:
    row = trade(1, position_id=5, observed_volume=D("0.04"), entry_price=D("1970.00"))
    result = read([row], part(5, "0.04", "1970.00"), part(6, "0.06", "1970.50"))
    (match,) = result.matches
    assert (match.first, match.joined, match.slippage_pips) == (False, (6,), D(0))
    assert result.findings == ()


@pytest.mark.parametrize(
    ("once", "held", "more", "kind"),
    [
        ("0.04", "0.04", "0.06", None),
        ("0.04", "0.04", "0.07", "duplicate_execution"),  # more than is still to be filled
        ("0.10", "0.04", "0.06", "duplicate_execution"),  # it had all its lots, and was reduced
        ("0.10", "0.10", "0.01", "duplicate_execution"),
    ],
)
def test_what_fits_into_the_rest_of_a_fill_is_a_part_and_what_does_not_is_a_duplicate(
    once: str, held: str, more: str, kind: str | None
) -> None:
    row = trade(1, position_id=5, observed_volume=D(once))
    found = kinds(read([row], part(5, held), part(6, more)))
    assert [k for k in found if k[1] == "6"] == ([] if kind is None else [(kind, "6")])


SPLIT = trade(1, position_id=5, other_position_ids=[6], observed_volume=D("0.10"))


def test_each_part_has_its_own_levels() -> None:
    result = read([SPLIT], part(5, "0.04", stop_loss=D(1940)), part(6, "0.06", take_profit=None))
    assert kinds(result) == [("sl_moved", "5"), ("tp_removed", "6")]


@pytest.mark.parametrize(("counted", "told"), [(0, False), (1, False), (2, True)])
def test_a_part_that_vanished_is_missing_and_its_lots_are_no_difference_yet(
    *, counted: int, told: bool
) -> None:
    result = read([replace(SPLIT, missing_count=counted)], part(5, "0.04"))
    assert [(m.count, m.position_id) for m in result.missing] == [(counted + 1, 6)]
    assert kinds(result) == ([("missing_unexplained", "6")] if told else [])


def test_a_part_whose_deals_explain_its_end_leaves_less_volume() -> None:
    ends = [entry(1, "0.06", position_id=6), deal(2, position_id=6, volume=D("0.06"))]
    result = read([SPLIT], part(5, "0.04"), deals=ends)
    assert (result.missing, kinds(result)) == ((), [("volume_reduced", "5")])


def test_a_split_trade_is_over_when_every_part_is_explained() -> None:
    """0.04 out at 1975.00 and 0.06 at 1976.00 are 0.10 at 1975.60; 18.80 + 34.20 are 53.00."""
    ends = [
        deal(1, position_id=5, volume=D("0.04"), price=D("1975.00"), profit=D("18.80")),
        deal(
            2,
            position_id=6,
            volume=D("0.06"),
            price=D("1976.00"),
            profit=D("34.20"),
            reason=2,
            executed_at=at(1),
        ),
    ]
    assert [m.count for m in read([SPLIT], deals=ends[:1]).missing] == [1]
    without = [ends[0], replace(ends[1], volume=D("0.05"))]
    assert read([SPLIT], deals=without).gone == (), "0.09 of the 0.10 it had"
    (end,) = read([SPLIT], deals=ends).gone
    assert (end.closure.position_id, end.closure.volume) == (5, D("0.10"))
    assert (end.closure.exit_price, end.closure.pnl) == (D("1975.60"), D("53.00"))
    assert end.closure.reason.value == "client_web"


# --- netting: several trades as one position ------------------------------------------------------

FIRST = trade(1, position_id=5, entry_price=D("1970.30"))
BOTH = [
    entry(1, "0.10", position_id=5),
    entry(2, "0.20", position_id=5, magic=7002, price=D("1971.50")),
]


def test_a_second_trade_on_a_netting_position_is_known_by_its_deals() -> None:
    """0.10 and 0.20 are 0.30; the second was filled at 1971.50, 12 pips worse than expected."""
    second = replace(OTHER, volume=D("0.20"))
    held = part(5, "0.30", "1971.10")
    result = read([FIRST, second], held, deals=BOTH, netting=True)
    assert [(m.trade.id, m.first, m.shared) for m in result.matches] == [
        (1, False, True),
        (2, True, True),
    ]
    assert [m.position.volume for m in result.matches] == [D("0.10"), D("0.20")]
    assert [m.slippage_pips for m in result.matches] == [D(0), D(12)]
    assert kinds(result) == [("entry_slippage", "5")]
    assert result.unknown == ()


@pytest.mark.parametrize(
    ("held", "side", "kind"),
    [
        ("0.30", Side.BUY, None),
        ("0.31", Side.BUY, "over_volume"),
        ("0.25", Side.BUY, "volume_reduced"),
        ("0.30", Side.SELL, "direction_mismatch"),
    ],
)
def test_the_trades_of_one_position_are_judged_together_and_once(
    held: str, side: Side, kind: str | None
) -> None:
    rows = [FIRST, trade(2, position_id=5, volume=D("0.20"), observed_volume=D("0.20"))]
    deals = [BOTH[0], replace(BOTH[1], price=D("1970.30"))]
    result = read(rows, part(5, held, side=side), deals=deals, netting=True)
    assert kinds(result) == ([] if kind is None else [(kind, "5")])


def test_a_trade_the_other_way_reduces_and_even_turns_the_position() -> None:
    """0.10 bought and 0.30 sold through it are 0.20 short, as both trades say."""
    sold = replace(OTHER, side="sell", volume=D("0.30"), stop_loss=D(1990), take_profit=D(1950))
    deals = [BOTH[0], entry(2, "0.30", position_id=5, magic=7002, entry=2, deal_type=1)]
    held = part(5, "0.20", side=Side.SELL, stop_loss=D(1990), take_profit=D(1950))
    result = read([FIRST, sold], held, deals=deals, netting=True)
    assert [m.trade.id for m in result.matches] == [1, 2]
    assert result.findings == ()


def test_what_somebody_elses_order_added_is_scaled_in_and_no_slippage() -> None:
    """Their 0.10 at 1990 moved the mean price to 1980.15; the trade's own entry stays 1970.30."""
    deals = [BOTH[0], entry(2, "0.10", position_id=5, magic=0, price=D(1990))]
    result = read([FIRST], part(5, "0.20", "1980.15"), deals=deals, netting=True)
    assert kinds(result) == [("scaled_in", "5")]
    assert result.matches[0].slippage_pips == 0


def test_a_position_turned_round_by_hand_says_so() -> None:
    turn = deal(2, position_id=5, entry=2, volume=D("0.30"), magic=0, reason=1)
    held = part(5, "0.20", side=Side.SELL)
    found = read([FIRST], held, deals=[BOTH[0], turn], netting=True)
    assert kinds(found) == [("netting_reversed", "5")]
    assert kinds(read([FIRST], held, netting=True)) == [("direction_mismatch", "5")]


def test_the_result_of_a_shared_position_is_divided_by_lots_and_adds_up() -> None:
    """100.00 over 0.10 and 0.20 lots: 33.33 and 66.67."""
    rows = [FIRST, trade(2, position_id=5, volume=D("0.20"), observed_volume=D("0.20"))]
    out = deal(3, position_id=5, volume=D("0.30"), profit=D("100.00"), reason=1)
    result = read(rows, deals=[*BOTH, out], netting=True)
    assert [(g.trade.id, g.closure.volume, g.closure.pnl) for g in result.gone] == [
        (1, D("0.10"), D("33.33")),
        (2, D("0.20"), D("66.67")),
    ]


def test_a_trade_that_closed_another_ends_with_it() -> None:
    sold = replace(OTHER, side="sell")
    out = entry(2, "0.10", position_id=5, magic=7002, entry=1, deal_type=1, profit=D(4))
    result = read([FIRST, sold], deals=[BOTH[0], out], netting=True)
    assert [g.trade.id for g in result.gone] == [1, 2]
    assert {g.closure.reason.value for g in result.gone} == {"netting_reversal"}
    assert sum(g.closure.pnl for g in result.gone) == 4


# --- between two readings, late, never ------------------------------------------------------------


def test_a_trade_that_came_and_went_between_two_readings_is_known_by_its_deals() -> None:
    """It is closed, with its entry, and neither waited for nor called not executed."""
    deals = [
        entry(1, "0.10", position_id=77, price=D("1970.40")),
        deal(2, position_id=77, reason=4, price=D("1949.90"), profit=D("-205.00")),
    ]
    (end,) = read([WAITING], deals=deals).gone
    assert (end.trade.position_id, end.trade.entry_price) == (77, D("1970.40"))
    assert (end.closure.reason.value, end.closure.pnl) == ("stop_loss", D("-205.00"))
    assert read([WAITING], deals=deals[:1]).gone == (), "its end is not known yet"


@pytest.mark.parametrize(
    ("gone", "there", "volume", "is_duplicate"),
    [
        (77, 78, "0.10", True),
        (77, 78, "0.04", True),
        (79, 78, "0.10", False),  # the one that is there came first
    ],
)
def test_what_was_filled_again_after_it_came_and_went_is_a_duplicate(
    gone: int, there: int, volume: str, *, is_duplicate: bool
) -> None:
    """Nobody looked: executed, closed on the phone, and executed once more."""
    deals = [entry(1, "0.10", position_id=gone), deal(2, position_id=gone)]
    result = read([WAITING], part(there, volume), deals=deals)
    ends = [end.trade.position_id for end in result.gone]
    assert ends == ([gone] if is_duplicate else [])
    assert (("duplicate_execution", f"{there}") in kinds(result)) is is_duplicate
    assert bool(result.matches) is not is_duplicate


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize(("volume", "is_duplicate"), [("0.10", True), ("0.04", False)])
def test_a_fill_counts_with_all_its_lots_where_most_were_closed_before_it_was_seen(
    volume: str, *, is_duplicate: bool, seen: bool
) -> None:
    """Of this fill a hundredth was left when it was first read; another of 0.05 comes.

    The long run, seeds 740 and 790: between two readings, or both first read at once.
    """
    known = trade(status="open", position_id=77, observed_volume=D("0.01")) if seen else WAITING
    deals = [entry(1, volume, position_id=77), deal(2, position_id=77, volume=D("0.03"))]
    deals.append(entry(3, "0.05", position_id=78))
    result = read([known], part(77, "0.01"), part(78, "0.05"), deals=deals)
    assert (("duplicate_execution", "78") in kinds(result)) is is_duplicate


def test_a_fill_that_came_and_went_takes_room_from_every_part_after_it() -> None:
    """Of 0.10 lots 0.04 are gone, 0.03 are there: another 0.05 would be 0.12."""
    deals = [entry(1, "0.04", position_id=77), deal(2, position_id=77, volume=D("0.04"))]
    deals += [entry(3, "0.03", position_id=78), entry(4, "0.05", position_id=79)]
    result = read([WAITING], part(78, "0.03"), part(79, "0.05"), deals=deals)
    assert ("duplicate_execution", "79") in kinds(result)


def test_the_rest_of_a_split_fill_is_the_trade_where_a_part_came_and_went() -> None:
    deals = [entry(1, "0.04", position_id=77), deal(2, position_id=77, volume=D("0.04"))]
    (match,) = read([WAITING], part(78, "0.06"), deals=deals).matches
    assert match.position.identifier == 78


@pytest.mark.parametrize(("opened", "late"), [(65.0, False), (65.001, True)])
def test_what_was_opened_after_the_deadline_and_its_grace_is_late(
    *, opened: float, late: bool
) -> None:
    expired = replace(WAITING, status="expired")
    result = read([expired], position(opened_at=at(opened)), began=70)
    assert len(result.matches) == 1
    assert kinds(result) == ([("late_execution", "900001")] if late else [])


# --- what has lost its tag ------------------------------------------------------------------------


def lost(ticket: int, volume: str = "0.10", **changes: Any) -> Position:
    """A position a program opened, with nothing of ours on it."""
    return part(ticket, volume, magic=0, comment="", **changes)


def test_the_only_candidate_is_the_trade_once_its_own_tag_can_no_longer_come() -> None:
    assert kinds(read([WAITING], lost(5), began=65.0)) == [("unknown_position", "5")]
    early = read([WAITING], lost(5), began=65.0)
    for before in (None, early):
        result = read([WAITING], lost(5), began=AFTER, before=before)
        assert [(m.trade.id, m.position.ticket) for m in result.matches] == [(1, 5)]
        assert result.findings == ()


def test_what_a_person_said_it_is_not_is_not_matched_but_by_its_tag() -> None:
    no = {5: frozenset({1})}
    result = read([WAITING], lost(5), began=AFTER, refused=no)
    assert (result.matches, result.findings[0].candidates) == ((), (1,))
    second = read([WAITING], lost(5), lost(6), began=AFTER, refused=no)
    assert [m.position.ticket for m in second.matches] == [6]
    assert [m.trade.id for m in read([WAITING], part(5, "0.10"), refused=no).matches] == [1]


def test_two_candidates_are_a_question_and_never_a_guess() -> None:
    for held in ([lost(5), lost(6)], [lost(6), lost(5)]):
        result = read([WAITING], *held, began=AFTER)
        assert result.matches == ()
        assert {(f.subject, f.candidates) for f in result.findings} == {("5", (1,)), ("6", (1,))}
    result = read([OTHER, WAITING], lost(5), began=AFTER)
    assert [(f.subject, f.candidates) for f in result.findings] == [("5", (1, 2))]


def test_candidates_are_weighed_all_together() -> None:
    """The 0.20 can only be the second's; so the 0.10 is the first's, nearer in time or not."""
    second = replace(OTHER, volume=D("0.20"))
    result = read([WAITING, second], lost(6, "0.10"), lost(5, "0.20"), began=AFTER)
    assert [(m.trade.id, m.position.ticket) for m in result.matches] == [(1, 6), (2, 5)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"side": Side.SELL}, "the other side"),
        ({"symbol": "EURUSD"}, "another symbol"),
        ({"opened_at": at(-2.001)}, "opened before it was approved"),
        ({"opened_at": at(65.001)}, "opened after its deadline"),
        ({"magic": 5}, "another program's"),
        ({"comment": "rk-99"}, "the tag of another trade"),
    ],
)
def test_what_is_out_of_bounds_is_no_candidate(changes: dict[str, Any], why: str) -> None:
    (found,) = read([WAITING], replace(lost(5), **changes), began=AFTER).findings
    assert (found.kind.value, found.candidates) == ("unknown_position", ()), why


@pytest.mark.parametrize(("began_as", "matched"), [(1, False), (0, True)])
def test_what_began_on_the_other_side_was_turned_round_and_is_no_candidate(
    *, began_as: int, matched: bool
) -> None:
    """Sold 0.77 by a program and bought 1.77 by hand: the 1.00 bought is not the signal's 0.10."""
    first = entry(2, "0.77", position_id=5, magic=0, deal_type=began_as, executed_at=at(10))
    turn = entry(3, "1.77", position_id=5, magic=0, entry=2, reason=1, executed_at=at(20))
    held = replace(lost(5, "1.00"), opened_at=at(10))
    result = read([WAITING], held, deals=[first, turn], netting=True, began=AFTER)
    assert [m.position.ticket for m in result.matches] == ([5] if matched else [])


@pytest.mark.parametrize(("opened", "asked"), [(-2.0, True), (3660.0, True), (3660.001, False)])
def test_what_was_opened_by_hand_is_never_matched_but_asked_about(
    *, opened: float, asked: bool
) -> None:
    by_hand = lost(5, reason=1, opened_at=at(opened))
    result = read([WAITING], by_hand, began=4000)
    assert result.matches == ()
    (found,) = result.findings
    assert (found.origin, found.candidates) == ("manual", (1,) if asked else ())


# --- adoption -------------------------------------------------------------------------------------


def test_a_person_makes_a_position_a_trade_and_is_named_with_the_time() -> None:
    by_hand = lost(5, reason=1, price="1970.90", stop_loss=None)
    adopted = adopt(
        WAITING, by_hand, [WAITING, OTHER], by=11, at=at(90), symbols={"XAUUSD": spec()}
    )
    assert (adopted.adopted_by, adopted.adopted_at) == (11, at(90))
    assert (adopted.status, adopted.position_id) == ("open", 5)
    result = read([adopted, OTHER], by_hand, began=90)
    assert [m.trade.id for m in result.matches] == [1]
    # 0.60 are 6 pips; the stop was never there.
    assert kinds(result) == [("entry_slippage", "5"), ("sl_missing", "5")]


def test_the_rest_of_a_fill_can_be_adopted_too() -> None:
    row = trade(1, position_id=5, observed_volume=D("0.04"), entry_price=D("1970.00"))
    more = lost(6, "0.06", reason=1, price="1970.50")
    adopted = adopt(row, more, [row], by=11, at=at(90), symbols={})
    assert (adopted.position_id, adopted.other_position_ids) == (5, [6])
    assert (adopted.observed_volume, adopted.entry_price) == (D("0.10"), D("1970.30"))
    assert read([adopted], part(5, "0.04", "1970.00"), more).findings == ()


@pytest.mark.parametrize(
    ("row", "held", "why"),
    [
        (WAITING, lost(5, symbol="EURUSD"), "other_symbol"),
        (WAITING, lost(5, side=Side.SELL), "other_side"),
        (WAITING, lost(900002), "taken"),
        (replace(WAITING, status="closed"), lost(5), "over"),
        (trade(1), lost(5), "no_room"),
    ],
)
def test_what_cannot_be_adopted_says_why(row: TradeRow, held: Position, why: str) -> None:
    with pytest.raises(NotAdoptable) as refused:
        adopt(row, held, [row, trade(2)], by=11, at=NOW, symbols={"XAUUSD": spec()})
    assert refused.value.why == why


# --- a level that never stood ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "first", "kind"),
    [
        (None, True, "sl_missing"),
        (False, False, "sl_missing"),
        (True, False, "sl_removed"),
        (None, False, "sl_removed"),  # matched by a version that did not remember
    ],
)
def test_a_stop_that_never_stood_is_missing_and_one_that_did_is_removed(
    *, seen: bool | None, first: bool, kind: str
) -> None:
    row = replace(WAITING if first else trade(1), stop_seen=seen)
    assert kinds(read([row], position(stop_loss=None))) == [(kind, "900001")]


def test_a_rollover_that_reprices_a_position_is_no_slippage() -> None:
    row = trade(1, entry_price=D("1970.30"))
    assert read([row], position(ticket=9, identifier=900001, price_open=D(1980))).findings == ()
