"""Why a position ended: from its deals, or not at all (law 14)."""

import pytest

from core.domain.broker import Side
from core.domain.closures import explain, judged
from core.domain.findings import CloseReason
from tests.unit.domain.make import D, at, deal
from tests.unit.domain.make import closure as ended

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
    assert closure.volume == D("0.30")  # 0.10 at the reversal and 0.20 at the end, not 0.50


def test_an_end_waits_for_the_deal_that_turned_the_position() -> None:
    """The long run, seed 797: a part was closed, the rest turned by a deal that was late, then all.

    0.44 bought, 0.10 sold, 1.34 sold through it (late), 1.00 bought back: 1.44 were closed.
    """
    deals = [
        deal(1, entry=0, deal_type=0, volume=D("0.44")),
        deal(2, entry=1, deal_type=1, volume=D("0.10")),
        deal(4, entry=1, deal_type=0, volume=D("1.00")),
    ]
    assert explain(deals, held=D("0.44"), ours=False) is None
    deals.append(deal(3, entry=2, deal_type=1, volume=D("1.34")))
    closure = explain(deals, held=D("0.44"), ours=False)
    assert closure is not None
    assert closure.volume == D("1.44")


def test_a_position_older_than_the_books_ends_by_its_exits() -> None:
    """What was added to it is known, what it began with is not: exits of one side only."""
    deals = [
        deal(1, entry=0, deal_type=0, volume=D("0.10")),
        deal(2, entry=1, deal_type=1, volume=D("0.50")),
    ]
    assert explain(deals, held=D("0.50"), ours=False) is not None


def test_a_position_older_than_the_books_that_was_turned_ends_with_the_lots_it_had() -> None:
    """0.20 were held, as 0.50 were sold through them and 0.30 bought back: 0.20 + 0.30 closed."""
    deals = [
        deal(2, entry=2, deal_type=1, volume=D("0.50")),
        deal(3, entry=1, deal_type=0, volume=D("0.30")),
    ]
    closure = explain(deals, held=D("0.30"), ours=False)
    assert closure is not None
    assert closure.volume == D("0.50")


def test_an_hour_put_back_between_two_exits_does_not_change_which_was_the_last() -> None:
    """The second exit is dated an hour early until the broker's new clock is believed."""
    deals = [
        deal(1, volume=D("0.06"), reason=1, executed_at=at(0)),
        deal(2, volume=D("0.04"), reason=4, executed_at=at(60 - 3600)),
    ]
    closure = explain(deals, held=D("0.10"), ours=False)
    assert closure is not None
    assert closure.reason is R.STOP_LOSS


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


def test_a_rollover_that_closes_and_opens_again_is_no_end_and_its_swap_is_in_the_result() -> None:
    """Twice round, then closed on the phone: 0.10 lots at 1975.30, and 5 - 1 - 1 is 3."""
    deals = [deal(1, entry=0, deal_type=0, reason=3)]
    for night in (1, 2):
        out = {"reason": 7, "profit": D(-1), "executed_at": at(night), "price": D(1900)}
        deals.append(deal(10 * night, **out))
        deals.append(deal(10 * night + 1, **{**out, "profit": D(0)}, entry=0, deal_type=0))
    assert explain(deals, held=D("0.10"), ours=False) is None
    deals.append(deal(50, profit=D(5), executed_at=at(9)))
    closure = explain(deals, held=D("0.10"), ours=False)
    assert closure is not None
    assert (closure.reason, closure.volume) == (R.CLIENT_MOBILE, D("0.10"))
    assert (closure.exit_price, closure.pnl) == (D("1975.30"), D(3))


def test_a_rollover_after_which_it_did_not_come_back_is_an_end() -> None:
    deals = [deal(1, entry=0, deal_type=0, reason=3), deal(2, reason=7, executed_at=at(1))]
    closure = explain(deals, held=D("0.10"), ours=False)
    assert closure is not None
    assert closure.reason is R.ROLLOVER


@pytest.mark.parametrize(
    ("reason", "comment", "price", "note", "pips"),
    [
        # The stop stood at 1950, the target at 1990; a pip is 0.10, 5 are tolerated, 25 are a gap.
        (4, "", "1949.50", "", "5.00"),
        (4, "", "1949.49", "exit_slippage", "5.10"),
        (4, "", "1947.50", "exit_slippage", "25.00"),
        (4, "", "1947.49", "gap_fill", "25.10"),
        (4, "", "1951.00", "", "-10.00"),
        (4, "[sl 1960.00]", "1959.00", "exit_slippage", "10.00"),  # it had been moved
        (4, "[sl ?]", "1949.00", "exit_slippage", "10.00"),
        (5, "", "1990.00", "", "0.00"),
        (5, "", "1980.00", "exit_slippage", "100.00"),  # a target is not jumped over
        (5, "[tp 1985.00]", "1985.20", "", "-2.00"),
        (1, "", "1949.00", "", None),
    ],
)
def test_an_exit_is_measured_by_the_level_that_made_it(
    reason: int, comment: str, price: str, note: str, pips: str | None
) -> None:
    end = explain([deal(1, reason=reason, comment=comment, price=D(price))], held=D(0), ours=False)
    assert end is not None
    found = judged(end, stop_loss=D(1950), target=D(1990), pip=D("0.10"), slippage_pips_max=D(5))
    assert (found.note, found.slippage_pips) == (note, None if pips is None else D(pips))


@pytest.mark.parametrize(
    ("side", "price", "target", "pips"),
    [
        (Side.BUY, "1985.30", "1990", "47.00"),
        (Side.BUY, "1990.35", "1990", "-3.50"),
        (Side.SELL, "1954.70", "1950", "47.00"),
        (Side.SELL, "1954.70", None, None),
    ],
)
def test_a_close_by_hand_says_how_far_from_the_target_it_was(
    side: Side, price: str, target: str | None, pips: str | None
) -> None:
    end = ended(side=side, exit_price=D(price))
    found = judged(
        end,
        stop_loss=None,
        target=None if target is None else D(target),
        pip=D("0.10"),
        slippage_pips_max=D(5),
    )
    assert found.to_target_pips == (None if pips is None else D(pips))
    assert found.note == ""


@pytest.mark.parametrize(("deal_type", "side"), [(1, Side.BUY), (0, Side.SELL)])
def test_a_sale_closes_a_purchase(deal_type: int, side: Side) -> None:
    closure = explain([deal(1, deal_type=deal_type)], held=D("0.10"), ours=False)
    assert closure is not None
    assert closure.side is side
