"""An incident as the shell gets it, and the service that has it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain.audit import GENESIS, digest
from core.domain.broker import Deal
from core.domain.incident import Incident, IncidentLine
from core.domain.people import Person
from core.records import AuditRow, CloseJobRow, CloseOrderRow
from core.services.errors import Refused
from tests.fakes.audit_keys import AUDIT_KEYS
from tests.fakes.clock import START

JOB = CloseJobRow(
    id=17,
    account_id=7,
    trigger_key="drawdown:1",
    reason="drawdown",
    scope="account",
    state="flat",
    deadline_at=START,
    epoch=1,
    equity_at_trigger=Decimal(9580),
    drawdown_percent=Decimal("20.17"),
    limit_percent=Decimal(20),
    created_at=START,
    started_at=START + timedelta(seconds=10),
    finished_at=START + timedelta(seconds=12),
)


def link(sequence: int, action: str, **detail: Any) -> AuditRow:
    """A signed link, not linked to the one before."""
    key = AUDIT_KEYS.newest()
    row = AuditRow(
        account_id=7,
        sequence=sequence,
        actor="engine",
        action=action,
        detail=detail,
        created_at=START,
        prev_hash=GENESIS,
        hash="",
        version=2,
        key_id=key.id,
    )
    return replace(row, hash=digest(row, key))


def incident(**changes: Any) -> Incident:
    """Ann's gold, closed at 20 %, by one request after one refused."""
    order = CloseOrderRow(
        id=3,
        job_id=17,
        account_id=7,
        ticket=900,
        position_id=900,
        action="close",
        attempt=1,
        symbol="XAUUSD",
        side="buy",
        volume=Decimal("0.10"),
        filling=1,
        state="refused",
        retcode=10004,
        error="<requote>",
        epoch=1,
        created_at=START,
    )
    deal = Deal(
        ticket=901,
        order=0,
        position_id=900,
        deal_type=1,
        entry=1,
        reason=3,
        symbol="XAUUSD",
        volume=Decimal("0.10"),
        price=Decimal("1958.20"),
        profit=Decimal("-120.00"),
        commission=Decimal("-0.70"),
        swap=Decimal("-1.25"),
        fee=Decimal(0),
        magic=0,
        comment="",
        executed_at=START,
    )
    reading = {"equity": "9580", "received_at": START.isoformat(), "trusted": True}
    decided = {"reading": reading, "peak": "12000", "limits": {"max_drawdown_percent": "20"}}
    facts: dict[str, Any] = {
        "login": 50001,
        "server": "Reckoner-Demo",
        "client": "Ann <Smith>",
        "currency": "GBP",
        "own": True,
        "time_zone": "Europe/Prague",
        "made_at": START + timedelta(hours=1),
        "job": JOB,
        "execution": None,
        "orders": (order, replace(order, id=4, attempt=2, state="settled", retcode=10009)),
        "deals": (deal,),
        "links": (
            link(40, words.GUARD_BREACHED, job=17, inputs=decided),
            link(41, words.CLOSE_CONFIRMED, job=17, inputs=decided),
        ),
        "left_out": False,
        "broken": (),
    }
    return Incident(**{**facts, **changes})


class FakeIncidents:
    """Remembers who asked for which."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int | None]] = []

    async def latest(self, person: Person) -> tuple[IncidentLine, ...]:
        self.asked.append((person.telegram_id, None))
        line = IncidentLine(
            number=17,
            login=50001,
            client="Ann <Smith>",
            currency="GBP",
            reason="drawdown",
            scope="account",
            state="flat",
            at=START,
            finished_at=START,
        )
        return (line,)

    async def one(self, person: Person, number: int) -> Incident:
        self.asked.append((person.telegram_id, number))
        if 7 not in person.account_ids and not person.is_admin:
            raise Refused("not_yours")
        return incident()
