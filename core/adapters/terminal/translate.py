"""MetaTrader structures to values: the last place that knows their floats and server time.

Prices are rounded to the symbol's digits, money to 8 decimals, volumes to 8 decimals: a float's
shortest text is exact for what the terminal meant. Times arrive as server wall-clock encoded as if
UTC; the offset that the answer states is taken off here and kept with the reading.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from math import isfinite
from typing import Any, TypeVar

from core.adapters.terminal.rows import Rows
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
from core.domain.linking import Failure, LoggedIn, LoginFailed
from core.domain.permissions import obstacles
from core.domain.symbols import Listing, canonical
from core.ports import BrokerUnavailable, CheckResult, LoginRefused, SendResult, WrongAccount

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUANTUM = Decimal("0.00000001")
MARGIN_MODES = {0: MarginMode.NETTING, 1: MarginMode.EXCHANGE, 2: MarginMode.HEDGING}
STOP_OUT_PERCENT = 0
AUTH_FAILED = -6
"""`last_error` of a login that the broker refuses (facts: mt5, 1.3)."""
UNEXPOSED = Decimal("0.01")
"""Margin, or floating profit, above this without any position is a read that lost its positions."""

SIDES = {0: Side.BUY, 1: Side.SELL}

Raw = Mapping[str, Any]
T = TypeVar("T")


def snapshot(  # noqa: PLR0913 - whose reading it is, when, and what came before it
    body: Raw,
    *,
    account_id: int,
    login: int,
    server: str,
    began_at: datetime,
    observed_at: datetime,
    rows: Rows | None = None,
) -> AccountSnapshot:
    """One complete reading. With the `rows` of the one before, what is equal is the same object.

    Raises BrokerUnavailable where the terminal failed, is not connected, or gave a reading that
    contradicts itself; LoginRefused where the broker refuses its password; WrongAccount where it is
    another account's.
    """
    _check_account(body, login, server)
    if "failed" in body:
        error = body.get("error")
        refused = isinstance(error, list | tuple) and error and error[0] == AUTH_FAILED
        kind = LoginRefused if refused else BrokerUnavailable
        raise kind(f"{body['failed']} failed: {error}")
    try:
        return _snapshot(body, account_id, began_at, observed_at, rows or Rows())
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise BrokerUnavailable(f"malformed reading: {type(error).__name__}: {error}") from error


def _check_account(body: Raw, login: int, server: str) -> None:
    account = body.get("account")
    named = [(body.get("login"), body.get("server"))]
    if isinstance(account, Mapping):
        named.append((account.get("login"), account.get("server")))
    if any(each != (login, server) for each in named):
        found = ", ".join(sorted({f"{x}" for each in named for x in each}))
        raise WrongAccount(f"asked for {login} at {server}, the terminal answered for {found}")


def _snapshot(
    body: Raw, account_id: int, began_at: datetime, observed_at: datetime, rows: Rows
) -> AccountSnapshot:
    rows.begin()
    terminal = _of(dict, body["terminal"])
    if not _flag(terminal["connected"]):
        raise BrokerUnavailable("the terminal is not connected to the broker")
    offset_s = _whole(body["server_offset_s"])
    offset = timedelta(seconds=offset_s)
    specs = {
        name: rows.of("symbol", name, raw, None, partial(_spec, raw))
        for name, raw in _of(dict, body["symbols"]).items()
    }
    digits = {name: spec.digits for name, spec in specs.items()}
    positions = tuple(
        _known_position(raw, digits, offset, rows) for raw in _of(list, body["positions"])
    )
    orders = tuple(
        rows.of("order", raw["ticket"], raw, offset, partial(_order, raw, offset))
        for raw in _of(list, body["orders"])
    )
    account = body["account"]
    result = AccountSnapshot(
        account_id=account_id,
        state=_state(account),
        positions=positions,
        orders=orders,
        deals=tuple(_deal(raw, offset) for raw in _of(list, body["deals"])),
        ticks={
            name: _tick(name, raw, digits, offset) for name, raw in _of(dict, body["ticks"]).items()
        },
        symbols=specs,
        began_at=began_at,
        observed_at=observed_at,
        server_offset_s=offset_s,
        obstacles=obstacles(
            account_trade_allowed=_flag(account["trade_allowed"]),
            account_trade_expert=_flag(account["trade_expert"]),
            terminal_trade_allowed=_flag(terminal["trade_allowed"]),
            terminal_tradeapi_disabled=_flag(terminal["tradeapi_disabled"]),
            connected=True,
            held={p.symbol for p in positions} | {o.symbol for o in orders},
            symbols=specs,
        ),
    )
    _check_complete(result)
    rows.end()
    return result


def _check_complete(result: AccountSnapshot) -> None:
    """A reading without positions whose account is exposed lost them on the way (law 1).

    One that shows a ticket twice was put together of two moments: acted upon, it would close twice.
    """
    state = result.state
    for what, rows in (("position", result.positions), ("order", result.orders)):
        if len({row.ticket for row in rows}) < len(rows):
            raise BrokerUnavailable(f"contradictory reading: a {what} is listed twice")
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


def send_result(raw: Raw) -> SendResult:
    """The trade server's answer to a request.

    Raises KeyError, TypeError, ValueError or ArithmeticError where it cannot be read: the order
    may have left.
    """
    return SendResult(
        retcode=_whole(raw["retcode"]),
        deal=_whole(raw["deal"]),
        order=_whole(raw["order"]),
        volume=number(raw["volume"]),
        price=number(raw["price"]),
        comment=str(raw["comment"]),
    )


def logged_in(answer: Mapping[str, Any]) -> LoggedIn:
    """What an account is that was just logged in.

    Raises LoginFailed where the broker refuses the password, BrokerUnavailable for any other
    failure, and for an answer that cannot be read.
    """
    error = answer.get("error")
    if error is not None:
        if isinstance(error, list) and error and error[0] == AUTH_FAILED:
            raise LoginFailed(Failure.LOGIN)
        raise BrokerUnavailable(f"login failed: {error!r:.200}")
    try:
        account = answer["account"]
        return LoggedIn(
            currency=_text(account["currency"]),
            margin_mode=MARGIN_MODES[_whole(account["margin_mode"])],
            may_trade=_flag(account["trade_allowed"]),
        )
    except (KeyError, TypeError, ValueError) as malformed:
        raise BrokerUnavailable(f"malformed answer: {malformed}") from malformed


def check_result(raw: Raw) -> CheckResult:
    """What `order_check` says. Raises BrokerUnavailable where that cannot be read."""
    try:
        level = number(raw["margin_level"])
        return CheckResult(
            retcode=_whole(raw["retcode"]),
            comment=str(raw["comment"]),
            margin_level_percent=level if level > 0 else None,
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise BrokerUnavailable(f"malformed check: {type(error).__name__}: {error}") from error


def _price(value: object, digits: int) -> Decimal:
    return number(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def _level(value: object, digits: int) -> Decimal | None:
    price = _price(value, digits)
    return price if price > 0 else None


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, not {value!r}")
    return value


def _ticket(value: object) -> int:
    """A ticket that a request can name: 0 names none, and a close without a name would open."""
    ticket = _whole(value)
    if ticket <= 0:
        raise ValueError(f"expected a ticket, not {ticket}")
    return ticket


def _held(value: object) -> Decimal:
    volume = number(value)
    if volume <= 0:
        raise ValueError(f"expected a volume above zero, not {volume}")
    return volume


def _text(value: object) -> str:
    return _of(str, value)


def _flag(value: object) -> bool:
    return _of(bool, value)


def _of(kind: type[T], value: object) -> T:
    """The value as it is. An empty thing of another kind must not pass for "none held" (law 1)."""
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, not {value!r:.80}")
    return value


def _instant(server_ms: object, offset: timedelta) -> datetime:
    return EPOCH + timedelta(milliseconds=_whole(server_ms)) - offset


def _state(raw: Raw) -> AccountState:
    margin = number(raw["margin"])
    percent = _whole(raw["margin_so_mode"]) == STOP_OUT_PERCENT
    return AccountState(
        login=_whole(raw["login"]),
        server=_text(raw["server"]),
        currency=_text(raw["currency"]),
        currency_digits=_whole(raw["currency_digits"]),
        margin_mode=MARGIN_MODES[_whole(raw["margin_mode"])],
        balance=number(raw["balance"]),
        credit=number(raw["credit"]),
        profit=number(raw["profit"]),
        equity=number(raw["equity"]),
        margin=margin,
        margin_free=number(raw["margin_free"]),
        margin_level_percent=number(raw["margin_level"]) if margin > 0 else None,
        stop_out_level_percent=number(raw["margin_so_so"]) if percent else None,
        fifo_close=_flag(raw["fifo_close"]),
    )


def _known_position(raw: Raw, digits: Mapping[str, int], offset: timedelta, rows: Rows) -> Position:
    places = digits.get(_text(raw["symbol"]), 8)
    made = partial(_position, raw, places, offset)
    return rows.of("position", raw["ticket"], raw, (places, offset), made)


def _position(raw: Raw, places: int, offset: timedelta) -> Position:
    symbol = _text(raw["symbol"])
    return Position(
        ticket=_ticket(raw["ticket"]),
        identifier=_whole(raw["identifier"]),
        symbol=symbol,
        side=SIDES[_whole(raw["type"])],
        volume=_held(raw["volume"]),
        price_open=number(raw["price_open"]),
        stop_loss=_level(raw["sl"], places),
        take_profit=_level(raw["tp"], places),
        price_current=_price(raw["price_current"], places),
        profit=number(raw["profit"]),
        swap=number(raw["swap"]),
        magic=_magic(raw["magic"]),
        comment=_text(raw["comment"]),
        reason=_whole(raw["reason"]),
        opened_at=_instant(raw["time_msc"], offset),
    )


def _magic(value: object) -> int:
    """A magic number, signed: terminals show those of 2**63 and above without their sign.

    Whoever opens a position chooses it: it must fit what keeps it, or no reading could be kept.
    """
    number_ = _whole(value)
    return number_ - (1 << 64) if number_ >= 1 << 63 else number_


def _order(raw: Raw, offset: timedelta) -> PendingOrder:
    return PendingOrder(
        ticket=_ticket(raw["ticket"]),
        symbol=_text(raw["symbol"]),
        order_type=_whole(raw["type"]),
        volume=number(raw["volume_current"]),
        price_open=number(raw["price_open"]),
        magic=_magic(raw["magic"]),
        comment=_text(raw["comment"]),
        placed_at=_instant(raw["time_setup_msc"], offset),
        # It only says who placed the order: no reading fails for the want of it.
        reason=_whole(raw["reason"]) if "reason" in raw else None,
    )


def _deal(raw: Raw, offset: timedelta) -> Deal:
    return Deal(
        ticket=_whole(raw["ticket"]),
        order=_whole(raw["order"]),
        position_id=_whole(raw["position_id"]),
        deal_type=_whole(raw["type"]),
        entry=_whole(raw["entry"]),
        reason=_whole(raw["reason"]),
        symbol=_text(raw["symbol"]),
        volume=number(raw["volume"]),
        price=number(raw["price"]),
        profit=number(raw["profit"]),
        commission=number(raw["commission"]),
        swap=number(raw["swap"]),
        fee=number(raw["fee"]),
        magic=_magic(raw["magic"]),
        comment=_text(raw["comment"]),
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
    listed = listing(raw)
    return SymbolSpec(
        name=listed.name,
        canonical=canonical(listed),
        path=listed.path,
        calc_mode=listed.calc_mode,
        digits=listed.digits,
        point=number(raw["point"]),
        contract_size=number(raw["trade_contract_size"]),
        volume_min=number(raw["volume_min"]),
        volume_step=number(raw["volume_step"]),
        volume_max=number(raw["volume_max"]),
        volume_limit=number(raw["volume_limit"]),
        tick_value=number(raw["trade_tick_value"]),
        tick_size=number(raw["trade_tick_size"]),
        stops_level=_whole(raw["trade_stops_level"]),
        freeze_level=_whole(raw["trade_freeze_level"]),
        currency_base=listed.currency_base,
        currency_profit=listed.currency_profit,
        filling_mode=_whole(raw["filling_mode"]),
        execution_mode=_whole(raw["trade_exemode"]),
        trade_mode=listed.trade_mode,
    )


def listing(raw: Raw) -> Listing:
    """One line of a catalogue, or a symbol's whole data, as far as it tells what the symbol is.

    Raises KeyError or TypeError where it is not whole.
    """
    return Listing(
        name=_text(raw["name"]),
        path=_text(raw["path"]),
        currency_base=_text(raw["currency_base"]),
        currency_profit=_text(raw["currency_profit"]),
        currency_margin=_text(raw["currency_margin"]),
        calc_mode=_whole(raw["trade_calc_mode"]),
        trade_mode=_whole(raw["trade_mode"]),
        digits=_whole(raw["digits"]),
        selected=_flag(raw["select"]),
        custom=_flag(raw["custom"]),
    )
