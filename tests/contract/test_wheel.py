"""Our numbers, names and texts against the official MetaTrader5 wheel, read and not installed.

`.ci/wheels` fetches the release of requirements.lock. When MetaQuotes publishes another one: move
`exclude-newer` in pyproject.toml forward, run `.ci/lock` and `.ci/wheels`, then this file; whatever
differs is listed here by name, and is either taken over (`core/sim/mt5_constants.py`,
`core/sim/mt5_types.py`, `core/domain/retcodes.py`) or a reason to stay with the former release.
"""

import inspect
import os
from types import ModuleType

import pytest

from core.adapters.mt5 import agent
from core.domain import broker, close_request, closing, retcodes
from core.sim import codes, metatrader5, mt5_constants, mt5_types
from tests.contract.wheel import FETCH, Wheel, find_wheel, locked_version, wheel_path

NOT_IN_THE_WHEEL = {"HEDGE_PROHIBITED": 10046}
"""Documented for MQL5, absent from the wheel (facts: mt5, 1.4)."""
STRUCTURES = {
    "AccountInfo": 28,
    "TradePosition": 19,
    "TradeOrder": 24,
    "TradeDeal": 18,
    "TradeRequest": 17,
    "OrderSendResult": 11,
    "OrderCheckResult": 9,
    "Tick": 8,
    "BookInfo": 4,
    "TerminalInfo": 22,
    "SymbolInfo": 96,
}
"""How many fields each has (facts: mt5, 1.2)."""


def test_the_wheel_is_there_where_it_must_be() -> None:
    """.ci/run fetches it and says so: there, a missing wheel is a failure and no skipped test."""
    if not os.environ.get("WHEELS_REQUIRED"):
        find_wheel("metatrader5")
    assert wheel_path("metatrader5") is not None, f"run {FETCH}"


@pytest.fixture(scope="module")
def wheel() -> Wheel:
    """The fetched wheel."""
    return Wheel(find_wheel("metatrader5"))


def numbers(module: ModuleType | type) -> dict[str, int]:
    """Every number with a name in capitals."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and type(value) is int
    }


def test_it_is_the_release_that_is_locked(wheel: Wheel) -> None:
    assert wheel.version == locked_version("metatrader5")


def test_every_constant_is_the_wheels(wheel: Wheel) -> None:
    assert len(wheel.constants) > 200
    assert numbers(mt5_constants) == wheel.constants


def test_every_code_the_simulator_names_is_the_wheels(wheel: Wheel) -> None:
    prefixes = {
        codes.Action: "TRADE_ACTION_",
        codes.OrderType: "ORDER_TYPE_",
        codes.OrderState: "ORDER_STATE_",
        codes.OrderTime: "ORDER_TIME_",
        codes.Filling: "ORDER_FILLING_",
        codes.Execution: "SYMBOL_TRADE_EXECUTION_",
        codes.TradeMode: "SYMBOL_TRADE_MODE_",
        codes.SwapMode: "SYMBOL_SWAP_MODE_",
        codes.Retcode: "TRADE_RETCODE_",
        codes.LastError: "RES_E_",
    }
    classes = {each for _, each in inspect.getmembers(codes, inspect.isclass)}
    assert classes == set(prefixes), "each class of codes has its prefix here"
    for each, prefix in prefixes.items():
        theirs = {
            name.removeprefix(prefix).replace("_", ""): value
            for name, value in wheel.constants.items()
            if name.startswith(prefix)
        }
        if each is codes.LastError:
            theirs["OK"] = wheel.constants["RES_S_OK"]
        ours = {
            name.replace("_", ""): value
            for name, value in numbers(each).items()
            if name not in NOT_IN_THE_WHEEL
        }
        assert ours
        assert ours.items() <= theirs.items(), each.__name__


def test_the_outcome_table_has_the_wheels_names_and_numbers_and_no_others(wheel: Wheel) -> None:
    theirs = {
        name.removeprefix("TRADE_RETCODE_"): value
        for name, value in wheel.constants.items()
        if name.startswith("TRADE_RETCODE_")
    }
    ours = {row.name: row.code for row in retcodes.RETCODES if row.code}
    assert ours == theirs | NOT_IN_THE_WHEEL
    errors = {name: value for name, value in wheel.constants.items() if name.startswith("RES_")}
    assert {row.name: row.code for row in retcodes.LAST_ERRORS if row.code} == errors


def test_every_text_of_the_outcome_table_and_the_simulator_is_printed_by_the_wheel(
    wheel: Wheel,
) -> None:
    assert wheel.says("IPC recv failed")
    assert not wheel.says("IPC recv failed!")
    for row in retcodes.LAST_ERRORS:
        for text in set(row.texts) - {"Success"}:
            assert wheel.says(text), text
    for text in codes.LAST_ERROR_TEXT.values():
        head, _, tail = text.partition(", MetaTrader 5 x64")
        assert wheel.says(head), text
        assert not tail or wheel.says("MetaTrader 5 x64" + tail), text
    for name in mt5_types.SPECS["TradeRequest"]:
        assert wheel.says(f'Invalid "{name}" argument'), name


def test_what_the_domain_calls_by_its_own_words_is_the_wheels(wheel: Wheel) -> None:
    theirs = wheel.constants
    deal_types = {f"DEAL_TYPE_{name}": value for name, value in numbers(broker.DealType).items()}
    entries = {f"DEAL_ENTRY_{name}": value for name, value in numbers(broker.DealEntry).items()}
    assert deal_types.items() <= theirs.items()
    assert entries.items() <= theirs.items()
    own = {"STOP_LOSS": "SL", "TAKE_PROFIT": "TP", "STOP_OUT": "SO"}
    reasons = {
        f"DEAL_REASON_{own.get(name, name)}": value
        for name, value in numbers(broker.DealReason).items()
    }
    assert reasons.items() <= theirs.items()
    flows = ("DEAL_TYPE_BALANCE", "DEAL_TYPE_CREDIT", "DEAL_TYPE_BONUS")
    assert {theirs[name] for name in flows} == broker.DealType.FLOWS
    exits = ("DEAL_ENTRY_OUT", "DEAL_ENTRY_INOUT", "DEAL_ENTRY_OUT_BY")
    assert {theirs[name] for name in exits} == broker.DealEntry.EXITS


def test_what_a_close_is_made_of_is_the_wheels(wheel: Wheel) -> None:
    theirs = wheel.constants
    assert theirs["ORDER_FILLING_FOK"] == close_request.FILL_FOK
    assert theirs["ORDER_FILLING_IOC"] == close_request.FILL_IOC
    assert theirs["ORDER_FILLING_RETURN"] == close_request.FILL_RETURN
    assert theirs["SYMBOL_TRADE_EXECUTION_MARKET"] == close_request.EXECUTION_MARKET
    assert {theirs["ORDER_TYPE_BUY"], theirs["ORDER_TYPE_SELL"]} == closing.MARKET_TYPES
    assert theirs["TRADE_RETCODE_PLACED"] == retcodes.PLACED
    assert theirs["TRADE_RETCODE_DONE"] == retcodes.DONE
    assert theirs["TRADE_RETCODE_DONE_PARTIAL"] == retcodes.PARTIAL
    assert theirs["RES_E_INVALID_PARAMS"] == retcodes.INVALID_PARAMS


@pytest.mark.parametrize(("structure", "count"), STRUCTURES.items())
def test_a_structure_has_the_wheels_fields_in_its_order(
    wheel: Wheel, structure: str, count: int
) -> None:
    fields = wheel.fields(structure)
    assert len(fields) == count
    assert mt5_types.TYPES[structure].__match_args__ == fields


def test_no_structure_is_left_out() -> None:
    assert set(mt5_types.TYPES) == set(STRUCTURES)


def test_the_simulated_module_has_the_wheels_functions_and_no_others(wheel: Wheel) -> None:
    its_own = {"plug", "unplug"}
    functions = inspect.getmembers(metatrader5, inspect.isfunction)
    ours = {
        name
        for name, function in functions
        if function.__module__ == metatrader5.__name__ and not name.startswith("_")
    }
    assert ours - its_own == wheel.functions
    assert metatrader5.__version__ == wheel.version


def test_what_the_agent_asks_symbols_for_are_fields_of_theirs(wheel: Wheel) -> None:
    asked = {*agent.CATALOGUE_TEXTS, *agent.CATALOGUE_CODES}
    assert asked <= set(wheel.fields("SymbolInfo"))
