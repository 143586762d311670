"""Plausible values of the domain, to change in the one figure that a test is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from core.domain.broker import (
    AccountSnapshot,
    AccountState,
    Deal,
    MarginMode,
    PendingOrder,
    Position,
    Side,
    SymbolSpec,
    Tick,
)
from core.domain.findings import CloseReason, Closure
from core.records import CloseJobRow, CloseOrderRow, TradeRow

D = Decimal
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after (or before) the tests' present."""
    return NOW + timedelta(seconds=seconds)


def state(**changes: Any) -> AccountState:
    """A flat account of 10,000 pounds; equity follows balance, credit and profit."""
    facts: dict[str, Any] = {
        "login": 50001,
        "server": "Sim",
        "currency": "GBP",
        "currency_digits": 2,
        "margin_mode": MarginMode.HEDGING,
        "balance": D(10000),
        "credit": D(0),
        "profit": D(0),
        "margin": D(0),
        "margin_free": D(10000),
        "margin_level_percent": None,
        "stop_out_level_percent": D(50),
        **changes,
    }
    facts.setdefault("equity", facts["balance"] + facts["credit"] + facts["profit"])
    return AccountState(**facts)


def position(ticket: int = 900001, **changes: Any) -> Position:
    """A tenth of a lot of gold, bought at 1970.30."""
    facts: dict[str, Any] = {
        "ticket": ticket,
        "identifier": ticket,
        "symbol": "XAUUSD",
        "side": Side.BUY,
        "volume": D("0.10"),
        "price_open": D("1970.30"),
        "stop_loss": D(1950),
        "take_profit": D(1990),
        "price_current": D("1970.00"),
        "profit": D("-3.00"),
        "swap": D(0),
        "magic": 7001,
        "comment": "rk:1",
        "reason": 3,
        "opened_at": NOW,
        **changes,
    }
    return Position(**facts)


def pending(ticket: int = 800001, **changes: Any) -> PendingOrder:
    """A buy limit on gold that somebody placed by hand."""
    facts: dict[str, Any] = {
        "ticket": ticket,
        "symbol": "XAUUSD",
        "order_type": 2,
        "volume": D("0.10"),
        "price_open": D(1900),
        "magic": 0,
        "comment": "",
        "placed_at": NOW,
        **changes,
    }
    return PendingOrder(**facts)


def deal(ticket: int, **changes: Any) -> Deal:
    """A sale that closed a tenth of a lot of gold by the client's phone."""
    facts: dict[str, Any] = {
        "ticket": ticket,
        "order": ticket,
        "position_id": 900001,
        "deal_type": 1,
        "entry": 1,
        "reason": 1,
        "symbol": "XAUUSD",
        "volume": D("0.10"),
        "price": D("1975.30"),
        "profit": D(0),
        "commission": D(0),
        "swap": D(0),
        "fee": D(0),
        "magic": 0,
        "comment": "",
        "executed_at": NOW,
        **changes,
    }
    return Deal(**facts)


def closure(reason: CloseReason = CloseReason.CLIENT_MOBILE, **changes: Any) -> Closure:
    """The end of `position()`: sold at 1975.30, five dollars higher, on the phone."""
    facts: dict[str, Any] = {
        "position_id": 900001,
        "reason": reason,
        "symbol": "XAUUSD",
        "side": Side.BUY,
        "volume": D("0.10"),
        "exit_price": D("1975.30"),
        "pnl": D("50.00"),
        "closed_at": NOW,
        **changes,
    }
    return Closure(**facts)


def money(ticket: int, amount: str | Decimal, deal_type: int = 2, **changes: Any) -> Deal:
    """A balance operation, or whatever else moves money without a position."""
    nothing = {"position_id": 0, "symbol": "", "volume": D(0), "price": D(0), "entry": 0}
    return deal(ticket, deal_type=deal_type, profit=D(amount), **{**nothing, **changes})


def spec(name: str = "XAUUSD", **changes: Any) -> SymbolSpec:
    """Gold at two digits, market execution, both filling flags."""
    facts: dict[str, Any] = {
        "name": name,
        "canonical": name,
        "path": f"Folder\\{name}",
        "calc_mode": 0,
        "digits": 2,
        "point": D("0.01"),
        "contract_size": D(100),
        "volume_min": D("0.01"),
        "volume_step": D("0.01"),
        "volume_max": D(100),
        "volume_limit": D(0),
        "tick_value": D(1),
        "tick_size": D("0.01"),
        "stops_level": 0,
        "freeze_level": 0,
        "currency_base": "XAU",
        "currency_profit": "USD",
        "filling_mode": 3,
        "execution_mode": 2,
        "trade_mode": 4,
        **changes,
    }
    return SymbolSpec(**facts)


def tick(symbol: str = "XAUUSD", bid: str = "1970.00", ask: str = "1970.30", s: float = 0) -> Tick:
    """A quote, `s` seconds from the present."""
    return Tick(symbol=symbol, bid=D(bid), ask=D(ask), at=at(s))


def snapshot(
    *held: Position | PendingOrder, began: float = 0, took: float = 0, **changes: Any
) -> AccountSnapshot:
    """A complete reading that began `began` seconds from the present and took `took` seconds."""
    facts: dict[str, Any] = {
        "account_id": 1,
        "state": state(),
        "positions": tuple(h for h in held if isinstance(h, Position)),
        "orders": tuple(h for h in held if isinstance(h, PendingOrder)),
        "deals": (),
        "ticks": {"XAUUSD": tick()},
        "symbols": {"XAUUSD": spec(), "EURUSD": EURUSD, "USDJPY": USDJPY},
        "began_at": at(began),
        "observed_at": at(began + took),
        "server_offset_s": 0,
        **changes,
    }
    return AccountSnapshot(**facts)


EURUSD = spec("EURUSD", digits=5, point=D("0.00001"), currency_base="EUR")
USDJPY = spec("USDJPY", digits=3, point=D("0.001"), currency_base="USD", currency_profit="JPY")


def trade(trade_id: int = 1, **changes: Any) -> TradeRow:
    """What `position()` is: approved, handed out, found."""
    facts: dict[str, Any] = {
        "id": trade_id,
        "approval_id": trade_id,
        "signal_id": trade_id,
        "user_id": 1,
        "account_id": 1,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": D("0.10"),
        "stop_loss": D(1950),
        "take_profit": D(1990),
        "expected_entry": D("1970.30"),
        "expected_at": NOW,
        "magic": 7000 + trade_id,
        "comment": f"rk:{trade_id}",
        "deadline_at": at(60),
        "status": "open",
        "position_id": 900000 + trade_id,
        "observed_volume": D("0.10"),
        "created_at": NOW,
        **changes,
    }
    return TradeRow(**facts)


def job(scope: str = "account", **changes: Any) -> CloseJobRow:
    """A job that began 100 seconds ago."""
    facts: dict[str, Any] = {
        "id": 1,
        "account_id": 1,
        "trigger_key": "drawdown:x",
        "reason": "drawdown",
        "scope": scope,
        "state": "closing",
        "deadline_at": at(-100),
        "epoch": 1,
        "created_at": at(-100),
        **changes,
    }
    return CloseJobRow(**facts)


def sent(state: str, s: float, *, ticket: int = 900001, **changes: Any) -> CloseOrderRow:
    """An attempt answered `s` seconds from the present; one that is `intended` has no answer."""
    facts: dict[str, Any] = {
        "id": 1,
        "job_id": 1,
        "account_id": 1,
        "ticket": ticket,
        "position_id": ticket,
        "action": "close",
        "attempt": 1,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": D("0.10"),
        "filling": 1,
        "state": state,
        "retcode": {"done": 10009, "refused": 10004}.get(state),
        "epoch": 1,
        "created_at": at(s),
        "answered_at": None if state == "intended" else at(s),
        **changes,
    }
    return CloseOrderRow(**facts)


def moved(row: CloseOrderRow, **changes: Any) -> CloseOrderRow:
    """The attempt, changed."""
    return replace(row, **changes)
