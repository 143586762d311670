"""MetaTrader structures to values: the last place that knows their floats and server time.

Prices are rounded to the symbol's digits, money to 8 decimals, volumes to 8 decimals: a float's
shortest text is exact for what the terminal meant. Times arrive as server wall-clock encoded as if
UTC; the offset that the answer states is taken off here and kept with the reading.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite
from typing import Any

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
from core.ports import BrokerUnavailable, WrongAccount

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUANTUM = Decimal("0.00000001")
MARGIN_MODES = {0: MarginMode.NETTING, 1: MarginMode.EXCHANGE, 2: MarginMode.HEDGING}
STOP_OUT_PERCENT = 0
UNEXPOSED = Decimal("0.01")
"""Margin, or floating profit, above this without any position is a read that lost its positions."""

Raw = Mapping[str, Any]


def snapshot(
    body: Raw,
    *,
    account_id: int,
    login: int,
    server: str,
    began_at: datetime,
    observed_at: datetime,
) -> AccountSnapshot:
    """One complete reading.

    Raises BrokerUnavailable where the terminal failed, is not connected, or gave a reading that
    contradicts itself; WrongAccount where it is another account's.
    """
    _check_account(body, login, server)
    if "failed" in body:
        raise BrokerUnavailable(f"{body['failed']} failed: {body.get('error')}")
    try:
        return _snapshot(body, account_id, began_at, observed_at)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise BrokerUnavailable(f"malformed reading: {type(error).__name__}: {error}") from error


def _check_account(body: Raw, login: int, server: str) -> None:
    account = body.get("account")
    logins = {body.get("login"), account.get("login") if isinstance(account, Mapping) else login}
    servers = {
        body.get("server"),
        account.get("server") if isinstance(account, Mapping) else server,
    }
    if logins != {login} or servers != {server}:
        found = ", ".join(sorted(f"{x}" for x in logins | servers))
        raise WrongAccount(f"asked for {login} at {server}, the terminal answered for {found}")


def _snapshot(
    body: Raw, account_id: int, began_at: datetime, observed_at: datetime
) -> AccountSnapshot:
    terminal = body["terminal"]
    if not terminal["connected"]:
        raise BrokerUnavailable("the terminal is not connected to the broker")
    offset_s = int(body["server_offset_s"])
    offset = timedelta(seconds=offset_s)
    specs = {name: _spec(raw) for name, raw in body["symbols"].items()}
    digits = {name: spec.digits for name, spec in specs.items()}
    state = _state(body["account"])
    result = AccountSnapshot(
        account_id=account_id,
        state=state,
        autotrading=bool(terminal["trade_allowed"]) and not terminal.get("tradeapi_disabled"),
        positions=tuple(_position(raw, digits, offset) for raw in body["positions"]),
        orders=tuple(_order(raw, offset) for raw in body["orders"]),
        deals=tuple(_deal(raw, offset) for raw in body["deals"]),
        ticks={name: _tick(name, raw, digits, offset) for name, raw in body["ticks"].items()},
        symbols=specs,
        began_at=began_at,
        observed_at=observed_at,
        server_offset_s=offset_s,
    )
    _check_complete(result)
    return result


def _check_complete(result: AccountSnapshot) -> None:
    """A reading without positions whose account is exposed lost them on the way (law 1)."""
    state = result.state
    floating = abs(state.equity - state.balance - state.credit)
    if not result.positions and (state.margin > UNEXPOSED or floating > UNEXPOSED):
        raise BrokerUnavailable(
            f"incomplete reading: no positions, yet margin {state.margin} and "
            f"floating profit {floating}"
        )
    missing = {p.symbol for p in result.positions} - result.symbols.keys()
    if missing:
        raise BrokerUnavailable(f"incomplete reading: no symbol data for {sorted(missing)}")


def number(value: object) -> Decimal:
    """A float of the wire as an exact figure of at most 8 decimals, which is what is stored.

    Raises TypeError for no number, ValueError for one that is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, not {value!r}")
    if not isfinite(value):
        raise ValueError(f"expected a finite number, not {value!r}")
    exact = Decimal(repr(value))
    return exact if exact == (short := exact.quantize(QUANTUM, ROUND_HALF_EVEN)) else short


def _price(value: object, digits: int) -> Decimal:
    return number(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def _level(value: object, digits: int) -> Decimal | None:
    price = _price(value, digits)
    return price if price > 0 else None


def _instant(server_ms: int, offset: timedelta) -> datetime:
    return EPOCH + timedelta(milliseconds=int(server_ms)) - offset


def _state(raw: Raw) -> AccountState:
    margin = number(raw["margin"])
    percent = int(raw["margin_so_mode"]) == STOP_OUT_PERCENT
    return AccountState(
        login=int(raw["login"]),
        server=str(raw["server"]),
        currency=str(raw["currency"]),
        currency_digits=int(raw["currency_digits"]),
        margin_mode=MARGIN_MODES[int(raw["margin_mode"])],
        balance=number(raw["balance"]),
        credit=number(raw["credit"]),
        profit=number(raw["profit"]),
        equity=number(raw["equity"]),
        margin=margin,
        margin_free=number(raw["margin_free"]),
        margin_level_percent=number(raw["margin_level"]) if margin > 0 else None,
        stop_out_level_percent=number(raw["margin_so_so"]) if percent else None,
        can_trade=bool(raw["trade_allowed"]) and bool(raw["trade_expert"]),
    )


def _position(raw: Raw, digits: Mapping[str, int], offset: timedelta) -> Position:
    symbol = str(raw["symbol"])
    places = digits.get(symbol, 8)
    return Position(
        ticket=int(raw["ticket"]),
        identifier=int(raw["identifier"]),
        symbol=symbol,
        side=Side.BUY if int(raw["type"]) == 0 else Side.SELL,
        volume=number(raw["volume"]),
        price_open=number(raw["price_open"]),
        stop_loss=_level(raw["sl"], places),
        take_profit=_level(raw["tp"], places),
        price_current=_price(raw["price_current"], places),
        profit=number(raw["profit"]),
        swap=number(raw["swap"]),
        magic=int(raw["magic"]),
        comment=str(raw["comment"]),
        reason=int(raw["reason"]),
        opened_at=_instant(raw["time_msc"], offset),
    )


def _order(raw: Raw, offset: timedelta) -> PendingOrder:
    return PendingOrder(
        ticket=int(raw["ticket"]),
        symbol=str(raw["symbol"]),
        order_type=int(raw["type"]),
        volume=number(raw["volume_current"]),
        price_open=number(raw["price_open"]),
        magic=int(raw["magic"]),
        comment=str(raw["comment"]),
        placed_at=_instant(raw["time_setup_msc"], offset),
    )


def _deal(raw: Raw, offset: timedelta) -> Deal:
    return Deal(
        ticket=int(raw["ticket"]),
        order=int(raw["order"]),
        position_id=int(raw["position_id"]),
        deal_type=int(raw["type"]),
        entry=int(raw["entry"]),
        reason=int(raw["reason"]),
        symbol=str(raw["symbol"]),
        volume=number(raw["volume"]),
        price=number(raw["price"]),
        profit=number(raw["profit"]),
        commission=number(raw["commission"]),
        swap=number(raw["swap"]),
        fee=number(raw["fee"]),
        magic=int(raw["magic"]),
        comment=str(raw["comment"]),
        executed_at=_instant(raw["time_msc"], offset),
    )


def _tick(name: str, raw: Raw, digits: Mapping[str, int], offset: timedelta) -> Tick:
    places = digits.get(name, 8)
    return Tick(
        symbol=name,
        bid=_price(raw["bid"], places),
        ask=_price(raw["ask"], places),
        at=_instant(raw["time_msc"], offset),
    )


def _spec(raw: Raw) -> SymbolSpec:
    digits = int(raw["digits"])
    return SymbolSpec(
        name=str(raw["name"]),
        digits=digits,
        point=number(raw["point"]),
        contract_size=number(raw["trade_contract_size"]),
        volume_min=number(raw["volume_min"]),
        volume_step=number(raw["volume_step"]),
        volume_max=number(raw["volume_max"]),
        currency_base=str(raw["currency_base"]),
        currency_profit=str(raw["currency_profit"]),
        filling_mode=int(raw["filling_mode"]),
        execution_mode=int(raw["trade_exemode"]),
        trade_mode=int(raw["trade_mode"]),
    )
