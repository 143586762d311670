"""Which trades a position may be, when that is asked anew, and what an answer makes of a trade."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain import adoption
from core.domain.broker import Position, Side
from core.domain.findings import Finding, Kind
from core.domain.judging import unknown
from core.domain.matching import NotAdoptable, identifiers
from core.records import QuestionRow, TradeRow
from tests.unit.domain.make import NOW, D, at, position, spec, trade

SYMBOLS = {"XAUUSD": spec()}
WAITING = trade(1, status="pending", position_id=None, observed_volume=None)
HALF = trade(2, position_id=77, observed_volume=D("0.04"))
PIP = D("0.10")


def by_hand(**changes: Any) -> Position:
    """A tenth of a lot of gold, bought on a phone."""
    return position(5, **{"magic": 0, "comment": "", "reason": 1, **changes})


def finding(held: Position, *candidates: int) -> Finding:
    return unknown(held, Kind.UNKNOWN_POSITION, None, candidates)


def asked_of(held: Position, trades: list[TradeRow], *named: int, now: float = 0) -> list[int]:
    found = adoption.candidates(held, finding(held, *named), trades, SYMBOLS, at(now))
    return [t.id for t in found]


# --- candidates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "now", "ids"),
    [
        (by_hand(), 0, [1]),  # a person may have meant it: asked at once
        (by_hand(reason=3), 65, []),  # its own tag may still come until 60 s and 5 s more
        (by_hand(reason=3), 65.001, [1]),
        (by_hand(reason=3, magic=9), 0, [1]),  # a tag that several trades have comes no more
    ],
)
def test_what_matching_could_not_decide_is_asked_once_it_cannot_settle_itself(
    held: Position, now: float, ids: list[int]
) -> None:
    assert asked_of(held, [WAITING], 1, now=now) == ids


@pytest.mark.parametrize(
    ("row", "volume", "ids"),
    [
        (HALF, "0.06", [2]),  # 0.04 of 0.10 are filled
        (HALF, "0.07", []),
        (replace(HALF, side="sell"), "0.06", []),
        (replace(HALF, symbol="EURUSD"), "0.06", []),
        (replace(HALF, status="closed"), "0.06", []),
        (replace(HALF, expected_at=at(1)), "0.06", []),  # it was there before the approval
        (replace(HALF, approval_id=None, signal_id=None), "0.06", []),
    ],
)
def test_the_rest_of_a_half_filled_trade_is_a_candidate(
    row: TradeRow, volume: str, ids: list[int]
) -> None:
    assert asked_of(by_hand(volume=D(volume)), [row]) == ids


def test_a_program_with_a_number_of_its_own_fills_nobodys_rest() -> None:
    assert asked_of(by_hand(volume=D("0.06"), magic=9, reason=3), [HALF]) == []


@pytest.mark.parametrize(("count", "shown"), [(5, 5), (6, 5)])
def test_the_likeliest_five_are_shown_and_all_are_counted(count: int, shown: int) -> None:
    """Same lots first, then the nearest price: expected at 1970.30 + n, ten pips apart."""
    trades = [
        replace(WAITING, id=n, volume=D("0.20"), expected_entry=D("1970.30") + n)
        for n in range(count, 1, -1)
    ]
    far = replace(WAITING, id=1, expected_entry=D("1960.30"))
    asked = adoption.ask(by_hand(), [*trades, far], spec(), PIP)
    assert [c.trade_id for c in asked.choices] == [1, *range(2, count + 1)][:shown]
    assert (asked.total, asked.choices[0].off_pips) == (count, D(100))


def test_without_its_symbol_no_distance_is_invented() -> None:
    (choice,) = adoption.ask(by_hand(opened_at=at(41)), [WAITING], None, None).choices
    assert (choice.off_pips, choice.after) == (None, timedelta(seconds=41))


# --- asked anew or not ----------------------------------------------------------------------------


def following(row: QuestionRow | None, about: str, *ids: int) -> QuestionRow | None:
    asked = adoption.ask(by_hand(), [WAITING], spec(), PIP)
    return adoption.follow(row, asked, about, ids, account_id=1, now=at(9))


def first(*ids: int) -> QuestionRow:
    made = following(None, "buy 0.1", *ids)
    assert made is not None
    return replace(made, id=41)


@pytest.mark.parametrize(
    ("about", "ids", "state"),
    [
        ("buy 0.1", (1, 2), None),  # nothing new
        ("buy 0.1", (2, 1), None),  # in another order
        ("buy 0.1", (1,), "declined"),  # fewer of the same
        ("buy 0.1", (), "declined"),
        ("buy 0.1", (1, 2, 3), "open"),  # a new candidate
        ("buy 0.06", (1, 2), "open"),  # other lots
        ("sell 0.1", (1, 2), "open"),
    ],
)
def test_none_of_these_holds_for_what_was_declined_and_for_nothing_more(
    about: str, ids: tuple[int, ...], state: str | None
) -> None:
    declined = adoption.declined(first(1, 2), by=11, now=NOW)
    assert (declined.state, declined.version, declined.answered_by) == ("declined", 2, 11)
    after = following(declined, about, *ids)
    assert (after.state if after else None) == state
    if after is not None:
        assert after.version == 3
        assert after.answered_by == (11 if state == "declined" else None)


def test_a_question_changes_with_its_candidates_and_is_shown_while_there_were_any() -> None:
    row = first(1)
    assert following(row, "buy 0.1", 1) is None
    gone = following(row, "buy 0.1")
    assert gone is not None
    assert (gone.version, gone.state) == (2, "open")
    assert adoption.is_told(None, row)
    assert adoption.is_told(row, gone)
    assert not adoption.is_told(None, first())
    assert not adoption.is_told(gone, replace(gone, version=3))
    assert not adoption.is_told(None, adoption.declined(row, by=11, now=NOW))


def test_what_was_over_is_asked_again_when_the_position_is_back() -> None:
    back = following(adoption.over(first(1), NOW), "buy 0.1", 1)
    assert back is not None
    assert (back.state, back.version) == ("open", 3)


def test_a_second_no_adds_to_the_first() -> None:
    once = adoption.declined(first(1, 2), by=11, now=NOW)
    again = following(once, "buy 0.1", 3)
    assert again is not None
    assert adoption.declined(again, by=11, now=NOW).declined_candidates == [1, 2, 3]


# --- trades ---------------------------------------------------------------------------------------


def test_a_trade_of_its_own_expects_what_there_is_and_no_position_can_carry_its_tag() -> None:
    made = adoption.own_trade(by_hand(), first(), user_id=2, by=11, at=at(90))
    assert (made.signal_id, made.approval_id, made.user_id) == (None, None, 2)
    assert (made.expected_entry, made.volume, made.stop_loss) == (D("1970.30"), D("0.10"), D(1950))
    assert (made.position_id, made.status, made.adopted_by) == (5, "open", 11)
    assert made.magic < 0
    assert len(made.comment) > 31  # MetaTrader keeps no more of a comment
    later = adoption.own_trade(by_hand(), replace(first(), version=2), user_id=2, by=11, at=at(90))
    assert later.magic != made.magic


ADOPTED = replace(WAITING, status="open", position_id=5, adopted_by=11, adopted_at=NOW)
PARTS = replace(ADOPTED, position_id=5, other_position_ids=[6, 7], observed_volume=D("0.10"))


@pytest.mark.parametrize(
    ("row", "position_id", "left", "status"),
    [
        (ADOPTED, 5, (), "pending"),
        (replace(ADOPTED, approval_id=None, signal_id=None), 5, (), "cancelled"),
        (PARTS, 5, (6, 7), "open"),
        (PARTS, 6, (5, 7), "open"),
        (replace(PARTS, other_position_ids=[6]), 6, (5,), "open"),
    ],
)
def test_disowning_leaves_the_trade_what_else_it_has(
    row: TradeRow, position_id: int, left: tuple[int, ...], status: str
) -> None:
    taken = replace(by_hand(), identifier=position_id)
    after = adoption.disown(row, taken, "pending", lots=D("0.04"), held=left)
    assert (identifiers(after), after.status) == (left, status)
    assert (after.observed_volume, after.entry_price) == (None, None)
    assert (after.adopted_by is None) is not bool(left)


@pytest.mark.parametrize(
    ("row", "why"),
    [(replace(ADOPTED, status="closed"), "over"), (replace(ADOPTED, position_id=6), "not_adopted")],
)
def test_what_cannot_be_disowned_says_why(row: TradeRow, why: str) -> None:
    with pytest.raises(NotAdoptable) as refused:
        adoption.disown(row, by_hand(), "pending", lots=D("0.04"), held=())
    assert refused.value.why == why


def test_what_is_left_of_a_trade_and_closed_already_has_its_own_lots_and_price() -> None:
    """0.06 at 1970 and 0.04 adopted at 1980 are 0.10 at 1974."""
    row = replace(PARTS, other_position_ids=[6], entry_price=D(1974))
    taken = replace(by_hand(), identifier=6, price_open=D(1980))
    after = adoption.disown(row, taken, "pending", lots=D("0.04"), held=[6])
    assert (after.position_id, after.observed_volume, after.entry_price) == (5, D("0.06"), D(1970))


def test_the_side_and_lots_are_what_a_question_is_about() -> None:
    assert adoption.what(by_hand(volume=D("0.10"))) == "buy 0.1"
    assert adoption.what(by_hand(volume=D(10), side=Side.SELL)) == "sell 10"
