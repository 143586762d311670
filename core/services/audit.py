"""Write to the audit chain, inside the transaction that does what is audited."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from core.domain.audit import GENESIS, digest, plain
from core.ports import Transaction
from core.records import AuditRow


async def append(
    tx: Transaction,
    account_id: int,
    actor: str,
    action: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> AuditRow:
    """Append a link to the account's chain (0: the system's) and give it, without its id.

    The last link is read in the same writing transaction, and writers take turns, so links never
    fork. Raises ValueError for a detail that `core.domain.audit.plain` refuses.
    """
    last = await tx.first(AuditRow, account_id=account_id, order_by="-sequence")
    unsigned = AuditRow(
        account_id=account_id,
        sequence=1 if last is None else last.sequence + 1,
        actor=actor,
        action=action,
        detail=plain(detail),
        created_at=now,
        prev_hash=GENESIS if last is None else last.hash,
        hash="",
    )
    signed = replace(unsigned, hash=digest(unsigned))
    await tx.insert(signed)
    return signed
