"""Look at one account's chain link by link, in bounded memory, and name what was done to it.

Without the key nobody can make a link that holds under its place, content and predecessor. So a
link that does not hold was changed or forged; one that holds elsewhere was moved; a number that no
link holds under is missing. What was removed from the end is told by a head kept elsewhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from core.domain import audit_words as words
from core.domain.audit import GENESIS, KEYED, UNKEYED, AuditKeys, Link, digest, vouched

HEAD_DIGITS = 16
"""Digits of a hash that are published: one in 2^64 is the chance of another with the same."""
FINDINGS_MAX = 100
"""Findings of one chain that are kept; the rest are counted."""
PLACES_MAX = 16
"""So many places before and after its own a link that does not hold is tried in."""
PENDING_MAX = 1_000
"""Gaps in the numbers that are remembered, in case their links turn up later."""


class Tampering(StrEnum):
    """What was done to a chain."""

    CHANGED = "changed"
    """A link does not hold: changed, or put there by somebody without the key."""
    INSERTED = "inserted"
    """A link that does not hold, and that the next one knows nothing of."""
    MISSING = "missing"
    """Links `sequence` to `other` are not there."""
    MOVED = "moved"
    """The link at `sequence` is the one that was made as `other`."""
    UNLINKED = "unlinked"
    """It holds, but the link before it is not the one it was made after."""
    KEY_UNKNOWN = "key_unknown"
    """From `sequence` on links are of a key that is not there; their content cannot be checked."""
    UNVOUCHED = "unvouched"
    """The key changes here and the key before does not vouch for it."""
    UNKEYED = "unkeyed"
    """No key vouches for the links up to `sequence`, or this one has none among keyed ones."""
    TRUNCATED = "truncated"
    """The chain ends before `sequence`, whose head is known; `other` is its last link."""
    HEAD_DIFFERS = "head_differs"
    """The link at `sequence` is not the one whose head is known."""
    UNREADABLE = "unreadable"
    """The link at `sequence` cannot even be read: something is in it that Reckoner never writes."""
    TABLE = "table"
    """A row of another table is not what the link at `sequence` says; `text` says which."""


class TamperFinding(Struct, frozen=True, kw_only=True):
    """One thing found, at `sequence` of a chain. `other` is a second number, `text` more words."""

    account_id: int
    sequence: int
    kind: Tampering
    other: int | None = None
    text: str = ""


class Head(Struct, frozen=True):
    """What a chain's link was once told to be: its number and the beginning of its hash."""

    sequence: int
    hash: str


class ChainCheck:
    """Feed every link of a chain in order of its number, then `finish`.

    `keys` None leaves keys unlooked at where all links are unkeyed. `heads` are what was published
    or kept of this chain: number and the beginning of the hash. With `after` it begins behind that
    link, and takes it for what it says.
    """

    def __init__(
        self,
        account_id: int,
        keys: AuditKeys | None,
        heads: Mapping[int, str] | None = None,
        *,
        after: Link | None = None,
    ) -> None:
        self.account_id = account_id
        self.links = 0
        self.head = Head(0, GENESIS)
        self.left_out = 0
        self._keys = keys
        self._heads = dict(heads or {})
        self._found: list[TamperFinding] = []
        self._waiting: Link | None = None
        self._last_hash = GENESIS
        self._last_bad = False
        self._highest = 0
        self._gaps: list[range] = []
        self._version = 0
        self._key_id: str | None = None
        self._unknown: str | None = None
        if after is not None:
            self.head = Head(after.sequence, after.hash)
            self._last_hash, self._highest = after.hash, after.sequence
            self._version, self._key_id = after.version, after.key_id

    @property
    def findings(self) -> tuple[TamperFinding, ...]:
        """What was found, in the order of the chain; at most FINDINGS_MAX."""
        return tuple(sorted(self._found, key=lambda f: f.sequence))

    def feed(self, link: Link) -> bool:
        """Take the next link; answers whether the one before it, if any, holds in its place."""
        before = self._waiting
        self._waiting = link
        return True if before is None else self._look(before, link)

    def unreadable(self, sequence: int, text: str) -> bool:
        """Take note of a link that cannot be read; answers whether the one before it holds."""
        before, self._waiting = self._waiting, None
        holds = True if before is None else self._look(before, None)
        self._find(Tampering.UNREADABLE, sequence, text=text)
        self._passed(sequence)
        self._heads.pop(sequence, None)
        self._last_bad = True
        self.links += 1
        self.head = Head(sequence, "")
        return holds

    def finish(self) -> bool:
        """Say what can only be said at the end; answers whether the last link holds."""
        holds = True
        if self._waiting is not None:
            holds = self._look(self._waiting, None)
            self._waiting = None
        for gap in self._gaps:
            self._find(Tampering.MISSING, gap.start, other=gap.stop - 1)
        for sequence in sorted(self._heads):
            if sequence > self.head.sequence:
                self._find(Tampering.TRUNCATED, sequence, other=self.head.sequence)
        if self._version == UNKEYED and self._keys is not None:
            self._find(Tampering.UNKEYED, self.head.sequence)
        return holds

    def _look(self, link: Link, following: Link | None) -> bool:
        found_before = len(self._found) + self.left_out
        place = self._place(link, following)
        if place is not None:
            self._passed(place)
        wanted = self._heads.pop(link.sequence, None)
        if wanted is not None and not link.hash.startswith(wanted):
            self._find(Tampering.HEAD_DIFFERS, link.sequence, text=wanted)
        self.links += 1
        self.head = Head(link.sequence, link.hash)
        self._last_hash = link.hash
        return len(self._found) + self.left_out == found_before

    def _place(self, link: Link, following: Link | None) -> int | None:
        """The number under which a link was made, and what is wrong with it; None for no place."""
        if link.version != UNKEYED and self._key_is_unknown(link):
            self._last_bad = False
            return link.sequence
        if self._holds(link, link.sequence):
            if link.sequence <= self.head.sequence:
                self._find(Tampering.MOVED, link.sequence, other=link.sequence)
            is_next = link.sequence == self._highest + 1
            if link.prev_hash != self._last_hash and is_next and not self._last_bad:
                self._find(Tampering.UNLINKED, link.sequence)
            self._follow_key(link)
            self._last_bad = False
            return link.sequence
        for place in self._others(link.sequence):
            if self._holds(link, place):
                self._find(Tampering.MOVED, link.sequence, other=place)
                self._last_bad = True
                return place
        if following is not None and following.prev_hash == self._last_hash != link.hash:
            self._find(Tampering.INSERTED, link.sequence)
            # As if it were not there: the next one follows the one before.
            self._last_bad = True
            return None
        self._find(Tampering.CHANGED, link.sequence)
        self._last_bad = True
        return link.sequence

    def _key_is_unknown(self, link: Link) -> bool:
        known = (
            self._keys is not None
            and link.version == KEYED
            and link.key_id is not None
            and self._keys.find(link.key_id) is not None
        )
        if known:
            return False
        name = str(link.key_id)
        if self._unknown != name:
            self._unknown = name
            self._find(Tampering.KEY_UNKNOWN, link.sequence, text=name)
        return True

    def _holds(self, link: Link, place: int) -> bool:
        if link.account_id != self.account_id:
            return False
        key = None
        if link.version != UNKEYED:
            key = None if self._keys is None else self._keys.find(link.key_id or "")
        try:
            return digest(_At(link, place), key) == link.hash
        except ValueError:
            return False  # Something was put into it that `plain` never lets in.

    def _others(self, place: int) -> Iterator[int]:
        """Where a link that does not hold in its place may have been made."""
        for gap in self._gaps:
            yield from gap[:PLACES_MAX]
        for far in range(1, PLACES_MAX + 1):
            yield place + far
            if place > far:
                yield place - far

    def _passed(self, place: int) -> None:
        """Note a number as there, and those that were jumped over as not there yet."""
        if place > self._highest:
            if place > self._highest + 1:
                gap = range(self._highest + 1, place)
                if len(self._gaps) < PENDING_MAX:
                    self._gaps.append(gap)
                else:
                    self._find(Tampering.MISSING, gap.start, other=gap.stop - 1)
            self._highest = place
            return
        for at, gap in enumerate(self._gaps):
            if place in gap:
                rest = (range(gap.start, place), range(place + 1, gap.stop))
                self._gaps[at : at + 1] = [part for part in rest if part]
                return

    def _follow_key(self, link: Link) -> None:
        """A key may change only where the one before says so."""
        if link.version == UNKEYED:
            if self._version == KEYED:
                self._find(Tampering.UNKEYED, link.sequence)
                return
        elif self._version == UNKEYED:
            if link.action != words.AUDIT_KEYED:
                self._find(Tampering.UNVOUCHED, link.sequence)
        elif self._version == KEYED and link.key_id != self._key_id and not self._is_vouched(link):
            self._find(Tampering.UNVOUCHED, link.sequence)
        self._version, self._key_id = link.version, link.key_id

    def _is_vouched(self, link: Link) -> bool:
        old = None if self._keys is None else self._keys.find(self._key_id or "")
        if old is None or link.action != words.AUDIT_KEY_CHANGED or link.key_id is None:
            return False
        says = vouched(link.account_id, link.sequence, link.prev_hash, old, link.key_id)
        return bool(link.detail.get("vouched") == says)

    def _find(
        self, kind: Tampering, sequence: int, *, other: int | None = None, text: str = ""
    ) -> None:
        if len(self._found) >= FINDINGS_MAX:
            self.left_out += 1
            return
        self._found.append(
            TamperFinding(
                account_id=self.account_id, sequence=sequence, kind=kind, other=other, text=text
            )
        )


class _At:
    """A link as if it stood in another place."""

    __slots__ = (
        "account_id",
        "action",
        "actor",
        "created_at",
        "detail",
        "hash",
        "key_id",
        "prev_hash",
        "sequence",
        "version",
    )

    def __init__(self, link: Link, sequence: int) -> None:
        self.account_id = link.account_id
        self.sequence = sequence
        self.actor = link.actor
        self.action = link.action
        self.detail = link.detail
        self.created_at = link.created_at
        self.prev_hash = link.prev_hash
        self.hash = link.hash
        self.version = link.version
        self.key_id = link.key_id


def verify(rows: Iterable[Link], keys: AuditKeys | None = None) -> int | None:
    """Give the first number at which one account's chain is not sound; None where it is."""
    check: ChainCheck | None = None
    for row in rows:
        check = check or ChainCheck(row.account_id, keys)
        check.feed(row)
    if check is None:
        return None
    check.finish()
    return min((finding.sequence for finding in check.findings), default=None)
