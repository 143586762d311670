"""MetaTrader 5's structures as dictionaries: the wheel's field names, order and types.

Times are broker server time encoded as if UTC: true UTC plus the server's offset.
"""

from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from core.sim.arithmetic import Quote, TickValue
from core.sim.broker import Valuation, order_sign
from core.sim.codes import CHECKED_TEXT, MARGIN_MODE, RETCODE_TEXT, OrderState, TradeMode
from core.sim.ledger import Account, Deal, Order, Position
from core.sim.requests import REQUEST_FIELDS, Answer, Request
from core.sim.server_time import OFFSET_S, ServerTime
from core.sim.symbols import SymbolTerms

SERVER_OFFSET_S: Final = OFFSET_S
"""Broker server time minus UTC, unless a server was told another."""
COMPANY: Final = "Reckoner Demo Broker"
BUILD: Final = 5640
MARGIN_CALL_LEVEL_PERCENT: Final = 100.0

Body = dict[str, Any]

_SYMBOL_ZEROS: Final = (
    "last",
    "lasthigh",
    "lastlow",
    "volume_real",
    "volumehigh_real",
    "volumelow_real",
    "option_strike",
)
_SYMBOL_TAIL: Final = (
    "session_volume",
    "session_turnover",
    "session_interest",
    "session_buy_orders_volume",
    "session_sell_orders_volume",
    "session_open",
    "session_close",
    "session_aw",
    "session_price_settlement",
    "session_price_limit_min",
    "session_price_limit_max",
    "margin_hedged",
    "price_change",
    "price_volatility",
    "price_theoretical",
    "price_greeks_delta",
    "price_greeks_theta",
    "price_greeks_gamma",
    "price_greeks_vega",
    "price_greeks_rho",
    "price_greeks_omega",
    "price_sensitivity",
)


class Rights(Struct, frozen=True, kw_only=True):
    """What an account may do: `trade` at all, and by `expert`."""

    trade: bool = True
    expert: bool = True


FULL_RIGHTS: Final = Rights()


def _level(value: Valuation) -> float:
    """Percent, counted in doubles as terminals do: 943.91 of 2.36 prints 39996.18644067797."""
    return float(value.equity) / float(value.margin) * 100 if value.margin else 0.0


def account_info(account: Account, value: Valuation, rights: Rights = FULL_RIGHTS) -> Body:
    """AccountInfo."""
    return {
        "login": account.login,
        "trade_mode": 0,
        "leverage": account.leverage,
        "limit_orders": account.limit_orders,
        "margin_so_mode": 0,
        "trade_allowed": rights.trade,
        "trade_expert": rights.expert,
        "margin_mode": MARGIN_MODE[account.margin_mode],
        "currency_digits": account.digits,
        "fifo_close": account.fifo_close,
        "balance": float(account.balance),
        "credit": float(account.credit),
        "profit": float(value.profit),
        "equity": float(value.equity),
        "margin": float(value.margin),
        "margin_free": float(value.margin_free),
        "margin_level": _level(value),
        "margin_so_call": MARGIN_CALL_LEVEL_PERCENT,
        "margin_so_so": float(account.stop_out_percent),
        "margin_initial": 0.0,
        "margin_maintenance": 0.0,
        "assets": 0.0,
        "liabilities": 0.0,
        "commission_blocked": 0.0,
        "name": account.name,
        "server": account.server,
        "currency": account.currency,
        "company": COMPANY,
    }


def trade_position(
    position: Position, profit: Decimal, price_current: Decimal, clock: ServerTime
) -> Body:
    """TradePosition."""
    return {
        "ticket": position.ticket,
        "time": clock.s(position.opened_ms),
        "time_msc": clock.ms(position.opened_ms),
        "time_update": clock.s(position.updated_ms),
        "time_update_msc": clock.ms(position.updated_ms),
        "type": 0 if position.sign > 0 else 1,
        "magic": position.magic,
        "identifier": position.identifier,
        "reason": position.reason,
        "volume": float(position.volume),
        "price_open": float(position.price_open),
        "sl": float(position.sl),
        "tp": float(position.tp),
        "price_current": float(price_current),
        "swap": float(position.swap),
        "profit": float(profit),
        "symbol": position.symbol,
        "comment": position.comment,
        "external_id": "",
    }


def trade_order(order: Order, quote: Quote, clock: ServerTime) -> Body:
    """TradeOrder, resting or done."""
    rests = order.state == OrderState.PLACED
    current = order.price_current
    if rests:
        current = quote.ask if order_sign(order) > 0 else quote.bid
    return {
        "ticket": order.ticket,
        "time_setup": clock.s(order.placed_ms),
        "time_setup_msc": clock.ms(order.placed_ms),
        "time_done": 0 if rests else clock.s(order.done_ms),
        "time_done_msc": 0 if rests else clock.ms(order.done_ms),
        "time_expiration": order.expires_s,
        "type": order.kind,
        "type_time": order.type_time,
        "type_filling": order.filling,
        "state": order.state,
        "magic": order.magic,
        "position_id": order.position_id,
        "position_by_id": order.position_by_id,
        "reason": order.reason,
        "volume_initial": float(order.volume),
        "volume_current": float(order.volume if rests else order.left),
        "price_open": float(order.price),
        "sl": float(order.sl),
        "tp": float(order.tp),
        "price_current": float(current),
        "price_stoplimit": float(order.stoplimit),
        "symbol": order.symbol,
        "comment": order.comment,
        "external_id": "",
    }


def trade_deal(deal: Deal, clock: ServerTime) -> Body:
    """TradeDeal."""
    return {
        "ticket": deal.ticket,
        "order": deal.order,
        "time": clock.s(deal.time_ms),
        "time_msc": clock.ms(deal.time_ms),
        "type": deal.kind,
        "entry": deal.entry,
        "magic": deal.magic,
        "position_id": deal.position_id,
        "reason": deal.reason,
        "volume": float(deal.volume),
        "price": float(deal.price),
        "commission": float(deal.commission),
        "swap": float(deal.swap),
        "profit": float(deal.profit),
        "fee": float(deal.fee),
        "symbol": deal.symbol,
        "comment": deal.comment,
        "external_id": "",
    }


def tick(quote: Quote, tick_ms: int, clock: ServerTime) -> Body:
    """Tick; `tick_ms` is the true UTC instant of the feed's latest word."""
    return {
        "time": clock.s(tick_ms),
        "bid": float(quote.bid),
        "ask": float(quote.ask),
        "last": 0.0,
        "volume": 0,
        "time_msc": clock.ms(tick_ms),
        "flags": 6,
        "volume_real": 0.0,
    }


NOTHING_DONE: Final[Body] = {
    "deal": 0,
    "order": 0,
    "volume": 0.0,
    "price": 0.0,
    "bid": 0.0,
    "ask": 0.0,
}
"""The figures of an OrderSendResult that refuses."""


def trade_request(request: Request) -> Body:
    """TradeRequest."""
    numbers = {name: getattr(request, name) for name in REQUEST_FIELDS}
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in numbers.items()
    }


def order_send_result(answer: Answer, request: Request) -> Body:
    """OrderSendResult with its TradeRequest."""
    return {
        "retcode": answer.retcode,
        "deal": answer.deal,
        "order": answer.order,
        "volume": float(answer.volume),
        "price": float(answer.price),
        "bid": float(answer.bid),
        "ask": float(answer.ask),
        "comment": answer.comment,
        "request_id": answer.request_id,
        "retcode_external": 0,
        "request": trade_request(request),
    }


def order_check_result(
    retcode: int, account: Account, value: Valuation | None, request: Request
) -> Body:
    """OrderCheckResult: the account after the trade; all 0 where it would be refused."""
    return {
        "retcode": retcode,
        "balance": float(account.balance) if value else 0.0,
        "equity": float(value.equity) if value else 0.0,
        "profit": float(value.profit) if value else 0.0,
        "margin": float(value.margin) if value else 0.0,
        "margin_free": float(value.margin_free) if value else 0.0,
        "margin_level": _level(value) if value else 0.0,
        "comment": RETCODE_TEXT.get(retcode, CHECKED_TEXT),
        "request": trade_request(request),
    }


def terminal_info(*, connected: bool, trade_allowed: bool, api_disabled: bool = False) -> Body:
    """TerminalInfo."""
    return {
        "community_account": False,
        "community_connection": False,
        "connected": connected,
        "dlls_allowed": False,
        "trade_allowed": trade_allowed,
        "tradeapi_disabled": api_disabled,
        "email_enabled": False,
        "ftp_enabled": False,
        "notifications_enabled": False,
        "mqid": False,
        "build": BUILD,
        "maxbars": 100_000,
        "codepage": 0,
        "ping_last": 12_000 if connected else 0,
        "community_balance": 0.0,
        "retransmission": 0.0,
        "company": COMPANY,
        "name": "MetaTrader 5",
        "language": "English",
        "path": "",
        "data_path": "",
        "commondata_path": "",
    }


def _symbol_integers(terms: SymbolTerms, quote: Quote, tick_s: int, trade_mode: int) -> Body:
    return {
        "custom": False,
        "chart_mode": 0,
        "select": True,
        "visible": True,
        "session_deals": 0,
        "session_buy_orders": 0,
        "session_sell_orders": 0,
        "volume": 0,
        "volumehigh": 0,
        "volumelow": 0,
        "time": tick_s,
        "digits": terms.digits,
        "spread": int((quote.ask - quote.bid) / terms.point),
        "spread_float": True,
        "ticks_bookdepth": 0,
        "trade_calc_mode": terms.calc_mode,
        "trade_mode": trade_mode,
        "start_time": 0,
        "expiration_time": 0,
        "trade_stops_level": terms.stops_level,
        "trade_freeze_level": terms.freeze_level,
        "trade_exemode": terms.execution,
        "swap_mode": terms.swap_mode,
        "swap_rollover3days": terms.swap_rollover3days,
        "margin_hedged_use_leg": True,
        "expiration_mode": terms.expiration_mode,
        "filling_mode": terms.filling_mode,
        "order_mode": 127,
        "order_gtc_mode": 0,
        "option_mode": 0,
        "option_right": 0,
    }


def symbol_info(
    terms: SymbolTerms,
    quote: Quote,
    tick_ms: int,
    clock: ServerTime,
    tick_value: TickValue,
    trade_mode: int = TradeMode.FULL,
) -> Body:
    """SymbolInfo, all 96 fields."""
    bid, ask = float(quote.bid), float(quote.ask)
    return {
        **_symbol_integers(terms, quote, clock.s(tick_ms), trade_mode),
        "bid": bid,
        "bidhigh": bid,
        "bidlow": bid,
        "ask": ask,
        "askhigh": ask,
        "asklow": ask,
        **dict.fromkeys(_SYMBOL_ZEROS, 0.0),
        "point": float(terms.point),
        "trade_tick_value": float(tick_value.gain),
        "trade_tick_value_profit": float(tick_value.gain),
        "trade_tick_value_loss": float(tick_value.loss),
        "trade_tick_size": float(terms.point),
        "trade_contract_size": float(terms.contract),
        "trade_accrued_interest": 0.0,
        "trade_face_value": 0.0,
        "trade_liquidity_rate": 0.0,
        "volume_min": float(terms.volume_min),
        "volume_max": float(terms.volume_max),
        "volume_step": float(terms.volume_step),
        "volume_limit": float(terms.volume_limit),
        "swap_long": float(terms.swap_long),
        "swap_short": float(terms.swap_short),
        "margin_initial": 0.0,
        "margin_maintenance": 0.0,
        **dict.fromkeys(_SYMBOL_TAIL, 0.0),
        "basis": "",
        "category": "",
        "currency_base": terms.base,
        "currency_profit": terms.profit,
        "currency_margin": terms.margin_currency,
        "bank": "",
        "description": terms.description,
        "exchange": "",
        "formula": "",
        "isin": "",
        "name": terms.name,
        "page": "",
        "path": terms.path,
    }
