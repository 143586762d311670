"""An account's history in pages, from the rows that were written when things happened."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from core.domain import history as h
from core.domain.broker import DealEntry
from core.domain.history import HistoryFilter, HistoryLine, HistoryPage
from core.domain.people import Person
from core.ports import Clock, Store, Transaction
from core.records import (
    AccountRow,
    AccountStateRow,
    AuditRow,
    CloseJobRow,
    CloseOrderRow,
    DealRow,
    ReconciliationLogRow,
    TradeRow,
)
from core.services.desk import deal_of
from core.services.errors import Refused
from core.services.owning import account_of, account_with

PAGE_LINES = 8
LAST_LINES_MORE = 2
"""So many more stand on the last page, rather than alone on one of their own."""
PAGES_MAX = 25
"""Further back than that, a report's file tells more: no page asks for more than 202 rows."""
AS_OF_LIFE = timedelta(hours=24)
"""Pages show what was known when they were asked for, so that nothing moves between two of them;
after so long the list is to be asked for anew."""
SYMBOLS_MAX = 12
SYMBOL_DEALS_MAX = 500
"""The newest deals whose symbols are offered as a filter."""
Source = tuple[type[DealRow | ReconciliationLogRow | AuditRow | CloseJobRow], str, dict[str, Any]]


class HistoryAsk(Struct, frozen=True, kw_only=True):
    """Which page of whose history. `symbol_id` is a deal whose symbol is meant, 0 for all."""

    account_id: int
    filter: HistoryFilter = HistoryFilter.ALL
    symbol_id: int = 0
    page: int = 0
    as_of: datetime | None = None


class History:
    """Answers with pages; changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def first_page(self, person: Person, login: int | None) -> HistoryPage:
        """The newest page of an account, the person's first without a login. Raises Refused."""
        async with self._store.reading() as tx:
            account = await account_with(tx, person, login)
            return await self._page(tx, person, account, HistoryAsk(account_id=account.id))

    async def page(self, person: Person, ask: HistoryAsk) -> HistoryPage:
        """One page. Raises Refused: not_yours, not_found, list_expired."""
        async with self._store.reading() as tx:
            account = await account_of(tx, person, ask.account_id)
            return await self._page(tx, person, account, ask)

    async def symbols(self, person: Person, account_id: int) -> tuple[tuple[int, str], ...]:
        """The symbols last traded, newest first, each with a deal that had it. Raises Refused."""
        async with self._store.reading() as tx:
            account = await account_of(tx, person, account_id)
            since = None if person.is_admin else account.owned_since
            deals = await tx.find(
                DealRow,
                account_id=account.id,
                **({} if since is None else {"executed_at__ge": since}),
                symbol__ne="",
                order_by="-id",
                limit=SYMBOL_DEALS_MAX,
            )
        found: dict[str, int] = {}
        for deal in deals:
            found.setdefault(deal.symbol, deal.id)
        return tuple((deal_id, symbol) for symbol, deal_id in found.items())[:SYMBOLS_MAX]

    async def _page(
        self, tx: Transaction, person: Person, account: AccountRow, ask: HistoryAsk
    ) -> HistoryPage:
        now = self._clock.now()
        as_of = min(ask.as_of or now, now)
        if now - as_of > AS_OF_LIFE:
            raise Refused("list_expired", at=as_of)
        symbol = await _symbol(tx, account.id, ask.symbol_id)
        since = None if person.is_admin else account.owned_since
        sources = _sources(account, ask.filter, symbol, as_of, since)
        counts = [await tx.count(kind, **where) for kind, _, where in sources]
        total = sum(counts)
        every = max(1, -(-(total - LAST_LINES_MORE) // PAGE_LINES))
        pages = min(every, PAGES_MAX)
        page = min(max(ask.page, 0), pages - 1)
        take = PAGE_LINES + (LAST_LINES_MORE if page + 1 == every else 0)
        state = await tx.get(AccountStateRow, account.id)
        return HistoryPage(
            account_id=account.id,
            login=account.login,
            currency=account.currency,
            own=account.id in person.account_ids,
            filter=ask.filter,
            symbol=symbol,
            symbol_id=ask.symbol_id,
            page=page,
            pages=pages,
            total=total,
            is_cut=every > pages,
            lines=tuple(await _lines(tx, account.id, sources, page * PAGE_LINES, take)),
            as_of=as_of,
            observed_at=state.observed_at if state else None,
            unavailable_since=state.unavailable_since if state else None,
            accounts=await _own_accounts(tx, person),
        )


async def _own_accounts(tx: Transaction, person: Person) -> tuple[tuple[int, int], ...]:
    rows = await tx.find(AccountRow, id=person.account_ids) if person.account_ids else []
    return tuple((row.id, row.login) for row in rows)


async def _symbol(tx: Transaction, account_id: int, deal_id: int) -> str:
    """The symbol that a deal stands for. Raises Refused not_found for another account's."""
    if not deal_id:
        return ""
    deal = await tx.get(DealRow, deal_id)
    if deal is None or deal.account_id != account_id:
        raise Refused("not_found")
    return deal.symbol


def _sources(
    account: AccountRow,
    wanted: HistoryFilter,
    symbol: str,
    as_of: datetime,
    since: datetime | None,
) -> list[Source]:
    """The rows that hold what is wanted: (kind, the column of its time, conditions)."""
    named = {"symbol": symbol} if symbol else {}
    deals: dict[str, Any] = {"account_id": account.id, "seen_at__le": as_of, **named}
    logs: dict[str, Any] = {"account_id": account.id, "created_at__le": as_of, **named}
    if since is not None:  # an account that had another owner before
        deals |= {"executed_at__ge": since}
        logs |= {"created_at__ge": since}
    differences: Source = (
        ReconciliationLogRow,
        "created_at",
        {**logs, "event_type": "sync", "divergence_reason": h.DIFFERENCES},
    )
    match wanted:
        case HistoryFilter.OPENED:
            where = {**deals, "deal_type": h.TRADE_TYPES, "entry": DealEntry.IN}
            return [(DealRow, "executed_at", where)]
        case HistoryFilter.CLOSED:
            exits = tuple(sorted(DealEntry.EXITS))
            return [(DealRow, "executed_at", {**deals, "deal_type": h.TRADE_TYPES, "entry": exits})]
        case HistoryFilter.MONEY:
            where = {**deals, "deal_type__gt": max(h.TRADE_TYPES)}
            return [(DealRow, "executed_at", where)]
        case HistoryFilter.DIFFERENCES:
            return [differences]
        case HistoryFilter.ALL:
            return [(DealRow, "executed_at", deals), differences, *_guarding(symbol, logs)]


def _guarding(symbol: str, logs: dict[str, Any]) -> list[Source]:
    """Failed reads, warnings, locks and releases, and what guards closed."""
    failed = {**logs, "divergence_reason": None, "event_type": "sync", "status": "failed"}
    whole = {name: logs[name] for name in logs if name.startswith(("account", "created"))}
    sources: list[Source] = [
        (ReconciliationLogRow, "created_at", failed),
        (CloseJobRow, "created_at", {**whole, "scope": symbol} if symbol else whole),
    ]
    if not symbol:  # these are about the whole account
        sources.append((AuditRow, "created_at", {**whole, "action": tuple(h.DECISIONS)}))
    return sources


async def _lines(
    tx: Transaction, account_id: int, sources: Sequence[Source], skip: int, take: int
) -> list[HistoryLine]:
    """The page's lines: each source gives its newest rows up to the page's end."""
    found = []
    for kind, time, where in sources:
        rows: list[Any] = await tx.find(kind, order_by=f"-{time}", limit=skip + take, **where)
        found.append(await _as_lines(tx, account_id, rows))
    return h.merged(found, skip=skip, take=take)


async def _as_lines(tx: Transaction, account_id: int, rows: Sequence[Any]) -> list[HistoryLine]:
    deals = [row for row in rows if isinstance(row, DealRow)]
    positions = tuple({deal.position_id for deal in deals if deal.position_id})
    trades = await tx.find(TradeRow, account_id=account_id, position_id=positions)
    sent = await tx.find(CloseOrderRow, account_id=account_id, position_id=positions)
    signals = {trade.position_id: trade.signal_id for trade in trades}
    ours = {order.position_id for order in sent}
    return [_line(row, signals, ours) for row in rows]


def _line(
    row: DealRow | ReconciliationLogRow | AuditRow | CloseJobRow,
    signals: dict[int | None, int | None],
    ours: set[int],
) -> HistoryLine:
    match row:
        case DealRow():
            signal_id = signals.get(row.position_id)
            return h.of_deal(deal_of(row), ours=row.position_id in ours, signal_id=signal_id)
        case ReconciliationLogRow():
            return h.of_log(row)
        case AuditRow():
            return h.of_link(row)
        case CloseJobRow():
            return h.of_job(row)
