"""A small stand-in for the MetaTrader5 module, for many agents at once; its prices are fresh.

    python core/adapters/mt5/agent.py --module tests.fakes.cheap_terminal

The terminal's path tells its account and its fault: `/cheap/17` is login 17, and `/cheap/17/hang`
never answers its fourth look at the positions, holding the interpreter lock as the wheel does.
"""

import time
from types import SimpleNamespace
from typing import Any

__version__ = "5.0.6231"

SERVER = "Cheap-Demo"
OFFSET_S = 7200
HANGS_AT_LOOK = 4
FOREVER_S = 3600


class Struct(SimpleNamespace):
    """Named parts and `_asdict`."""

    def _asdict(self) -> dict[str, Any]:
        return vars(self)


PRICES = {"EURUSD": 1.10099, "GBPUSD": 1.27, "BTCUSD": 61_000.0}
_at = Struct(login=0, hangs=False, looks=0)


def initialize(path: str, **_asked: Any) -> bool:
    """Take the account from the path."""
    parts = path.split("/")
    _at.login, _at.hangs, _at.looks = int(parts[2]), parts[-1] == "hang", 0
    return True


def shutdown() -> bool:
    return True


def last_error() -> tuple[int, str]:
    return 1, "Success"


def version() -> tuple[int, int, str]:
    return 500, 5640, "21 Nov 2025"


def terminal_info() -> Struct:
    return Struct(build=5640, connected=True, trade_allowed=True, tradeapi_disabled=False)


def account_info() -> Struct:
    """MetaQuotes' sample figures (facts: mt5, 9)."""
    return Struct(
        login=_at.login,
        server=SERVER,
        currency="USD",
        currency_digits=2,
        margin_mode=2,
        margin_so_mode=0,
        balance=941.54,
        credit=0.0,
        profit=2.37,
        equity=943.91,
        margin=2.36,
        margin_free=941.55,
        margin_level=39996.18644067797,
        margin_so_so=50.0,
        trade_allowed=True,
        trade_expert=True,
        fifo_close=False,
    )


def positions_total() -> int:
    return 1


def orders_total() -> int:
    return 0


def positions_get(**_asked: Any) -> tuple[Struct, ...]:
    """One position; a terminal that hangs does so here."""
    _at.looks += 1
    if _at.hangs and _at.looks >= HANGS_AT_LOOK:
        import ctypes  # noqa: PLC0415 - two hundred processes do without it

        ctypes.PyDLL(None).sleep(FOREVER_S)
    return (
        Struct(
            ticket=7,
            identifier=7,
            time_msc=1_764_000_000_000,
            type=0,
            magic=0,
            reason=0,
            volume=0.01,
            price_open=1.09862,
            sl=0.0,
            tp=0.0,
            price_current=1.10099,
            swap=0.0,
            profit=2.37,
            symbol="EURUSD",
            comment="",
        ),
    )


def orders_get(**_asked: Any) -> tuple[Struct, ...]:
    return ()


def history_deals_get(*_window: Any, **_asked: Any) -> tuple[Struct, ...]:
    return ()


def symbols_get() -> tuple[Struct, ...]:
    return tuple(symbol_info(name) for name in PRICES)


def symbol_info(name: str) -> Struct:
    return Struct(
        name=name,
        path=f"Crypto\\{name}" if name == "BTCUSD" else f"Forex\\{name}",
        currency_base=name[:3],
        currency_profit="USD",
        currency_margin=name[:3],
        trade_calc_mode=2 if name == "BTCUSD" else 0,
        trade_mode=4,
        digits=5,
        select=True,
        custom=False,
        point=0.00001,
        trade_contract_size=100_000.0,
        volume_min=0.01,
        volume_step=0.01,
        volume_max=100.0,
        volume_limit=0.0,
        trade_tick_value=1.0,
        trade_tick_size=0.00001,
        trade_stops_level=0,
        trade_freeze_level=0,
        filling_mode=3,
        trade_exemode=2,
    )


def symbol_select(_name: str, _enable: bool = True) -> bool:  # noqa: FBT001, FBT002 - MetaTrader's own
    return True


def symbol_info_tick(name: str) -> Struct:
    price = PRICES[name]
    now_ms = time.time_ns() // 1_000_000
    return Struct(bid=price, ask=price + 0.0001, time_msc=now_ms + OFFSET_S * 1000)


def order_send(_request: dict[str, Any]) -> Struct:
    return Struct(
        retcode=10009, deal=71, order=72, volume=0.01, price=1.10099, comment="Request executed"
    )
