"""The audit chain: each link's hash covers its content and the hash before it.

A row changed, removed from the middle, inserted or reordered breaks the chain at that place. Rows
removed from the end leave a shorter, sound chain: only a hash kept elsewhere tells that.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Protocol

GENESIS = "0" * 64
"""What stands for the hash before the first link."""

SYSTEM = 0
"""The account id of the chain that belongs to no account."""


class Link(Protocol):
    """What a row of the chain must show (`core.records.AuditRow` does)."""

    @property
    def account_id(self) -> int:
        """Whose chain; 0 is the system's."""
        ...

    @property
    def sequence(self) -> int:
        """The place in the chain, from 1."""
        ...

    @property
    def actor(self) -> str:
        """Who did it."""
        ...

    @property
    def action(self) -> str:
        """What was done."""
        ...

    @property
    def detail(self) -> dict[str, Any]:
        """The figures and reasons."""
        ...

    @property
    def created_at(self) -> datetime:
        """When, UTC."""
        ...

    @property
    def prev_hash(self) -> str:
        """The hash of the link before."""
        ...

    @property
    def hash(self) -> str:
        """The hash of this link."""
        ...


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is what it is
    """Bring a value to the JSON that both databases give back unchanged.

    Decimals become text as written, instants ISO text in UTC, tuples lists. Raises ValueError for
    floats (money is never one, and PostgreSQL rewrites them), naive instants, keys that are not
    text, and anything else.
    """
    if value is None or type(value) in {bool, int, str}:
        return value
    if isinstance(value, StrEnum | IntEnum):
        return value.value
    if isinstance(value, Decimal | datetime):
        return format(value, "f") if isinstance(value, Decimal) else _instant(value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {str(key): plain(each) for key, each in value.items()}
    raise ValueError(f"{value!r} has no place in an audit row")


def digest(link: Link) -> str:
    """Give the hash that a link should carry: sha256 over its other fields as canonical JSON.

    The row's `id` is not covered: the database chooses it after the hash is known.
    """
    content = {
        "account_id": link.account_id,
        "sequence": link.sequence,
        "actor": link.actor,
        "action": link.action,
        "detail": plain(link.detail),
        "created_at": _instant(link.created_at),
        "prev_hash": link.prev_hash,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def verify(rows: Iterable[Link]) -> int | None:
    """Give the sequence at which one account's chain first breaks; None where it is sound.

    `rows` are all links of the chain, ordered by sequence. A missing link is named by the sequence
    it should have had.
    """
    expected = 1
    account_id: int | None = None
    prev_hash = GENESIS
    for row in rows:
        if account_id is None:
            account_id = row.account_id
        in_place = row.sequence == expected and row.account_id == account_id
        if not in_place or row.prev_hash != prev_hash or not _hash_holds(row):
            return expected
        prev_hash = row.hash
        expected += 1
    return None


def _hash_holds(row: Link) -> bool:
    try:
        return row.hash == digest(row)
    except ValueError:
        return False  # Something was put into it that `plain` never lets in.


def _instant(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} is not an aware instant")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
