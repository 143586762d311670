"""Positions and deals: an account valued at the broker's quotes, and what fills make of it.

Pure of HTTP and of time: the clock is given, every change is journalled uncommitted, and whoever
drives the broker commits before it answers.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from core.sim import arithmetic, swaps
from core.sim.arithmetic import ZERO, Converter, TickValue, round_money
from core.sim.codes import OrderState, OrderType
from core.sim.ledger import Account, Deal, Ledger, Order, Position
from core.sim.market import Market
from core.sim.server_time import ServerTime, ServerTimes
from core.sim.symbols import SymbolTerms

DEAL_BUY, DEAL_SELL = 0, 1
ENTRY_IN, ENTRY_OUT, ENTRY_INOUT, ENTRY_OUT_BY = 0, 1, 2, 3
REASON_SL, REASON_TP, REASON_SO, REASON_ROLLOVER = 4, 5, 6, 7


class Ticket(Struct, frozen=True, kw_only=True):
    """Who asks for a fill, and what to write on it. `reason` is the DEAL_REASON code.

    `resting` is the pending order that is filled, None for an order at the market.
    """

    order: int
    reason: int
    magic: int = 0
    comment: str = ""
    sl: Decimal = ZERO
    tp: Decimal = ZERO
    filling: int = 0
    resting: Order | None = None


class Effect(Struct, frozen=True, kw_only=True):
    """What a deal realises, account currency, and how many lots of it open something.

    `entry` is its DEAL_ENTRY code.
    """

    entry: int
    profit: Decimal = ZERO
    swap: Decimal = ZERO
    opened: Decimal = ZERO


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


class Booking:
    """Accounts and what they hold. `deal_delay_ms(login)` is how long history hides a new deal."""

    def __init__(
        self, ledger: Ledger, market: Market, clock_ms: Callable[[], int], times: ServerTimes
    ) -> None:
        self.ledger = ledger
        self.market = market
        self.now_ms = clock_ms
        self.times = times
        self.converter = Converter(market.symbols)
        self.deal_delay_ms: Callable[[int], int] = lambda _login: 0
        self.mode_override: Callable[[int, str], int | None] = lambda _login, _symbol: None

    def terms(self, symbol: str) -> SymbolTerms:
        """Contract terms of a symbol this broker has."""
        return self.market.symbols[symbol]

    def trade_mode(self, login: int, symbol: str) -> int:
        """The symbol's SYMBOL_TRADE_MODE for an account."""
        told = self.mode_override(login, symbol)
        return self.terms(symbol).trade_mode if told is None else told

    def clock(self, login: int) -> ServerTime:
        """The clock of the account's server."""
        return self.times.of(self.ledger.accounts[login].server)

    def is_open(self, login: int, symbol: str) -> bool:
        """Whether the symbol is traded now."""
        terms = self.terms(symbol)
        return not terms.sessions or terms.is_open(self.clock(login).s(self.now_ms()))

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

    def tick_value(self, login: int, symbol: str) -> TickValue:
        """What one tick of one lot is worth to an account, converted on the side of each."""
        money = self.ledger.accounts[login].money
        return arithmetic.tick_value(self.terms(symbol), money, self.converter, self.market.quotes)

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
        if self.ledger.accounts[login].is_netting:
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
        return self._book(position, sign, volume, price, ticket, _entry(volume))

    def _add(self, held: Position, volume: Decimal, price: Decimal, ticket: Ticket) -> Deal:
        held.price_open = arithmetic.average_price(held.volume, held.price_open, volume, price)
        held.volume += volume
        self._take_levels(held, ticket)
        self.ledger.save_position(held)
        return self._book(held, held.sign, volume, price, ticket, _entry(volume))

    def _take_levels(self, held: Position, ticket: Ticket) -> None:
        held.sl = ticket.sl or held.sl
        held.tp = ticket.tp or held.tp
        held.updated_ms = self.now_ms()

    def _reverse(self, held: Position, volume: Decimal, price: Decimal, ticket: Ticket) -> Deal:
        """One INOUT deal: the identifier stays, the ticket becomes the reversing order's."""
        opened = volume - held.volume
        realised = Effect(
            entry=ENTRY_INOUT,
            profit=self.profit_at(held, held.volume, price),
            swap=held.swap,
            opened=opened,
        )
        self.ledger.drop_position(held.login, held.ticket)
        held.ticket = ticket.order
        held.sign, held.volume, held.price_open = -held.sign, opened, price
        held.sl, held.tp, held.swap = ticket.sl, ticket.tp, ZERO
        held.magic, held.comment = ticket.magic, ticket.comment
        held.opened_ms = held.updated_ms = self.now_ms()
        self.ledger.save_position(held)
        return self._book(held, held.sign, volume, price, ticket, realised)

    def close(
        self,
        held: Position,
        volume: Decimal,
        price: Decimal,
        ticket: Ticket,
        realised: Effect | None = None,
    ) -> Deal:
        """Close a position or part of it; a part keeps its ticket."""
        swap = self._take_out(held, volume)
        if realised is None:
            realised = Effect(
                entry=ENTRY_OUT, profit=self.profit_at(held, volume, price), swap=swap
            )
        else:
            realised = replace(realised, swap=swap)
        return self._book(held, -held.sign, volume, price, ticket, realised)

    def _take_out(self, held: Position, volume: Decimal) -> Decimal:
        """Lessen a position; answers its share of the swap, which is realised now."""
        if volume == held.volume:
            self.ledger.drop_position(held.login, held.ticket)
            return held.swap
        digits = self.ledger.accounts[held.login].digits
        share = round_money(held.swap * volume / held.volume, digits)
        # A new object: whoever closes still needs the position as it was.
        left = replace(held, volume=held.volume - volume, swap=held.swap - share)
        left.updated_ms = self.now_ms()
        self.ledger.save_position(left)
        return share

    def close_by(self, held: Position, other: Position, ticket: Ticket) -> Deal:
        """Close two opposite positions against each other: two OUT_BY deals, one of them with all.

        The remainder keeps the direction and the opening price of the larger. The result is that
        of buying at the one price and selling at the other, converted at the present rate.
        """
        volume = min(held.volume, other.volume)
        terms = self.terms(held.symbol)
        account = self.ledger.accounts[held.login]
        raw = arithmetic.raw_profit(terms, held.sign, volume, held.price_open, other.price_open)
        now = self.fill_price(held.symbol, -held.sign)
        quotes = self.market.quotes
        profit = arithmetic.in_account(terms, raw, now, account.money, self.converter, quotes)
        text = f"close #{held.ticket} by #{other.ticket}"
        named = replace(ticket, comment=text)
        first = Effect(entry=ENTRY_OUT_BY, profit=profit)
        deal = self.close(held, volume, other.price_open, named, first)
        self.close(other, volume, held.price_open, named, Effect(entry=ENTRY_OUT_BY))
        return deal

    def renumber(self, held: Position) -> None:
        """Give a position another ticket; its identifier, and all else of it, stays."""
        self.ledger.drop_position(held.login, held.ticket)
        held.ticket = self.ledger.next_ticket()
        held.updated_ms = self.now_ms()
        self.ledger.save_position(held)

    def reopen(self, held: Position, nights: int) -> None:
        """Close a position for the night and open it again, worse by the swap, under a new ticket.

        The identifier stays; both deals have DEAL_REASON_ROLLOVER.
        """
        terms, sign = self.terms(held.symbol), held.sign
        price = self.fill_price(held.symbol, -sign)
        bid = self.market.quotes[held.symbol].bid
        again = swaps.reopening_price(terms, sign, nights, price, bid)
        leaving = Ticket(
            order=self.ledger.next_ticket(),
            reason=REASON_ROLLOVER,
            magic=held.magic,
            comment=held.comment,
        )
        self.close(held, held.volume, price, leaving)
        entering = replace(leaving, order=self.ledger.next_ticket())
        now = self.now_ms()
        opened = replace(
            held, ticket=entering.order, price_open=again, swap=ZERO, opened_ms=now, updated_ms=now
        )
        self.ledger.save_position(opened)
        self._book(opened, sign, held.volume, again, entering, Effect(entry=ENTRY_IN))

    def _book(
        self,
        held: Position,
        sign: int,
        volume: Decimal,
        price: Decimal,
        ticket: Ticket,
        made: Effect,
    ) -> Deal:
        """Book a deal, its money and its order."""
        deal = Deal(
            ticket=self.ledger.next_deal(),
            login=held.login,
            order=ticket.order,
            position_id=held.identifier,
            kind=DEAL_BUY if sign > 0 else DEAL_SELL,
            entry=made.entry,
            reason=ticket.reason,
            symbol=held.symbol,
            volume=volume,
            price=price,
            profit=made.profit,
            swap=made.swap,
            commission=self._commission(held, made.opened),
            magic=ticket.magic,
            comment=ticket.comment,
            time_ms=self.now_ms(),
            visible_ms=self.now_ms() + self.deal_delay_ms(held.login),
        )
        self._pay(held.login, deal.profit + deal.swap + deal.commission)
        self.ledger.book(deal)
        self._finish(deal, ticket)
        return deal

    def _commission(self, held: Position, opened: Decimal) -> Decimal:
        """What opening these lots costs, negative."""
        account = self.ledger.accounts[held.login]
        rate = account.commission + self.terms(held.symbol).commission
        return round_money(-rate * opened, account.digits)

    def _finish(self, deal: Deal, ticket: Ticket) -> None:
        """Put the order that was filled into the history; the second deal of one adds none."""
        done = self.ledger.done(deal.login)
        if done and done[-1].ticket == ticket.order:
            done[-1].position_by_id = deal.position_id
            self.ledger.save_done(done[-1])
            return
        order = ticket.resting or Order(
            ticket=ticket.order,
            login=deal.login,
            symbol=deal.symbol,
            kind=OrderType.CLOSE_BY if deal.entry == ENTRY_OUT_BY else deal.kind,
            volume=deal.volume,
            price=deal.price,
            sl=ticket.sl,
            tp=ticket.tp,
            filling=ticket.filling,
            magic=ticket.magic,
            comment=ticket.comment,
            reason=ticket.reason,
            placed_ms=deal.time_ms,
        )
        order.state, order.left = OrderState.FILLED, ZERO
        order.done_ms, order.position_id = deal.time_ms, deal.position_id
        order.price_current = deal.price
        self.ledger.finish(order)

    def _pay(self, login: int, amount: Decimal) -> None:
        account = self.ledger.accounts[login]
        account.balance += amount
        self.ledger.save_account(account)


def _entry(volume: Decimal) -> Effect:
    """Of a deal that only opens."""
    return Effect(entry=ENTRY_IN, opened=volume)
