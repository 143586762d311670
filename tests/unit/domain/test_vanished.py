"""Which deals end a position that nobody saw, and which do not."""

import pytest

from core.domain.broker import Deal
from core.domain.vanished import unseen_ends
from tests.unit.domain.make import D, deal, money

BUY, SELL = 0, 1
IN, OUT, INOUT, OUT_BY = 0, 1, 2, 3


def bought(ticket: int, volume: str) -> Deal:
    """An entry of position 900001."""
    return deal(ticket, deal_type=BUY, entry=IN, volume=D(volume), profit=D(0))


def sold(ticket: int, volume: str, entry: int = OUT) -> Deal:
    """An exit of it."""
    return deal(ticket, deal_type=SELL, entry=entry, volume=D(volume), profit=D(5))


def closed_short(ticket: int, volume: str) -> Deal:
    """An exit of it after it was turned into a sale."""
    return deal(ticket, deal_type=BUY, entry=OUT, volume=D(volume), profit=D(5))


def ends(*deals: Deal, known: tuple[int, ...] = (), new: int = 1) -> list[tuple[str, str]]:
    """What the last `new` of these deals end, with the lots."""
    found = unseen_ends(deals[-new:], {900001: deals}, frozenset(), known)
    return [(subject, f"{closure.volume}") for subject, closure in found.items()]


@pytest.mark.parametrize(
    ("deals", "ended"),
    [
        pytest.param((bought(1, "1.00"), sold(2, "1.00")), "1.00", id="whole"),
        pytest.param((bought(1, "1.00"), sold(2, "0.40"), sold(3, "0.60")), "1.00", id="parts"),
        pytest.param((bought(1, "1.00"), sold(2, "0.40")), "", id="a part is no end"),
        pytest.param((bought(1, "1.00"),), "", id="an entry is no end"),
        pytest.param((sold(2, "1.00"),), "", id="older than the books"),
        pytest.param((sold(2, "1.00"), bought(1, "1.00")), "1.00", id="the entry came last"),
        pytest.param((bought(1, "1.00"), sold(2, "1.00", OUT_BY)), "1.00", id="close by"),
        pytest.param((bought(1, "1.00"), sold(2, "3.00", INOUT)), "", id="turned, not closed"),
        pytest.param((bought(1, "1.00"), closed_short(3, "2.00")), "", id="what turned it is late"),
        pytest.param(
            (bought(1, "1.00"), sold(2, "3.00", INOUT), closed_short(3, "2.00")),
            "3.00",
            id="turned and closed",
        ),
    ],
)
def test_a_position_ends_when_its_deals_account_for_all_its_lots(
    deals: tuple[Deal, ...], ended: str
) -> None:
    assert ends(*deals) == ([("900001", ended)] if ended else [])


def test_what_is_told_of_elsewhere_is_left_alone() -> None:
    assert ends(bought(1, "1.00"), sold(2, "1.00"), known=(900001,)) == []


def test_money_without_a_position_ends_none() -> None:
    assert unseen_ends([money(1, "100")], {0: [money(1, "100")]}, frozenset(), ()) == {}


def test_whose_close_it_was_is_said() -> None:
    own = (bought(1, "1.00"), deal(2, entry=OUT, reason=3, volume=D("1.00")))
    for ours, reason in ((frozenset({900001}), "reckoner"), (frozenset[int](), "foreign_ea")):
        (end,) = unseen_ends(own, {900001: own}, ours, ()).values()
        assert end.reason.value == reason


def test_ends_come_in_the_order_of_their_positions() -> None:
    own = {
        number: (
            deal(number, position_id=number, deal_type=BUY, entry=IN),
            deal(number + 1, position_id=number),
        )
        for number in (1000, 900, 20)
    }
    found = unseen_ends([d for each in own.values() for d in each], own, frozenset(), ())
    assert list(found) == ["20", "900", "1000"]
