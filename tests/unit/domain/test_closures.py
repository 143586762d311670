"""Why a position ended: from its deals, or not at all (law 14)."""

import pytest

from core.domain.broker import Side
from core.domain.closures import explain
from core.domain.findings import CloseReason
from tests.unit.domain.make import D, at, deal

R = CloseReason


@pytest.mark.parametrize(
    ("reason", "entry", "ours", "means"),
    [
        (0, 1, False, R.CLIENT_DESKTOP),
        (1, 1, False, R.CLIENT_MOBILE),
        (2, 1, False, R.CLIENT_WEB),
        (3, 1, False, R.FOREIGN_EA),
        (3, 1, True, R.RECKONER),
        (1, 1, True, R.CLIENT_MOBILE),  # we sent for it, but the phone was quicker
        (4, 1, False, R.STOP_LOSS),
        (5, 1, True, R.TAKE_PROFIT),
        (6, 1, False, R.STOP_OUT),
        (7, 1, False, R.ROLLOVER),
        (8, 1, False, R.OTHER),
        (42, 1, False, R.OTHER),  # a reason newer than this code
        (1, 3, False, R.CLOSE_BY),
        (3, 3, True, R.CLOSE_BY),
    ],
)
def test_the_deal_says_who(*, reason: int, entry: int, ours: bool, means: CloseReason) -> None:
    closure = explain([deal(1, reason=reason, entry=entry)], held=D("0.10"), ours=ours)
    assert closure is not None
    assert closure.reason is means


@pytest.mark.parametrize(
    ("entered", "held", "exits", "explained"),
    [
        ([], "0.10", [], False),
        ([], "0.10", ["0.10"], True),
        ([], "0.10", ["0.09"], False),
        ([], "0.10", ["0.04", "0.06"], True),
        (["0.10"], "0.04", ["0.04"], False),  # more was entered than was ever seen at once
        (["0.10"], "0.04", ["0.06", "0.04"], True),
        (["0.04"], "0.10", ["0.04"], False),  # an entry is older than the deals known
        (["0.05", "0.05"], "0.10", ["0.10"], True),
        (["0.10"], "0.10", [], False),
    ],
)
def test_exits_must_cover_what_was_held_and_what_was_entered(
    *, entered: list[str], held: str, exits: list[str], explained: bool
) -> None:
    deals = [deal(n, entry=0, deal_type=0, volume=D(v)) for n, v in enumerate(entered, 1)]
    deals += [deal(n, volume=D(v)) for n, v in enumerate(exits, 50)]
    assert (explain(deals, held=D(held), ours=False) is not None) is explained


def test_a_reversal_is_no_end_until_its_other_way_is_closed() -> None:
    """Netting: 0.10 bought, 0.30 sold through it, so 0.20 are held short."""
    deals = [
        deal(1, entry=0, deal_type=0, volume=D("0.10")),
        deal(2, entry=2, deal_type=1, volume=D("0.30"), executed_at=at(1)),
    ]
    assert explain(deals, held=D("0.20"), ours=False) is None
    deals.append(deal(3, entry=1, deal_type=0, volume=D("0.20"), executed_at=at(2)))
    closure = explain(deals, held=D("0.20"), ours=False)
    assert closure is not None
    assert closure.side is Side.SELL


def test_price_is_the_weighted_mean_and_profit_the_sum_of_every_deal() -> None:
    """0.03 at 10 and 0.01 at 14 make (0.30 + 0.14) / 0.04 = 11."""
    deals = [
        deal(3, volume=D("0.01"), price=D(14), profit=D(4), executed_at=at(2), reason=4),
        deal(1, entry=0, deal_type=0, volume=D("0.04"), price=D(9), commission=D("-0.40")),
        deal(2, volume=D("0.03"), price=D(10), profit=D(3), swap=D("-0.10"), executed_at=at(1)),
    ]
    closure = explain(deals, held=D("0.04"), ours=False)
    assert closure is not None
    assert (closure.exit_price, closure.volume) == (D(11), D("0.04"))
    assert closure.pnl == D("6.50")  # 4 - 0.40 + 3 - 0.10
    assert (closure.reason, closure.closed_at) == (R.STOP_LOSS, at(2))  # the last exit's


@pytest.mark.parametrize(("deal_type", "side"), [(1, Side.BUY), (0, Side.SELL)])
def test_a_sale_closes_a_purchase(deal_type: int, side: Side) -> None:
    closure = explain([deal(1, deal_type=deal_type)], held=D("0.10"), ours=False)
    assert closure is not None
    assert closure.side is side
