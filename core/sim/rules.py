"""What a trade server refuses by a symbol's terms, pure: each answers a retcode, or None.

Source: the symbol's properties as MetaTrader 5 documents them.
"""

from decimal import Decimal

from core.sim.codes import Execution, Filling, OrderTime, OrderType, Retcode, TradeMode
from core.sim.symbols import DAY_S, SymbolTerms

BOC_BIT = 4
PRICED = frozenset({Execution.REQUEST, Execution.INSTANT})
"""Executions at which a market order names its price, and may be requoted."""


def wrong_volume(terms: SymbolTerms, volume: Decimal) -> int | None:
    """Outside of the symbol's limits, or off its grid."""
    if terms.volume_min <= volume <= terms.volume_max and volume % terms.volume_step == 0:
        return None
    return Retcode.INVALID_VOLUME


def wrong_mode(mode: int, sign: int, *, opens: bool) -> int | None:
    """What the trade mode refuses: opening, one side of it, or everything."""
    if mode == TradeMode.DISABLED:
        return Retcode.TRADE_DISABLED
    if not opens or mode == TradeMode.FULL:
        return None
    if mode == TradeMode.CLOSE_ONLY:
        return Retcode.CLOSE_ONLY
    if mode == TradeMode.LONG_ONLY and sign < 0:
        return Retcode.LONG_ONLY
    if mode == TradeMode.SHORT_ONLY and sign > 0:
        return Retcode.SHORT_ONLY
    return None


def wrong_filling(terms: SymbolTerms, filling: int, kind: int) -> int | None:
    """A filling mode that the execution does not know.

    Request and instant execution fill a market order whole; market execution as the symbol's flags
    say, and returns the rest of limit orders only; exchange execution knows them all.
    """
    rests = kind in OrderType.LIMITS or kind in OrderType.STOP_LIMITS
    if filling == Filling.BOC:
        known = rests and bool(terms.filling_mode & BOC_BIT)
    elif terms.execution == Execution.EXCHANGE:
        known = filling in (Filling.FOK, Filling.IOC, Filling.RETURN)
    elif filling == Filling.RETURN:
        known = rests
    elif terms.execution in PRICED:
        known = filling == Filling.FOK or (kind in OrderType.PENDING and filling == Filling.IOC)
    else:
        known = bool(terms.filling_mode & Filling.BIT.get(filling, 0))
    return None if known else Retcode.INVALID_FILL


def wrong_price(
    terms: SymbolTerms, asked: Decimal, market: Decimal, deviation_points: int
) -> int | None:
    """A market order's price. Only request and instant execution look at it."""
    if asked < 0:
        return Retcode.INVALID_PRICE
    if terms.execution not in PRICED:
        return None
    if not asked:
        return Retcode.INVALID_PRICE
    is_off = abs(asked - market) > deviation_points * terms.point
    return Retcode.REQUOTE if is_off else None


def on_grid(terms: SymbolTerms, price: Decimal) -> bool:
    """Whether a price has no more digits than the symbol."""
    return price % terms.point == 0


def wrong_levels(
    terms: SymbolTerms, sign: int, price: Decimal, sl: Decimal, tp: Decimal
) -> int | None:
    """Stops of a position that would close at `price`: on the wrong side, off the grid, too near.

    Exactly at the stops level is far enough; without one a level at the price is too near.
    """
    for level, way in ((sl, 1), (tp, -1)):
        if level < 0 or not on_grid(terms, level):
            return Retcode.INVALID_STOPS
        away = (price - level) * sign * way
        if level and (away <= 0 or away < terms.stops_level * terms.point):
            return Retcode.INVALID_STOPS
    return None


def is_frozen(terms: SymbolTerms, price: Decimal, *levels: Decimal) -> bool:
    """Whether one of the levels is so near to being reached that nothing may be changed."""
    reach = terms.freeze_level * terms.point
    return bool(reach) and any(level and abs(price - level) <= reach for level in levels)


def wrong_resting(
    terms: SymbolTerms, kind: int, price: Decimal, stoplimit: Decimal, market: Decimal
) -> int | None:
    """A pending order's prices: on the wrong side of the market, off the grid, or too near."""
    sign = 1 if kind in OrderType.BUYS else -1
    away = (market - price) * sign * (1 if kind in OrderType.LIMITS else -1)
    if price <= 0 or away <= 0 or away < terms.stops_level * terms.point:
        return Retcode.INVALID_PRICE
    if not on_grid(terms, price) or not on_grid(terms, stoplimit):
        return Retcode.INVALID_PRICE
    # The limit order that a stop-limit order becomes waits for a better price than its trigger.
    if kind in OrderType.STOP_LIMITS and (stoplimit <= 0 or (price - stoplimit) * sign < 0):
        return Retcode.INVALID_PRICE
    return None


def expiration(terms: SymbolTerms, type_time: int, asked_s: int, now_s: int) -> int | None:
    """When an order expires, server seconds, 0 for never; None for a time that cannot be.

    A day ends at the server's midnight.
    """
    if type_time not in range(4) or not terms.expiration_mode & (1 << type_time):
        return None
    if type_time == OrderTime.GTC:
        return 0
    if type_time == OrderTime.DAY:
        return (now_s // DAY_S + 1) * DAY_S
    if asked_s <= now_s:
        return None
    if type_time == OrderTime.SPECIFIED_DAY:
        return (asked_s // DAY_S + 1) * DAY_S
    return asked_s
