"""The trade server's `order_send`: what is refused and with which number, and what is executed.

Semantics are MetaTrader 5's, its traps included: unknown keys are ignored and missing ones are 0,
so a misspelt `position` opens an opposite position on a hedging account.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from core.sim.arithmetic import ZERO, floor_volume
from core.sim.broker import Broker, Ticket, Valuation
from core.sim.codes import (
    CHECKED,
    COMMENT_UNITS_MAX,
    RETCODE_TEXT,
    Action,
    Filling,
    OrderType,
    Retcode,
    TradeMode,
)
from core.sim.ledger import Order, Position
from core.sim.symbols import VOLUME_MAX, VOLUME_MIN, VOLUME_STEP, SymbolTerms

INT_FIELDS: Final = (
    "action",
    "magic",
    "order",
    "deviation",
    "type",
    "type_filling",
    "type_time",
    "expiration",
    "position",
    "position_by",
)
FLOAT_FIELDS: Final = ("volume", "price", "stoplimit", "sl", "tp")
TEXT_FIELDS: Final = ("symbol", "comment")
REQUEST_FIELDS: Final = (
    "action",
    "magic",
    "order",
    "symbol",
    "volume",
    "price",
    "stoplimit",
    "sl",
    "tp",
    "deviation",
    "type",
    "type_filling",
    "type_time",
    "expiration",
    "comment",
    "position",
    "position_by",
)
"""TradeRequest, in the wheel's order."""


class BadArgument(Exception):
    """The wheel refuses the request before sending it (`last_error` -2)."""


class Request(Struct, kw_only=True):
    """A TradeRequest with exact numbers."""

    action: int = 0
    magic: int = 0
    order: int = 0
    symbol: str = ""
    volume: Decimal = ZERO
    price: Decimal = ZERO
    stoplimit: Decimal = ZERO
    sl: Decimal = ZERO
    tp: Decimal = ZERO
    deviation: int = 0
    type: int = 0
    type_filling: int = 0
    type_time: int = 0
    expiration: int = 0
    comment: str = ""
    position: int = 0
    position_by: int = 0


class Answer(Struct, frozen=True, kw_only=True):
    """What the trade server did. Everything but `retcode` is 0 on a refusal."""

    retcode: int
    deal: int = 0
    order: int = 0
    volume: Decimal = ZERO
    price: Decimal = ZERO
    bid: Decimal = ZERO
    ask: Decimal = ZERO
    comment: str = ""
    request_id: int = 0


WOULD_DO: Final = Answer(retcode=CHECKED)


class Conditions(Struct, frozen=True, kw_only=True):
    """How this send is executed: who asks (DEAL_REASON), the adverse slippage, a half fill."""

    reason: int
    slippage_points: int = 0
    partial: bool = False
    any_filling: bool = False
    """A person's platform picks the filling mode itself."""
    dry: bool = False
    """Only look whether the request would be taken."""


def parse_request(body: dict[str, Any]) -> Request:
    """Read a TradeRequest as the wheel does. Raises BadArgument, naming the argument."""
    request = Request()
    for name in INT_FIELDS:
        value = body.get(name, 0)
        if not isinstance(value, int):
            raise BadArgument(name)
        setattr(request, name, int(value))
    for name in FLOAT_FIELDS:
        setattr(request, name, _exact(name, body.get(name, 0)))
    for name in TEXT_FIELDS:
        text = body.get(name, "")
        if not isinstance(text, str) or len(text.encode("utf-16-le")) // 2 > COMMENT_UNITS_MAX:
            raise BadArgument(name)
        setattr(request, name, text)
    return request


def _exact(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise BadArgument(name)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BadArgument(name) from error
    if not number.is_finite():
        raise BadArgument(name)
    return number


def refusal(retcode: int, request_id: int = 0) -> Answer:
    """A refused request: everything 0 but the code and its text."""
    return Answer(retcode=retcode, comment=RETCODE_TEXT[retcode], request_id=request_id)


class TradeServer:
    """Executes requests on the broker's accounts."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._ledger = broker.ledger

    def order_send(self, login: int, request: Request, how: Conditions) -> Answer:
        """Validate and execute; the caller commits. Nothing has changed when it is refused."""
        request_id = self._ledger.next_request()
        answer = self._act(login, request, how)
        if isinstance(answer, int):
            return refusal(answer, request_id)
        return replace(answer, comment=RETCODE_TEXT[answer.retcode], request_id=request_id)

    def order_check(self, login: int, request: Request, how: Conditions) -> int:
        """0 where the request would be taken, else the retcode that refuses it."""
        answer = self._act(login, request, replace(how, dry=True))
        return answer if isinstance(answer, int) else CHECKED

    def value_after(self, login: int, request: Request) -> Valuation:
        """The account as an opening request would leave it; other requests free no margin yet."""
        if request.action == Action.DEAL and not request.position:
            sign = 1 if request.type == OrderType.BUY else -1
            return self.broker.value(login, (request.symbol, sign, request.volume))
        return self.broker.value(login)

    def _act(self, login: int, request: Request, how: Conditions) -> Answer | int:
        terms = self.broker.market.symbols.get(request.symbol)
        if request.action == Action.REMOVE:
            return self._remove(login, request, how)
        if request.action == Action.SLTP:
            return self._modify(login, request, how)
        if terms is None:
            return Retcode.INVALID
        if request.action == Action.DEAL:
            return self._deal(login, request, terms, how)
        if request.action == Action.PENDING:
            return self._pending(login, request, terms, how)
        return Retcode.INVALID

    def _deal(
        self, login: int, request: Request, terms: SymbolTerms, how: Conditions
    ) -> Answer | int:
        if request.type not in (OrderType.BUY, OrderType.SELL):
            return Retcode.INVALID
        sign = 1 if request.type == OrderType.BUY else -1
        held = self._ledger.positions(login).get(request.position)
        if request.position:
            if held is None:
                return Retcode.POSITION_CLOSED
            if held.symbol != request.symbol or held.sign == sign:
                return Retcode.INVALID
        wrong = _wrong_volume(request.volume) or self._wrong_deal(login, request, terms, how, held)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        return self._execute(login, request, terms, how, held)

    def _wrong_deal(
        self,
        login: int,
        request: Request,
        terms: SymbolTerms,
        how: Conditions,
        held: Position | None,
    ) -> int | None:
        sign = 1 if request.type == OrderType.BUY else -1
        if held is not None and request.volume > held.volume:
            return Retcode.INVALID_CLOSE_VOLUME
        if request.price < 0:
            return Retcode.INVALID_PRICE
        if not how.any_filling and not terms.filling_mode & Filling.BIT.get(
            request.type_filling, 0
        ):
            return Retcode.INVALID_FILL
        if held is not None:
            return self._wrong_mode(login, terms, sign, opens=False)
        wrong = self._wrong_mode(login, terms, sign, opens=True)
        if wrong is not None:
            return wrong
        closing = self.broker.fill_price(terms.name, -sign)
        wrong = self.broker.check_levels(terms.name, sign, closing, request.sl, request.tp)
        if wrong is None and not self.broker.affords(login, terms.name, sign, request.volume):
            return Retcode.NO_MONEY
        return wrong

    def _wrong_mode(self, login: int, terms: SymbolTerms, sign: int, *, opens: bool) -> int | None:
        """What the symbol's trade mode refuses: opening, one side of it, or everything."""
        mode = self.broker.trade_mode(login, terms.name)
        if mode == TradeMode.DISABLED:
            return Retcode.TRADE_DISABLED
        if not opens:
            return None
        if mode == TradeMode.CLOSE_ONLY:
            return Retcode.CLOSE_ONLY
        if mode == TradeMode.LONG_ONLY and sign < 0:
            return Retcode.LONG_ONLY
        if mode == TradeMode.SHORT_ONLY and sign > 0:
            return Retcode.SHORT_ONLY
        return None

    def _execute(
        self,
        login: int,
        request: Request,
        terms: SymbolTerms,
        how: Conditions,
        held: Position | None,
    ) -> Answer:
        sign = 1 if request.type == OrderType.BUY else -1
        volume = _half(request.volume) if how.partial else request.volume
        slipped = terms.point * how.slippage_points * sign
        price = max(self.broker.fill_price(terms.name, sign) + slipped, terms.point)
        ticket = Ticket(
            order=self._ledger.next_ticket(),
            reason=how.reason,
            magic=request.magic,
            comment=request.comment,
            sl=request.sl,
            tp=request.tp,
        )
        if held is not None:
            deal = self.broker.close(held, volume, price, ticket)
        else:
            deal = self.broker.fill(login, terms.name, sign, volume, price, ticket)
        quote = self.broker.market.quotes[terms.name]
        return Answer(
            retcode=Retcode.DONE if volume == request.volume else Retcode.DONE_PARTIAL,
            deal=deal.ticket,
            order=ticket.order,
            volume=volume,
            price=price,
            bid=quote.bid,
            ask=quote.ask,
        )

    def _pending(
        self, login: int, request: Request, terms: SymbolTerms, how: Conditions
    ) -> Answer | int:
        if request.type not in OrderType.PENDING:
            return Retcode.INVALID_ORDER
        wrong = _wrong_volume(request.volume)
        if wrong is not None:
            return wrong
        order = Order(
            ticket=0,
            login=login,
            symbol=terms.name,
            kind=request.type,
            volume=request.volume,
            price=request.price,
            sl=request.sl,
            tp=request.tp,
            filling=request.type_filling,
            magic=request.magic,
            comment=request.comment,
            reason=how.reason,
            placed_ms=self.broker.now_ms(),
        )
        wrong = self._wrong_resting(order)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        order.ticket = self._ledger.next_ticket()
        self._ledger.save_order(order)
        # The wheel prints deal 0 and price 0.0 for an order that only rests.
        return Answer(retcode=Retcode.DONE, order=order.ticket, volume=order.volume)

    def _wrong_resting(self, order: Order) -> int | None:
        sign = 1 if order.kind in OrderType.BUYS else -1
        market = self.broker.fill_price(order.symbol, sign)
        is_limit = order.kind in (OrderType.BUY_LIMIT, OrderType.SELL_LIMIT)
        beyond = (market - order.price) * sign * (1 if is_limit else -1)
        if order.price <= 0 or beyond <= 0 or not self.broker.on_grid(order.symbol, order.price):
            return Retcode.INVALID_PRICE
        return self.broker.check_levels(order.symbol, sign, order.price, order.sl, order.tp)

    def _modify(self, login: int, request: Request, how: Conditions) -> Answer | int:
        held = self._ledger.positions(login).get(request.position)
        if held is None and not request.position:
            held = self.broker.find_net(login, request.symbol)
        if held is None:
            return Retcode.POSITION_CLOSED
        if (held.sl, held.tp) == (request.sl, request.tp):
            return Retcode.NO_CHANGES
        price = self.broker.fill_price(held.symbol, -held.sign)
        wrong = self.broker.check_levels(held.symbol, held.sign, price, request.sl, request.tp)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        held.sl, held.tp = request.sl, request.tp
        held.updated_ms = self.broker.now_ms()
        self._ledger.save_position(held)
        return Answer(retcode=Retcode.DONE)

    def _remove(self, login: int, request: Request, how: Conditions) -> Answer | int:
        order = self._ledger.orders(login).get(request.order)
        if order is None:
            return Retcode.INVALID
        if how.dry:
            return WOULD_DO
        self._ledger.drop_order(order)
        return Answer(retcode=Retcode.DONE, order=order.ticket)


def _wrong_volume(volume: Decimal) -> int | None:
    if VOLUME_MIN <= volume <= VOLUME_MAX and volume % VOLUME_STEP == 0:
        return None
    return Retcode.INVALID_VOLUME


def _half(volume: Decimal) -> Decimal:
    """About half, on the volume grid; the smallest volume cannot be halved and fills whole."""
    return floor_volume(volume / 2, VOLUME_STEP) or volume
