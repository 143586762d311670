"""A terminal's whole answer, and every place in it."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.adapters.terminal import translate
from core.adapters.terminal.rows import Rows
from core.domain.broker import AccountSnapshot

LOGIN, SERVER = 50001, "Sim"
BEGAN = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
OFFSET_S = 10_800
SERVER_MS = 1_772_618_400_000 + OFFSET_S * 1000
"""10:00:00 UTC on that day, by a server three hours ahead, encoded as if UTC."""

Path = tuple[str | int, ...]
BODY: dict[str, Any] = {
    "login": LOGIN,
    "server": SERVER,
    "server_offset_s": OFFSET_S,
    "terminal": {"connected": True, "trade_allowed": True, "tradeapi_disabled": False},
    "account": {
        "login": LOGIN,
        "server": SERVER,
        "currency": "GBP",
        "currency_digits": 2,
        "margin_mode": 2,
        "balance": 941.54,
        "credit": 0.0,
        "profit": 2.37,
        "equity": 943.91,
        "margin": 2.36,
        "margin_free": 941.55,
        "margin_level": 39996.18644067797,
        "margin_so_mode": 0,
        "margin_so_so": 50.0,
        "trade_allowed": True,
        "trade_expert": True,
        "fifo_close": False,
    },
    "positions": [
        {
            "ticket": 900001,
            "identifier": 900000,
            "symbol": "XAUUSD",
            "type": 1,
            "volume": 0.1,
            "price_open": 1970.3,
            "sl": 1990.0,
            "tp": 0.0,
            "price_current": 1969.8,
            "profit": 2.37,
            "swap": -0.1,
            "magic": 7001,
            "comment": "rk:1",
            "reason": 3,
            "time_msc": SERVER_MS,
        }
    ],
    "orders": [
        {
            "ticket": 800001,
            "symbol": "XAUUSD",
            "type": 3,
            "volume_current": 0.2,
            "price_open": 1980.0,
            "magic": 0,
            "comment": "",
            "reason": 1,
            "time_setup_msc": SERVER_MS,
        }
    ],
    "deals": [
        {
            "ticket": 5,
            "order": 4,
            "position_id": 900000,
            "type": 1,
            "entry": 0,
            "reason": 3,
            "symbol": "XAUUSD",
            "volume": 0.1,
            "price": 1970.3,
            "profit": 0.0,
            "commission": -0.04,
            "swap": 0.0,
            "fee": 0.0,
            "magic": 7001,
            "comment": "",
            "time_msc": SERVER_MS,
        }
    ],
    "ticks": {"XAUUSD": {"bid": 1969.5, "ask": 1969.8, "time_msc": SERVER_MS}},
    "symbols": {
        "XAUUSD": {
            "name": "XAUUSD",
            "digits": 2,
            "point": 0.01,
            "trade_contract_size": 100.0,
            "volume_min": 0.01,
            "volume_step": 0.01,
            "volume_max": 100.0,
            "volume_limit": 500.0,
            "trade_tick_value": 1.0,
            "trade_tick_size": 0.01,
            "trade_stops_level": 20,
            "trade_freeze_level": 5,
            "currency_base": "XAU",
            "currency_profit": "USD",
            "currency_margin": "XAU",
            "path": "Metals\\XAUUSD",
            "trade_calc_mode": 4,
            "select": True,
            "custom": False,
            "filling_mode": 3,
            "trade_exemode": 2,
            "trade_mode": 4,
        }
    },
}


def read(body: Any, rows: Rows | None = None) -> AccountSnapshot:  # noqa: ANN401 - any answer
    """Translate an answer."""
    return translate.snapshot(
        body,
        account_id=1,
        login=LOGIN,
        server=SERVER,
        began_at=BEGAN,
        observed_at=BEGAN,
        rows=rows,
    )


def places(value: Any = None, path: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - JSON
    """Every place in the body: objects, lists and figures."""
    value = BODY if not path else value
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def changed(path: Path, value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The body with another value at one place."""
    body = copy.deepcopy(BODY)
    holder: Any = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return body


def without(path: Path) -> dict[str, Any]:
    """The body without one of its places."""
    body = copy.deepcopy(BODY)
    holder: Any = body
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return body


def at(path: Path) -> Any:  # noqa: ANN401 - JSON
    """What stands there."""
    value: Any = BODY
    for key in path:
        value = value[key]
    return value
