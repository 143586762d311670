"""Episodes: a difference is told when it begins, when it changes materially, and when it ends.

Invariants:

1. The same findings twice yield no second event (law 4).
2. `open` with the events applied equals the findings.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from core.domain.findings import Finding
from core.records import EpisodeRow

Key = tuple[str, str]


class Opened(Struct, frozen=True, gc=False):
    """A difference that was not there before."""

    finding: Finding


class Changed(Struct, frozen=True, gc=False):
    """A difference that is materially another than it was."""

    episode: EpisodeRow
    finding: Finding


class Resolved(Struct, frozen=True, gc=False):
    """A difference that is gone."""

    episode: EpisodeRow


Event = Opened | Changed | Resolved


def advance(episodes: Mapping[Key, EpisodeRow], findings: Iterable[Finding]) -> tuple[Event, ...]:
    """What happened between the open episodes and this reading's findings."""
    events: list[Event] = []
    seen: set[Key] = set()
    for finding in findings:
        if finding.key in seen:
            continue
        seen.add(finding.key)
        episode = episodes.get(finding.key)
        if episode is None:
            events.append(Opened(finding))
        elif episode.material != finding.material:
            events.append(Changed(episode, finding))
    events.extend(Resolved(row) for key, row in episodes.items() if key not in seen)
    return tuple(events)
