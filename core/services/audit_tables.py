"""Hold the rows of other tables against what the audit says of them.

Covered: each close order as intended and as answered, each close job and drawdown execution as
triggered and as confirmed. A row that the chain does not know of was written around it, or its
links were removed from the end.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.domain import audit_words as words
from core.domain.audit import plain
from core.domain.audit_check import FINDINGS_MAX, TamperFinding, Tampering
from core.ports import Transaction
from core.records import AuditRow, CloseJobRow, CloseOrderRow, DrawdownAlertRow, Record

JOBS_AT_ONCE: Final = 500
INTENDED: Final = ("action", "ticket", "attempt", "volume")
ANSWERED: Final = ("ticket", "retcode", "deal", "price", "error")
TRIGGERED: Final = {"equity": "equity_at_trigger", "drawdown_percent": "drawdown_percent"}
EXECUTED: Final = {
    "equity": "equity",
    "drawdown_percent": "drawdown_percent",
    "limit_percent": "threshold_percent",
}


class _Confirmed(NamedTuple):
    """What the report of a proved-flat job said, and in which link."""

    sequence: int
    closed: int
    result: Decimal


class TableCheck:
    """Feed the links of one chain in pages, then `finish`."""

    def __init__(self, account_id: int) -> None:
        self.left_out = 0
        self._account_id = account_id
        self._found: list[TamperFinding] = []
        self._last_order = 0
        self._confirmed: dict[int, _Confirmed] = {}

    async def feed(self, tx: Transaction, links: Sequence[AuditRow]) -> None:
        """Hold the rows that these links speak of against them."""
        intended = [link for link in links if link.action == words.CLOSE_INTENDED]
        self._last_order = max([self._last_order, *_numbers(intended, "order")])
        orders = await _those(tx, CloseOrderRow, _numbers(links, "order"))
        jobs = await _those(tx, CloseJobRow, _numbers(links, "job"))
        executions = {
            row.job_id: row
            for row in await tx.find(DrawdownAlertRow, job_id=tuple(jobs), alert_type="execution")
        }
        for link in links:
            try:
                self._look(link, orders, jobs, executions)
            except (KeyError, TypeError, ValueError, ArithmeticError) as error:
                # Only an unkeyed link can hold and be nothing that we wrote.
                self._find(link.sequence, f"its detail cannot be read ({error!r})")

    def _look(
        self,
        link: AuditRow,
        orders: dict[int, CloseOrderRow],
        jobs: dict[int, CloseJobRow],
        executions: dict[int | None, DrawdownAlertRow],
    ) -> None:
        detail = link.detail
        match link.action:
            case words.CLOSE_INTENDED:
                self._order(link, orders, {name: name for name in INTENDED})
            case words.CLOSE_ANSWERED:
                self._order(link, orders, {name: name for name in ANSWERED})
            case words.GUARD_BREACHED if detail.get("job") is not None:
                self._row(link, jobs.get(_number(detail, "job")), CloseJobRow, TRIGGERED)
                execution = executions.get(_number(detail, "job"))
                self._row(link, execution, DrawdownAlertRow, EXECUTED)
            case words.CLOSE_CONFIRMED:
                # Late deals complete an earlier report: the last one counts.
                self._confirmed[_number(detail, "job")] = _confirmed(link)
            case _:
                pass

    async def finish(self, tx: Transaction) -> tuple[TamperFinding, ...]:
        """What was found, with the close orders that no link speaks of.

        In the same reading as the last page: what is written later is not looked at.
        """
        jobs = tuple(self._confirmed)
        for at in range(0, len(jobs), JOBS_AT_ONCE):
            for row in await tx.find(
                DrawdownAlertRow, job_id=jobs[at : at + JOBS_AT_ONCE], alert_type="execution"
            ):
                self._closed(row)
        count = await tx.count(CloseOrderRow, account_id=self._account_id, id__gt=self._last_order)
        if count:
            self._find(0, f"{count} close_orders after {self._last_order} that no link speaks of")
        return tuple(self._found)

    def unreadable(self, sequence: int, text: str) -> tuple[TamperFinding, ...]:
        """Take note of a row that cannot be read, near what this link speaks of."""
        self._find(sequence, text)
        return tuple(self._found)

    def _order(
        self, link: AuditRow, orders: dict[int, CloseOrderRow], columns: dict[str, str]
    ) -> None:
        row = orders.get(_number(link.detail, "order"))
        self._row(link, row, CloseOrderRow, columns)

    def _row(
        self,
        link: AuditRow,
        row: Record | None,
        kind: type[Record],
        columns: dict[str, str],
    ) -> None:
        if row is None:
            self._find(link.sequence, f"its row of {kind.table} is not there")
            return
        for name, column in columns.items():
            if name in link.detail and not _same(link.detail[name], getattr(row, column)):
                said, is_now = _figure(link.detail[name]), _figure(getattr(row, column))
                where = f"{kind.table} {row.id}: {column}"
                self._find(link.sequence, f"{where} is {is_now}, was {said}")

    def _closed(self, row: DrawdownAlertRow) -> None:
        said = self._confirmed[row.job_id or 0]
        where = f"{DrawdownAlertRow.table} {row.id}"
        for name, was, is_now in (
            ("positions_closed_count", said.closed, row.positions_closed_count),
            ("total_loss", said.result, row.total_loss),
        ):
            if was != is_now:
                self._find(
                    said.sequence, f"{where}: {name} is {_figure(is_now)}, was {_figure(was)}"
                )

    def _find(self, sequence: int, text: str) -> None:
        if len(self._found) >= FINDINGS_MAX:
            self.left_out += 1
            return
        self._found.append(
            TamperFinding(
                account_id=self._account_id, sequence=sequence, kind=Tampering.TABLE, text=text
            )
        )


def _confirmed(link: AuditRow) -> _Confirmed:
    tickets = link.detail["tickets"]
    closed = sum(ticket["outcome"] == "closed" for ticket in tickets)
    profits = [Decimal(t["profit"]) for t in tickets if t["profit"] is not None]
    return _Confirmed(link.sequence, closed, sum(profits, Decimal(0)))


async def _those(tx: Transaction, kind: type[Any], ids: Iterable[int]) -> dict[int, Any]:
    wanted = tuple(ids)
    return {row.id: row for row in await tx.find(kind, id=wanted)} if wanted else {}


def _numbers(links: Sequence[AuditRow], name: str) -> set[int]:
    return {_number(link.detail, name) for link in links if name in link.detail} - {0}


def _number(detail: dict[str, Any], name: str) -> int:
    value = detail.get(name)
    return value if isinstance(value, int) else 0


def _figure(value: object) -> object:
    """A value as it is told: amounts without needless zeros."""
    try:
        amount = Decimal(value) if isinstance(value, str | Decimal) else None
    except ArithmeticError:
        return value
    return plain(value) if amount is None else f"{amount.normalize():f}"


def _same(said: object, value: object) -> bool:
    """Whether a column still has the value that a link wrote down; amounts by what they are."""
    if isinstance(value, Decimal) and isinstance(said, str):
        return Decimal(said) == value
    if isinstance(value, datetime):
        return bool(said == plain(value))
    return bool(said == value)
