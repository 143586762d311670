"""The drawdown guard: one reading in, one verdict out. It cannot be bypassed (law 8).

Invariants:

1. The peak begins and rises only on a trusted, consistent reading, by what deals explain, and else
   moves only with cash flows:
   a flow f multiplies it by (E + f) / E, E being the reading's equity without its flows (law 9).
2. Drawdown is (peak - equity) / peak. At the limit counts as over it.
3. No verdict improves as equity falls.
4. An untrusted reading changes no verdict, neither up nor down.
5. A stale reading raises no peak, lowers no drawdown and ends no warning; it may show it deeper.
6. Money that no deal has explained yet raises neither the peak nor the equity beside it: it is not
   taken for a gain, and a deposit whose deal is late does not lift the guard (law 9).
7. Equity under the minimum because of a withdrawal blocks approvals and closes nothing.
"""

from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal
from enum import StrEnum

from msgspec import Struct

from core.domain.broker import ZERO
from core.domain.money import HUNDRED, percent_of

COUNTDOWN_POINTS_MAX = Decimal(2)
"""A countdown runs only while the drawdown is less than this many points past the limit (law 8)."""
STOP_OUT_FACTOR = Decimal("1.2")
"""Under this multiple of the broker's stop-out level there is no time for a countdown (law 8)."""
WARN_EASE_POINTS = Decimal(1)
"""A warning is over this many points below its level, so that it does not flutter around it."""
PEAK_QUANTUM = Decimal("0.00000001")


class Rule(StrEnum):
    """Which of the two rules that always enforce was broken."""

    DRAWDOWN = "drawdown"
    MINIMUM_EQUITY = "minimum_equity"


class Limits(Struct, frozen=True, kw_only=True, gc=False):
    """The limits in force for one account. `minimum_equity` in the account's currency, or None."""

    max_drawdown_percent: Decimal
    warn_drawdown_percent: Decimal
    minimum_equity: Decimal | None


class GuardMemory(Struct, frozen=True, kw_only=True, gc=False):
    """What the guard knew after the last reading."""

    peak_equity: Decimal | None
    warned: bool
    withdrawal_exempt: bool
    drawdown_percent: Decimal = ZERO


class Reading(Struct, frozen=True, kw_only=True, gc=False):
    """The figures of one reading that the guard judges; `flow` is what came in (+) or went out.

    `unexplained_gain` is the part of equity that no deal has explained, 0 or above: a deposit whose
    deal is late must not pass for profit now and move the peak once more when the deal comes.
    `consistent`: the equity contradicts nothing, or was shown twice. `stale`: the prices behind it
    stand still.
    """

    equity: Decimal
    flow: Decimal
    trusted: bool
    consistent: bool
    margin_level_percent: Decimal | None
    stop_out_level_percent: Decimal | None
    unexplained_gain: Decimal = ZERO
    stale: bool = False

    @property
    def explained_equity(self) -> Decimal:
        """The equity that deals account for: what is set against the peak."""
        return self.equity - self.unexplained_gain


class Verdict(Struct, frozen=True, kw_only=True, gc=False):
    """What one reading means.

    `broken` is the rule broken by this reading alone; a breach is confirmed by an immediate second
    trusted reading. `hurry` says why a countdown would be too slow, empty where it would not.
    """

    memory: GuardMemory
    drawdown_percent: Decimal
    broken: Rule | None
    hurry: str
    warning_opened: bool
    warning_eased: bool
    peak_before_flow: Decimal | None


def judge(memory: GuardMemory, reading: Reading, limits: Limits) -> Verdict:
    """Judge one reading."""
    equity = reading.explained_equity
    peak = peak_after_flow(memory.peak_equity, equity, reading.flow)
    if _was_lost_before(memory.peak_equity, reading, limits):
        peak = _peak_still_over(memory.peak_equity, equity, limits)
    peak = _ratchet(peak, reading)
    exempt = _withdrawal_exempt(memory, reading, limits)
    drawdown = drawdown_percent(peak, equity)
    if not reading.trusted:
        drawdown = memory.drawdown_percent
    elif reading.stale:
        drawdown = max(drawdown, memory.drawdown_percent)
    broken = _broken(peak, reading, limits, exempt=exempt) if reading.trusted else None
    level = limits.warn_drawdown_percent - (WARN_EASE_POINTS if memory.warned else 0)
    over_warning = is_over(peak, equity, level) or (reading.stale and memory.warned)
    warned = over_warning if reading.trusted else memory.warned
    return Verdict(
        memory=GuardMemory(
            peak_equity=peak, warned=warned, withdrawal_exempt=exempt, drawdown_percent=drawdown
        ),
        drawdown_percent=drawdown,
        broken=broken,
        hurry=_hurry(peak, reading, limits, exempt=exempt) if reading.trusted else "",
        warning_opened=warned and not memory.warned,
        warning_eased=memory.warned and not warned,
        peak_before_flow=memory.peak_equity,
    )


def peak_after_flow(peak: Decimal | None, equity: Decimal, flow: Decimal) -> Decimal | None:
    """The peak after money came in or went out; `equity` includes the flow already.

    Equity at or below zero on either side of the flow restarts the peak (law 9).
    """
    if peak is None or flow == 0:
        return peak
    before = equity - flow
    if before <= 0 or equity <= 0:
        return equity
    return (peak * equity / before).quantize(PEAK_QUANTUM, ROUND_HALF_EVEN)


def _was_lost_before(peak: Decimal | None, reading: Reading, limits: Limits) -> bool:
    """Whether the limit was broken before a flow that restarts the peak (laws 8 and 9).

    Whoever lost everything and pays in, or takes the rest out, between two readings would have a
    new peak and no drawdown: the loss is judged without the flow.
    """
    equity, flow = reading.explained_equity, reading.flow
    restarts = flow != 0 and (equity - flow <= 0 or equity <= 0)
    return restarts and is_over(peak, equity - flow, limits.max_drawdown_percent)


def _peak_still_over(peak: Decimal | None, equity: Decimal, limits: Limits) -> Decimal | None:
    """A peak of which this equity is at the limit: the breach outlives the flow and a restart."""
    if equity <= 0:
        return peak
    left = HUNDRED - limits.max_drawdown_percent
    return (equity * HUNDRED / left).quantize(PEAK_QUANTUM, ROUND_UP)


def is_over(peak: Decimal | None, equity: Decimal, percent: Decimal) -> bool:
    """Whether the drawdown is at or past `percent`, compared exactly, without dividing."""
    return peak is not None and peak > 0 and (peak - equity) * HUNDRED >= percent * peak


def drawdown_percent(peak: Decimal | None, equity: Decimal) -> Decimal:
    """Drawdown in percent of the peak, never negative, to four decimals for showing."""
    if peak is None or peak <= 0:
        return ZERO
    return max(ZERO, percent_of(peak - equity, peak))


def floor_equity(peak: Decimal, limits: Limits, *, exempt: bool) -> Decimal:
    """The equity at which the guard closes: the higher of the two rules' floors."""
    trailing = peak * (HUNDRED - limits.max_drawdown_percent) / HUNDRED
    if limits.minimum_equity is None or exempt:
        return trailing
    return max(trailing, limits.minimum_equity)


def _ratchet(peak: Decimal | None, reading: Reading) -> Decimal | None:
    if not (reading.trusted and reading.consistent):
        return peak
    if peak is None:
        return reading.explained_equity  # unguarded is worse than guarded from a stale figure
    return peak if reading.stale else max(peak, reading.explained_equity)


def _withdrawal_exempt(memory: GuardMemory, reading: Reading, limits: Limits) -> bool:
    minimum = limits.minimum_equity
    if minimum is None:
        return False
    if reading.equity < minimum and reading.flow < 0 and reading.equity - reading.flow >= minimum:
        return True
    if reading.trusted and reading.equity >= minimum:
        return False
    return memory.withdrawal_exempt


def _broken(peak: Decimal | None, reading: Reading, limits: Limits, *, exempt: bool) -> Rule | None:
    if _below_minimum(reading, limits, exempt=exempt):
        return Rule.MINIMUM_EQUITY
    if is_over(peak, reading.explained_equity, limits.max_drawdown_percent):
        return Rule.DRAWDOWN
    return None


def _below_minimum(reading: Reading, limits: Limits, *, exempt: bool) -> bool:
    minimum = limits.minimum_equity
    return minimum is not None and reading.equity < minimum and not exempt


def _hurry(peak: Decimal | None, reading: Reading, limits: Limits, *, exempt: bool) -> str:
    if _below_minimum(reading, limits, exempt=exempt):
        return "below_minimum"
    if is_over(peak, reading.explained_equity, limits.max_drawdown_percent + COUNTDOWN_POINTS_MAX):
        return "far_past_limit"
    level, stop_out = reading.margin_level_percent, reading.stop_out_level_percent
    if level is not None and stop_out is not None and level < stop_out * STOP_OUT_FACTOR:
        return "near_stop_out"
    return ""
