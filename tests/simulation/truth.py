"""What is so, read from the simulated broker's books alone, and what must therefore be told.

Nothing here knows the engine's decisions: rules are MetaTrader's and the design's, written once
more. Money in account currency, prices in quote currency, volumes in lots, instants in UTC ms.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct, field

from core.sim.faults import RECKONER
from core.sim.ledger import Deal, Position
from core.sim.simulation import Simulation, sends_log

ZERO: Final = Decimal(0)
BUY_DEAL: Final = 0
BALANCE, CREDIT, BONUS, COMMISSION = 2, 3, 6, 7
TRADES: Final = (0, 1)
IN, OUT, INOUT, OUT_BY = 0, 1, 2, 3
EXPERT: Final = 3
PIP: Final = {"XAUUSD": Decimal("0.10"), "EURUSD": Decimal("0.0001")}
"""Gold's as the design sets it; ten points where a price has five digits."""
SLIPPAGE_PIPS_MAX: Final = Decimal(5)
LATE_MS: Final = 5_000
"""From a trade's deadline on a position may still show up that was opened in time."""
BELIEVED_MS: Final = 600_000
"""So long after a change of the broker's clock the times of what happens may be an hour off."""
HOUR_MS: Final = 3_600_000
REASON: Final = {
    0: "client_desktop",
    1: "client_mobile",
    2: "client_web",
    4: "stop_loss",
    5: "take_profit",
    6: "stop_out",
    7: "rollover",
}
"""What a closing deal's reason means, but for experts: there it matters whose."""


class Trade(Struct, kw_only=True):
    """A trade as it was handed to an executor, and what the executor made of it.

    `executed` are the identifiers of the positions that it opened, in that order.
    """

    number: int
    login: int
    symbol: str
    sign: int
    volume: Decimal
    stop_loss: Decimal
    take_profit: Decimal
    expected_entry: Decimal
    deadline_ms: int
    magic: int
    comment: str
    executed: list[int] = field(default_factory=list)


class Difference(Struct, frozen=True, kw_only=True):
    """One way in which an account is not as its signals say. `kinds` are the right words for it.

    `figure` is what must be told anew when it changes; not `sure` is what need not be known.
    """

    kinds: frozenset[str]
    figure: str
    sure: bool = True


class End(Struct, frozen=True, kw_only=True):
    """How a position ended: the lots closed in all, the mean price at which, and the result."""

    reasons: frozenset[str]
    volume: Decimal
    price: Decimal
    pnl: Decimal
    at_ms: int


Key = tuple[str, str]
"""What a difference is about (a position's identifier or an order's ticket), and its aspect."""


def difference(*kinds: str, figure: object = "", sure: bool = True) -> Difference:
    """Name one."""
    return Difference(kinds=frozenset(kinds), figure=f"{figure}", sure=sure)


class Truth:
    """The simulated broker's books, asked the questions that Reckoner should have answers to."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self.trades: list[Trade] = []
        self.ours: set[int] = set()
        """Orders that came of Reckoner's own requests."""
        self.tried_by_us: set[int] = set()
        """Positions that Reckoner sent requests for."""
        self.sent_by_us: set[int] = set()
        """Accounts on which it sent any."""
        self._dated: dict[int, bool] = {}
        self.started_ms = 0
        """When the app was last started."""
        self._deals: dict[int, list[Deal]] = {}
        self._positions: dict[int, set[int]] = {login: set() for login in sim.logins}
        self._taken = dict.fromkeys(sim.logins, 0)
        self._logged = dict.fromkeys(sim.logins, 0)

    def held(self, login: int) -> dict[int, Position]:
        """Open positions by identifier."""
        return {p.identifier: p for p in self._sim.ledger.positions(login).values()}

    def positions(self, login: int) -> set[int]:
        """The identifiers of all positions that there ever were."""
        return self._positions[login]

    def refresh(self) -> None:
        """Take in the deals and requests that came since the last time."""
        for login, taken in self._taken.items():
            deals = self._sim.ledger.deals(login)
            for deal in deals[taken:]:
                if deal.position_id:
                    self._deals.setdefault(deal.position_id, []).append(deal)
                    self._positions[login].add(deal.position_id)
            self._taken[login] = len(deals)
            for entry, sent in self._sim.journal.log(sends_log(login), self._logged[login]):
                self._logged[login] = entry
                if sent["source"] == RECKONER:
                    self.sent_by_us.add(login)
                    self.ours.add(sent["order"])
                    ticket = sent["request"].get("position", 0)
                    held = self._sim.ledger.positions(login).get(ticket)
                    self.tried_by_us.add(ticket if held is None else held.identifier)

    def deals_of(self, login: int, identifier: int) -> list[Deal]:
        """All deals of a position, oldest first."""
        del login
        return self._deals.get(identifier, [])

    def hidden(self, login: int) -> list[Deal]:
        """Deals that are booked and not yet shown."""
        now_ms = self._sim.now_ms()
        return [d for d in self._sim.ledger.deals(login)[-50:] if d.visible_ms > now_ms]

    def equity(self, login: int) -> Decimal:
        """At this moment."""
        return self._sim.broker.value(login).equity

    def differences(self, login: int) -> dict[Key, Difference]:
        """Every way in which the account is not as its signals say."""
        held = self.held(login)
        found: dict[Key, Difference] = {}
        known: dict[int, Trade] = {}
        for trade in (t for t in self.trades if t.login == login):
            for place, identifier in enumerate(trade.executed):
                known[identifier] = trade
                if place == 0 and identifier in held:
                    deals = self.deals_of(login, identifier)
                    dated = self._dated.setdefault(
                        identifier, self.is_dated(login, deals[0].time_ms)
                    )
                    found |= _of_trade(trade, held[identifier], deals, dated=dated)
        firsts = {t.executed[0] for t in self.trades if t.executed}
        for identifier, position in held.items():
            if identifier in firsts:
                continue
            kind = "duplicate_execution" if identifier in known else "unknown_position"
            figure = f"{position.sign} {position.volume.normalize()}"
            found[f"{identifier}", "unknown"] = difference(kind, figure=figure)
        for order in self._sim.ledger.orders(login).values():
            found[f"{order.ticket}", "order"] = difference(
                "unknown_pending_order", figure=f"{order.price} {order.volume.normalize()}"
            )
        return found

    def is_dated(self, login: int, at_ms: int) -> bool:
        """Whether the broker's clock was long what it was: a new one is not believed at once.

        An app that is started meanwhile begins to watch anew.
        """
        steps = [s.from_ms for s in self._sim.broker.clock(login).steps[1:] if s.from_ms <= at_ms]
        if not steps:
            return True
        since_ms = at_ms - steps[-1]
        begun_anew = since_ms < HOUR_MS and 0 <= at_ms - self.started_ms < BELIEVED_MS
        return since_ms >= BELIEVED_MS and not begun_anew

    def end(self, login: int, identifier: int) -> End | None:
        """How a position ended, None while it is open."""
        if identifier in self.held(login):
            return None
        deals = self.deals_of(login, identifier)
        last, parts = deals[-1], closed_parts(deals)
        volume = sum((lots for _, lots in parts), ZERO)
        return End(
            reasons=frozenset(self._who(deals)),
            volume=volume,
            price=sum((price * lots for price, lots in parts), ZERO) / volume,
            pnl=sum(map(amount, deals), ZERO),
            at_ms=last.time_ms,
        )

    def _who(self, deals: Sequence[Deal]) -> Iterable[str]:
        last = deals[-1]
        if last.entry == OUT_BY:
            return ["close_by"]
        if last.reason != EXPERT:
            return [REASON[last.reason]]
        if last.order in self.ours:
            return ["reckoner"]
        # While ours was on its way, another expert's close cannot be told from it.
        tried = last.position_id in self.tried_by_us
        return ["foreign_ea", "reckoner"] if tried else ["foreign_ea"]


def amount(deal: Deal) -> Decimal:
    """What a deal changed, as it is signed."""
    return deal.profit + deal.commission + deal.swap + deal.fee


def closed_parts(deals: Sequence[Deal]) -> list[tuple[Decimal, Decimal]]:
    """Price and lots of everything closed; of a reversal only what was held before it."""
    held, parts = ZERO, []
    for deal in deals:
        if deal.entry != IN:
            parts.append((deal.price, min(abs(held), deal.volume)))
        held += deal.volume if deal.kind == BUY_DEAL else -deal.volume
    return parts


def _of_trade(
    trade: Trade, position: Position, deals: Sequence[Deal], *, dated: bool
) -> Mapping[Key, Difference]:
    """How a trade's own position differs from what was handed out; `dated` if its time is sure."""
    subject = f"{position.identifier}"
    entries = {d.entry for d in deals}
    if position.sign != trade.sign:
        # By the second name where it was seen before its deal was.
        turned = {"netting_reversed"} if INOUT in entries else set()
        kinds = {*turned, "direction_mismatch"}
        return {(subject, "direction"): difference(*kinds, figure=position.sign)}
    found: dict[Key, Difference] = {}
    filled = next(d for d in deals if d.order == trade.executed[0])
    slipped = (filled.price - trade.expected_entry) * trade.sign / PIP[trade.symbol]
    if slipped > SLIPPAGE_PIPS_MAX:
        found[subject, "entry"] = difference("entry_slippage", figure=filled.price)
    if filled.time_ms > trade.deadline_ms + LATE_MS:
        found[subject, "late"] = difference("late_execution", sure=dated)
    figure = position.volume.normalize()
    if position.volume > trade.volume:
        strange = any(d.entry == IN and d.order != trade.executed[0] for d in deals)
        kinds = {"scaled_in", "over_volume"} if strange else {"over_volume"}
        found[subject, "volume"] = difference(*kinds, figure=figure)
    elif position.volume < trade.volume:
        # Which of the two it was first depends on when it was looked at.
        kinds = {"partial_fill"} if entries == {IN} else {"volume_reduced", "partial_fill"}
        found[subject, "volume"] = difference(*kinds, figure=figure)
    levels = (("sl", trade.stop_loss, position.sl), ("tp", trade.take_profit, position.tp))
    for aspect, expected, observed in levels:
        if expected != observed:
            # Whether there was one once depends on when it was looked at, too.
            kinds = {f"{aspect}_moved"} if observed else {f"{aspect}_removed", f"{aspect}_missing"}
            found[subject, aspect] = difference(*kinds, figure=observed.normalize())
    return found
