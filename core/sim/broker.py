"""The simulated broker: what it holds is valued at its quotes, and filled, stopped and stopped out.

Pure of HTTP and of time: the clock is given, every change is journalled uncommitted, and whoever
drives the broker commits before it answers.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from core.sim import arithmetic
from core.sim.arithmetic import ZERO, Converter
from core.sim.codes import SERVER_COMMENT_MAX, OrderType, Retcode, TradeMode
from core.sim.ledger import Account, Deal, Ledger, Order, Position
from core.sim.market import Market
from core.sim.symbols import SymbolTerms

REPRICE_ROUNDS_MAX: Final = 10
"""Fills of one tick may trigger others; more rounds than this wait for the next tick."""

DEAL_BUY, DEAL_SELL = 0, 1
ENTRY_IN, ENTRY_OUT, ENTRY_INOUT = 0, 1, 2
REASON_SL, REASON_TP, REASON_SO = 4, 5, 6
CASH_KINDS: Final = {"balance": 2, "credit": 3, "commission": 7}


class Ticket(Struct, frozen=True, kw_only=True):
    """Who asks for a fill, and what to write on it. `reason` is the DEAL_REASON code."""

    order: int
    reason: int
    magic: int = 0
    comment: str = ""
    sl: Decimal = ZERO
    tp: Decimal = ZERO


class Valuation(Struct, frozen=True, kw_only=True):
    """An account at the present quotes, in its own currency. `profits` are by position ticket."""

    profits: dict[int, Decimal]
    profit: Decimal
    equity: Decimal
    margin: Decimal

    @property
    def margin_free(self) -> Decimal:
        """What is left to open with."""
        return self.equity - self.margin

    @property
    def margin_level(self) -> Decimal:
        """Percent; 0 without margin."""
        return arithmetic.margin_level(self.equity, self.margin)


class Broker:
    """Accounts and what they hold. `deal_delay_ms(login)` is how long history hides a new deal."""

    def __init__(self, ledger: Ledger, market: Market, clock_ms: Callable[[], int]) -> None:
        self.ledger = ledger
        self.market = market
        self.now_ms = clock_ms
        self.converter = Converter(market.symbols)
        self.deal_delay_ms: Callable[[int], int] = lambda _login: 0
        self.mode_override: Callable[[int, str], int | None] = lambda _login, _symbol: None

    def terms(self, symbol: str) -> SymbolTerms:
        """Contract terms of a symbol this broker has."""
        return self.market.symbols[symbol]

    def trade_mode(self, login: int, symbol: str) -> int:
        """The symbol's SYMBOL_TRADE_MODE for an account."""
        told = self.mode_override(login, symbol)
        return TradeMode.FULL if told is None else told

    def fill_price(self, symbol: str, sign: int) -> Decimal:
        """What a market order gets: the ask to buy, the bid to sell."""
        quote = self.market.quotes[symbol]
        return quote.ask if sign > 0 else quote.bid

    def profit_at(self, position: Position, volume: Decimal, price: Decimal) -> Decimal:
        """Profit of `volume` lots of a position closed at a price, account currency."""
        deal = (position.sign, volume, position.price_open, price)
        money = self.ledger.accounts[position.login].money
        terms = self.terms(position.symbol)
        return arithmetic.profit(terms, deal, money, self.converter, self.market.quotes)

    def margin_of(self, account: Account, symbol: str, volume: Decimal, price: Decimal) -> Decimal:
        """Margin that lots opened at a price take, account currency, unrounded."""
        return arithmetic.margin(
            self.terms(symbol), volume, price, account.money, self.converter, self.market.quotes
        )

    def value(self, login: int, extra: tuple[str, int, Decimal] | None = None) -> Valuation:
        """The account at the present quotes; `extra` is (symbol, sign, volume) about to be opened.

        The extra volume takes margin and no profit: what a margin check before a fill wants.
        """
        account = self.ledger.accounts[login]
        profits: dict[int, Decimal] = {}
        margins: list[tuple[str, int, Decimal]] = []
        swap = ZERO
        for position in self.ledger.positions(login).values():
            price = self.fill_price(position.symbol, -position.sign)
            profits[position.ticket] = self.profit_at(position, position.volume, price)
            swap += position.swap
            taken = self.margin_of(account, position.symbol, position.volume, position.price_open)
            margins.append((position.symbol, position.sign, taken))
        if extra is not None:
            symbol, sign, volume = extra
            price = self.fill_price(symbol, sign)
            margins.append((symbol, sign, self.margin_of(account, symbol, volume, price)))
        profit = sum(profits.values(), ZERO) + swap
        return Valuation(
            profits=profits,
            profit=profit,
            equity=account.balance + account.credit + profit,
            margin=arithmetic.round_money(arithmetic.larger_leg(margins), account.digits),
        )

    def find_net(self, login: int, symbol: str) -> Position | None:
        """The one position of a symbol on a netting account."""
        found = (one for one in self.ledger.positions(login).values() if one.symbol == symbol)
        return next(found, None)

    def fill(
        self, login: int, symbol: str, sign: int, volume: Decimal, price: Decimal, ticket: Ticket
    ) -> Deal:
        """Fill a market order: a new position, or the netting account's one position changed."""
        held = None
        if self.ledger.accounts[login].margin_mode == "netting":
            held = self.find_net(login, symbol)
        if held is None:
            return self._enter(login, symbol, sign, volume, price, ticket)
        if held.sign == sign:
            return self._add(held, volume, price, ticket)
        if volume <= held.volume:
            return self.close(held, volume, price, ticket)
        return self._reverse(held, volume, price, ticket)

    def _enter(
        self, login: int, symbol: str, sign: int, volume: Decimal, price: Decimal, ticket: Ticket
    ) -> Deal:
        now = self.now_ms()
        position = Position(
            ticket=ticket.order,
            identifier=ticket.order,
            login=login,
            symbol=symbol,
            sign=sign,
            volume=volume,
            price_open=price,
            sl=ticket.sl,
            tp=ticket.tp,
            magic=ticket.magic,
            comment=ticket.comment,
            # Positions know only who opened them by hand or by expert (POSITION_REASON 0 to 3).
            reason=min(ticket.reason, 3),
            opened_ms=now,
            updated_ms=now,
        )
        self.ledger.save_position(position)
        return self._book(position, sign, volume, price, ticket)

    def _add(self, held: Position, volume: Decimal, price: Decimal, ticket: Ticket) -> Deal:
        held.price_open = arithmetic.average_price(held.volume, held.price_open, volume, price)
        held.volume += volume
        self._take_levels(held, ticket)
        self.ledger.save_position(held)
        return self._book(held, held.sign, volume, price, ticket)

    def _take_levels(self, held: Position, ticket: Ticket) -> None:
        held.sl = ticket.sl or held.sl
        held.tp = ticket.tp or held.tp
        held.updated_ms = self.now_ms()

    def _reverse(self, held: Position, volume: Decimal, price: Decimal, ticket: Ticket) -> Deal:
        """One INOUT deal: the identifier stays, the ticket becomes the reversing order's."""
        profit = self.profit_at(held, held.volume, price)
        self.ledger.drop_position(held.login, held.ticket)
        held.ticket = ticket.order
        held.sign, held.volume, held.price_open = -held.sign, volume - held.volume, price
        held.sl, held.tp = ticket.sl, ticket.tp
        held.magic, held.comment = ticket.magic, ticket.comment
        held.opened_ms = held.updated_ms = self.now_ms()
        self.ledger.save_position(held)
        return self._book(held, held.sign, volume, price, ticket, (ENTRY_INOUT, profit))

    def close(self, held: Position, volume: Decimal, price: Decimal, ticket: Ticket) -> Deal:
        """Close a position or part of it; a part keeps its ticket."""
        profit = self.profit_at(held, volume, price)
        if volume == held.volume:
            self.ledger.drop_position(held.login, held.ticket)
        else:
            held.volume -= volume
            held.updated_ms = self.now_ms()
            self.ledger.save_position(held)
        return self._book(held, -held.sign, volume, price, ticket, (ENTRY_OUT, profit))

    def renumber(self, held: Position) -> None:
        """Give a position another ticket; its identifier, and all else of it, stays."""
        self.ledger.drop_position(held.login, held.ticket)
        held.ticket = self.ledger.next_ticket()
        held.updated_ms = self.now_ms()
        self.ledger.save_position(held)

    def _book(
        self,
        held: Position,
        sign: int,
        volume: Decimal,
        price: Decimal,
        ticket: Ticket,
        exit_: tuple[int, Decimal] = (ENTRY_IN, ZERO),
    ) -> Deal:
        entry, profit = exit_
        deal = Deal(
            ticket=self.ledger.next_deal(),
            login=held.login,
            order=ticket.order,
            position_id=held.identifier,
            kind=DEAL_BUY if sign > 0 else DEAL_SELL,
            entry=entry,
            reason=ticket.reason,
            symbol=held.symbol,
            volume=volume,
            price=price,
            profit=profit,
            magic=ticket.magic,
            comment=ticket.comment,
            time_ms=self.now_ms(),
            visible_ms=self.now_ms() + self.deal_delay_ms(held.login),
        )
        self._pay(held.login, profit)
        self.ledger.book(deal)
        return deal

    def _pay(self, login: int, amount: Decimal) -> None:
        account = self.ledger.accounts[login]
        account.balance += amount
        self.ledger.save_account(account)

    def cash(self, login: int, amount: Decimal, kind: str, comment: str = "") -> Deal:
        """Book money without a trade: `balance`, `credit` or `commission`, signed.

        Credit moves the credit and not the balance. Stop-outs run at once.
        """
        account = self.ledger.accounts[login]
        if kind == "credit":
            account.credit += amount
        else:
            account.balance += amount
        self.ledger.save_account(account)
        deal = Deal(
            ticket=self.ledger.next_deal(),
            login=login,
            kind=CASH_KINDS[kind],
            profit=ZERO if kind == "commission" else amount,
            commission=amount if kind == "commission" else ZERO,
            comment=comment,
            time_ms=self.now_ms(),
            visible_ms=self.now_ms() + self.deal_delay_ms(login),
        )
        self.ledger.book(deal)
        self._stop_out(login)
        return deal

    def reprice(self, symbol: str) -> int:
        """Run stops, limits and stop-outs after a quote of `symbol`; answers how many fills.

        Every account is looked at: a quote also moves whoever converts through it.
        """
        fills = 0
        for _ in range(REPRICE_ROUNDS_MAX):
            done = sum(
                self._run_levels(login, symbol) + self._run_orders(login, symbol)
                for login in self.ledger.accounts
            )
            done += sum(self._stop_out(login) for login in self.ledger.accounts)
            fills += done
            if not done:
                break
        return fills

    def _run_levels(self, login: int, symbol: str) -> int:
        fills = 0
        for position in list(self.ledger.positions(login).values()):
            price = self.fill_price(position.symbol, -position.sign)
            reason = level_hit(position, price) if position.symbol == symbol else None
            if reason is not None:
                self._close_by_server(position, reason, self._level_comment(position, reason))
                fills += 1
        return fills

    def _level_comment(self, position: Position, reason: int) -> str:
        word, level = ("sl", position.sl) if reason == REASON_SL else ("tp", position.tp)
        return f"[{word} {level:.{self.terms(position.symbol).digits}f}]"

    def _close_by_server(self, position: Position, reason: int, comment: str) -> None:
        """At the market, as a server does: a gap costs what it costs."""
        ticket = Ticket(
            order=self.ledger.next_ticket(),
            reason=reason,
            magic=position.magic,
            comment=comment[:SERVER_COMMENT_MAX],
        )
        price = self.fill_price(position.symbol, -position.sign)
        self.close(position, position.volume, price, ticket)

    def _run_orders(self, login: int, symbol: str) -> int:
        fills = 0
        for order in list(self.ledger.orders(login).values()):
            sign = order_sign(order)
            price = self.fill_price(order.symbol, sign)
            if order.symbol != symbol or not order_hit(order, price):
                continue
            self.ledger.drop_order(order)
            if self.affords(login, order.symbol, sign, order.volume):
                self.fill(login, order.symbol, sign, order.volume, price, _ticket_of(order))
                fills += 1
        return fills

    def affords(self, login: int, symbol: str, sign: int, volume: Decimal) -> bool:
        """Whether the free margin carries this volume; what reduces a net position always does."""
        if self.ledger.accounts[login].margin_mode == "netting":
            held = self.find_net(login, symbol)
            if held is not None and held.sign != sign:
                volume -= held.volume
                if volume <= 0:
                    return True
        return self.value(login, (symbol, sign, volume)).margin_free >= 0

    def _stop_out(self, login: int) -> int:
        """Close the worst position until the margin level is above the stop-out level."""
        fills = 0
        while self.ledger.positions(login):
            value = self.value(login)
            if not arithmetic.is_stopped_out(value.equity, value.margin):
                break
            ticket = min(value.profits, key=lambda one: (value.profits[one], one))
            level = f"[so {value.margin_level:.2f}%/{value.equity}/{value.margin}]"
            self._close_by_server(self.ledger.positions(login)[ticket], REASON_SO, level)
            fills += 1
        return fills

    def check_levels(
        self, symbol: str, sign: int, price: Decimal, sl: Decimal, tp: Decimal
    ) -> int | None:
        """The retcode that refuses these levels at a closing price, None when they are right."""
        if sl < 0 or tp < 0 or not self.on_grid(symbol, sl) or not self.on_grid(symbol, tp):
            return Retcode.INVALID_STOPS
        wrong_sl = sl and (price - sl) * sign <= 0
        wrong_tp = tp and (tp - price) * sign <= 0
        return Retcode.INVALID_STOPS if wrong_sl or wrong_tp else None

    def on_grid(self, symbol: str, price: Decimal) -> bool:
        """Whether a price has no more digits than the symbol."""
        return price % self.terms(symbol).point == 0

    def crosses_for(self, currencies: Iterable[str]) -> set[str]:
        """The symbols that convert each of these currencies to GBP."""
        found: set[str] = set()
        for currency in currencies:
            found.update(leg.symbol for leg in self.converter.legs(currency, "GBP"))
        return found


def level_hit(position: Position, price: Decimal) -> int | None:
    """The DEAL_REASON of the level that a closing price reaches, None for neither."""
    if position.sl and (price - position.sl) * position.sign <= 0:
        return REASON_SL
    if position.tp and (price - position.tp) * position.sign >= 0:
        return REASON_TP
    return None


def order_sign(order: Order) -> int:
    """+1 for the buying kinds, -1 for the selling ones."""
    return 1 if order.kind in OrderType.BUYS else -1


def order_hit(order: Order, price: Decimal) -> bool:
    """Whether a resting order fills at the price it would get: limits better, stops worse."""
    distance = (price - order.price) * order_sign(order)
    if order.kind in (OrderType.BUY_LIMIT, OrderType.SELL_LIMIT):
        return distance <= 0
    return distance >= 0


def _ticket_of(order: Order) -> Ticket:
    return Ticket(
        order=order.ticket,
        reason=order.reason,
        magic=order.magic,
        comment=order.comment,
        sl=order.sl,
        tp=order.tp,
    )
