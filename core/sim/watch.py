"""How far a price may move before anything can happen: cheap checks for fast replays.

Between the bounds no stop, no target, no resting order and no stop-out can trigger, so a tick needs
two float comparisons; outside of them the broker counts exactly and new bounds are drawn. Comparing
floats is safe: rounding to float never turns "at or beyond a level" into "short of it".
"""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from core.sim.arithmetic import ZERO
from core.sim.broker import Broker, order_sign
from core.sim.codes import OrderType
from core.sim.ledger import Position

SAFETY: Final = Decimal("0.5")
"""Share of the distance to a stop-out that is not counted exactly: conversions bend the line."""
REACH_MAX: Final = Decimal("0.1")
"""The most a price may move unchecked, as a fraction of it; the bend stays within `SAFETY`."""
FAR: Final = float("inf")


class Bounds(Struct):
    """Quiet while `bid_low < bid < bid_high` and the same for the ask."""

    bid_low: float = -FAR
    bid_high: float = FAR
    ask_low: float = -FAR
    ask_high: float = FAR

    def cut(self, side: str, level: Decimal, *, below: bool) -> None:
        """Take in a level at which something happens when the price is at or beyond it."""
        name = f"{side}_{'low' if below else 'high'}"
        pick = max if below else min
        setattr(self, name, pick(getattr(self, name), float(level)))

    def is_quiet(self, bid: float, ask: float) -> bool:
        """Whether nothing can happen at this quote."""
        return self.bid_low < bid < self.bid_high and self.ask_low < ask < self.ask_high


def draw_bounds(broker: Broker, symbol: str) -> Bounds:
    """The bounds of a symbol at its present quote."""
    bounds = Bounds()
    for login in broker.ledger.accounts:
        for position in broker.ledger.positions(login).values():
            if position.symbol == symbol:
                _cut_levels(bounds, position)
        for order in broker.ledger.orders(login).values():
            if order.symbol == symbol:
                sign = order_sign(order)
                is_limit = order.kind in OrderType.LIMITS
                side = "ask" if sign > 0 else "bid"
                bounds.cut(side, order.price, below=(sign > 0) == is_limit)
        _cut_stop_out(bounds, broker, login, symbol)
    return bounds


def _cut_levels(bounds: Bounds, position: Position) -> None:
    side, is_buy = ("bid", True) if position.sign > 0 else ("ask", False)
    if position.sl:
        bounds.cut(side, position.sl, below=is_buy)
    if position.tp:
        bounds.cut(side, position.tp, below=not is_buy)


def _cut_stop_out(bounds: Bounds, broker: Broker, login: int, symbol: str) -> None:
    if not broker.ledger.positions(login):
        return
    quote = broker.market.quotes[symbol]
    reach = quote.bid * REACH_MAX
    if _converts_through(broker, login, symbol):
        reach = ZERO
    elif (exposure := _exposure(broker, login, symbol)) != 0:
        value = broker.value(login)
        percent = broker.ledger.accounts[login].stop_out_percent
        headroom = value.equity - value.margin * percent / 100
        reach = min(reach, max(headroom, ZERO) / exposure * SAFETY)
    for side, price in (("bid", quote.bid), ("ask", quote.ask)):
        bounds.cut(side, price - reach, below=True)
        bounds.cut(side, price + reach, below=False)


def _exposure(broker: Broker, login: int, symbol: str) -> Decimal:
    """What a move of 1.0 in the price can cost the account at most, account currency."""
    terms = broker.terms(symbol)
    account = broker.ledger.accounts[login]
    held = broker.ledger.positions(login).values()
    lots = sum((one.volume for one in held if one.symbol == symbol), ZERO)
    raw = -lots * terms.contract
    return -broker.converter.convert(raw, terms.profit, account.currency, broker.market.quotes)


def _converts_through(broker: Broker, login: int, symbol: str) -> bool:
    """Whether the symbol's price also converts the account's other profits or margins."""
    account = broker.ledger.accounts[login]
    for position in broker.ledger.positions(login).values():
        terms = broker.terms(position.symbol)
        for currency in {terms.profit, terms.margin_currency}:
            legs = broker.converter.legs(currency, account.currency)
            if position.symbol != symbol and any(leg.symbol == symbol for leg in legs):
                return True
    return False
