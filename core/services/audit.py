"""Write to the audit chain, inside the transaction that does what is audited."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from core.domain.audit import GENESIS, KEYED, AuditKey, digest, plain
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
    fork. It also says which key the chain is under: a change of key is a link of its own. Where
    that key is not there the newest one is taken: a chain that somebody touched is named by
    whoever verifies it, and keeps no guard from acting. Raises ValueError for a detail that
    `core.domain.audit.plain` refuses, and KeysUnusable where there is no key at all.
    """
    last = await newest(tx, account_id)
    keys = tx.audit_keys
    key = None if last is None or last.key_id is None else keys.find(last.key_id)
    link = following(last, account_id, key or keys.newest(), action, now)
    return await insert(tx, replace(link, actor=actor, detail=plain(detail)), key or keys.newest())


async def newest(tx: Transaction, account_id: int) -> AuditRow | None:
    """The last link of a chain."""
    return await tx.first(AuditRow, account_id=account_id, order_by="-sequence")


def following(
    last: AuditRow | None, account_id: int, key: AuditKey, action: str, now: datetime
) -> AuditRow:
    """The link after `last`, without actor, detail and hash."""
    return AuditRow(
        account_id=account_id,
        sequence=1 if last is None else last.sequence + 1,
        actor="",
        action=action,
        detail={},
        created_at=now,
        prev_hash=GENESIS if last is None else last.hash,
        hash="",
        version=KEYED,
        key_id=key.id,
    )


async def insert(tx: Transaction, link: AuditRow, key: AuditKey) -> AuditRow:
    """Sign a link and insert it."""
    signed = replace(link, hash=digest(link, key))
    await tx.insert(signed)
    return signed
