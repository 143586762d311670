"""What an account should hold against what it holds: identity, tolerances, absence (law 2, 3)."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.broker import Deal, Position, Side
from core.domain.findings import CloseReason
from core.domain.reconciliation import Policy, Reconciliation, reconcile
from core.records import TradeRow
from tests.unit.domain.make import D, deal, pending, position, snapshot, spec, trade

POLICY = Policy(
    slippage_pips_max=D(5), missing_observations_min=3, pip_by_symbol={"XAUUSD": D("0.10")}
)


def compared(
    trades: list[TradeRow],
    *held: Any,
    deals: dict[int, list[Deal]] | None = None,
    ours: frozenset[int] = frozenset(),
) -> Reconciliation:
    """The opinion on one reading."""
    return reconcile(trades, snapshot(*held), deals or {}, ours, POLICY)


def named(trades: list[TradeRow], *held: Any) -> list[tuple[str, str]]:
    """Kind and subject of every difference."""
    return [(f.kind.value, f.subject) for f in compared(trades, *held).findings]


def of(trade_row: TradeRow, **changes: Any) -> Position:
    """The position that is exactly this trade."""
    facts: dict[str, Any] = {
        "ticket": trade_row.position_id or 900001,
        "identifier": trade_row.position_id or 900001,
        "symbol": trade_row.symbol,
        "side": Side(trade_row.side),
        "volume": trade_row.volume,
        "price_open": trade_row.expected_entry,
        "stop_loss": trade_row.stop_loss,
        "take_profit": trade_row.take_profit,
        "magic": trade_row.magic,
        "comment": trade_row.comment,
        **changes,
    }
    return position(**facts)


WAITING = trade(1, status="pending", position_id=None, observed_volume=None)


def test_a_book_agrees_with_itself() -> None:
    result = compared([trade(1), trade(2)], of(trade(1)), of(trade(2)))
    assert (result.findings, result.missing, result.gone, result.unknown) == ((), (), (), ())
    assert [(m.trade.id, m.first) for m in result.matches] == [(1, False), (2, False)]


# --- identity -------------------------------------------------------------------------------------


def test_the_identifier_matches_whatever_else_differs() -> None:
    stranger = of(trade(1), ticket=5, magic=99, comment="x", volume=D(9), price_open=D(1))
    assert compared([trade(1)], stranger).matches[0].position is stranger


def test_the_identifier_goes_before_the_tag() -> None:
    own = of(trade(1), magic=7002, comment="rk:2")
    other = replace(WAITING, id=2, magic=7002, comment="rk:2")
    assert [(m.trade.id, m.position) for m in compared([trade(1), other], own).matches] == [
        (1, own)
    ]


@pytest.mark.parametrize(
    ("magic", "comment", "matches", "why"),
    [
        (7001, "rk:1", True, "both halves"),
        (7001, "", True, "the broker dropped the comment"),
        (7001, "[sl 1950.00]", True, "the broker wrote over the comment"),
        (0, "rk:1", True, "the broker dropped the magic"),
        (555, "rk:1", False, "another program's magic"),
        (0, "", False, "nothing of ours"),
        (0, "rk:12", False, "another trade's comment"),
    ],
)
def test_a_tag_matches_by_both_halves_or_the_one_that_survived(
    *, magic: int, comment: str, matches: bool, why: str
) -> None:
    found = compared([WAITING], of(WAITING, magic=magic, comment=comment))
    assert bool(found.matches) is matches, why
    assert bool(found.unknown) is not matches, why
    assert all(m.first for m in found.matches)


def test_both_halves_of_a_tag_on_another_symbol_are_a_mismatch_and_no_match() -> None:
    """One half alone says nothing there; under another name of the same symbol it is a match."""
    strange = of(WAITING, symbol="EURUSD")
    (found,) = compared([WAITING], strange).findings
    assert (found.kind.value, found.trade_id) == ("symbol_mismatch", 1)
    assert (found.expected, found.observed) == ("XAUUSD", "EURUSD")
    assert named([WAITING], replace(strange, comment="")) == [("unknown_position", "900001")]
    gold = {"GOLD.r": spec("GOLD.r", canonical="XAUUSD"), "XAUUSD": spec()}
    result = reconcile(
        [WAITING], snapshot(of(WAITING, symbol="GOLD.r"), symbols=gold), {}, frozenset(), POLICY
    )
    assert [m.trade.id for m in result.matches] == [1]


def test_a_half_that_fits_two_trades_fits_none() -> None:
    twins = [WAITING, replace(WAITING, id=2, comment="rk:2")]
    assert named(twins, of(WAITING, comment="")) == [("unknown_position", "900001")]
    assert compared(twins, of(WAITING)).matches[0].trade.id == 1


def test_the_same_tag_twice_is_a_duplicate_of_the_first_ticket() -> None:
    one, two = of(WAITING), of(WAITING, ticket=900002, identifier=900002)
    for held in ((one, two), (two, one)):
        result = compared([WAITING], *held)
        assert [m.position.ticket for m in result.matches] == [900001]
        assert [(f.kind.value, f.subject, f.trade_id) for f in result.findings] == [
            ("duplicate_execution", "900002", 1)
        ]


def test_a_tag_of_a_trade_that_had_its_position_is_a_duplicate() -> None:
    late = of(trade(1), ticket=5, identifier=5)
    result = compared([trade(1)], late)
    assert [f.kind.value for f in result.findings] == ["duplicate_execution"]
    assert [m.count for m in result.missing] == [1]


# --- differences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "side", "expected", "filled", "pips", "told"),
    [
        # gold: a pip is 0.10
        ("XAUUSD", "buy", "1970.30", "1970.80", "5.00", False),  # at the tolerance is within
        ("XAUUSD", "buy", "1970.30", "1970.81", "5.10", True),
        ("XAUUSD", "buy", "1970.30", "1960.00", "-103.00", False),  # better is no divergence
        ("XAUUSD", "sell", "1970.30", "1969.80", "5.00", False),
        ("XAUUSD", "sell", "1970.30", "1969.79", "5.10", True),
        # five digits: a pip is 0.0001
        ("EURUSD", "buy", "1.10000", "1.10050", "5.00", False),
        ("EURUSD", "buy", "1.10000", "1.10051", "5.10", True),
        # three digits: a pip is 0.01
        ("USDJPY", "sell", "150.000", "149.950", "5.00", False),
        ("USDJPY", "sell", "150.000", "149.949", "5.10", True),
    ],
)
def test_slippage_counts_in_pips_of_the_symbol_and_only_where_it_hurts(
    *, symbol: str, side: str, expected: str, filled: str, pips: str, told: bool
) -> None:
    row = trade(1, symbol=symbol, side=side, expected_entry=D(expected))
    result = compared([row], of(row, price_open=D(filled)))
    assert result.matches[0].slippage_pips == D(pips)
    assert [f.kind.value for f in result.findings] == (["entry_slippage"] if told else [])


@pytest.mark.parametrize(
    ("approved", "largest", "held", "kind"),
    [
        ("0.10", "0.10", "0.10", None),
        ("0.10", None, "0.10", None),
        ("0.10", None, "0.04", "partial_fill"),
        ("0.10", "0.04", "0.04", "partial_fill"),  # it never was more
        ("0.10", "0.04", "0.07", "partial_fill"),  # it grows
        ("0.10", "0.10", "0.04", "volume_reduced"),
        ("0.10", "0.07", "0.04", "volume_reduced"),
        ("0.10", "0.10", "0.11", "over_volume"),
        ("0.10", "0.20", "0.10", None),  # back to what was approved
    ],
)
def test_volumes_have_three_ways_to_differ(
    approved: str, largest: str | None, held: str, kind: str | None
) -> None:
    row = trade(1, volume=D(approved), observed_volume=None if largest is None else D(largest))
    found = named([row], of(row, volume=D(held)))
    assert found == ([] if kind is None else [(kind, "900001")])


@pytest.mark.parametrize(
    ("expected", "observed", "kind"),
    [
        ("1950", "1950", None),
        (None, None, None),
        ("1950", "1950.01", "moved"),
        ("1950", None, "removed"),
        (None, "1950", "moved"),
    ],
)
@pytest.mark.parametrize("level", ["sl", "tp"])
def test_a_level_is_moved_or_removed(
    level: str, expected: str | None, observed: str | None, kind: str | None
) -> None:
    column = {"sl": "stop_loss", "tp": "take_profit"}[level]
    row = trade(1, **{column: None if expected is None else D(expected)})
    held = of(row, **{column: None if observed is None else D(observed)})
    found = compared([row], held).findings
    assert [f.kind.value for f in found] == ([] if kind is None else [f"{level}_{kind}"])
    told = {None: "", "1950": "1950.00", "1950.01": "1950.01"}  # the symbol's own two digits
    assert [(f.expected, f.observed) for f in found] == (
        [] if kind is None else [(told[expected], told[observed])]
    )


def test_the_wrong_way_round_is_one_difference_and_not_five() -> None:
    held = of(trade(1), side=Side.SELL, stop_loss=None, volume=D(3))
    assert named([trade(1)], held) == [("direction_mismatch", "900001")]


# --- absence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seen_missing", "told"), [(0, False), (1, False), (2, True), (7, True)])
def test_an_absence_is_told_after_three_complete_readings(*, seen_missing: int, told: bool) -> None:
    result = compared([trade(1, missing_count=seen_missing)])
    assert [m.count for m in result.missing] == [seen_missing + 1]
    assert [f.kind.value for f in result.findings] == (["missing_unexplained"] if told else [])


def test_a_trade_not_placed_yet_is_not_missing() -> None:
    result = compared([WAITING])
    assert (result.missing, result.findings, result.gone) == ((), (), ())


@pytest.mark.parametrize(("ours", "reason"), [(True, "reckoner"), (False, "foreign_ea")])
def test_an_absence_that_a_deal_explains_is_an_end(*, ours: bool, reason: str) -> None:
    closing = deal(1, reason=3, profit=D("50.00"))
    result = compared(
        [trade(1)],
        deals={900001: [closing]},
        ours=frozenset({900001}) if ours else frozenset(),
    )
    assert (result.missing, result.findings) == ((), ())
    assert [(g.closure.reason, g.closure.pnl) for g in result.gone] == [
        (CloseReason(reason), D("50.00"))
    ]


def test_a_partial_exit_explains_no_absence() -> None:
    part = deal(1, volume=D("0.04"))
    assert [m.count for m in compared([trade(1)], deals={900001: [part]}).missing] == [1]


@pytest.mark.parametrize(
    ("magic", "status", "told"),
    [(0, "pending", True), (7001, "pending", False), (7001, "open", True), (7002, "pending", True)],
)
def test_a_pending_order_is_known_by_the_magic_of_a_trade_to_be_placed(
    *, magic: int, status: str, told: bool
) -> None:
    row = replace(WAITING, status=status)
    found = named([row], pending(magic=magic))
    assert found == ([("unknown_pending_order", "800001")] if told else [])


def test_figures_are_told_as_plain_decimals() -> None:
    found = compared([trade(1)], of(trade(1), volume=Decimal("2E+2"))).findings[0]
    assert (found.expected, found.observed, found.material) == ("0.1", "200", "200")
