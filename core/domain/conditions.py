"""What may be wrong with an account's figures as a whole, and the life of it.

Two conditions: a balance that its deals do not explain, and prices that stand still. Each is an
episode as a divergence is (law 4): told when it begins, when it grows worse, and when it is over.

Invariants:

1. The same conditions twice yield no second change.
2. A mismatch that lasts `ESCALATE_AFTER` is told once more, and then not again unless it changes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from core.domain.broker import ZERO, AccountSnapshot
from core.domain.episodes import Key
from core.domain.findings import Kind
from core.domain.freshness import still_since
from core.domain.ledger import LedgerMemory
from core.records import EpisodeRow

PNL_MISMATCH = Kind.PNL_MISMATCH.value
STALE_DATA = Kind.STALE_DATA.value
KINDS = frozenset({PNL_MISMATCH, STALE_DATA})
SUBJECT = "account"
ESCALATE_AFTER = timedelta(hours=4)
"""A mismatch that no deal has explained after this long is told once more."""


class Condition(Struct, frozen=True, kw_only=True, gc=False):
    """One condition as one reading shows it; `amount` in account currency, None where none.

    `material` is the part of it whose change is worth telling again.
    """

    kind: str
    since: datetime
    material: str
    amount: Decimal | None = None

    @property
    def key(self) -> Key:
        """What makes it the same condition as in the last reading."""
        return (self.kind, SUBJECT)


class Begun(Struct, frozen=True, gc=False):
    """A condition that was not there before."""

    condition: Condition


class Worse(Struct, frozen=True, gc=False):
    """A condition that is another than it was, or has lasted long."""

    episode: EpisodeRow
    condition: Condition


class Over(Struct, frozen=True, gc=False):
    """A condition that has ended."""

    episode: EpisodeRow


Change = Begun | Worse | Over


def mismatch(
    memory: LedgerMemory,
    before: LedgerMemory,
    episode: EpisodeRow | None,
    now: datetime,
    *,
    deals_awaited: bool,
) -> Condition | None:
    """The balance is not what its deals say, for longer than they are waited for.

    `deals_awaited`: a close of our own is still to show its deals; its report tells of them.
    """
    if memory.written_off == 0 or (deals_awaited and episode is None):
        return None
    long = episode is not None and now - episode.opened_at >= ESCALATE_AFTER
    return Condition(
        kind=PNL_MISMATCH,
        since=_since(episode) or before.unexplained_since or now,
        material=f"{memory.written_off.normalize():f}" + (" long" if long else ""),
        amount=memory.written_off,
    )


def still(snapshot: AccountSnapshot, episode: EpisodeRow | None) -> Condition | None:
    """The prices stand still in a session."""
    since = still_since(snapshot, told=episode is not None)
    if since is None:
        return None
    return Condition(kind=STALE_DATA, since=_since(episode) or since, material="still")


def follow(
    episodes: Mapping[Key, EpisodeRow], conditions: Iterable[Condition]
) -> tuple[Change, ...]:
    """What happened between the open episodes and this reading's conditions."""
    changes: list[Change] = []
    seen: set[Key] = set()
    for condition in conditions:
        seen.add(condition.key)
        episode = episodes.get(condition.key)
        if episode is None:
            changes.append(Begun(condition))
        elif episode.material != condition.material:
            changes.append(Worse(episode, condition))
    mine = (row for key, row in episodes.items() if key[0] in KINDS and key not in seen)
    return (*changes, *(Over(row) for row in mine))


def amount_of(episode: EpisodeRow) -> Decimal:
    """The amount an episode was last told with."""
    return Decimal(str(episode.detail.get("amount") or ZERO))


def since_of(episode: EpisodeRow) -> datetime:
    """Since when the condition of an episode has held."""
    return _since(episode) or episode.opened_at


def _since(episode: EpisodeRow | None) -> datetime | None:
    text = None if episode is None else episode.detail.get("since")
    return None if text is None else datetime.fromisoformat(str(text))
