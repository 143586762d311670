"""A reading is complete and from the right login, or it is an exception (law 1)."""

import copy
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.terminal.rows import Rows
from core.domain.broker import MarginMode, Side
from core.ports import BrokerUnavailable, WrongAccount
from tests.unit.terminal.wire import (
    BEGAN,
    BODY,
    LOGIN,
    SERVER,
    Path,
    at,
    changed,
    places,
    read,
    without,
)

D = Decimal
PLACES = tuple(places())
FIGURES = tuple(p for p in PLACES if not isinstance(at(p), dict | list))
FLAGS = tuple(p for p in FIGURES if isinstance(at(p), bool))
FLOATS = tuple(p for p in FIGURES if isinstance(at(p), float))
WHOLES = tuple(p for p in FIGURES if isinstance(at(p), int) and p not in FLAGS)
MAY_LACK: tuple[Path, ...] = (
    ("positions", 0),  # then the account contradicts itself, which is told elsewhere
    ("orders", 0),
    ("deals", 0),
    ("ticks", "XAUUSD"),  # a close does not need one
    ("orders", 0, "reason"),  # who placed it is told where it is known
)


def name(path: Path) -> str:
    """The place as a sentence's subject."""
    return ".".join(map(str, path))


def test_every_field_arrives_exactly() -> None:
    reading = read(BODY)
    state, held = reading.state, reading.positions[0]
    assert (state.balance, state.profit, state.equity) == (D("941.54"), D("2.37"), D("943.91"))
    assert (state.margin, state.margin_free) == (D("2.36"), D("941.55"))
    assert state.margin_level_percent == D("39996.18644068")  # eight decimals are kept
    assert (state.stop_out_level_percent, state.margin_mode) == (D(50), MarginMode.HEDGING)
    assert (state.login, state.server, reading.obstacles) == (LOGIN, SERVER, ())
    assert (held.ticket, held.identifier, held.side) == (900001, 900000, Side.SELL)
    assert (held.volume, held.price_open, held.price_current) == (
        D("0.1"),
        D("1970.3"),
        D("1969.8"),
    )
    assert (held.stop_loss, held.take_profit) == (D(1990), None)  # 0 is none
    assert (held.profit, held.swap, held.magic) == (D("2.37"), D("-0.1"), 7001)
    order, deal = reading.orders[0], reading.deals[0]
    assert (order.ticket, order.order_type, order.volume) == (800001, 3, D("0.2"))
    assert (deal.ticket, deal.position_id, deal.commission) == (5, 900000, D("-0.04"))
    assert deal.amount == D("-0.04")
    assert reading.symbols["XAUUSD"].volume_step == D("0.01")
    assert (reading.ticks["XAUUSD"].bid, reading.ticks["XAUUSD"].ask) == (D("1969.5"), D("1969.8"))


def test_who_placed_an_order_is_read_where_it_is_told_and_missed_by_no_reading() -> None:
    assert read(BODY).orders[0].reason == 1
    untold = [{k: v for k, v in order.items() if k != "reason"} for order in BODY["orders"]]
    assert read({**BODY, "orders": untold}).orders[0].reason is None


def test_the_server_clock_is_brought_to_utc_and_its_offset_kept() -> None:
    reading = read(BODY)
    instants = {
        reading.positions[0].opened_at,
        reading.orders[0].placed_at,
        reading.deals[0].executed_at,
        reading.ticks["XAUUSD"].at,
    }
    assert (instants, reading.server_offset_s) == ({BEGAN}, 10_800)


@pytest.mark.parametrize(
    ("wire", "exact"),
    [(0.1 + 0.2, "0.3"), (1e-9, "0"), (1e15, "1000000000000000"), (5, "5"), (-0.04, "-0.04")],
)
def test_a_float_becomes_what_the_terminal_meant(wire: float, exact: str) -> None:
    assert read(changed(("positions", 0, "swap"), wire)).positions[0].swap == D(exact)


def test_prices_are_rounded_to_the_digits_of_their_symbol() -> None:
    body = changed(("positions", 0, "sl"), 1990.0000000001)
    assert read(body).positions[0].stop_loss == D("1990.00")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("login",), 50002),
        (("server",), "Other"),
        (("account", "login"), 50002),
        (("account", "server"), "Other"),
        (("login",), None),
        (("login",), "50001"),
        (("login",), [50001]),
        (("server",), {}),
        (("account", "server"), None),
    ],
)
def test_another_login_or_server_anywhere_is_the_wrong_account(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(WrongAccount, match="asked for 50001 at Sim"):
        read(changed(path, value))


def test_a_failed_call_is_unavailable_and_the_wrong_account_goes_first() -> None:
    failed = {"login": LOGIN, "server": SERVER, "failed": "positions_get", "error": [-10002, "x"]}
    with pytest.raises(BrokerUnavailable, match="positions_get failed"):
        read(failed)
    with pytest.raises(WrongAccount):
        read({**failed, "login": 7})


@pytest.mark.parametrize("path", PLACES, ids=name)
def test_nothing_may_be_null(path: Path) -> None:
    with pytest.raises(BrokerUnavailable):
        read(changed(path, None))


@pytest.mark.parametrize("path", [p for p in PLACES if p not in MAY_LACK], ids=name)
def test_nothing_may_be_missing(path: Path) -> None:
    with pytest.raises(BrokerUnavailable):
        read(without(path))


@pytest.mark.parametrize("path", FIGURES, ids=name)
@pytest.mark.parametrize("value", [nan, inf, -inf], ids=str)
def test_nothing_may_be_no_number(path: Path, value: float) -> None:
    with pytest.raises(BrokerUnavailable):
        read(changed(path, value))


@pytest.mark.parametrize("path", PLACES, ids=name)
def test_an_empty_thing_of_another_kind_is_not_nothing_held(path: Path) -> None:
    empties: tuple[object, ...] = ([], {}, "")
    for value in empties:
        if type(value) is not type(at(path)):
            with pytest.raises(BrokerUnavailable):
                read(changed(path, value))


@pytest.mark.parametrize("nothing", [{}, "", 0, False, None], ids=repr)
def test_a_flat_account_shows_an_empty_list_and_nothing_else(nothing: object) -> None:
    flat = changed(("positions",), [])
    flat["account"] |= {"margin": 0.0, "equity": 941.54, "profit": 0.0}
    assert read(flat).positions == ()
    with pytest.raises(BrokerUnavailable):
        read({**flat, "positions": nothing})


@pytest.mark.parametrize("path", WHOLES, ids=name)
@pytest.mark.parametrize("value", [1.5, "1", True], ids=repr)
def test_an_id_or_a_code_is_a_whole_number(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(BrokerUnavailable):
        read(changed(path, value))


@pytest.mark.parametrize("path", FLOATS, ids=name)
@pytest.mark.parametrize("value", ["1.5", True, 1e300], ids=repr)
def test_a_figure_is_a_number_of_a_possible_size(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(BrokerUnavailable):
        read(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("positions", 0, "ticket"), 0),  # a close without a name would open
        (("orders", 0, "ticket"), 0),
        (("positions", 0, "volume"), 0.0),
        (("positions", 0, "volume"), -0.1),
        (("positions", 0, "type"), 2),
        (("account", "margin_mode"), 3),
        (("terminal", "connected"), False),
        (("positions", 0, "symbol"), "EURUSD"),  # no symbol data came for it
    ],
)
def test_what_contradicts_itself_is_unavailable(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON
    with pytest.raises(BrokerUnavailable):
        read(changed(path, value))


@pytest.mark.parametrize(
    ("margin", "equity", "complete"),
    [
        (0.0, 941.54, True),
        (0.01, 941.54, True),  # what rounding may leave
        (0.02, 941.54, False),
        (0.0, 941.55, True),
        (0.0, 941.56, False),
        (0.0, 941.52, False),
        (2.36, 943.91, False),
    ],
)
def test_no_positions_with_exposure_is_a_read_that_lost_them(
    *, margin: float, equity: float, complete: bool
) -> None:
    body = changed(("positions",), [])
    body["account"] |= {"margin": margin, "equity": equity, "profit": 0.0}
    if complete:
        assert read(body).positions == ()
        return
    with pytest.raises(BrokerUnavailable, match="incomplete"):
        read(body)


@pytest.mark.parametrize(("rows", "what"), [("positions", "position"), ("orders", "order")])
def test_a_ticket_that_is_listed_twice_is_no_reading(rows: str, what: str) -> None:
    body = copy.deepcopy(BODY)
    assert len(body[rows]) == 1
    body[rows] *= 2
    with pytest.raises(BrokerUnavailable, match=f"a {what} is listed twice"):
        read(body)


@pytest.mark.parametrize(
    ("path", "value", "obstacles"),
    [
        (("terminal", "trade_allowed"), True, ()),
        (("terminal", "trade_allowed"), False, ("autotrading_off",)),
        (("terminal", "tradeapi_disabled"), True, ("api_disabled",)),
        (("account", "trade_allowed"), False, ("investor_password",)),
        (("account", "trade_expert"), False, ("experts_forbidden",)),
        (("account", "fifo_close"), True, ()),
        (("symbols", "XAUUSD", "trade_mode"), 3, ()),
        (("symbols", "XAUUSD", "trade_mode"), 0, ("symbol_disabled:XAUUSD",)),
    ],
)
def test_what_keeps_the_account_from_being_closed_is_read_from_its_flags(
    path: Path, value: object, obstacles: tuple[str, ...]
) -> None:
    assert read(changed(path, value)).obstacles == obstacles


def test_a_symbol_arrives_with_what_the_broker_says_of_it() -> None:
    spec = read(BODY).symbols["XAUUSD"]
    assert (spec.name, spec.canonical, spec.path) == ("XAUUSD", "XAUUSD", "Metals\\XAUUSD")
    assert (spec.calc_mode, spec.trade_mode, spec.digits) == (4, 4, 2)
    assert (spec.tick_value, spec.tick_size, spec.volume_limit) == (D(1), D("0.01"), D(500))
    assert (spec.stops_level, spec.freeze_level) == (20, 5)


def test_a_brokers_own_name_is_kept_beside_reckoners() -> None:
    body = changed(("symbols", "XAUUSD", "name"), "GOLD.r")
    body["symbols"]["XAUUSD"]["path"] = "Metals\\GOLD.r"
    spec = read(body).symbols["XAUUSD"]
    assert (spec.name, spec.canonical) == ("GOLD.r", "XAUUSD")


def test_without_margin_there_is_no_level_and_a_stop_out_in_money_is_no_percentage() -> None:
    assert read(changed(("account", "margin"), 0.0)).state.margin_level_percent is None
    assert read(changed(("account", "margin_so_mode"), 1)).state.stop_out_level_percent is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_anywhere_it_is_a_reading_or_unavailable(path: Path, value: Any) -> None:  # noqa: ANN401 - JSON
    with suppress(BrokerUnavailable):
        read(changed(path, value))


def test_an_equal_row_is_the_same_object_as_before_and_a_changed_one_a_new_one() -> None:
    rows = Rows()
    first = read(BODY, rows)
    again = read(copy.deepcopy(BODY), rows)
    assert again.positions[0] is first.positions[0]
    assert again.orders[0] is first.orders[0]
    assert again.symbols["XAUUSD"] is first.symbols["XAUUSD"]

    moved = read(changed(("positions", 0, "sl"), 1991.0), rows)
    assert moved.positions[0].stop_loss == D(1991)
    assert moved.orders[0] is first.orders[0]
    assert read(BODY, rows).positions[0] == first.positions[0]


def test_an_equal_row_under_another_clock_or_with_other_digits_is_read_anew() -> None:
    rows = Rows()
    first = read(BODY, rows).positions[0]
    an_hour_on = read(changed(("server_offset_s",), 7_200), rows).positions[0]
    assert an_hour_on.opened_at - first.opened_at == timedelta(hours=1)
    read(BODY, rows)
    coarse = read(changed(("symbols", "XAUUSD", "digits"), 0), rows).positions[0]
    assert (first.price_current, coarse.price_current) == (D("1969.80"), D(1970))


def test_a_reading_that_fails_leaves_what_the_last_whole_one_knew() -> None:
    rows = Rows()
    first = read(BODY, rows)
    with suppress(BrokerUnavailable):
        read(changed(("deals", 0, "price"), nan), rows)
    assert read(BODY, rows).positions[0] is first.positions[0]
