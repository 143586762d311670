"""What a day or week brought: the rows of one account's period, read in bounded pieces."""

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.domain.people import Person
from core.domain.periods import Period, Span, period
from core.domain.report import AccountReport, Material, ReportFile, report
from core.domain.statement import Booked
from core.ports import Clock, R, Store
from core.records import (
    AccountRow,
    AccountStateRow,
    ApprovalRow,
    CloseOrderRow,
    DealRow,
    DrawdownAlertRow,
    PositionSnapshotRow,
    ReconciliationLogRow,
    TradeRow,
)
from core.services.desk import deal_of
from core.services.errors import Refused
from core.services.owning import account_of, account_with, owned_from, visible_from
from core.services.policy import EnginePolicy

DEALS_MAX: Final = 10_000
"""Deals one report counts; where there are more it says that it is not the whole."""
SAMPLES_MAX: Final = 12_000
"""Kept readings one report looks at: a week of one a minute, and some. The newest are taken."""
WRITTEN_WITHIN: Final = timedelta(seconds=1)
"""After a reading; what is dated later came with the next one, while the report was made."""
EDGE_DEALS_MAX: Final = 1_000
"""Deals outside the period that its statement looks at, on either side."""
LOGS_MAX: Final = 5_000
APPROVALS_MAX: Final = 1_000
ALERTS_MAX: Final = 200
ROWS_AT_ONCE: Final = 500
"""Rows of one query: between two of them the accounts' own cycles get their turn."""
YEAR_MIN: Final = 2000
BLIND_AFTER_INTERVALS: Final = 3
"""Without a reading for so many of the intervals they are kept at, nothing is known."""


class Reports:
    """Answers with reports; changes nothing."""

    def __init__(self, store: Store, clock: Clock, policy: EnginePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def by_login(
        self, person: Person, login: int | None, span: Span, day: date | None
    ) -> AccountReport:
        """A report on the account with this login; without a day, on today. Raises Refused."""
        async with self._store.reading() as tx:
            account = await account_with(tx, person, login)
        return await self._report(person, account, span, day)

    async def by_account(
        self, person: Person, account_id: int, span: Span, day: date
    ) -> AccountReport:
        """The same by the account's id."""
        async with self._store.reading() as tx:
            account = await account_of(tx, person, account_id)
        return await self._report(person, account, span, day)

    async def accounts(self, person: Person) -> tuple[tuple[int, int], ...]:
        """The person's own accounts: (id, login)."""
        async with self._store.reading() as tx:
            rows = await tx.find(AccountRow, id=person.account_ids)
        return tuple((row.id, row.login) for row in rows)

    async def _report(
        self, person: Person, account: AccountRow, span: Span, day: date | None
    ) -> AccountReport:
        now, zone = self._clock.now(), ZoneInfo(person.time_zone)
        today = now.astimezone(zone).date()
        wanted = day or today
        if wanted > today:
            raise Refused("in_the_future", day=wanted)
        if wanted.year < YEAR_MIN:
            raise Refused("before_all", day=wanted)
        return await self.of_period(
            account,
            period(span, wanted, zone),
            person.time_zone,
            own=account.id in person.account_ids,
            since=visible_from(account, person),
        )

    async def of_period(
        self,
        account: AccountRow,
        wanted: Period,
        time_zone: str,
        *,
        own: bool,
        since: datetime | None = None,
    ) -> AccountReport:
        """The report on a period, on what its owner may see of it (without `since`).

        Raises StoreUnavailable.
        """
        now = self._clock.now()
        since = owned_from(account) if since is None else since
        async with self._store.reading() as tx:
            state = await tx.get(AccountStateRow, account.id)
        material, ours = await self._material(
            account, wanted, ZoneInfo(time_zone), now, state, since
        )
        # Some ten thousand rows take longer than the accounts' guards should wait.
        computed = await asyncio.to_thread(report, material)
        return AccountReport(
            account_id=account.id,
            login=account.login,
            name=account.name,
            currency=account.currency,
            own=own,
            time_zone=time_zone,
            now=now,
            observed_at=state.observed_at if state else None,
            unavailable_since=state.unavailable_since if state else None,
            known_from=since,
            sample_interval_s=self._policy.snapshot_row_interval_s,
            report=computed,
            file=_file(material, ours),
        )

    async def _material(
        self,
        account: AccountRow,
        wanted: Period,
        zone: ZoneInfo,
        now: datetime,
        state: AccountStateRow | None,
        since: datetime,
    ) -> tuple[Material, frozenset[int]]:
        own: dict[str, Any] = {"account_id": account.id}
        handed_over = account.owned_since is not None and since == account.owned_since
        first = max(wanted.start, since) if handed_over else wanted.start
        executed = {"executed_at__ge": first, "executed_at__lt": wanted.end}
        created = {"created_at__ge": first, "created_at__lt": wanted.end}
        logged = {**own, **created}
        deals = await self._newest(DealRow, DEALS_MAX + 1, {**own, **executed})
        samples = await self._newest(PositionSnapshotRow, SAMPLES_MAX + 1, logged)
        are_samples_cut, samples = len(samples) > SAMPLES_MAX, samples[:SAMPLES_MAX]
        latest = _latest(account, state)
        if latest is not None and wanted.holds(latest.created_at) and now < wanted.end:
            samples.insert(0, latest)
        logs = await self._newest(
            ReconciliationLogRow, LOGS_MAX, {**logged, "slippage_pips__ne": None}
        )
        approvals = await self._newest(ApprovalRow, APPROVALS_MAX, {**own, **created})
        alerts = await self._newest(DrawdownAlertRow, ALERTS_MAX, logged)
        positions = {d.position_id for d in deals} | {r.mt5_position_id for r in logs}
        trades = await self._those(TradeRow, "position_id", positions - {0, None}, own)
        trades += await self._those(TradeRow, "approval_id", {a.id for a in approvals}, own)
        sent = await self._those(CloseOrderRow, "position_id", positions - {0, None}, own)
        before, deepest = await self._readings_around(
            logged, {"created_at__ge": since} if handed_over else {}, wanted
        )
        edges: list[DealRow] = []
        if samples:
            shown_by, last_at = (before or samples[-1]).created_at, samples[0].created_at
            unread = {**own, "seen_at__gt": shown_by}
            edges = await self._edges(unread, since if handed_over else None, wanted, last_at)
        material = Material(
            period=wanted,
            zone=zone,
            now=now,
            known_from=since,
            blind_after=self._blind_after(),
            deals=tuple(deal_of(d) for d in deals[:DEALS_MAX]),
            logs=logs,
            approvals=approvals,
            trades=trades,
            samples=samples,
            before=before,
            deepest=deepest,
            alerts=alerts,
            floating=_floating(samples),
            booked=[_booked(row, state) for row in (*deals[:DEALS_MAX], *edges)],
            are_deals_cut=len(deals) > DEALS_MAX,
            are_samples_cut=are_samples_cut,
        )
        return material, frozenset(order.position_id for order in sent)

    def _blind_after(self) -> timedelta:
        kept_s = max(self._policy.snapshot_row_interval_s, self._policy.cadence.idle_s)
        return timedelta(seconds=BLIND_AFTER_INTERVALS * kept_s)

    async def _newest(self, kind: type[R], most: int, where: dict[str, Any]) -> list[R]:
        """The newest rows that match, newest first, a bounded number at a time."""
        found: list[R] = []
        below: dict[str, Any] = {}
        while len(found) < most:
            take = min(ROWS_AT_ONCE, most - len(found))
            async with self._store.reading() as tx:
                rows = await tx.find(kind, order_by="-id", limit=take, **where, **below)
            found += rows
            if len(rows) < take:
                break
            below = {"id__lt": rows[-1].id}
        return found

    async def _readings_around(
        self, logged: dict[str, Any], visible: dict[str, Any], wanted: Period
    ) -> tuple[PositionSnapshotRow | None, PositionSnapshotRow | None]:
        """The last reading before the period, and the deepest one in it."""
        earlier = {"account_id": logged["account_id"], **visible}
        async with self._store.reading() as tx:
            before = await tx.first(
                PositionSnapshotRow,
                order_by="-created_at",
                equity__ne=None,
                created_at__lt=wanted.start,
                **earlier,
            )
            deepest = await tx.first(
                PositionSnapshotRow, order_by="-drawdown_percent", equity__ne=None, **logged
            )
        return before, deepest

    async def _edges(
        self, unread: dict[str, Any], since: datetime | None, wanted: Period, last_at: datetime
    ) -> list[DealRow]:
        """Deals outside the period that a reading at its edge may have, or not have yet."""
        visible = {} if since is None else {"executed_at__ge": since}
        before = {**unread, **visible, "executed_at__lt": wanted.start}
        after = {**unread, "seen_at__le": last_at, "executed_at__ge": wanted.end}
        return [
            *await self._newest(DealRow, EDGE_DEALS_MAX, before),
            *await self._newest(DealRow, EDGE_DEALS_MAX, after),
        ]

    async def _those(
        self, kind: type[R], column: str, wanted: set[Any], own: dict[str, Any]
    ) -> list[R]:
        """The rows with these values in a column, a bounded number of values at a time."""
        values, found = sorted(wanted), []
        for at in range(0, len(values), ROWS_AT_ONCE):
            part = tuple(values[at : at + ROWS_AT_ONCE])
            async with self._store.reading() as tx:
                where: dict[str, Any] = {**own, column: part}
                found += await tx.find(kind, **where)
        return found


def _latest(account: AccountRow, state: AccountStateRow | None) -> PositionSnapshotRow | None:
    """The latest reading as a sample: kept ones are a minute apart."""
    if state is None or state.observed_at is None or state.equity is None:
        return None
    return PositionSnapshotRow(
        user_id=account.user_id,
        account_id=account.id,
        currency=account.currency,
        equity=state.equity,
        balance=state.balance,
        peak_equity=state.peak_equity,
        drawdown_percent=state.drawdown_percent,
        open_pnl=state.profit,
        created_at=state.observed_at,
    )


def _booked(row: DealRow, state: AccountStateRow | None) -> Booked:
    """The deal; the last reading's were written a moment after it, and are in its balance."""
    seen_at, read_at = row.seen_at, None if state is None else state.observed_at
    if read_at is not None and read_at < seen_at < read_at + WRITTEN_WITHIN:
        seen_at = read_at
    return Booked(executed_at=row.executed_at, seen_at=seen_at, amount=deal_of(row).amount)


def _floating(newest_first: list[PositionSnapshotRow]) -> tuple[Decimal, datetime] | None:
    """The open result last read in the period; None where none was."""
    for row in newest_first:
        if row.open_pnl is not None:
            return row.open_pnl, row.created_at
    return None


def _file(material: Material, ours: frozenset[int]) -> ReportFile:
    slips: dict[tuple[int, bool], Decimal] = {}
    for row in material.logs:
        if row.mt5_position_id is None or row.slippage_pips is None or not row.matched:
            continue
        if row.event_type == "close":
            slips[row.mt5_position_id, False] = row.slippage_pips
        elif row.divergence_reason is None:
            slips[row.mt5_position_id, True] = row.slippage_pips
    return ReportFile(
        deals=tuple(sorted(material.deals, key=lambda d: (d.executed_at, d.ticket))),
        signals={
            t.position_id: t.signal_id
            for t in material.trades
            if t.position_id is not None and t.signal_id is not None
        },
        slips=slips,
        ours=ours,
    )
