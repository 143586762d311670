"""What must hold at every step of a world, whoever crashed: looked at after every commit.

The broker's books, what readings showed and what the database durably holds are compared; nothing
here asks the engine's memory. Expected figures are worked out in `tests.simulation.money`.
"""

import hashlib
import json
import sqlite3
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from core.domain.broker import AccountSnapshot
from core.ports import CancelRequest, CloseRequest, SnapshotRequest
from tests.simulation import money
from tests.simulation.money import Belief, Outcome, Reading
from tests.simulation.truth import BALANCE, BONUS, CREDIT, OUT, ZERO, Truth, amount
from tests.simulation.watch import must

if TYPE_CHECKING:
    from tests.simulation.world import World

FLAT_BOUND_S: Final = 60.0
"""A breached account is flat so long after the last fault: a countdown of 10 s, one longest pause
after a refusal (30 s), and the readings that prove it."""
QUIET_S: Final = 2.0
"""So long nothing is sent for a ticket whose request nobody answered (settings' default) ..."""
SETTLE_S: Final = 1.0
"""... and so long after an answer that it is done."""
FLAT_GAP_S: Final = 1.0
MINIMUM_LOWEST, MINIMUM_HIGHEST = 100, 150
"""The minimum equity of 100 GBP in any of the accounts' currencies lies between."""
GENESIS: Final = "0" * 64
UNIT: Final = Decimal(10) ** 8
SAID_OF_A_JOB: Final = frozenset({"GuardBreached", "LatchedReappeared", "MarketWarning"})


class Sending(Struct):
    """One request that left a process, and when it was over for the sender."""

    order_id: int
    ticket: int
    login: int
    epoch: int
    began_s: float
    ended_s: float | None = None
    executed_s: float | None = None
    """When the broker dealt with it; None where it never did."""
    unknown: bool = True
    """Whether nobody knows what became of it, until an answer comes."""
    done: bool = False
    """Whether the answer was that all of it is done."""
    volume: Decimal | None = None
    """Lots to close, None where an order is cancelled."""


class Watched(Struct):
    """What is known of one account."""

    login: int
    account_id: int
    beliefs: list[Belief] = field(default_factory=list)
    booked: set[int] = field(default_factory=set)
    observed: str | None = None
    latched: str | None = None
    broken_by: int = 0
    """The epoch whose last committed reading was over the limit without a latch; 0 for none."""
    last_read_s: float = -1.0
    """When the newest complete reading began ..."""
    last_shown_s: float = -1.0
    """... and when the newest was made at the terminal."""
    newest_epoch: int = 0
    """The newest owner that the terminal has answered."""
    flat_reads_s: list[float] = field(default_factory=list)
    """When readings were made that showed nothing at all."""
    last_sent_s: float = -1.0


class Seen(Struct, frozen=True):
    """A reading as the books were, and the deals it showed."""

    reading: Reading
    shown: tuple[int, ...]
    epoch: int
    at_s: float


class Checks:
    """Everything that is looked at, and what was wrong first."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.truth = Truth(world.sim)
        self.wrong: str | None = None
        self.accounts: dict[int, Watched] = {}
        self.sent: dict[int, Sending] = {}
        self.by_ticket: defaultdict[tuple[int, str, int], list[Sending]] = defaultdict(list)
        self._seen: dict[tuple[int, str], Seen] = {}
        self._asked: dict[tuple[int, str], datetime] = {}
        self._looked_to = dict.fromkeys(world.sim.logins, 0)
        self._to = {"audit_log": 0, "close_jobs": 0, "drawdown_alerts": 0}
        self._said_to = 0
        self._heads: dict[int, tuple[int, str]] = {}
        self._jobs: dict[int, str] = {}
        self._raw = sqlite3.connect(world.database, isolation_level=None)
        self.counts: defaultdict[str, int] = defaultdict(int)

    def close(self) -> None:
        """End."""
        self._raw.close()

    def fail(self, text: str) -> None:
        """Keep what was wrong first; the world ends at its next step."""
        if self.wrong is None:
            self.wrong = text
            self._world.tell(f"WRONG: {text}")

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database, as it durably is."""
        return self._raw.execute(statement, values).fetchall()

    def guarded(self, check: str, *given: Any) -> Any:  # noqa: ANN401 - whatever the check answers
        """Run a check where an exception would only end a task of the process that is looked at."""
        try:
            return getattr(self, check)(*given)
        except AssertionError as wrong:
            self.fail(f"{wrong}")
            return None

    # --- readings -----------------------------------------------------------------------------

    def looked(self, request: SnapshotRequest, snapshot: AccountSnapshot, epoch: int) -> Seen:
        """The terminal answers: what the books are now, and which deals it shows."""
        watched = self.account(request.login, request.account_id)
        watched.last_shown_s = self._world.now_s()
        watched.newest_epoch = max(watched.newest_epoch, epoch)
        shown = {d.ticket for d in snapshot.deals}
        books = {d.ticket: d for d in self._world.sim.ledger.deals(request.login)}
        new = [books[t] for t in shown - watched.booked]
        known = [d for t, d in books.items() if t in watched.booked or t in shown]
        flows = sum((amount(d) for d in new if d.kind in (BALANCE, CREDIT, BONUS)), ZERO)
        reading = Reading(
            at_ms=self._world.sim.now_ms(),
            equity=snapshot.state.equity,
            flow=flows,
            # A terminal that shows a close late shows neither its deal nor its money.
            gap=snapshot.state.balance + snapshot.state.credit - sum(map(amount, known), ZERO),
        )
        return Seen(reading, tuple(d.ticket for d in new), epoch, self._world.now_s())

    def arrived(
        self, request: SnapshotRequest, snapshot: AccountSnapshot, began_s: float, seen: Seen
    ) -> None:
        """The answer arrived; nothing of it is committed yet."""
        watched = self.account(request.login, request.account_id)
        watched.last_read_s = max(watched.last_read_s, began_s)
        if not snapshot.positions and not snapshot.orders:
            watched.flat_reads_s.append(seen.at_s)
        # A process that stood still gets several answers at one instant: what is committed is the
        # cycle's, which asks for the oldest deals; a quote for an approval asks for none.
        key = (request.account_id, _text(snapshot.observed_at))
        if key not in self._seen or request.deals_since <= self._asked[key]:
            self._seen[key], self._asked[key] = seen, request.deals_since

    def account(self, login: int, account_id: int) -> Watched:
        """What is known of it."""
        found = self.accounts.get(login)
        if found is None:
            found = self.accounts[login] = Watched(login=login, account_id=account_id)
        return found

    # --- requests -----------------------------------------------------------------------------

    def sending(self, request: CloseRequest | CancelRequest, epoch: int) -> Sending:
        """A request leaves a process."""
        found = self.guarded("_sending", request, epoch)
        if found is None:
            return Sending(
                0, request.ticket, request.login, epoch, self._world.now_s()
            )  # it was wrong
        assert isinstance(found, Sending)
        return found

    def _sending(self, request: CloseRequest | CancelRequest, epoch: int) -> Sending:
        now_s, login, ticket = self._world.now_s(), request.login, request.ticket
        action = "close" if isinstance(request, CloseRequest) else "cancel"
        rows = self.rows(
            "SELECT o.id, o.epoch, o.state, j.state, o.volume FROM close_orders o"
            " JOIN close_jobs j ON j.id = o.job_id JOIN accounts a ON a.id = o.account_id"
            " WHERE a.login = ? AND o.ticket = ? AND o.action = ? ORDER BY o.id DESC",
            login,
            ticket,
            action,
        )
        must(bool(rows), f"{login}: {action} of {ticket} was sent without a committed intent")
        ours = [row for row in rows if row[1] == epoch]
        must(bool(ours), f"{login}: {action} of {ticket} is sent by {epoch}, intended by others")
        order_id, _, state, job_state, volume = ours[0]
        must(order_id not in self.sent, f"{login}: intent {order_id} of {ticket} is sent twice")
        must(job_state != "countdown", f"{login}: {ticket} is closed before its countdown is over")
        if isinstance(request, CloseRequest):
            must(volume == request.volume * UNIT, f"{login}: {ticket} not sent as it was intended")
        sending = Sending(order_id, ticket, login, epoch, now_s)
        sending.volume = request.volume if isinstance(request, CloseRequest) else None
        newest = self.rows("SELECT max(epoch) FROM leases")[0][0]
        before = self.by_ticket[login, action, ticket]
        if epoch == newest:
            # A stale owner's is refused by its terminal, or arrives before the new one looks.
            must(
                state == "intended", f"{login}: {ticket} is sent, its intent {order_id} is {state}"
            )
            for other in before:
                self._looked_after(other, sending)
        self.sent[order_id] = sending
        before.append(sending)
        self.counts["sends"] += 1
        self._world.tell(f"send {action} {login} {ticket} intent {order_id} epoch {epoch}")
        self._world.ambush(login)
        return sending

    def _looked_after(self, other: Sending, again: Sending) -> None:
        """Between two requests for one ticket somebody looked (law 6)."""
        watched = self.accounts[other.login]
        text = f"{other.login}: {other.ticket} is sent for again, and nobody looked in between"
        if other.epoch == again.epoch:
            ended_s = self._world.now_s() if other.ended_s is None else other.ended_s
            must(watched.last_read_s >= ended_s, text)
            # What is left of a position after its close needs no second thought.
            same = other.done and other.volume == again.volume
            quiet_s = QUIET_S if other.unknown else SETTLE_S if same else 0.0
            if self._world.wall_moved:
                quiet_s -= 1.0  # by the clock that was put forward meanwhile it is over sooner
            must(watched.last_read_s >= ended_s + quiet_s - 0.01, f"{text} after {quiet_s} s")
        elif other.executed_s is not None:
            must(watched.last_shown_s >= other.executed_s, text)

    def executed(self, sending: Sending) -> None:
        """The broker dealt with a request: its owner is the newest that the terminal knows."""
        sending.executed_s = self._world.now_s()
        watched = self.accounts[sending.login]
        watched.last_sent_s = sending.executed_s
        if sending.epoch < watched.newest_epoch:
            self.fail(f"{sending.login}: a request of the stale owner {sending.epoch} is executed")

    def look(self) -> None:
        """The broker's books may have changed."""
        self.guarded("_look")

    def _look(self) -> None:
        self.truth.refresh()
        for login, to in self._looked_to.items():
            deals = self._world.sim.ledger.deals(login)
            for deal in deals[to:]:
                if deal.order and deal.order in self.truth.ours:
                    must(deal.entry == OUT, f"{login}: our order {deal.order} did not only close")
            self._looked_to[login] = len(deals)

    # --- commits ------------------------------------------------------------------------------

    def committed(self) -> None:
        """Something is durable."""
        self.guarded("_committed")

    def _committed(self) -> None:
        self.counts["commits"] += 1
        self._states()
        self._chain()
        self._job_rows()
        self._warnings()

    def _states(self) -> None:
        for account_id, login, observed, peak, drawdown, latched in self.rows(
            "SELECT s.id, a.login, s.observed_at, s.peak_equity, s.drawdown_percent, s.latched_at"
            " FROM account_state s JOIN accounts a ON a.id = s.id"
        ):
            watched = self.account(login, account_id)
            if watched.latched is not None and latched is None:
                self._released(watched, _amount(peak))
            elif observed != watched.observed:
                seen = self._seen.get((account_id, observed))
                must(seen is not None, f"{login}: a reading of {observed} is kept that nobody had")
                if seen is not None:
                    self._figures(watched, seen, (_amount(peak), _amount(drawdown)), latched)
            watched.observed = observed
            watched.latched = latched

    def _released(self, watched: Watched, peak: Decimal | None) -> None:
        """Only as the audit tells, and with a new peak."""
        released = self.rows(
            "SELECT 1 FROM audit_log WHERE account_id = ? AND action = 'latch_released'"
            " AND created_at >= ?",
            watched.account_id,
            watched.latched,
        )
        must(bool(released), f"{watched.login}: the latch is gone, and nobody released it")
        held = self._world.sim.ledger.positions(watched.login)
        equity = self._world.sim.broker.value(watched.login).equity
        if not held:
            must(peak == equity, f"{watched.login}: released with peak {peak} at {equity}")
        watched.beliefs = [Belief(Fraction(peak or 0))]
        watched.broken_by = 0
        self.counts["released"] += 1
        self._world.tell(f"{watched.login} is released")

    def _figures(
        self,
        watched: Watched,
        seen: Seen,
        figures: tuple[Decimal | None, Decimal | None],
        latched: str | None,
    ) -> None:
        """Peak and drawdown are the books'; over the limit twice in a row is a latch (law 8)."""
        login = watched.login
        watched.booked.update(seen.shown)
        if not watched.beliefs:
            watched.beliefs = [Belief(Fraction(seen.reading.equity))]
            watched.booked.update(d.ticket for d in self._world.sim.ledger.deals(login))
            return
        allowed = money.outcomes(watched.beliefs, seen.reading)
        fitting = [o for o in allowed if money.fits(o, *figures)]
        must(
            bool(fitting),
            f"{login}: peak and drawdown {figures}; the books allow"
            f" {[_told(o) for o in allowed]} at {seen.reading}",
        )
        watched.beliefs = list(dict.fromkeys(o.belief for o in fitting))
        self._world.note(f"{login} {figures} {seen.reading.equity} flow {seen.reading.flow}")
        equity = seen.reading.equity
        if latched is not None and watched.latched is None:
            self.counts["latched"] += 1
            self._world.tell(f"{login} is latched")
            may = any(o.broken for o in fitting) or equity < MINIMUM_HIGHEST
            must(may, f"{login} is latched without a breach: {[_told(o) for o in fitting]}")
        is_low = equity < MINIMUM_LOWEST and all(o.trusted for o in fitting)
        over = (is_low or all(o.broken for o in fitting)) and latched is None
        if over:
            text = f"{login} is over its limit, and goes on: {figures}, {seen.reading}"
            must(watched.broken_by != seen.epoch, text)
        watched.broken_by = seen.epoch if over else 0

    def _chain(self) -> None:
        """Every link of the audit follows the one before it."""
        for link in self.rows(
            "SELECT id, account_id, sequence, prev_hash, hash FROM audit_log WHERE id > ?"
            " ORDER BY id",
            self._to["audit_log"],
        ):
            self._to["audit_log"], account_id, sequence, prev, own = link
            before = self._heads.get(account_id, (0, GENESIS))
            in_place = (sequence, prev) == (before[0] + 1, before[1])
            must(in_place, f"audit of {account_id} breaks at {sequence}")
            self._heads[account_id] = (sequence, own)

    def _job_rows(self) -> None:
        """A close that begins or ends is told in the same commit (law 5)."""
        for job_id, account_id, state, reason, created, finished in self.rows(
            "SELECT id, account_id, state, reason, created_at, finished_at FROM close_jobs"
        ):
            before = self._jobs.get(job_id)
            if before == state:
                continue
            self._jobs[job_id] = state
            self._world.tell(f"job {job_id} of {account_id}: {reason} {state}")
            if state != "flat":
                self._world.ambush(self._login(account_id))
            thread = f"job:{job_id}:{account_id}"
            if before is None and reason != "gap":
                self._said(thread, created, SAID_OF_A_JOB, f"job {job_id} begins")
            if state == "flat":
                self.counts["flat"] += 1
                self._said(thread, finished, {"CloseConfirmed"}, f"job {job_id} is done")
                self._proved(self._login(account_id), job_id)

    def _proved(self, login: int, job_id: int) -> None:
        """Two readings after the last request, a second apart, showed nothing (law 7)."""
        watched = self.accounts[login]
        after = [at_s for at_s in watched.flat_reads_s if at_s >= watched.last_sent_s]
        proved = bool(after) and after[-1] - after[0] >= FLAT_GAP_S - 0.01
        must(proved, f"{login}: job {job_id} is flat by readings at {after[-3:]}")

    def _warnings(self) -> None:
        for row_id, account_id, kind, created in self.rows(
            "SELECT id, account_id, alert_type, created_at FROM drawdown_alerts WHERE id > ?",
            self._to["drawdown_alerts"],
        ):
            self._to["drawdown_alerts"] = row_id
            said = {"DrawdownWarning"} if kind == "warning" else {"GuardBreached"}
            thread = "warned:%" if kind == "warning" else f"job:%:{account_id}"
            self._said(thread, created, said, f"{kind} of {account_id}")

    def _said(self, thread: str, at: str, kinds: frozenset[str] | set[str], what: str) -> None:
        rows = self.rows(
            "SELECT kind FROM outbox WHERE thread LIKE ? AND created_at = ?", thread, at
        )
        must(any(kind in kinds for (kind,) in rows), f"{what} and nobody is told: {rows}")

    def _login(self, account_id: int) -> int:
        return next(w.login for w in self.accounts.values() if w.account_id == account_id)

    def has_more_to_say(self) -> bool:
        """Whether the outbox has grown since the last time."""
        newest = self.rows("SELECT max(id) FROM outbox")[0][0] or 0
        grown = newest > self._said_to
        self._said_to = newest
        return bool(grown)

    def digest(self) -> str:
        """Everything durable that a run of the same seed must repeat, as one number."""
        found = hashlib.sha256()
        for table in ("account_state", "close_orders", "close_jobs", "episodes", "audit_log"):
            for row in self.rows(f"SELECT * FROM {table} ORDER BY id"):  # noqa: S608 - our own names
                found.update(json.dumps(row, default=str).encode())
        return found.hexdigest()


def _amount(stored: int | None) -> Decimal | None:
    return None if stored is None else Decimal(stored) / UNIT


def _text(moment: Any) -> str:  # noqa: ANN401 - an instant
    return str(moment.replace(tzinfo=None).isoformat(timespec="microseconds"))


def _told(outcome: Outcome) -> str:
    trust = "" if outcome.trusted else " untrusted"
    return f"{float(outcome.belief.peak):.4f} / {float(outcome.belief.drawdown):.4f} %{trust}"
