"""Executions once more that look like parts: how many lots a trade has room for."""

import pytest
from msgspec.structs import replace

from tests.unit.domain.make import D, deal, trade
from tests.unit.domain.test_matching import WAITING, entry, kinds, part, read


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


def test_what_is_let_go_of_leaves_an_adopted_trade_its_figures() -> None:
    """Of what somebody adopted no deal is the trade's; the second part has more than all of it."""
    known = trade(status="open", position_id=77, other_position_ids=[78], observed_volume=D("0.05"))
    deals = [
        entry(1, "0.05", position_id=77, magic=0, comment=""),
        entry(2, "0.20", position_id=78),
    ]
    result = read([known], part(77, "0.05"), part(78, "0.04"), deals=deals)
    (match,) = result.matches
    assert match.refilled is not None
    assert match.refilled == replace(known, other_position_ids=None)
    assert ("duplicate_execution", "78") in kinds(result)


def test_a_fill_that_came_and_went_takes_room_from_every_part_after_it() -> None:
    """Of 0.10 lots 0.04 are gone, 0.03 are there: another 0.05 would be 0.12."""
    deals = [entry(1, "0.04", position_id=77), deal(2, position_id=77, volume=D("0.04"))]
    deals += [entry(3, "0.03", position_id=78), entry(4, "0.05", position_id=79)]
    result = read([WAITING], part(78, "0.03"), part(79, "0.05"), deals=deals)
    assert ("duplicate_execution", "79") in kinds(result)
