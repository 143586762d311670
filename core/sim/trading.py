"""The trade server's `order_send`: what is refused and with which number, and what is executed.

Semantics are MetaTrader 5's. Pending orders are `core.sim.pending`'s, what a symbol's terms refuse
`core.sim.rules`'.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec.structs import replace

from core.sim import rules
from core.sim.arithmetic import floor_volume
from core.sim.booking import Ticket, Valuation
from core.sim.broker import Broker, order_sign
from core.sim.codes import CHECKED, RETCODE_TEXT, Action, OrderType, Retcode
from core.sim.ledger import Position
from core.sim.pending import PendingDesk
from core.sim.requests import WOULD_DO, Answer, Conditions, Request, refusal
from core.sim.symbols import SymbolTerms


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
        """The account with the margin of what a request opens; a close frees none beforehand."""
        sign = 1 if request.type == OrderType.BUY else -1
        held = self.broker.find_net(login, request.symbol)
        is_net = self._ledger.accounts[login].is_netting
        reduces = is_net and held is not None and held.sign != sign
        if request.action != Action.DEAL or request.position or reduces:
            return self.broker.value(login)
        return self.broker.value(login, (request.symbol, sign, request.volume))

    def _act(self, login: int, request: Request, how: Conditions) -> Answer | int:
        acts: dict[int, Callable[[int, Request, Conditions], Answer | int]] = {
            Action.DEAL: self._deal,
            Action.PENDING: self._pending,
            Action.SLTP: self._modify_position,
            Action.MODIFY: self._modify_order,
            Action.REMOVE: self._remove,
            Action.CLOSE_BY: self._close_by,
        }
        act = acts.get(request.action)
        return Retcode.INVALID if act is None else act(login, request, how)

    def _deal(self, login: int, request: Request, how: Conditions) -> Answer | int:
        terms = self.broker.market.symbols.get(request.symbol)
        if terms is None or request.type not in (OrderType.BUY, OrderType.SELL):
            return Retcode.INVALID
        sign = 1 if request.type == OrderType.BUY else -1
        held = self._ledger.positions(login).get(request.position)
        if request.position:
            if held is None:
                return Retcode.POSITION_CLOSED
            if held.symbol != request.symbol or held.sign == sign:
                return Retcode.INVALID
        wrong = self._wrong_deal(login, request, terms, how)
        if wrong is None and held is not None:
            wrong = self._wrong_close(login, request, terms, held)
        elif wrong is None:
            wrong = self._wrong_open(login, request, terms, sign)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        return self._execute(login, request, terms, how, held)

    def _wrong_deal(
        self, login: int, request: Request, terms: SymbolTerms, how: Conditions
    ) -> int | None:
        """What is wrong with a market order, whether it opens or closes."""
        sign = 1 if request.type == OrderType.BUY else -1
        wrong = rules.wrong_volume(terms, request.volume)
        if wrong is None and not self.broker.is_open(login, terms.name):
            return Retcode.MARKET_CLOSED
        if wrong is None and not how.any_filling:
            market = self.broker.fill_price(terms.name, sign)
            wrong = rules.wrong_price(terms, request.price, market, request.deviation)
            wrong = wrong or rules.wrong_filling(terms, request.type_filling, request.type)
        return wrong

    def _wrong_close(
        self, login: int, request: Request, terms: SymbolTerms, held: Position
    ) -> int | None:
        if request.volume > held.volume:
            return Retcode.INVALID_CLOSE_VOLUME
        wrong = rules.wrong_mode(self.broker.trade_mode(login, terms.name), -held.sign, opens=False)
        if wrong is not None:
            return wrong
        return self._blocked(login, terms, held)

    def _blocked(self, login: int, terms: SymbolTerms, held: Position) -> int | None:
        """Whether a position may be closed now at all: not frozen, and the oldest where it must."""
        price = self.broker.fill_price(terms.name, -held.sign)
        if rules.is_frozen(terms, price, held.sl, held.tp):
            return Retcode.FROZEN
        account = self._ledger.accounts[login]
        if account.fifo_close and not account.is_netting:
            same = (one for one in self._ledger.positions(login).values())
            oldest = min(
                (one for one in same if one.symbol == held.symbol),
                key=lambda one: (one.opened_ms, one.identifier),
            )
            if oldest.ticket != held.ticket:
                return Retcode.FIFO_CLOSE
        return None

    def _wrong_open(
        self, login: int, request: Request, terms: SymbolTerms, sign: int
    ) -> int | None:
        net = self._ledger.accounts[login].is_netting
        opposite = self.broker.find_net(login, terms.name) if net else None
        reduces = (
            opposite is not None and opposite.sign != sign and request.volume <= opposite.volume
        )
        mode = self.broker.trade_mode(login, terms.name)
        wrong = rules.wrong_mode(mode, sign, opens=not reduces)
        if wrong is None and not reduces:
            wrong = self._limited(login, terms, sign, request.volume)
        if wrong is None:
            closing = self.broker.fill_price(terms.name, -sign)
            wrong = rules.wrong_levels(terms, sign, closing, request.sl, request.tp)
        if wrong is None and not self.broker.affords(login, terms.name, sign, request.volume):
            return Retcode.NO_MONEY
        return wrong

    def _limited(self, login: int, terms: SymbolTerms, sign: int, volume: Decimal) -> int | None:
        """What the account's and the symbol's limits refuse."""
        account = self._ledger.accounts[login]
        held = self._ledger.positions(login).values()
        here = [one for one in held if one.symbol == terms.name]
        if not account.is_netting:
            if account.limit_positions and len(held) >= account.limit_positions:
                return Retcode.LIMIT_POSITIONS
            if not account.hedge_allowed and any(one.sign != sign for one in here):
                return Retcode.HEDGE_PROHIBITED
        if terms.volume_limit:
            lots = sum((one.volume for one in here if one.sign == sign), volume)
            lots += sum(
                one.volume
                for one in self._ledger.orders(login).values()
                if one.symbol == terms.name and order_sign(one) == sign
            )
            if lots > terms.volume_limit:
                return Retcode.LIMIT_VOLUME
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
        volume = _half(terms, request.volume) if how.partial else request.volume
        slipped = terms.point * how.slippage_points * sign
        price = max(self.broker.fill_price(terms.name, sign) + slipped, terms.point)
        ticket = Ticket(
            order=self._ledger.next_ticket(),
            reason=how.reason,
            magic=request.magic,
            comment=request.comment,
            sl=request.sl,
            tp=request.tp,
            filling=request.type_filling,
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

    def _close_by(self, login: int, request: Request, how: Conditions) -> Answer | int:
        """Close a position by an opposite one: hedging accounts only."""
        positions = self._ledger.positions(login)
        held, other = positions.get(request.position), positions.get(request.position_by)
        if held is None or other is None:
            return Retcode.POSITION_CLOSED
        if self._ledger.accounts[login].is_netting or held.symbol != other.symbol:
            return Retcode.INVALID
        if held.sign == other.sign:
            return Retcode.INVALID
        terms = self.broker.terms(held.symbol)
        wrong = self._wrong_change(login, terms, held)
        wrong = wrong or self._wrong_change(login, terms, other)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        ticket = Ticket(order=self._ledger.next_ticket(), reason=how.reason, magic=request.magic)
        volume = min(held.volume, other.volume)
        deal = self.broker.close_by(held, other, ticket)
        return Answer(
            retcode=Retcode.DONE,
            deal=deal.ticket,
            order=ticket.order,
            volume=volume,
            price=deal.price,
        )

    def _wrong_change(self, login: int, terms: SymbolTerms, held: Position) -> int | None:
        """What keeps a position from being touched now."""
        wrong = rules.wrong_mode(self.broker.trade_mode(login, terms.name), held.sign, opens=False)
        if wrong is None and not self.broker.is_open(login, terms.name):
            return Retcode.MARKET_CLOSED
        price = self.broker.fill_price(terms.name, -held.sign)
        if wrong is None and rules.is_frozen(terms, price, held.sl, held.tp):
            return Retcode.FROZEN
        return wrong

    def _modify_position(self, login: int, request: Request, how: Conditions) -> Answer | int:
        held = self._ledger.positions(login).get(request.position)
        if held is None and not request.position:
            held = self.broker.find_net(login, request.symbol)
        if held is None:
            return Retcode.POSITION_CLOSED
        if (held.sl, held.tp) == (request.sl, request.tp):
            return Retcode.NO_CHANGES
        terms = self.broker.terms(held.symbol)
        price = self.broker.fill_price(held.symbol, -held.sign)
        wrong = self._wrong_change(login, terms, held)
        wrong = wrong or rules.wrong_levels(terms, held.sign, price, request.sl, request.tp)
        if wrong is not None:
            return wrong
        if how.dry:
            return WOULD_DO
        held.sl, held.tp = request.sl, request.tp
        held.updated_ms = self.broker.now_ms()
        self._ledger.save_position(held)
        return Answer(retcode=Retcode.DONE)

    def _pending(self, login: int, request: Request, how: Conditions) -> Answer | int:
        return PendingDesk(self.broker).place(login, request, how)

    def _modify_order(self, login: int, request: Request, how: Conditions) -> Answer | int:
        return PendingDesk(self.broker).modify(login, request, how)

    def _remove(self, login: int, request: Request, how: Conditions) -> Answer | int:
        return PendingDesk(self.broker).remove(login, request, how)


def _half(terms: SymbolTerms, volume: Decimal) -> Decimal:
    """About half, on the volume grid; the smallest volume cannot be halved and fills whole."""
    return floor_volume(volume / 2, terms.volume_step) or volume
