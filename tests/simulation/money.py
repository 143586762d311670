"""Peak and drawdown of one account by law 9, worked out once more, in fractions.

Where the broker's own books leave a choice (a deal that is hidden has explained nothing yet: is the
wait for it over?), all outcomes that the laws allow are carried on, until the next figure tells.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

WAIT_MS: Final = 10_000
"""So long a change that no deal explains only makes readings untrusted."""
LIMIT_PERCENT: Final = 20
NEARNESS: Final = Fraction(1, 1_000_000)
"""Figures are kept to 8 decimals; every flow rounds once."""
PERCENT_NEARNESS: Final = Fraction(2, 10_000)
"""Drawdown is told to 4 decimals."""
BELIEFS_MAX: Final = 64


class Reading(Struct, frozen=True, kw_only=True):
    """What one complete reading could show, by the broker's books.

    `flow`: money of deals seen for the first time that came in (+) or went out. `gap`: what deals
    that are still hidden have done to balance and credit. `may_be_stale`: with an hour put back
    prices seem old until the broker's new clock is believed; such a reading raises no peak and
    lowers no drawdown.
    """

    at_ms: int
    equity: Decimal
    flow: Decimal
    gap: Decimal
    may_be_stale: bool = False


class Belief(Struct, frozen=True):
    """One possible past: drawdown in percent, flows not judged yet, since when something lacks."""

    peak: Fraction
    drawdown: Fraction = Fraction(0)
    pending: Fraction = Fraction(0)
    since_ms: int | None = None


class Outcome(Struct, frozen=True):
    """What a reading may have made of a belief. Not `trusted`, it changed neither figure."""

    belief: Belief
    trusted: bool

    @property
    def broken(self) -> bool:
        """Whether the limit is reached."""
        return self.trusted and self.belief.drawdown >= LIMIT_PERCENT


def outcomes(beliefs: list[Belief], reading: Reading) -> list[Outcome]:
    """Every outcome that the laws allow."""
    found: list[Outcome] = []
    for belief in beliefs[:BELIEFS_MAX]:
        waiting = replace(belief, pending=belief.pending + Fraction(reading.flow), since_ms=None)
        if reading.gap:
            since_ms = reading.at_ms if belief.since_ms is None else belief.since_ms
            waiting = replace(waiting, since_ms=since_ms)
            found.append(Outcome(waiting, trusted=False))
        if waiting.since_ms is None or reading.at_ms - waiting.since_ms >= WAIT_MS:
            found.append(_trusted(waiting, reading, stale=False))
            if reading.may_be_stale:
                found.append(_trusted(waiting, reading, stale=True))
    return list({(o.belief, o.trusted): o for o in found}.values())


def restarted(reading: Reading) -> Belief:
    """What is believed from a release on."""
    waited = reading.at_ms - WAIT_MS if reading.gap else None
    return Belief(_explained(reading), since_ms=waited)


def _explained(reading: Reading) -> Fraction:
    """The equity without what nothing explains."""
    return Fraction(reading.equity) - max(Fraction(0), Fraction(reading.gap))


def _trusted(belief: Belief, reading: Reading, *, stale: bool) -> Outcome:
    """What nothing explains is no gain: it stands neither in the peak nor beside it."""
    equity = _explained(reading)
    peak, flow = belief.peak, belief.pending
    before = equity - flow
    if flow:
        peak = _after(belief.peak, before, equity)
    if not stale:
        peak = max(peak, equity)
    drawdown = max(Fraction(0), (peak - equity) / peak * 100) if peak > 0 else Fraction(0)
    if stale:
        drawdown = max(drawdown, belief.drawdown)
    return Outcome(Belief(peak, drawdown, Fraction(0), belief.since_ms), trusted=True)


def _after(peak: Fraction, before: Fraction, equity: Fraction) -> Fraction:
    """The peak after a flow: what was lost before it stays lost."""
    if before > 0 and equity > 0:
        return peak * equity / before
    if peak > 0 and peak - before >= peak * LIMIT_PERCENT / 100:
        return peak if equity <= 0 else equity * 100 / (100 - LIMIT_PERCENT)
    return equity


def fits(outcome: Outcome, peak: Decimal | None, drawdown: Decimal | None) -> bool:
    """Whether the engine's figures are this outcome's."""
    if peak is None or drawdown is None:
        return False
    expected = outcome.belief.peak
    if abs(Fraction(peak) - expected) > NEARNESS * max(Fraction(1), abs(expected)):
        return False
    return abs(Fraction(drawdown) - outcome.belief.drawdown) <= PERCENT_NEARNESS
