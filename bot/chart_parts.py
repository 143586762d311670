"""What all charts share: their size, their colours, and how many points they show."""

from collections.abc import Sequence

from core.domain.board import EquityPoint

POINTS_MAX = 2_000
"""More samples than this are thinned: a phone shows about a thousand columns."""
WIDTH_IN, HEIGHT_IN, DPI = 8, 4.5, 150
TEXT_PT = 13
LEGEND_PT = 12
INK, FLOOR, WARN, PEAK = "#1b3a5c", "#a3161f", "#b26a00", "#6b7280"


def thinned(points: Sequence[EquityPoint]) -> list[EquityPoint]:
    """At most POINTS_MAX samples, the first and the last always among them."""
    if len(points) <= POINTS_MAX:
        return list(points)
    step = (len(points) - 1) / (POINTS_MAX - 1)
    return [points[round(at * step)] for at in range(POINTS_MAX)]
