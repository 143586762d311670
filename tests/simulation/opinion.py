"""What the engine has said and kept, compared with the model: nothing false, missed or repeated."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.domain import alerts as a
from core.domain import alerts_money as m
from core.domain.alerts import Alert
from core.records import (
    CashFlowRow,
    CloseJobRow,
    EpisodeRow,
    OutboxRow,
    ReconciliationLogRow,
    Record,
    TradeRow,
)
from core.services.speaking import DIFFERENCES
from core.sim.ledger import Deal
from tests.engine.house import ACCOUNTS, House
from tests.simulation.truth import INOUT, LATE_MS, OUT, OUT_BY, ZERO, Difference, Key, Trade
from tests.simulation.watch import MISSED_READINGS, Model, Watched, must

ASPECTS: Final = {
    "entry_slippage": "entry",
    "partial_fill": "volume",
    "over_volume": "volume",
    "scaled_in": "volume",
    "volume_reduced": "volume",
    "sl_moved": "sl",
    "sl_removed": "sl",
    "sl_missing": "sl",
    "tp_moved": "tp",
    "tp_removed": "tp",
    "tp_missing": "tp",
    "direction_mismatch": "direction",
    "netting_reversed": "direction",
    "late_execution": "late",
    "unknown_position": "unknown",
    "duplicate_execution": "unknown",
    "unknown_pending_order": "order",
    "missing_unexplained": "missing",
}
"""Which side of a position or order each kind of divergence is about: one at a time of each."""
CONDITIONS: Final = frozenset({"pnl_mismatch", "stale_data"})
"""What is told of the account's own figures."""
PASSING: Final = frozenset({"partial_fill", "sl_missing", "tp_missing"})
PASSING_MS: Final = 3_000
"""Told when readings have shown it for so long."""
OWN_ACTIVITY_MS: Final = 5_000
"""So long after a close of ours nothing that differs need be told."""
LASTS_MS: Final = 15 * 60_000
"""Nothing is told again for lasting before this age."""
CENT: Final = Decimal("0.005")
PRICE_NEARNESS: Final = Decimal("0.0000001")
GROWING: Final[tuple[type[Record], ...]] = (
    EpisodeRow,
    ReconciliationLogRow,
    OutboxRow,
    CashFlowRow,
    CloseJobRow,
)


REDUCED: Final = "volume_reduced"
AGAIN: Final = " again"


class Told:
    """What one client was told, counted."""

    def __init__(self) -> None:
        self.begun: Counter[Key] = Counter()
        self.ended: Counter[Key] = Counter()
        self.lasting: Counter[Key] = Counter()
        self.opened: Counter[int] = Counter()
        self.not_placed: Counter[int] = Counter()
        self.finals: Counter[int] = Counter()
        self.finals_in_groups = 0
        self.parts: Counter[int] = Counter()
        self.flows = ZERO
        self.charges = ZERO
        self.away_at: set[int] = set()
        """Readings that were told as one thing: what happened while nobody looked."""
        self.away_flows = ZERO
        self.away_ends = 0
        self.kinds: Counter[str] = Counter()
        self.ends: dict[int, ReconciliationLogRow] = {}
        self.ends_by_us = 0
        self.flow_deals: Counter[int] = Counter()
        self.settled: set[int] = set()
        """Positions whose end was compared, and trades that are over."""


class Opinion:
    """Everything the engine said, read as it grows."""

    def __init__(self, house: House, model: Model) -> None:
        self._house = house
        self._model = model
        self._said_to = 0
        self._logged_to = 0
        self._flows_to = 0
        self._looked_to = {login: 0 for login, *_ in ACCOUNTS}
        self.told = {login: Told() for login, *_ in ACCOUNTS}
        self._chats = {owner: login for login, owner, *_ in ACCOUNTS}

    async def take(self) -> None:
        """Read what is new. Each thing said is judged as of the moment at which it was said."""
        async with self._house.store.reading() as tx:
            said = await tx.find(OutboxRow, id__gt=self._said_to)
            ended = await tx.find(ReconciliationLogRow, id__gt=self._logged_to, event_type="close")
            flows = await tx.find(CashFlowRow, id__gt=self._flows_to)
        logins = {account_id: login for login, account_id in self._house.ids.items()}
        for row in said:
            self._said_to = max(self._said_to, row.id)
            alert = msgspec.json.decode(row.payload, type=Alert)
            login = self._chats.get(row.chat_id)
            if login is None and isinstance(alert, DIFFERENCES) and alert.finding == REDUCED:
                login = logins[alert.account_id]  # its client reads of the close itself
            if login is not None:
                self._hear(login, alert, row)
        for flow in flows:
            self._flows_to = max(self._flows_to, flow.id)
            told = self.told[logins[flow.account_id]]
            told.flow_deals[flow.deal_ticket] += 1
            read_ms = _ms(flow.created_at)
            waited_at = self._model.accounts[logins[flow.account_id]].waited_at
            if read_ms in told.away_at - waited_at:
                told.away_flows += flow.amount
        for log in ended:
            self._logged_to = max(self._logged_to, log.id)
            self._ended(logins[log.account_id], log)

    def _ended(self, login: int, row: ReconciliationLogRow) -> None:
        told, identifier = self.told[login], row.mt5_position_id or 0
        must(identifier not in told.ends, f"{login}: {identifier} has two rows of its end")
        told.ends[identifier] = row
        by_us = row.close_reason == "reckoner"
        told.ends_by_us += by_us
        told.away_ends += _ms(row.created_at) in told.away_at and not by_us
        end = self._model.truth.end(login, identifier)
        is_right = (
            end is not None
            and row.close_reason in end.reasons
            and row.pnl is not None
            and abs(row.pnl - end.pnl) < CENT
            and row.volume == end.volume
            and row.exit_price is not None
            and abs(row.exit_price - end.price) < PRICE_NEARNESS
        )
        must(is_right, f"{login}: {identifier} told {_shown(row)}, ended {end}")

    def _hear(self, login: int, alert: Alert, row: OutboxRow) -> None:  # noqa: C901, PLR0912 - one arm per kind
        told, at_ms = self.told[login], _ms(row.created_at)
        told.kinds[_name(alert)] += 1
        match alert:
            case a.TradeOpened():
                _once(login, told.opened, alert.trade_id, "opened")
            case a.TradeNotPlaced():
                _once(login, told.not_placed, alert.trade_id, "not placed")
            case a.PositionClosed(partial=True):
                told.parts[alert.position_id] += int(alert.volume * 100)
            case a.PositionClosed():
                _once(login, told.finals, alert.position_id, "closed")
                self._really_closed(login, alert.position_id, at_ms)
            case a.PositionsClosed():
                told.finals_in_groups += alert.count
                for item in alert.items:
                    self._really_closed(login, int(item.subject), at_ms)
            case a.DivergenceOpened(lasting_since=None):
                self._begun(login, alert.subject, alert.finding)
            case a.DivergencesOpened(lasting_since=None):
                for item in alert.items:
                    self._begun(login, item.subject, item.finding or alert.finding)
            case a.DivergenceOpened():
                self._lasts(login, alert.subject, alert.finding, alert.lasting_since, at_ms)
            case a.DivergencesOpened(lasting_since=since):
                for item in alert.items:
                    self._lasts(login, item.subject, item.finding or alert.finding, since, at_ms)
            case a.DivergenceResolved():
                key = (alert.subject, ASPECTS[alert.finding])
                told.ended[key] += 1
                self._no_more(login, key, told.ended[key], "over")
            case m.CashFlowSeen():
                told.flows += alert.amount
            case m.ResultsBooked():
                told.charges += alert.total
            case m.WhileAway():
                told.away_at.add(at_ms)
                happened = self._model.accounts[login].results_at[at_ms]
                must(alert.result == happened, f"{login}: away, told {alert.result}: {happened}")
            case a.CloseConfirmed():
                self._really_flat(login, alert.scope, at_ms)
            case _:
                pass

    def _begun(self, login: int, subject: str, finding: str) -> None:
        key = (subject, ASPECTS[finding])
        self.told[login].begun[key] += 1
        self._no_more(login, key, self.told[login].begun[key], "begun")

    def _lasts(
        self, login: int, subject: str, finding: str, since: datetime | None, at_ms: int
    ) -> None:
        """What is told to last was told, has lasted, and is not told so more than thrice."""
        key = (subject, ASPECTS[finding])
        told = self.told[login]
        must(told.begun[key] > 0, f"{login}: {key} is told to last and was never told")
        long = since is not None and at_ms - _ms(since) >= LASTS_MS
        must(long, f"{login}: {key} is told to last, and has just begun")
        told.lasting[key] += 1
        most = 3 * told.begun[key]
        must(told.lasting[key] <= most, f"{login}: {key} told to last {told.lasting[key]} times")

    def _no_more(self, login: int, key: Key, times: int, what: str) -> None:
        """Nothing is told more often than it happened."""
        watched = self._model.accounts[login]
        most = watched.begun[key] if what == "begun" else watched.ended[key]
        if key[1] == "missing":
            # Once, after enough readings without the position and its deal.
            most = int(watched.hidden_readings[int(key[0])] >= MISSED_READINGS)
        must(times <= most, f"{login}: {key} told {what} {times} times, was {most} times")

    def _really_closed(self, login: int, identifier: int, at_ms: int) -> None:
        """A close that is told has happened, and before it is told."""
        end = self._model.truth.end(login, identifier)
        must(end is not None, f"{login}: {identifier} is told closed and is open")
        must(end is not None and end.at_ms <= at_ms, f"{login}: {identifier} is told too early")

    def _really_flat(self, login: int, scope: str, at_ms: int) -> None:
        """What is told flat holds nothing but what was opened later."""
        for p in self._model.truth.held(login).values():
            is_older = p.opened_ms <= at_ms and scope in ("account", p.symbol)
            must(not is_older, f"{login} is told flat and holds {p.identifier}")

    # --- at any time -----------------------------------------------------------------------------

    def check_always(self) -> None:
        """Outages are told as they were; Reckoner only ever closes."""
        for login, told in self.told.items():
            watched = self._model.accounts[login]
            outages = told.kinds["AccountUnavailable"]
            must(outages <= watched.outages_told_max, f"{login}: {outages} outages told")
            must(told.kinds["AccountRecovered"] <= outages, f"{login}: recovered from no outage")
            unexplained = told.kinds["BalanceUnexplained"]
            must(watched.hidden_long or not unexplained, f"{login}: nothing was unexplained")
            self._missing(login, watched, told)
            self._only_closed(login)

    def _missing(self, login: int, watched: Watched, told: Told) -> None:
        """A trade's position that stays away without its deal is told missing in time."""
        if watched.latched_once:
            return  # what a close of ours takes away is told by its report
        firsts = {t.executed[0] for t in self._model.truth.trades if t.executed}
        for identifier, readings in watched.hidden_readings.items():
            if identifier in firsts & watched.seen and readings >= MISSED_READINGS:
                times = told.begun[f"{identifier}", "missing"]
                must(times == 1, f"{login}: {identifier} was away {readings} times, told {times}")

    def _only_closed(self, login: int) -> None:
        """No request of Reckoner's opened or turned a position, so that none is closed twice."""
        ours = self._model.truth.ours
        for deal in self._house.sim.ledger.deals(login)[self._looked_to[login] :]:
            if deal.order and deal.order in ours:
                must(deal.entry == OUT, f"{login}: our order {deal.order} did not only close")
        self._looked_to[login] = len(self._house.sim.ledger.deals(login))

    # --- where the last reading showed all there is ----------------------------------------------

    async def check(self, login: int) -> None:
        """Nothing is missing and nothing false; for an account whose last reading was clean."""
        watched, told = self._model.accounts[login], self.told[login]
        memory = self._house.engine.desk.peek(self._house.ids[login])
        must(memory is not None, f"{login} was read and is not known")
        if memory is None:
            return
        account_id = self._house.ids[login]
        open_now = await self._house.rows(EpisodeRow, account_id=account_id, resolved_at=None)
        # With an hour put back prices seem old until the broker's new clock is believed.
        dated = self._model.truth.is_dated(login, watched.read_ms)
        odd = [r for r in open_now if r.kind in CONDITIONS and (dated or r.kind != "stale_data")]
        must(not odd, f"{login}: told of {odd}, and all is well")
        inhibited = memory.latched or bool(memory.jobs)
        at = memory.own_activity_at
        inhibited |= at is not None and watched.read_ms - _ms(at) < OWN_ACTIVITY_MS
        differences = [row for row in open_now if row.kind not in CONDITIONS]
        _same_differences(watched, differences, inhibited=inhibited)
        if login in self._model.truth.sent_by_us:
            jobs = await self._house.rows(CloseJobRow, account_id=account_id)
            must(bool(jobs), f"{login}: sent without a reason to close")
        await self._trades(login, watched, told)
        self._ends(login, told)
        self._parts(login, told)
        must(
            told.flow_deals == Counter(watched.flows.keys()),
            f"{login}: flows {told.flow_deals}, were {watched.flows}",
        )
        total, said = sum(watched.flows.values(), ZERO), told.flows + told.away_flows
        must(said == total, f"{login}: told flows of {said}, were {total}")
        total, said = sum(watched.charges.values(), ZERO), told.charges + _away(watched, told)
        must(said == total, f"{login}: told charges of {said}, were {total}")
        outages = told.kinds["AccountUnavailable"] - told.kinds["AccountRecovered"]
        again = told.kinds[f"AccountUnavailable{AGAIN}"]
        must(again <= told.kinds["AccountRecovered"], f"{login}: another reason told {again} times")
        must(outages == 0, f"{login}: read again and not told so")

    async def _trades(self, login: int, watched: Watched, told: Told) -> None:
        trades = [
            t
            for t in self._model.truth.trades
            if t.login == login and -t.number not in told.settled
        ]
        if not trades:
            return
        rows = await self._house.rows(TradeRow, approval_id=tuple(t.number for t in trades))
        by_number = {row.approval_id: row for row in rows}
        for trade in trades:
            row = by_number[trade.number]
            allowed = self._statuses(trade, watched)
            must(row.status in allowed, f"{login}: {trade} is {row.status}, should be {allowed}")
            if row.status in ("open", "closed"):
                first = trade.executed[0] if trade.executed else 0
                must(row.position_id == first, f"{login}: {trade} taken for {row.position_id}")
                was_read = first in watched.seen
                must(told.opened[row.id] == was_read, f"{login}: {trade} is not told opened")
            if row.status == "closed":
                told.settled.add(-trade.number)
            if row.status == "expired":
                must(told.not_placed[row.id] == 1, f"{login}: {trade} is not told not placed")

    def _statuses(self, trade: Trade, watched: Watched) -> set[str]:
        if trade.executed:
            is_open = trade.executed[0] in self._model.truth.held(trade.login)
            return {"open"} if is_open else {"closed"}
        withdrawn = {"cancelled"} if watched.latched_once else set()
        if watched.read_ms > trade.deadline_ms + LATE_MS:
            return {"expired"} | withdrawn
        return {"pending"} | withdrawn

    def _ends(self, login: int, told: Told) -> None:
        """Every position that is gone, seen or not, has one row that says how, and one message."""
        truth = self._model.truth
        for identifier in truth.positions(login) - truth.held(login).keys() - told.settled:
            end = truth.end(login, identifier)
            must(
                identifier in told.ends,
                f"{login}: {identifier} ended and no row says how: {end}",
            )
            told.settled.add(identifier)
        finals = told.finals.total() + told.finals_in_groups + told.away_ends
        ends, by_us = len(told.ends), told.ends_by_us
        must(finals == ends - by_us, f"{login}: {ends} ends, {by_us} by us, {finals} told")

    def _parts(self, login: int, told: Told) -> None:
        """Of a position that is open, every part that others closed was told."""
        for identifier in self._model.truth.held(login):
            deals = self._model.truth.deals_of(login, identifier)
            if any(d.entry == INOUT or d.order in self._model.truth.ours for d in deals):
                continue
            parts = sum((d.volume for d in deals if self._is_part(login, d)), ZERO)
            said = Decimal(told.parts[identifier]) / 100
            must(said == parts, f"{login}: {identifier} lost {parts} lots, told {said}")

    def _is_part(self, login: int, deal: Deal) -> bool:
        """Whether it closed a part, and was not told with all that happened unwatched."""
        read_ms = self._model.accounts[login].booked_at.get(deal.ticket)
        return deal.entry in (OUT, OUT_BY) and read_ms not in self.told[login].away_at

    # --- the same world twice --------------------------------------------------------------------

    async def sizes(self) -> list[int]:
        """The newest row of every table that grows only when something happens."""
        newest = [await self._newest(kind) for kind in GROWING]
        return [row.id if row else 0 for row in newest]

    async def _newest(self, kind: type[Record]) -> Record | None:
        async with self._house.store.reading() as tx:
            found: Any = await tx.first(kind, order_by="-id")
        return found if isinstance(found, Record) else None


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _name(alert: Alert) -> str:
    """Its kind; what tells of a change (an outage's other reason) apart from what began."""
    return type(alert).__name__ + (AGAIN if getattr(alert, "changed", False) else "")


def _away(watched: Watched, told: Told) -> Decimal:
    """Charges that were told with all that happened unwatched."""
    at = watched.charges_at
    return sum((at[ms] for ms in told.away_at if ms in at), ZERO)


def _once(login: int, counted: Counter[int], subject: int, what: str) -> None:
    counted[subject] += 1
    must(counted[subject] == 1, f"{login}: {subject} told {what} {counted[subject]} times")


def _same_differences(watched: Watched, rows: Iterable[EpisodeRow], *, inhibited: bool) -> None:
    """The open episodes are the differences there are, by kind and figure."""
    login, expected = watched.login, watched.differences
    found: dict[Key, EpisodeRow] = {}
    for row in rows:
        key = (row.subject, ASPECTS[row.kind])
        must(key not in found, f"{login}: {key} is open twice")
        found[key] = row
        real = expected.get(key)
        must(real is not None, f"{login}: {row.kind} of {row.subject} is told and is not so")
        if real is not None:
            must(row.kind in real.kinds, f"{login}: {key} is {row.kind}, should be {real.kinds}")
    if inhibited:
        return
    missed = [
        key
        for key, one in expected.items()
        if one.sure and key not in found and not _may_wait(watched, key, one)
    ]
    must(not missed, f"{login}: not told: {[(k, expected[k]) for k in missed]}")
    for key, row in found.items():
        if key[1] in ("volume", "sl", "tp"):
            if _changes_often(row, watched.read_ms):
                continue
            observed = Decimal(row.material or 0)
            figure = Decimal(expected[key].figure)
            must(observed == figure, f"{login}: {key} is told as {observed}, is {figure}")


def _may_wait(watched: Watched, key: Key, one: Difference) -> bool:
    """What an executor passes through need not be told before it has stayed for a moment."""
    first_ms = watched.first_read_ms.get((key, one.kinds), watched.read_ms)
    return bool(one.kinds & PASSING) and watched.read_ms - first_ms < PASSING_MS


def _changes_often(row: EpisodeRow, now_ms: int) -> bool:
    """What was told to have changed three times is told a minute later, then two, up to an hour."""
    changes: int = row.detail.get("changes", 0)
    return changes >= 3 and now_ms - _ms(row.changed_at) < min(60_000 << (changes - 3), 3_600_000)


def _shown(row: ReconciliationLogRow) -> str:
    return f"{row.close_reason} {row.volume} lots at {row.exit_price}, {row.pnl}"
