"""What a MetaTrader5 module makes of right and wrong arguments while there is no terminal.

    python ask_arguments.py MODULE

One line for each call: its result or the kind of its exception, and `last_error()` after it. The
official wheel's lines, under Wine, are kept in wheel_arguments.txt; the simulator's must be the
same. Standard library only: the file runs beside the wheel.
"""

import importlib
import sys
from types import ModuleType

NOWHERE = r"C:\no\terminal64.exe"
BIG = 2**64
CLOSE = {"action": 1, "symbol": "X", "volume": 0.1, "type": 0, "position": 5}
NAMES = {"BIG": BIG, "CLOSE": CLOSE, "NOWHERE": NOWHERE}


def calls() -> list[str]:
    """Every call, in the order in which they are made: one global `last_error()` remembers."""
    return [
        *("last_error()", "version()", "shutdown()", "terminal_info()", "account_info()"),
        *("positions_total()", "orders_total()", "symbols_total()"),
        *("account_info(1)", "terminal_info(x=1)", "version(1)", "shutdown(1)", "last_error(1)"),
        *(f"{name}_get({given})" for name in ("positions", "orders") for given in SELECTIONS),
        *(f"history_{name}_get({given})" for name in ("deals", "orders") for given in HISTORIES),
        *("history_deals_total()", "history_deals_total(1, 2)", "history_orders_total(1, 2)"),
        "history_deals_total('1', 2)",
        *(f"symbols_get({given})" for given in ("", "'X'", "group='*'", "group=5", "unknown=1")),
        "symbols_get('X', 'Y')",
        *(f"symbol_info({given})" for given in NAMED),
        *(f"symbol_info_tick({given})" for given in NAMED),
        *(f"symbol_select({given})" for given in (*NAMED, "'X', True", "'X', enable=True")),
        "symbol_select('X', 5)",
        *(f"order_send({given})" for given in REQUESTS),
        *(f"order_check({given})" for given in REQUESTS),
        *(
            f"order_send({{**CLOSE, {name!r}: {value}}})"
            for names, values in FIELDS
            for name in names
            for value in values
        ),
        *(f"order_calc_margin({given})" for given in MARGINS),
        *(f"order_calc_profit({given})" for given in PROFITS),
        *("market_book_add('X')", "market_book_add(5)", "market_book_add()"),
        *("market_book_release('X')", "market_book_get('X')", "market_book_get()"),
        *(f"login({given})" for given in LOGINS),
        *("initialize(5)", "initialize(path=5)", "initialize(NOWHERE, 1)"),
        *(f"initialize(NOWHERE, {given})" for given in CREDENTIALS),
        "last_error()",
    ]


SELECTIONS = (
    *("", "'X'", "symbol='X'", "symbol=1", "symbol=None", "symbol=''", "symbol='X'*29"),
    *("symbol='X'*30", "symbol='X'*100", "ticket=5", "ticket='5'", "ticket=5.0", "ticket=True"),
    *("ticket=-1", "ticket=BIG", "ticket=BIG-1", "group='*'", "group=1", "unknown=1"),
)
HISTORIES = (
    *("", "1, 2", "date_from=1, date_to=2", "1", "1.5, 2", "'1', 2", "1, 2, 3, 4", "1, 2, '*'"),
    *("1, 2, group='*'", "1, 2, group=5", "2**31, 2**31", "2**31-1, 2**31-1", "-1, 5", "BIG, 5"),
    *("position=5", "position='5'", "position=-1", "ticket=5", "ticket='5'", "ticket=-1"),
)
NAMED = ("", "'X'", "5", "'X', 'Y', 'Z'", "symbol='X'", "'X'*29", "'X'*30", "'X'*100")
REQUESTS = (
    *("", "None", "[1]", "{}", "CLOSE", "**CLOSE", "CLOSE, CLOSE", "{**CLOSE, 'positon': 5}"),
)
DOUBLES = ("volume", "price", "sl", "tp", "stoplimit")
WHOLE = (
    *("action", "magic", "order", "deviation", "type", "type_filling", "type_time"),
    *("expiration", "position", "position_by"),
)
TEXTS = ("symbol", "comment")
FIELDS = (
    (DOUBLES, ("1", "None", "'1'", "True", "float('nan')", "float('inf')", "-1.0", "1e308")),
    (WHOLE, ("'5'", "5.0", "True", "None", "-1", "BIG", "BIG-1", "2**63", "2**32", "2**31")),
    (
        TEXTS,
        (
            *("5", "None", "''", "'x'*29", "'x'*30", r"'\u0416'*29", r"'\u0416'*30", "b'x'"),
            *(r"'\U0001F600'*14", r"'\U0001F600'*15", r"'a\0b'"),
        ),
    ),
)
MARGINS = (
    *("0, 'X', 0.1, 1.0", "0, 'X', 1, 1", "'0', 'X', 1, 1", "0, 5, 1, 1", "0, 'X', '1', 1"),
    *("0, 'X', 1", "", "action=0, symbol='X', volume=1.0, price=1.0"),
)
PROFITS = ("0, 'X', 0.1, 1.0, 2.0", "0, 'X', 1, 1, 1", "0, 'X', '1', 1, 1", "0, 'X', 1, 1")
LOGINS = (
    *("", "1", "'1'", "1.5", "-1", "BIG", "login=1", "1, 'p'", "1, password='p'", "1, password=1"),
    *("1, server=1", "1, timeout='1'", "1, timeout=1.5", "1, timeout=-1", "1, timeout=2**32"),
)
CREDENTIALS = (
    *("login='1'", "login=1.5", "login=-1", "login=BIG", "password=1", "server=1"),
    *("timeout='1'", "timeout=1.5", "timeout=-1", "timeout=2**32"),
)


def answers(module: ModuleType) -> list[str]:
    """One line for each call."""
    names = {**vars(module), **NAMES}
    lines = []
    for call in calls():
        try:
            said = repr(eval(call, names))  # noqa: S307 - the calls are written above
        except (TypeError, SystemError) as error:
            said = type(error).__name__
        lines.append(f"{call} -> {said} | {module.last_error()!r}")
    return lines


if __name__ == "__main__":
    print("\n".join(answers(importlib.import_module(sys.argv[1]))))
