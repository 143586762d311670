"""The simulated broker: what prices and time do to what it holds.

A quote runs stops, limits and stop-outs; time expires orders and, at the server's midnight, charges
swaps. Bookings themselves are `core.sim.booking`'s.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from core.sim import arithmetic, swaps
from core.sim.arithmetic import ZERO
from core.sim.booking import REASON_SL, REASON_SO, REASON_TP, Booking, Ticket, Valuation
from core.sim.codes import SERVER_COMMENT_MAX, OrderState, OrderType
from core.sim.ledger import Account, Deal, Order, Position

__all__ = ["Broker", "Ticket", "Valuation"]

REPRICE_ROUNDS_MAX: Final = 10
"""Fills of one tick may trigger others; more rounds than this wait for the next tick."""

CASH_KINDS: Final = {
    "balance": 2,
    "credit": 3,
    "charge": 4,
    "correction": 5,
    "bonus": 6,
    "commission": 7,
    "interest": 12,
    "dividend": 15,
    "tax": 17,
}
"""DEAL_TYPE of each operation on an account's money."""


class Broker(Booking):
    """Accounts and what they hold, moved by prices and by time."""

    _passed_s = -1
    """The second in which time was last looked at: nothing of it is finer."""

    def cash(self, login: int, amount: Decimal, kind: str, comment: str = "") -> Deal:
        """Book money without a trade, signed: `kind` is a word of `CASH_KINDS`.

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
        self.pass_time()
        fills = 0
        for _ in range(REPRICE_ROUNDS_MAX):
            done = sum(
                self._run_levels(login, symbol) + self._run_orders(login, symbol)
                for login in self.ledger.accounts
                if self.is_open(login, symbol)
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
            if order.kind in OrderType.STOP_LIMITS:
                self._become_limit(order)
                continue
            if self.affords(login, order.symbol, sign, order.volume):
                self.fill(login, order.symbol, sign, order.volume, price, _ticket_of(order))
                fills += 1
            else:
                self.finish(order, OrderState.REJECTED)
        return fills

    def _become_limit(self, order: Order) -> None:
        """What a stop-limit order does when its price is reached; it may fill on the next look."""
        is_buy = order.kind == OrderType.BUY_STOP_LIMIT
        order.kind = OrderType.BUY_LIMIT if is_buy else OrderType.SELL_LIMIT
        order.price, order.stoplimit = order.stoplimit, ZERO
        self.ledger.save_order(order)

    def finish(self, order: Order, state: int) -> None:
        """End a resting order unfilled: cancelled, rejected or expired."""
        order.state, order.left, order.done_ms = state, order.volume, self.now_ms()
        order.price_current = self.fill_price(order.symbol, order_sign(order))
        self.ledger.finish(order)

    def affords(self, login: int, symbol: str, sign: int, volume: Decimal) -> bool:
        """Whether the free margin carries this volume; what reduces a net position always does."""
        if self.ledger.accounts[login].is_netting:
            held = self.find_net(login, symbol)
            if held is not None and held.sign != sign:
                volume -= held.volume
                if volume <= 0:
                    return True
        return self.value(login, (symbol, sign, volume)).margin_free >= 0

    def _stop_out(self, login: int) -> int:
        """Close the worst position until the margin level is above the stop-out level."""
        fills = 0
        percent = self.ledger.accounts[login].stop_out_percent
        while self.ledger.positions(login):
            value = self.value(login)
            if not arithmetic.is_stopped_out(value.equity, value.margin, percent):
                break
            held = self.ledger.positions(login)
            traded = [one for one in value.profits if self.is_open(login, held[one].symbol)]
            if not traded:
                break
            ticket = min(traded, key=lambda one: (value.profits[one], one))
            level = f"[so {value.margin_level:.2f}%/{value.equity}/{value.margin}]"
            self._close_by_server(held[ticket], REASON_SO, level)
            fills += 1
        return fills

    def pass_time(self) -> None:
        """Expire orders, and charge swaps for the midnights that the servers have passed."""
        now_ms = self.now_ms()
        if now_ms // 1000 == self._passed_s:
            return
        self._passed_s = now_ms // 1000
        for login, account in self.ledger.accounts.items():
            clock = self.clock(login)
            self._expire(login, clock.s(now_ms))
            day, today = self.ledger.day(login), clock.day(now_ms)
            if day is None or day < today:
                if day is not None:
                    self._roll_over(account, day, today)
                self.ledger.save_day(login, today)

    def _expire(self, login: int, server_s: int) -> None:
        for order in list(self.ledger.orders(login).values()):
            if order.expires_s and order.expires_s <= server_s:
                self.finish(order, OrderState.EXPIRED)

    def _roll_over(self, account: Account, from_day: int, to_day: int) -> None:
        for held in list(self.ledger.positions(account.login).values()):
            terms = self.terms(held.symbol)
            nights = swaps.charges(from_day, to_day, terms.swap_rollover3days)
            if not nights:
                continue
            if terms.swap_mode in swaps.REOPENING:
                self.reopen(held, nights)
                continue
            price = self.fill_price(held.symbol, -held.sign)
            amount, currency = swaps.one_night(
                terms, held.sign, held.volume, price, held.price_open
            )
            if amount:
                worth = self.converter.convert(
                    amount * nights,
                    currency or account.currency,
                    account.currency,
                    self.market.quotes,
                )
                held.swap += arithmetic.round_money(worth, account.digits)
                self.ledger.save_position(held)
        self._stop_out(account.login)

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
    """Whether a resting order is met at the price it would get: limits better, stops worse."""
    distance = (price - order.price) * order_sign(order)
    if order.kind in OrderType.LIMITS:
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
        resting=order,
    )
