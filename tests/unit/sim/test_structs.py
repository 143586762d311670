"""Snapshots carry MetaTrader's structures: every field, in order, of its type (facts, 1.2)."""

from typing import Any

import pytest

from tests.unit.sim.bench import HEDGING_GBP, HEDGING_USD, NETTING_EUR, START_MS, Bench

ACCOUNT = """login trade_mode leverage limit_orders margin_so_mode:i trade_allowed trade_expert:b
margin_mode currency_digits:i fifo_close:b balance credit profit equity margin margin_free
margin_level margin_so_call margin_so_so margin_initial margin_maintenance assets liabilities
commission_blocked:f name server currency company:s"""
POSITION = """ticket time time_msc time_update time_update_msc type magic identifier reason:i
volume price_open sl tp price_current swap profit:f symbol comment external_id:s"""
ORDER = """ticket time_setup time_setup_msc time_done time_done_msc time_expiration type type_time
type_filling state magic position_id position_by_id reason:i volume_initial volume_current
price_open sl tp price_current price_stoplimit:f symbol comment external_id:s"""
DEAL = """ticket order time time_msc type entry magic position_id reason:i volume price commission
swap profit fee:f symbol comment external_id:s"""
TICK = "time:i bid ask last:f volume time_msc flags:i volume_real:f"
TERMINAL = """community_account community_connection connected dlls_allowed trade_allowed
tradeapi_disabled email_enabled ftp_enabled notifications_enabled mqid:b build maxbars codepage
ping_last:i community_balance retransmission:f company name language path data_path
commondata_path:s"""
SYMBOL = """custom:b chart_mode:i select visible:b session_deals session_buy_orders
session_sell_orders volume volumehigh volumelow time digits spread:i spread_float:b ticks_bookdepth
trade_calc_mode trade_mode start_time expiration_time trade_stops_level trade_freeze_level
trade_exemode swap_mode swap_rollover3days:i margin_hedged_use_leg:b expiration_mode filling_mode
order_mode order_gtc_mode option_mode option_right:i bid bidhigh bidlow ask askhigh asklow last
lasthigh lastlow volume_real volumehigh_real volumelow_real option_strike point trade_tick_value
trade_tick_value_profit trade_tick_value_loss trade_tick_size trade_contract_size
trade_accrued_interest trade_face_value trade_liquidity_rate volume_min volume_max volume_step
volume_limit swap_long swap_short margin_initial margin_maintenance session_volume session_turnover
session_interest session_buy_orders_volume session_sell_orders_volume session_open session_close
session_aw session_price_settlement session_price_limit_min session_price_limit_max margin_hedged
price_change price_volatility price_theoretical price_greeks_delta price_greeks_theta
price_greeks_gamma price_greeks_vega price_greeks_rho price_greeks_omega price_sensitivity:f basis
category currency_base currency_profit currency_margin bank description exchange formula isin name
page path:s"""
RESULT = """retcode deal order:i volume price bid ask:f comment:s request_id retcode_external:i
request:r"""
REQUEST = """action magic order:i symbol:s volume price stoplimit sl tp:f deviation type
type_filling type_time expiration:i comment:s position position_by:i"""
TYPES: dict[str, type] = {"i": int, "f": float, "b": bool, "s": str, "r": dict}


def fields(listing: str) -> list[tuple[str, type]]:
    """Read a listing: a type letter after a name holds for it and the names before."""
    found: list[tuple[str, type]] = []
    waiting: list[str] = []
    for word in listing.split():
        name, _, letter = word.partition(":")
        waiting.append(name)
        if letter:
            found += [(one, TYPES[letter]) for one in waiting]
            waiting = []
    return found


def shape(struct: dict[str, Any]) -> list[tuple[str, type]]:
    """What a structure is made of."""
    return [(name, type(value)) for name, value in struct.items()]


@pytest.fixture
def read(bench: Bench) -> dict[str, Any]:
    """A snapshot with one of everything."""
    bench.trade(HEDGING_USD, "buy", 0.10, sl=1950.0, comment="tag")
    bench.send(HEDGING_USD, action=5, symbol="EURUSD", volume=0.1, type=2, price=1.08)
    return bench.terminal.snapshot(HEDGING_USD, 0, [])


def test_the_listings_have_the_known_lengths() -> None:
    counts = (ACCOUNT, 28), (POSITION, 19), (ORDER, 24), (DEAL, 18), (TICK, 8), (TERMINAL, 22)
    for listing, count in (*counts, (SYMBOL, 96), (RESULT, 11), (REQUEST, 17)):
        assert len(fields(listing)) == count


def test_every_structure_is_as_the_wheel_makes_it(read: dict[str, Any]) -> None:
    assert shape(read["account"]) == fields(ACCOUNT)
    assert shape(read["positions"][0]) == fields(POSITION)
    assert shape(read["orders"][0]) == fields(ORDER)
    assert [shape(deal) for deal in read["deals"]] == [fields(DEAL)] * 2
    assert shape(read["terminal"]) == fields(TERMINAL)
    for name in ("XAUUSD", "EURUSD", "GBPUSD"):
        assert shape(read["ticks"][name]) == fields(TICK)
        assert shape(read["symbols"][name]) == fields(SYMBOL)


def test_results_are_as_the_wheel_makes_them(bench: Bench) -> None:
    for volume in (0.1, 0.0):
        sent = bench.send(
            HEDGING_USD, action=1, symbol="EURUSD", volume=volume, type=0, type_filling=0
        )
        assert sent.result is not None
        assert shape(sent.result) == fields(RESULT)
        assert shape(sent.result["request"]) == fields(REQUEST)


def test_times_are_server_time_encoded_as_utc(read: dict[str, Any]) -> None:
    assert read["server_offset_s"] == 10_800
    assert read["agent_clock_ms"] == START_MS
    position = read["positions"][0]
    assert position["time_msc"] == START_MS + 10_800_000
    assert position["time"] == position["time_msc"] // 1000
    assert read["deals"][-1]["time_msc"] == START_MS + 10_800_000
    assert read["ticks"]["XAUUSD"]["time_msc"] == START_MS + 10_800_000


@pytest.mark.parametrize(
    ("login", "held", "names"),
    [
        (HEDGING_GBP, (), set()),
        (HEDGING_USD, (), {"GBPUSD"}),
        (NETTING_EUR, (), {"EURGBP"}),
        (HEDGING_GBP, ("XAUUSD",), {"XAUUSD", "GBPUSD"}),
        (HEDGING_GBP, ("EURJPY",), {"EURJPY", "GBPJPY"}),
        (HEDGING_GBP, ("USDCHF",), {"USDCHF", "GBPUSD"}),
    ],
)
def test_a_snapshot_brings_what_converts_to_pounds(
    bench: Bench, login: int, held: tuple[str, ...], names: set[str]
) -> None:
    for symbol in held:
        bench.trade(login, "buy", 0.01, symbol)
    read = bench.terminal.snapshot(login, 0, [])
    assert set(read["ticks"]) == set(read["symbols"]) == names


def test_symbols_asked_for_come_where_they_exist(bench: Bench) -> None:
    read = bench.terminal.snapshot(HEDGING_GBP, 0, ["US500", "NOPE"])
    assert set(read["ticks"]) == {"US500", "GBPUSD"}


def test_deals_are_listed_from_the_instant_on(bench: Bench) -> None:
    bench.now += 1_000
    bench.trade(HEDGING_USD, "buy", 0.10)
    since = [
        len(bench.terminal.snapshot(HEDGING_USD, START_MS + plus, [])["deals"])
        for plus in (0, 1, 1_000, 1_001)
    ]
    assert since == [2, 1, 1, 0]
