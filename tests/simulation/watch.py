"""The model: looks on while the engine reads, and keeps what each account must have been told.

It sees the broker's books, when a reading succeeded or failed, and when the app was killed. It does
not see what the engine made of it: that is compared afterwards.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from core.records import AccountStateRow
from core.sim.ledger import Deal
from core.sim.simulation import Simulation
from tests.simulation import money
from tests.simulation.money import Belief, Outcome, Reading
from tests.simulation.truth import (
    BALANCE,
    BONUS,
    COMMISSION,
    CREDIT,
    ZERO,
    Difference,
    Key,
    Trade,
    Truth,
    amount,
)

MISSED_READINGS: Final = 3
"""So many complete readings without a position and its deal are waited for before it is told."""
FAILURES_TOLD: Final = 3
"""So many failed readings in a row are an outage; of an agent a start that fails is one at once."""


class Wrong(AssertionError):
    """The engine's opinion is not the truth."""


class Watched:
    """What the model knows of one account."""

    def __init__(self, login: int) -> None:
        self.login = login
        self.differences: dict[Key, Difference] = {}
        self.begun: Counter[Key] = Counter()
        self.ended: Counter[Key] = Counter()
        self.seen: set[int] = set()
        """Positions that a committed reading has shown."""
        self.hidden_readings: Counter[int] = Counter()
        """Committed readings without a position whose last deal was still hidden."""
        self.booked: set[int] = set()
        """Deals that a committed reading has shown."""
        self.booked_at: dict[int, int] = {}
        """When that was, for those of positions."""
        self.flows: dict[int, Decimal] = {}
        """Flows among those, since the first reading."""
        self.charges: dict[int, Decimal] = {}
        """What was charged without a trade."""
        self.charges_at: dict[int, Decimal] = {}
        """The same, by when it was read."""
        self.results_at: dict[int, Decimal] = {}
        """What the deals of one reading won or lost, by when it was."""
        self.waited_at: set[int] = set()
        """Readings that were not trusted, as something lacked, so flows are judged later."""
        self.hidden_long = False
        """Whether something was hidden for longer than it is waited for."""
        self.beliefs: list[Belief] = []
        self.latched = False
        self.latched_once = False
        self.clean = False
        """Whether the last committed reading showed the account whole, and as it still is."""
        self.read_ms = 0
        self.first_read_ms: dict[tuple[Key, frozenset[str]], int] = {}
        """Since when readings have shown each difference, by what it may be called."""
        self.failures = 0
        self.outages_told_max = 0
        self.pending: _Cycle | None = None


class _Cycle:
    """One cycle, until it is committed."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.outcomes: list[list[Outcome]] = []
        self.seen: set[int] = set()
        self.shown: list[Deal] = []
        self.flows: dict[int, Decimal] = {}
        self.gone_hidden: set[int] = set()
        self.complete = False
        self.differences: dict[Key, Difference] = {}


class Model:
    """Every account of the simulation."""

    def __init__(self, sim: Simulation, *, agents: bool = False) -> None:
        self._sim = sim
        self._agents = agents
        self._failures_told = 1 if agents else FAILURES_TOLD
        self.truth = Truth(sim)
        self.accounts = {login: Watched(login) for login in sim.logins}

    def begin_with(self, login: int) -> None:
        """Start from the first reading, which begins the sum of deals and the peak."""
        watched = self.accounts[login]
        watched.booked = {d.ticket for d in self._sim.ledger.deals(login)}
        peak = Fraction(self.truth.equity(login))
        watched.beliefs = [Belief(peak)]
        watched.clean = True

    def add(self, trade: Trade) -> None:
        """A trade was handed out."""
        self.truth.trades.append(trade)

    # --- the world -------------------------------------------------------------------------------

    def look(self) -> None:
        """The broker's books may have changed."""
        self.truth.refresh()
        for login, watched in self.accounts.items():
            now = self.truth.differences(login)
            if now == watched.differences and not self._left(watched):
                continue
            for key in {*now, *watched.differences}:
                before, after = watched.differences.get(key), now.get(key)
                if before != after:
                    watched.begun[key] += after is not None
                    watched.ended[key] += before is not None
            watched.differences = now
            watched.clean = False

    def _left(self, watched: Watched) -> bool:
        """Whether something was closed since the last committed reading."""
        deals = self._sim.ledger.deals(watched.login)
        return bool(deals) and deals[-1].ticket not in watched.booked

    # --- a cycle ---------------------------------------------------------------------------------

    def begin(self, login: int) -> None:
        """A cycle begins."""
        self.accounts[login].pending = _Cycle()

    def failed(self, login: int) -> None:
        """A reading failed."""
        watched = self.accounts[login]
        if watched.pending is not None and not watched.pending.readings:
            watched.clean = False
            watched.failures += 1
            if watched.failures == self._failures_told:
                watched.outages_told_max += 1

    def read(self, login: int) -> None:
        """A complete reading was had; nothing of it is committed yet."""
        watched, cycle = self.accounts[login], self.accounts[login].pending
        if cycle is None:
            return
        now_ms, deals = self._sim.now_ms(), self._sim.ledger.deals(login)
        held = self.truth.held(login)
        new = [d for d in deals if d.ticket not in watched.booked]
        shown = [d for d in new if d.visible_ms <= now_ms]
        hidden = [d for d in new if d.visible_ms > now_ms]
        flows = {
            d.ticket: d.profit + d.commission for d in shown if d.kind in (BALANCE, CREDIT, BONUS)
        }
        reading = Reading(
            at_ms=now_ms,
            equity=self.truth.equity(login),
            flow=sum(flows.values(), ZERO),
            gap=sum(map(amount, hidden), ZERO),
            may_be_stale=self._agents and not self.truth.is_dated(login, now_ms),
        )
        cycle.readings.append(reading)
        cycle.outcomes.append(money.outcomes(watched.beliefs, reading))
        cycle.seen = set(held)
        cycle.shown = shown
        cycle.flows = flows
        away = {d.position_id for d in hidden if d.position_id} - held.keys()
        cycle.gone_hidden = away
        cycle.complete = not hidden
        cycle.differences = watched.differences

    def end(self, login: int, state: AccountStateRow) -> None:
        """The cycle is over and committed; its money is compared at once."""
        watched = self.accounts[login]
        cycle, watched.pending = watched.pending, None
        if cycle is None or not cycle.readings:
            return
        watched.failures = 0
        watched.seen |= cycle.seen
        at_ms = cycle.readings[-1].at_ms
        watched.booked |= {d.ticket for d in cycle.shown}
        watched.booked_at |= {d.ticket: at_ms for d in cycle.shown if d.position_id}
        watched.flows |= cycle.flows
        charges = {d.ticket: d.commission for d in cycle.shown if d.kind == COMMISSION}
        watched.charges |= charges
        before = watched.charges_at.get(at_ms, ZERO)
        watched.charges_at[at_ms] = before + sum(charges.values(), ZERO)
        results = [amount(d) for d in cycle.shown if d.ticket not in cycle.flows]
        watched.results_at[at_ms] = watched.results_at.get(at_ms, ZERO) + sum(results, ZERO)
        for identifier in cycle.gone_hidden:
            watched.hidden_readings[identifier] += 1
        watched.read_ms = at_ms
        shown = {(key, d.kinds) for key, d in cycle.differences.items()}
        watched.first_read_ms = {k: watched.first_read_ms.get(k, at_ms) for k in shown}
        watched.clean = cycle.complete and cycle.differences == watched.differences
        self._latch(watched, cycle, state)
        self._money(watched, cycle, state)

    def _money(self, watched: Watched, cycle: _Cycle, state: AccountStateRow) -> None:
        if watched.latched and state.latched_at is None:
            # Released: flat, and the peak restarts at the equity (law 8), what nothing explains
            # left out (law 9): the wait for it is over, or there would be no release.
            _must(not cycle.seen, f"{watched.login} was released while it held something")
            watched.latched = False
            watched.beliefs = [money.restarted(cycle.readings[-1])]
            return
        allowed = cycle.outcomes[-1]
        fitting = [o for o in allowed if money.fits(o, state.peak_equity, state.drawdown_percent)]
        _must(
            bool(fitting),
            f"{watched.login}: peak {state.peak_equity}, drawdown {state.drawdown_percent} %; "
            f"the books allow {[_told(o) for o in allowed]} at {cycle.readings[-1]}",
        )
        if not any(o.trusted for o in fitting):
            watched.waited_at.add(cycle.readings[-1].at_ms)
        watched.beliefs = list(dict.fromkeys(o.belief for o in fitting))
        watched.hidden_long |= any(b.since_ms is not None for b in watched.beliefs)

    def _latch(self, watched: Watched, cycle: _Cycle, state: AccountStateRow) -> None:
        """A breach is confirmed by a second trusted reading, and by nothing else (law 8)."""
        may = any(o.broken for each in cycle.outcomes for o in each)
        must = len(cycle.outcomes) > 1 and all(all(o.broken for o in e) for e in cycle.outcomes)
        is_latched = state.latched_at is not None
        if is_latched and not watched.latched:
            _must(may, f"{watched.login} was latched without a breach")
            watched.latched = watched.latched_once = True
        elif not is_latched:
            _must(not must or watched.latched, f"{watched.login} was not latched after a breach")

    def restarted(self) -> None:
        """Memory is lost; what was committed is not."""
        for watched in self.accounts.values():
            watched.pending = None
            watched.failures = 0
            watched.first_read_ms = {}


def _told(outcome: Outcome) -> str:
    trust = "" if outcome.trusted else " untrusted"
    return f"{float(outcome.belief.peak):.6f} / {float(outcome.belief.drawdown):.4f} %{trust}"


def _must(is_so: bool, text: str | Callable[[], str]) -> None:  # noqa: FBT001 - reads as assert
    if not is_so:
        raise Wrong(text if isinstance(text, str) else text())


must = _must
