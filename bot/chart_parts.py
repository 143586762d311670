"""What all charts share: their size, their colours, their dates, and how many points they show."""

import re
from collections.abc import Sequence
from datetime import date, tzinfo
from typing import TYPE_CHECKING

from bot.views.numbers import dated
from core.domain.board import EquityPoint

if TYPE_CHECKING:
    from matplotlib.dates import ConciseDateFormatter, DateLocator
    from matplotlib.figure import Figure

POINTS_MAX = 2_000
"""More samples than this are thinned: a phone shows about a thousand columns."""
WIDTH_IN, HEIGHT_IN, DPI = 8, 4.5, 150
TEXT_PT = 13
LEGEND_PT = 12
INK, FLOOR, WARN, PEAK = "#1b3a5c", "#a3161f", "#b26a00", "#6b7280"


def sheet(mark: str, *, mark_y: float, height_in: float = HEIGHT_IN) -> "Figure":
    """An empty picture; a mark such as `[DEMO]` stands across it, `mark_y` of its height up."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow, optional
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI)
    FigureCanvasAgg(figure)
    if mark:
        figure.text(
            0.55,
            mark_y,
            mark.strip("[]"),
            fontsize=64,
            color="#00000014",
            rotation=20,
            ha="center",
            va="center",
        )
    return figure


def thinned(points: Sequence[EquityPoint]) -> list[EquityPoint]:
    """At most POINTS_MAX samples, the first and the last always among them."""
    if len(points) <= POINTS_MAX:
        return list(points)
    step = (len(points) - 1) / (POINTS_MAX - 1)
    return [points[round(at * step)] for at in range(POINTS_MAX)]


def axis_dates(
    locator: "DateLocator", zone: tzinfo, *, show_offset: bool = True
) -> "ConciseDateFormatter":
    """Labels of a time axis, in the language that is spoken when they are drawn."""
    from matplotlib.dates import ConciseDateFormatter  # noqa: PLC0415 - slow, optional

    class Spoken(ConciseDateFormatter):
        """Months and days of the week come out of `strftime`, which knows English only."""

        def format_ticks(self, values: object) -> list[str]:
            labels = super().format_ticks(values)  # type: ignore[no-untyped-call] # untyped upstream
            return [spoken_dates(label) for label in labels]

        def get_offset(self) -> str:
            return spoken_dates(super().get_offset())  # type: ignore[no-untyped-call] # untyped upstream

    return Spoken(locator, tz=zone, show_offset=show_offset)  # type: ignore[no-untyped-call] # untyped upstream


def spoken_dates(label: str) -> str:
    """A label with its months and days of the week in the language being spoken."""
    return _NAME.sub(
        lambda found: dated(*_NAMES[found[0]]) if found[0] in _NAMES else found[0], label
    )


_NAME = re.compile(r"[A-Z][a-z]{2}")
_NAMES = {
    **{f"{date(2026, month, 1):%b}": (date(2026, month, 1), "MMM") for month in range(1, 13)},
    **{f"{date(2026, 6, day):%a}": (date(2026, 6, day), "EEE") for day in range(1, 8)},
}
"""Months and days of the week as `strftime` writes them -> one such day, and its pattern."""
