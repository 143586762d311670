"""Ends of positions that are no trade's: those that were told of, and those nobody had seen.

Invariants:

1. A position ends once: when its deals account for all its lots, and not before (law 14).
2. One that was told of and is gone without deals is waited for, and then given up. Its end is told
   when the deals come, however late.
3. A position that was opened and closed between two readings ends like any other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from core.domain.broker import ZERO, AccountSnapshot, Deal, DealEntry
from core.domain.closures import explain, is_square
from core.domain.findings import Closure, Finding, Kind
from core.domain.operations import Operation, operation_of
from core.records import EpisodeRow

UNMATCHED_KINDS = frozenset(
    {
        Kind.UNKNOWN_POSITION.value,
        Kind.DUPLICATE_EXECUTION.value,
        Kind.SYMBOL_MISMATCH.value,
    }
)


class Vanished(Struct, frozen=True, kw_only=True):
    """What became of positions that are no trade's.

    `carried` are the findings of those whose deals are waited for, `absent` for how many readings
    by now; `closures` are the ends. Both mappings are by position identifier, as text.
    """

    carried: tuple[Finding, ...]
    closures: Mapping[str, Closure]
    absent: Mapping[str, int]


def vanished(
    episodes: Iterable[EpisodeRow],
    snapshot: AccountSnapshot,
    deals: Mapping[int, Sequence[Deal]],
    closed_by_us: Collection[int],
    absent: Mapping[str, int],
    observations_min: int,
) -> Vanished:
    """What became of the positions told of in `episodes`: explained, waited for, or given up on.

    `absent` counts the readings before this one without a position and its deals.
    """
    there = {str(p.identifier) for p in snapshot.positions}
    carried: list[Finding] = []
    closures: dict[str, Closure] = {}
    counts: dict[str, int] = {}
    for episode in episodes:
        if episode.kind not in UNMATCHED_KINDS or episode.subject in there:
            continue
        position_id = int(episode.subject)
        finding = msgspec.convert(episode.detail, Finding, strict=False)
        closure = explain(
            deals.get(position_id, ()), held=finding.volume, ours=position_id in closed_by_us
        )
        count = absent.get(episode.subject, 0) + 1
        if closure is not None:
            closures[episode.subject] = closure
        elif count < observations_min:
            counts[episode.subject] = count
            carried.append(finding)
    return Vanished(carried=tuple(carried), closures=closures, absent=counts)


def unseen_ends(
    new_deals: Iterable[Deal],
    deals: Mapping[int, Sequence[Deal]],
    closed_by_us: Collection[int],
    known: Collection[int],
) -> dict[str, Closure]:
    """The ends that `new_deals` complete, of positions that are not `known`.

    `known` are those that are there, that a trade names or that an episode is about: their ends are
    told elsewhere. `deals` must hold all that was ever booked of the others. Where no deal opened a
    position it is older than the books, and what is left of it cannot be told. Where buys and sells
    are not equal, a deal is late: of a position that was turned round, the one that turned it.
    """
    ends: dict[str, Closure] = {}
    for position_id in {d.position_id for d in new_deals if operation_of(d) is Operation.TRADE}:
        if position_id in known:
            continue
        own = deals.get(position_id, ())
        if all(d.entry != DealEntry.IN for d in own) or not is_square(own):
            continue
        closure = explain(own, held=ZERO, ours=position_id in closed_by_us)
        if closure is not None:
            ends[str(position_id)] = closure
    return dict(sorted(ends.items(), key=lambda end: int(end[0])))
