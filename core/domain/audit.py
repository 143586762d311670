"""The audit chain: each link's hash covers its content and the hash before it, under a key.

Whoever may write the database but has no key cannot make a link that holds. Rows removed from the
end leave a shorter, sound chain: only a head kept elsewhere tells that (docs/audit.md).
`core.domain.audit_check` looks at a whole chain.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Protocol

GENESIS = "0" * 64
"""What stands for the hash before the first link."""

SYSTEM = 0
"""The account id of the chain that belongs to no account."""

UNKEYED, KEYED = 1, 2
"""Versions of a link: plain SHA-256, as before there was a key, and HMAC-SHA256 (RFC 2104)."""

SECRET_BYTES = 32
"""The length of a key: that of SHA-256's output (RFC 2104, section 3)."""


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

    @property
    def version(self) -> int:
        """UNKEYED or KEYED."""
        ...

    @property
    def key_id(self) -> str | None:
        """Which key made the hash; None for an unkeyed link."""
        ...


class AuditKey:
    """A key to the chains. `id` names it and tells nothing of it."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"an audit key has {SECRET_BYTES} bytes")
        self._secret = secret
        self.id = self.sign(b"the name of this key")[:16]

    def sign(self, content: bytes) -> str:
        """HMAC-SHA256, as hexadecimal digits."""
        return hmac.new(self._secret, content, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return f"AuditKey({self.id})"


class AuditKeys(Protocol):
    """The keys that there are."""

    def newest(self) -> AuditKey:
        """The key of chains that begin now."""
        ...

    def find(self, key_id: str) -> AuditKey | None:
        """The key with this id; None where it is not known."""
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


def digest(link: Link, key: AuditKey | None = None) -> str:
    """Give the hash that a link should carry, over its other fields as canonical JSON.

    A keyed link's covers its version and the key's id too. The row's `id` is not covered: the
    database chooses it after the hash is known. Raises ValueError for a keyed link without its key.
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
    if link.version == UNKEYED:
        return hashlib.sha256(canonical(content)).hexdigest()
    if key is None:
        raise ValueError("a keyed link needs its key")
    return key.sign(canonical({**content, "version": link.version, "key_id": link.key_id}))


def canonical(content: Mapping[str, object]) -> bytes:
    """The one way to write a JSON object: keys in order, no spaces, ASCII."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def vouched(account_id: int, sequence: int, prev_hash: str, old: AuditKey, new_id: str) -> str:
    """What the old key says of a change to a new one, at this place of this chain."""
    content = {
        "account_id": account_id,
        "sequence": sequence,
        "prev_hash": prev_hash,
        "from": old.id,
        "to": new_id,
    }
    return old.sign(b"change of key " + canonical(content))


def _instant(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} is not an aware instant")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
