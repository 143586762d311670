"""Put the chains under a first key, and under a new one (docs/audit.md).

A chain is under the key of its last link. Both changes are links of their own, all in one commit.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain.audit import AuditKey, AuditKeys, vouched
from core.ports import KeysUnusable, Store, Transaction
from core.records import AuditRow
from core.services import audit

KEY_LOST: Final = (
    "the audit is under key {key_id}, which is not there: bring audit.keys back from its copy; "
    "only if it is lost for good: python -m bot audit new-key"
)


async def chains(tx: Transaction) -> AsyncIterator[AuditRow]:
    """The last link of every chain, by account; each is found by the index."""
    after = -1
    while True:
        row = await tx.first(AuditRow, account_id__gt=after, order_by="account_id")
        if row is None:
            return
        after = row.account_id
        last = await audit.newest(tx, after)
        if last is not None:
            yield last


async def put_under_first(store: Store, key: AuditKey, actor: str, now: datetime) -> int:
    """Have the first key vouch for every unkeyed chain; answers how many links it vouches for.

    Raises KeysUnusable where a chain is under another key, and changes nothing then.
    """
    count = 0
    async with store.writing() as tx:
        for last in [row async for row in chains(tx)]:
            if last.key_id == key.id:
                continue  # an earlier start got this far
            if last.key_id is not None:
                raise KeysUnusable(KEY_LOST.format(key_id=last.key_id))
            detail = {"links": last.sequence}
            link = audit.following(last, last.account_id, key, words.AUDIT_KEYED, now)
            await audit.insert(tx, replace(link, actor=actor, detail=detail), key)
            count += last.sequence
    return count


async def change_key(
    store: Store, keys: AuditKeys, new: AuditKey, actor: str, now: datetime, *, lost: bool = False
) -> int:
    """Put every chain under a new key that the one before vouches for; answers how many.

    Raises KeysUnusable, and changes nothing, where the key before is not there, unless it is
    `lost`: then nobody vouches for the new one, and `verify` says so for ever.
    """
    count = 0
    async with store.writing() as tx:
        for last in [row async for row in chains(tx)]:
            if last.key_id == new.id:
                continue
            old = None if last.key_id is None else keys.find(last.key_id)
            if old is None and not lost:
                raise KeysUnusable(KEY_LOST.format(key_id=last.key_id))
            detail: dict[str, Any] = {"from": last.key_id, "to": new.id, "lost": old is None}
            if old is not None:
                place = (last.account_id, last.sequence + 1, last.hash)
                detail["vouched"] = vouched(*place, old, new.id)
            link = audit.following(last, last.account_id, new, words.AUDIT_KEY_CHANGED, now)
            await audit.insert(tx, replace(link, actor=actor, detail=detail), new)
            count += 1
    return count
