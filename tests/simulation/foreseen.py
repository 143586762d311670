"""What positions that are gone without a deal had shown, by the broker's books, in fractions.

The rule of ADR 12 once more: lots that the committed reading before had, and this one has not, go
on counting with what they showed there, until the deals that took them are shown.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from core.sim.ledger import Deal
from core.sim.simulation import Simulation

SEEN_WITHIN_MS: Final = 60_000
IN: Final = 0


class Lots(NamedTuple):
    """So many lots, with what they showed: profit and swap."""

    volume: Fraction
    result: Fraction


class Showing(NamedTuple):
    """What one reading could show: positions by identifier and sign."""

    at_ms: int
    positions: Mapping[tuple[int, int], Lots]


NOTHING_SHOWN: Final = Showing(0, {})


def showing(sim: Simulation, login: int, at_ms: int) -> Showing:
    """At this moment."""
    profits = sim.broker.value(login).profits
    return Showing(
        at_ms,
        {
            (p.identifier, p.sign): Lots(
                Fraction(p.volume), Fraction(profits[ticket]) + Fraction(p.swap)
            )
            for ticket, p in sim.ledger.positions(login).items()
        },
    )


def after(
    known: Mapping[int, Lots], before: Showing, now: Showing, shown: Iterable[Deal]
) -> dict[int, Lots]:
    """What is gone without a deal after a reading, `shown` being the deals that are new in it."""
    found = dict(known)
    if now.at_ms - before.at_ms <= SEEN_WITHIN_MS:
        for (identifier, sign), lots in before.positions.items():
            there = now.positions.get((identifier, sign))
            left = lots.volume - (there.volume if there else 0)
            if left > 0:
                had = found.get(identifier, Lots(Fraction(0), Fraction(0)))
                result = had.result + lots.result * left / lots.volume
                found[identifier] = Lots(had.volume + left, result)
    for deal in shown:
        lots = found.get(deal.position_id, Lots(Fraction(0), Fraction(0)))
        if deal.entry != IN and lots.volume:
            left = max(Fraction(0), lots.volume - Fraction(deal.volume))
            found[deal.position_id] = Lots(left, lots.result * left / lots.volume)
    return {identifier: lots for identifier, lots in found.items() if lots.volume}


def total(known: Mapping[int, Lots]) -> Fraction:
    """What goes on counting: all of it together, and no loss."""
    return max(Fraction(0), sum((lots.result for lots in known.values()), Fraction(0)))
