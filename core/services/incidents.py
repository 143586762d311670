"""Incidents: what the rows and the audit say of one close job, for who may see its account."""

from typing import Any, Final

from core.domain import audit_words as words
from core.domain.audit import SYSTEM, AuditKeys
from core.domain.audit_check import ChainCheck
from core.domain.incident import Incident, IncidentLine
from core.domain.people import Person
from core.ports import Clock, Store, Transaction
from core.records import (
    AccountRow,
    AuditRow,
    CloseJobRow,
    CloseOrderRow,
    DrawdownAlertRow,
    MarketWarningRow,
    UserRow,
)
from core.services.close_reports import exits_of
from core.services.errors import Refused
from core.services.owning import visible_from

LIST_MAX: Final = 10
"""Incidents of one list, the newest."""
LOOKED_AT_MAX: Final = 100
"""Jobs looked through for those of an account's owner of today."""
LINKS_MAX: Final = 1_000
"""Links of one document."""
ORDERS_MAX: Final = 1_000
CANDIDATES_MAX: Final = 50
"""Links from a job's beginning on among which its own first one is looked for."""
TOLD_AFTER_MAX: Final = 20
"""Links about messages after the last one of an incident that belong to it."""
MARKET_LINKS_MAX: Final = 200
"""Links of the system's chain looked through for those about one market warning."""
MARKET: Final = (words.MARKET_WARNED, words.MARKET_ANSWERED, words.MARKET_RESOLVED)
TRIGGERS: Final = (words.GUARD_BREACHED, words.LATCH_REAPPEARED, words.CLOSE_STARTED)
ENDS: Final = (words.GUARD_BREACHED, words.LATCH_RELEASED)


class Incidents:
    """Answers; changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def latest(self, person: Person) -> tuple[IncidentLine, ...]:
        """The newest incidents of the person's own accounts; of all for an admin."""
        where: dict[str, Any] = {} if person.is_admin else {"account_id": person.account_ids}
        async with self._store.reading() as tx:
            jobs = await tx.find(CloseJobRow, order_by="-id", limit=LOOKED_AT_MAX, **where)
            accounts, clients = await _whose(tx, {job.account_id for job in jobs})
        seen = [j for j in jobs if j.created_at >= visible_from(accounts[j.account_id], person)]
        return tuple(
            IncidentLine(
                number=job.id,
                login=accounts[job.account_id].login,
                client=clients[accounts[job.account_id].user_id],
                currency=accounts[job.account_id].currency,
                reason=job.reason,
                scope=job.scope,
                state=job.state,
                at=job.created_at,
                finished_at=job.finished_at,
            )
            for job in seen[:LIST_MAX]
        )

    async def one(self, person: Person, number: int) -> Incident:
        """One incident. Raises Refused: not_yours (of a client, whether it exists or not)."""
        async with self._store.reading() as tx:
            job = await tx.get(CloseJobRow, number)
            own = job is not None and job.account_id in person.account_ids
            if job is None and person.is_admin:
                raise Refused("not_found", incident=number)
            if job is None or not (own or person.is_admin):
                raise Refused("not_yours", incident=number)
            accounts, clients = await _whose(tx, {job.account_id})
            account = accounts[job.account_id]
            if job.created_at < visible_from(account, person):
                raise Refused("not_yours", incident=number)  # it happened to its owner before
            orders = await tx.find(CloseOrderRow, job_id=job.id, limit=ORDERS_MAX)
            links, broken = await _links(tx, job)
            market, market_broken = await _market(tx, job, links)
            return Incident(
                login=account.login,
                server=account.server,
                client=clients[account.user_id],
                currency=account.currency,
                own=own,
                time_zone=person.time_zone,
                made_at=self._clock.now(),
                job=job,
                execution=await tx.first(DrawdownAlertRow, job_id=job.id, alert_type="execution"),
                orders=tuple(orders),
                deals=tuple(await exits_of(tx, job)),
                links=tuple(links[:LINKS_MAX]),
                market=market,
                market_broken=market_broken,
                left_out=len(links) > LINKS_MAX,
                broken=broken,
            )


async def _whose(
    tx: Transaction, account_ids: set[int]
) -> tuple[dict[int, AccountRow], dict[int, str]]:
    accounts = {row.id: row for row in await tx.find(AccountRow, id=tuple(account_ids))}
    owners = {account.user_id for account in accounts.values()}
    return accounts, {row.id: row.name for row in await tx.find(UserRow, id=tuple(owners))}


async def _links(tx: Transaction, job: CloseJobRow) -> tuple[list[AuditRow], tuple[int, ...]]:
    """The job's part of its account's chain, and what of it does not hold."""
    own: dict[str, Any] = {"account_id": job.account_id}
    candidates = await tx.find(
        AuditRow,
        order_by="sequence",
        limit=CANDIDATES_MAX,
        action=TRIGGERS,
        created_at__ge=job.created_at,
        **own,
    )
    trigger = next((link for link in candidates if link.detail.get("job") == job.id), None)
    if trigger is None:
        return [], ()
    first = await _warning(tx, trigger) if trigger.action == words.GUARD_BREACHED else trigger
    last = await _last(tx, job, trigger)
    links = await tx.find(
        AuditRow,
        order_by="sequence",
        limit=LINKS_MAX + 1,
        sequence__ge=first.sequence,
        sequence__le=last,
        **own,
    )
    before = await tx.first(AuditRow, sequence=first.sequence - 1, **own)
    return links, _broken(links, before, tx.audit_keys)


async def _warning(tx: Transaction, breach: AuditRow) -> AuditRow:
    """The warning that came before a breach; the breach itself where none did."""
    own: dict[str, Any] = {"account_id": breach.account_id, "sequence__lt": breach.sequence}
    warning = await tx.first(AuditRow, action=words.GUARD_WARNED, order_by="-sequence", **own)
    if warning is None:
        return breach
    between = await tx.first(AuditRow, action=ENDS, sequence__gt=warning.sequence, **own)
    return breach if between is not None else warning


async def _last(tx: Transaction, job: CloseJobRow, trigger: AuditRow) -> int:
    """Where the incident ends in the chain: at the release, at the proof, or not yet."""
    after: dict[str, Any] = {"account_id": job.account_id, "sequence__gt": trigger.sequence}
    if trigger.action == words.CLOSE_STARTED:  # a market guard's: it locks nothing
        proofs = await tx.find(
            AuditRow, action=words.CLOSE_CONFIRMED, order_by="sequence", limit=LIST_MAX, **after
        )
        end = next((p for p in reversed(proofs) if p.detail.get("job") == job.id), None)
    else:
        end = await tx.first(AuditRow, action=words.LATCH_RELEASED, order_by="sequence", **after)
    if end is None:
        newest = await tx.first(AuditRow, order_by="-sequence", **after)
        return trigger.sequence if newest is None else newest.sequence
    last = end.sequence
    for link in await tx.find(
        AuditRow,
        order_by="sequence",
        limit=TOLD_AFTER_MAX,
        account_id=job.account_id,
        sequence__gt=last,
    ):
        if link.action != words.ALERT_SENT:
            break
        last = link.sequence
    return last


async def _market(
    tx: Transaction, job: CloseJobRow, links: list[AuditRow]
) -> tuple[tuple[AuditRow, ...], tuple[int, ...]]:
    """The system's links about the warning a market guard's job came from, and those not sound."""
    number = next((n for link in links if (n := link.detail.get("warning"))), None)
    warning = None if number is None else await tx.get(MarketWarningRow, number)
    if warning is None:
        return (), ()
    until = job.created_at if warning.resolved_at is None else warning.resolved_at
    about = [
        link
        for link in await tx.find(
            AuditRow,
            order_by="sequence",
            limit=MARKET_LINKS_MAX,
            account_id=SYSTEM,
            action=MARKET,
            created_at__ge=warning.opened_at,
            created_at__le=max(until, job.created_at),
        )
        if link.detail.get("warning") == number
    ]
    broken: list[int] = []
    for link in about:
        before = await tx.first(AuditRow, account_id=SYSTEM, sequence=link.sequence - 1)
        broken += _broken([link], before, tx.audit_keys)
    return tuple(about), tuple(broken)


def _broken(links: list[AuditRow], before: AuditRow | None, keys: AuditKeys) -> tuple[int, ...]:
    if not links:
        return ()
    check = ChainCheck(links[0].account_id, keys, after=before)
    for link in links:
        check.feed(link)
    check.finish()
    return tuple(sorted({finding.sequence for finding in check.findings}))
