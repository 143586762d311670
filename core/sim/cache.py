"""What the terminal of an account shows: the broker as it is, or as it was when the terminal knew.

A terminal that is disconnected goes on answering from its cache, and one whose trade was answered
before it was booked shows the position for a moment longer. Both are kept in the journal.
"""

from typing import Any

from core.sim import structs
from core.sim.arithmetic import ZERO
from core.sim.broker import Broker, Valuation
from core.sim.faults import RECKONER, FaultBook
from core.sim.ledger import Account, Journal
from core.sim.server_time import ServerTime, ServerTimes
from core.sim.structs import Rights

Body = dict[str, Any]


class Cache:
    """The terminals' views of one broker's accounts."""

    def __init__(
        self, journal: Journal, broker: Broker, faults: FaultBook, times: ServerTimes
    ) -> None:
        self._journal = journal
        self._broker = broker
        self._faults = faults
        self._times = times
        self._frozen = _by_login(journal.load("sim.frozen"))
        self._lags = _by_login(journal.load("sim.lag"))

    def clock(self, login: int) -> ServerTime:
        """The clock of the account's server."""
        return self._times.of(self._account(login).server)

    def _account(self, login: int) -> Account:
        return self._broker.ledger.accounts[login]

    def freeze(self, login: int) -> None:
        """Keep what is shown now until `thaw`."""
        view = self.view(login)
        self._frozen[login] = view
        self._journal.put("sim.frozen", login, view)

    def thaw(self, login: int) -> None:
        """Show the broker as it is again, after a disconnection."""
        if self._frozen.pop(login, None) is not None:
            self._journal.delete("sim.frozen", login)

    def catch_up(self, login: int) -> None:
        """Show the broker as it is, though the answer came a moment before."""
        if self._lags.pop(login, None) is not None:
            self._journal.delete("sim.lag", login)

    def lag(self, login: int, view: Body, until_ms: int) -> None:
        """Go on showing an earlier view until an instant."""
        body = {"until_ms": until_ms, "view": view}
        self._lags[login] = body
        self._journal.put("sim.lag", login, body)

    def kept(self, login: int) -> Body | None:
        """The view that stands still, None where the terminal shows the broker as it is."""
        if self._faults.find(login, RECKONER, "disconnected") is not None:
            return self._frozen.get(login)
        lag = self._lags.get(login)
        if lag is None or lag["until_ms"] <= self._broker.now_ms():
            return None
        view: Body = lag["view"]
        return view

    def shown(self, login: int) -> Body:
        """The account whole, as its terminal shows it now."""
        return self.kept(login) or self.view(login)

    def view(self, login: int) -> Body:
        """The account as the broker has it: MetaTrader structures and all ticks."""
        value = self._broker.value(login)
        deals = self._broker.ledger.deals(login)
        return {
            "at_ms": self._broker.now_ms(),
            "deals_to": deals[-1].ticket if deals else 0,
            "done": len(self._broker.ledger.done(login)),
            "account": self.account(login, value),
            "positions": self.positions(login, value),
            "orders": self.orders(login),
            "ticks": {name: self.tick(login, name) for name in self._broker.market.quotes},
        }

    def rights(self, login: int) -> Rights:
        """What Reckoner may do on the account."""
        found = {one.kind for one in self._faults.active(login) if one.to == RECKONER}
        account = self._account(login)
        return Rights(
            trade=account.trade_allowed and not found & {"investor", "trade_disabled"},
            expert=account.trade_expert and "expert_disabled" not in found,
        )

    def account(self, login: int, value: Valuation | None = None) -> Body:
        """AccountInfo, as it is."""
        value = value or self._broker.value(login)
        return structs.account_info(self._account(login), value, self.rights(login))

    def positions(self, login: int, value: Valuation | None = None) -> list[Body]:
        """Open positions, as they are."""
        value = value or self._broker.value(login)
        clock = self.clock(login)
        return [
            structs.trade_position(
                one,
                value.profits.get(one.ticket, ZERO),
                self._broker.fill_price(one.symbol, -one.sign),
                clock,
            )
            for one in self._broker.ledger.positions(login).values()
        ]

    def orders(self, login: int) -> list[Body]:
        """Resting orders, as they are."""
        quotes, clock = self._broker.market.quotes, self.clock(login)
        return [
            structs.trade_order(order, quotes[order.symbol], clock)
            for order in self._broker.ledger.orders(login).values()
        ]

    def done(self, login: int) -> list[Body]:
        """Orders that are done and that the terminal knows, in the order in which they were."""
        kept = self.kept(login)
        until_ms = kept["at_ms"] if kept else self._broker.now_ms()
        newest = kept.get("done") if kept else None
        quotes, clock = self._broker.market.quotes, self.clock(login)
        return [
            structs.trade_order(order, quotes[order.symbol], clock)
            for order in self._broker.ledger.done(login)[:newest]
            if order.done_ms <= until_ms
        ]

    def tick(self, login: int, symbol: str) -> Body:
        """The latest quote of a symbol, as it is."""
        market = self._broker.market
        return structs.tick(market.quotes[symbol], market.tick_ms(symbol), self.clock(login))

    def symbol(self, login: int, name: str) -> Body:
        """SymbolInfo, as it is."""
        market = self._broker.market
        return structs.symbol_info(
            market.symbols[name],
            market.quotes[name],
            market.tick_ms(name),
            self.clock(login),
            self._broker.tick_value(login, name),
            self._broker.trade_mode(login, name),
        )

    def deals(self, login: int, since_ms: int) -> list[Body]:
        """Deals executed since an instant (true UTC) that history already shows, oldest first.

        Deals are booked in time order, so the walk back ends at the first that is too old.
        """
        kept = self.kept(login)
        until_ms = kept["at_ms"] if kept else self._broker.now_ms()
        newest = kept.get("deals_to") if kept else None
        clock = self.clock(login)
        found = []
        for deal in reversed(self._broker.ledger.deals(login)):
            if deal.time_ms < since_ms:
                break
            if deal.visible_ms <= until_ms and (newest is None or deal.ticket <= newest):
                found.append(structs.trade_deal(deal, clock))
        return found[::-1]


def _by_login(records: dict[str, Body]) -> dict[int, Body]:
    return {int(login): body for login, body in records.items()}
