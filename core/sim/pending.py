"""The trade server's part for pending orders: placed, modified, removed."""

from msgspec.structs import replace

from core.sim import rules
from core.sim.arithmetic import ZERO
from core.sim.broker import Broker, order_sign
from core.sim.codes import OrderState, OrderType, Retcode
from core.sim.ledger import Order
from core.sim.requests import WOULD_DO, Answer, Conditions, Request
from core.sim.symbols import SymbolTerms


class PendingDesk:
    """Takes requests about orders that rest."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._ledger = broker.ledger

    def place(self, login: int, request: Request, how: Conditions) -> Answer | int:
        """Let a new order rest."""
        terms = self.broker.market.symbols.get(request.symbol)
        if terms is None:
            return Retcode.INVALID
        if request.type not in OrderType.PENDING:
            return Retcode.INVALID_ORDER
        order = self._asked(login, request, how)
        wrong = rules.wrong_volume(terms, request.volume) or self._wrong(login, terms, order, how)
        if wrong is None and len(self._ledger.orders(login)) >= (
            self._ledger.accounts[login].limit_orders
        ):
            wrong = Retcode.LIMIT_ORDERS
        if wrong is None:
            mode = self.broker.trade_mode(login, terms.name)
            wrong = rules.wrong_mode(mode, order_sign(order), opens=True)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        order.ticket = self._ledger.next_ticket()
        order.expires_s = self._expires_s(login, terms, request) or 0
        self._ledger.save_order(order)
        # The wheel prints deal 0 and price 0.0 for an order that only rests.
        return Answer(retcode=Retcode.DONE, order=order.ticket, volume=order.volume)

    def _asked(self, login: int, request: Request, how: Conditions) -> Order:
        return Order(
            ticket=0,
            login=login,
            symbol=request.symbol,
            kind=request.type,
            volume=request.volume,
            price=request.price,
            stoplimit=request.stoplimit if request.type in OrderType.STOP_LIMITS else ZERO,
            sl=request.sl,
            tp=request.tp,
            filling=request.type_filling,
            type_time=request.type_time,
            expires_s=request.expiration,
            magic=request.magic,
            comment=request.comment,
            reason=how.reason,
            placed_ms=self.broker.now_ms(),
        )

    def _expires_s(self, login: int, terms: SymbolTerms, request: Request) -> int | None:
        now_s = self.broker.clock(login).s(self.broker.now_ms())
        return rules.expiration(terms, request.type_time, request.expiration, now_s)

    def _wrong(self, login: int, terms: SymbolTerms, order: Order, how: Conditions) -> int | None:
        """What is wrong with an order as it would rest. Its `expires_s` is still as asked for."""
        if not self.broker.is_open(login, terms.name):
            return Retcode.MARKET_CLOSED
        sign = order_sign(order)
        market = self.broker.fill_price(terms.name, sign)
        wrong = rules.wrong_resting(terms, order.kind, order.price, order.stoplimit, market)
        if wrong is None and not how.any_filling:
            wrong = rules.wrong_filling(terms, order.filling, order.kind)
        opened = order.stoplimit or order.price
        wrong = wrong or rules.wrong_levels(terms, sign, opened, order.sl, order.tp)
        now_s = self.broker.clock(login).s(self.broker.now_ms())
        if wrong is None and (
            rules.expiration(terms, order.type_time, order.expires_s, now_s) is None
        ):
            return Retcode.INVALID_EXPIRATION
        return wrong

    def modify(self, login: int, request: Request, how: Conditions) -> Answer | int:
        """Change a resting order's prices, stops and expiration; volume and kind stay."""
        order = self._ledger.orders(login).get(request.order)
        if order is None:
            return Retcode.INVALID
        terms = self.broker.terms(order.symbol)
        if self._is_frozen(terms, order):
            return Retcode.FROZEN
        changed = replace(
            order,
            price=request.price,
            stoplimit=request.stoplimit if order.kind in OrderType.STOP_LIMITS else ZERO,
            sl=request.sl,
            tp=request.tp,
            type_time=request.type_time,
            expires_s=request.expiration,
        )
        wrong = self._wrong(login, terms, changed, how)
        if wrong is not None:
            return wrong
        changed.expires_s = self._expires_s(login, terms, request) or 0
        if changed == order:
            return Retcode.NO_CHANGES
        if how.dry:
            return WOULD_DO
        self._ledger.save_order(changed)
        return Answer(retcode=Retcode.DONE, order=order.ticket)

    def remove(self, login: int, request: Request, how: Conditions) -> Answer | int:
        """Cancel a resting order."""
        order = self._ledger.orders(login).get(request.order)
        if order is None:
            return Retcode.INVALID
        terms = self.broker.terms(order.symbol)
        if not self.broker.is_open(login, terms.name):
            return Retcode.MARKET_CLOSED
        if self._is_frozen(terms, order):
            return Retcode.FROZEN
        if how.dry:
            return WOULD_DO
        self.broker.finish(order, OrderState.CANCELED)
        return Answer(retcode=Retcode.DONE, order=order.ticket)

    def _is_frozen(self, terms: SymbolTerms, order: Order) -> bool:
        market = self.broker.fill_price(terms.name, order_sign(order))
        return rules.is_frozen(terms, market, order.price)
