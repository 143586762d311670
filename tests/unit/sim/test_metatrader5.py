"""The MetaTrader5 module's surface: the conventions of facts 0, 1 and 2, by a terminal's answers.

What the wheel makes of arguments without a terminal is tests/contract/test_arguments.py's.
"""

import copy
import json
import pickle
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from core.sim import metatrader5
from core.sim.mt5_types import TYPES
from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, START_MS, Bench
from tests.unit.sim.surface import BROKEN, CLOSED, FINE, Surface, deal

SERVER_S = START_MS // 1000 + 10_800
HIDE = False


def test_before_and_after_a_connection_there_is_none(mt5: Surface) -> None:
    assert mt5.account_info().login == HEDGING_USD
    assert mt5.last_error() == FINE
    assert mt5.shutdown() is True
    assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)
    assert (mt5.positions_total(), mt5.last_error()) == (None, CLOSED)
    assert (mt5.symbol_select("XAUUSD"), mt5.last_error()) == (False, CLOSED)
    assert mt5.version() == (0, 0, "")
    assert mt5.shutdown() is True


def test_a_path_where_nothing_runs_is_not_found(mt5: Surface) -> None:
    assert mt5.initialize(r"C:\elsewhere\terminal64.exe") is False
    assert mt5.last_error() == (-10003, "IPC initialize failed, MetaTrader 5 x64 not found")
    assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)


def test_without_a_path_any_terminal_is_taken_whosever_it_is(mt5: Surface) -> None:
    mt5.plug(HEDGING_GBP)
    assert mt5.initialize() is True
    assert mt5.account_info().login == HEDGING_GBP


LOGINS = [
    ({}, True, True),
    ({"login": HEDGING_USD}, True, True),
    ({"login": HEDGING_USD, "password": "master"}, True, True),
    ({"login": HEDGING_USD, "password": "master", "server": "Sim"}, True, True),
    ({"login": HEDGING_USD, "password": "investor"}, True, False),
    ({"login": HEDGING_USD, "password": "wrong"}, False, None),
    ({"login": HEDGING_USD, "password": ""}, False, None),
    ({"login": HEDGING_USD, "password": "master", "server": "Other"}, False, None),
    ({"login": HEDGING_GBP}, False, None),
    ({"login": 1, "password": "master"}, False, None),
    ({"login": HEDGING_GBP, "password": "master"}, True, True),
]
"""Credentials, whether they are taken, whether the account may trade then."""


@pytest.mark.parametrize(("given", "taken", "trades"), LOGINS)
def test_who_may_log_in(
    mt5: Surface, given: dict[str, object], *, taken: bool, trades: bool | None
) -> None:
    assert mt5.initialize(mt5.path(HEDGING_USD), **given) is taken
    if taken:
        account = mt5.account_info()
        assert (account.login, account.trade_allowed) == (given.get("login", HEDGING_USD), trades)
    else:
        assert mt5.last_error() == (-6, "Terminal: Authorization failed")
        assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)


def test_an_investor_reads_and_cannot_trade(mt5: Surface, bench: Bench) -> None:
    mt5.initialize(mt5.path(HEDGING_USD), login=HEDGING_USD, password="investor")
    assert mt5.send(**deal()).retcode == 10017
    assert mt5.order_check(deal()).retcode == 10017
    assert mt5.positions_get() == ()
    assert bench.positions(HEDGING_USD) == []
    mt5.login(HEDGING_USD, password="master")
    assert mt5.send(**deal()).retcode == 10009


def test_a_login_points_the_same_terminal_at_another_account(mt5: Surface, bench: Bench) -> None:
    assert mt5.login(HEDGING_GBP, password="wrong") is False
    assert mt5.account_info().login == HEDGING_USD
    assert mt5.login(HEDGING_GBP, password="master") is True
    assert mt5.account_info().login == HEDGING_GBP
    mt5.open()
    assert len(bench.positions(HEDGING_GBP)) == 1
    # The terminal itself remembers whom it was logged in to last.
    assert mt5.initialize(mt5.path(HEDGING_USD)) is True
    assert mt5.account_info().login == HEDGING_GBP


def test_an_empty_tuple_is_no_failure(mt5: Surface) -> None:
    for found in (
        mt5.positions_get(),
        mt5.orders_get(),
        mt5.positions_get(ticket=5),
        mt5.positions_get(symbol="NOPE"),
        mt5.history_orders_get(0, 2**31 - 1),
        mt5.history_deals_get(position=5),
    ):
        assert found == ()
        assert mt5.last_error() == FINE
    assert mt5.positions_total() == mt5.orders_total() == 0


def test_the_ticket_goes_before_the_symbol_and_the_symbol_before_the_group(
    mt5: Surface, bench: Bench
) -> None:
    gold = mt5.open()
    euro = bench.trade(HEDGING_USD, "buy", 0.1, "EURUSD")
    tickets = {
        tuple(one.ticket for one in mt5.positions_get(**asked))
        for asked in (
            {"ticket": gold, "symbol": "EURUSD", "group": "*"},
            {"symbol": "XAUUSD", "group": "EUR*"},
            {"group": "XAU*"},
            {"group": "*,!EUR*"},
            {"symbol": "XAUUSD", "unknown": 1},
        )
    }
    assert tickets == {(gold,)}
    assert [one.ticket for one in mt5.positions_get(unknown=1)] == [gold, euro]


def test_unknown_keys_of_a_request_are_ignored(mt5: Surface, bench: Bench) -> None:
    """A misspelt position opens the opposite one (facts, row 7)."""
    ticket = mt5.open()
    mt5.open("sell", positon=ticket)
    assert [one.type for one in mt5.positions_get()] == [0, 1]


def test_a_request_goes_out_by_name_too(mt5: Surface) -> None:
    sent = mt5.order_send(**deal())
    assert (sent.retcode, sent.request.symbol, sent.request.magic) == (10009, "XAUUSD", 0)


def test_a_figure_that_is_none_is_refused_by_the_terminal(mt5: Surface) -> None:
    assert mt5.send(**{**deal(), "volume": float("nan")}) is None
    assert mt5.last_error() == (-2, "Terminal: Invalid params")


@pytest.mark.parametrize("name", sorted(TYPES))
def test_results_are_struct_sequences(mt5: Surface, bench: Bench, name: str) -> None:
    mt5.open()
    bench.send(HEDGING_USD, action=5, symbol="XAUUSD", volume=0.1, type=2, price=1960.0)
    results: dict[str, Any] = {
        "AccountInfo": mt5.account_info(),
        "TerminalInfo": mt5.terminal_info(),
        "SymbolInfo": mt5.symbol_info("XAUUSD"),
        "Tick": mt5.symbol_info_tick("XAUUSD"),
        "TradePosition": mt5.positions_get()[0],
        "TradeOrder": mt5.orders_get()[0],
        "TradeDeal": mt5.history_deals_get(0, 2**31 - 1)[0],
        "OrderSendResult": mt5.send(**deal()),
        "OrderCheckResult": mt5.order_check(deal()),
        "TradeRequest": mt5.send(**deal()).request,
        "BookInfo": TYPES["BookInfo"]((1, 1.0, 1, 1.0)),
    }
    made: Any = results[name]
    assert issubclass(type(made), tuple)
    assert (type(made).__name__, type(made).__module__) == (name, "builtins")
    assert repr(type(made)) == f"<class '{name}'>"
    assert not hasattr(made, "_fields")
    assert not hasattr(made, "_replace")
    assert tuple(made._asdict().values()) == tuple(made) == made
    assert getattr(made, next(iter(made._asdict()))) == made[0]
    assert copy.copy(made) == copy.deepcopy(made) == made
    assert type(copy.deepcopy(made)) is type(made)
    assert hash(made) == hash(tuple(made))
    assert json.loads(json.dumps(made)) == json.loads(json.dumps(list(made)))
    with pytest.raises(pickle.PicklingError, match=f"^Can't pickle <class '{name}'>"):
        pickle.dumps(made)
    with pytest.raises(TypeError, match=f"-sequence \\({len(made) + 1}-sequence given\\)$"):
        type(made)((*made, 0))
    with pytest.raises(AttributeError):
        made.extra = 1


def test_a_structure_has_the_types_of_its_fields(mt5: Surface) -> None:
    account = mt5.account_info()
    assert isinstance(account.trade_allowed, bool)
    assert isinstance(account.balance, float)
    assert isinstance(account.login, int)
    assert str(account).startswith(f"AccountInfo(login={HEDGING_USD}, trade_mode=0, ")


def test_symbols_are_quoted_once_they_are_selected(mt5: Surface, bench: Bench) -> None:
    info = mt5.symbol_info("EURUSD")
    assert (info.select, info.bid, info.time) == (False, 0.0, 0)
    assert mt5.symbol_info_tick("EURUSD") is None
    assert mt5.last_error() == (-4, "Terminal: Not found")
    assert mt5.symbol_select("EURUSD") is True
    assert mt5.symbol_info_tick("EURUSD").bid == 1.085
    assert mt5.symbol_info("EURUSD").select is True
    assert mt5.symbol_select("EURUSD", HIDE) is True
    assert mt5.symbol_info_tick("EURUSD") is None
    bench.trade(HEDGING_USD, "buy", 0.1, "EURUSD")
    assert mt5.symbol_info_tick("EURUSD").ask == 1.0851
    # What is held stays in view.
    assert mt5.symbol_select("EURUSD", HIDE) is False
    assert mt5.last_error()[0] == -1


def test_a_symbol_that_is_not_there(mt5: Surface) -> None:
    for answer in (
        mt5.symbol_info("NOPE"),
        mt5.symbol_info_tick("NOPE"),
        mt5.order_calc_margin(0, "NOPE", 0.1, 1.0),
    ):
        assert answer is None
        assert mt5.last_error() == (-4, "Terminal: Not found")
    assert mt5.symbol_select("NOPE") is False
    assert mt5.last_error() == (-1, "Terminal: Call failed")


def test_groups_of_symbols(mt5: Surface) -> None:
    assert mt5.symbols_total() == len(mt5.symbols_get()) == 9
    names = [one.name for one in mt5.symbols_get(group="*USD*,!EUR*,!XAU*")]
    assert names == ["GBPUSD", "USDCHF", "USDJPY"]


def test_depth_bars_and_bulk_ticks_are_unsupported(mt5: Surface) -> None:
    for answer in (
        mt5.market_book_get("XAUUSD"),
        mt5.copy_rates_from("XAUUSD", 1, 0, 1),
        mt5.copy_rates_from_pos("XAUUSD", 1, 0, 1),
        mt5.copy_rates_range("XAUUSD", 1, 0, 1),
        mt5.copy_ticks_from("XAUUSD", 0, 1, -1),
        mt5.copy_ticks_range("XAUUSD", 0, 1, -1),
    ):
        assert answer is None
        assert mt5.last_error() == (-7, "Terminal: Unsupported function")
    assert mt5.market_book_add("XAUUSD") is True


def test_times_are_the_servers_and_windows_are_compared_with_them(mt5: Surface) -> None:
    """With a server at +3 h, the last hour of UTC has no deal; a window past now has all."""
    mt5.open()
    utc_s = START_MS // 1000
    assert mt5.positions_get()[0].time == SERVER_S
    assert mt5.history_deals_get(utc_s - 3600, utc_s) == ()
    assert len(mt5.history_deals_get(utc_s - 3600, utc_s + 86_400)) == 2
    assert len(mt5.history_deals_get(SERVER_S, SERVER_S)) == 2
    assert mt5.history_deals_get(SERVER_S + 1, SERVER_S + 1) == ()
    assert mt5.history_deals_total(0, SERVER_S) == 2


def test_dates_past_2038_wrap_and_find_nothing(mt5: Surface) -> None:
    assert mt5.history_deals_get(0, datetime(2100, 1, 1, tzinfo=UTC)) == ()
    assert mt5.last_error() == FINE
    with pytest.raises(SystemError, match="returned a result with an exception set"):
        mt5.history_deals_get(0, 2**31)


@pytest.fixture
def _local_zone(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_local_zone")
def test_a_naive_date_is_read_in_the_agents_own_zone(mt5: Surface) -> None:
    server = datetime.fromtimestamp(SERVER_S, UTC)
    naive = server.replace(tzinfo=None)
    assert len(mt5.history_deals_get(server, server)) == 1
    # 9 hours ahead, the same words mean an instant 9 hours earlier.
    assert mt5.history_deals_get(naive, naive) == ()


def test_history_by_ticket_is_one_record_at_most_and_by_position_all(mt5: Surface) -> None:
    ticket = mt5.open(volume=0.2)
    part = mt5.send(**deal("sell"), position=ticket)
    mt5.send(**deal("sell"), position=ticket)
    assert [one.entry for one in mt5.history_deals_get(position=ticket)] == [0, 1, 1]
    (found,) = mt5.history_deals_get(ticket=part.order)
    assert (found.ticket, found.order) == (part.deal, part.order)
    assert [one.type for one in mt5.history_orders_get(position=ticket)] == [0, 1, 1]
    (order,) = mt5.history_orders_get(ticket=part.order)
    assert (order.state, order.volume_initial, order.volume_current) == (4, 0.1, 0.0)
    assert mt5.history_orders_total(0, 2**31 - 1) == 3


def test_check_and_calculations_need_no_trade(mt5: Surface, bench: Bench) -> None:
    """0.1 lots of 100 oz at 1970.30, leverage 100: 197.03 USD."""
    checked = mt5.order_check(deal())
    assert (checked.retcode, checked.comment) == (0, "Done")
    assert (checked.balance, checked.equity, checked.margin) == (12_000.0, 12_000.0, 197.03)
    assert checked.margin_free == 11_802.97
    assert (checked.request.symbol, checked.request.volume) == ("XAUUSD", 0.1)
    refused = mt5.order_check(deal(volume=0.005))
    assert (refused.retcode, refused.comment, refused.margin) == (10014, "Invalid volume", 0.0)
    assert mt5.order_calc_margin(0, "XAUUSD", 0.1, 1970.30) == 197.03
    assert mt5.order_calc_profit(1, "XAUUSD", 1, 1970, 1960) == 1000.0
    # A loss in francs is bought at the price at which it was made: 1 lot, 100 francs, at 0.88.
    assert mt5.order_calc_profit(0, "USDCHF", 1.0, 0.881, 0.88) == -113.64
    assert bench.positions(HEDGING_USD) == []
    assert mt5.order_calc_profit(2, "XAUUSD", 1, 1970, 1960) is None
    assert mt5.last_error()[0] == -2


def test_the_version_is_the_builds(mt5: Surface) -> None:
    major, build, day = mt5.version()
    assert (major, build) == (500, mt5.terminal_info().build)
    assert datetime.strptime(day, "%d %b %Y").replace(tzinfo=UTC) > datetime(2020, 1, 1, tzinfo=UTC)


def test_a_terminal_that_was_started_again_has_broken_the_pipe(mt5: Surface) -> None:
    mt5.open()
    # Each run of a terminal has another name for its pipes.
    mt5.peers[HEDGING_USD].pipe = "another run"
    assert (mt5.account_info(), mt5.last_error()) == (None, BROKEN)
    assert (mt5.account_info(), mt5.last_error()) == (None, CLOSED)
    assert mt5.initialize(mt5.path(HEDGING_USD)) is True
    assert len(mt5.positions_get()) == 1


def test_unplugged_terminals_are_not_found(mt5: Surface) -> None:
    metatrader5.unplug(mt5.path(HEDGING_USD))
    assert mt5.account_info() is not None
    assert mt5.initialize(mt5.path(HEDGING_USD)) is False
