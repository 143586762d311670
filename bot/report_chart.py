"""A report as a picture: equity over the period, below it the results as bars. Drawn in a thread.

What was not read is left out of the line and shaded: a line through it would say that it was seen.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.chart_parts import (
    FLOOR,
    HEIGHT_IN,
    INK,
    PEAK,
    TEXT_PT,
    axis_dates,
    sheet,
    thinned,
)
from bot.i18n import t
from bot.views.message import ReportChart
from bot.views.numbers import DAY_S, gain
from core.domain.board import EquityPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GAIN, BLIND = "#1f7a4d", "#6b7280"
TITLE_PT = 17
BARS_MAX = 7
"""Bars of one picture: the days of a week, or the symbols that moved most."""
FLOWS_MAX = 12
"""Marks of money in and out that get their words; more would stand on each other."""
FINE_SPAN = 10
"""Where the picture spans less money than this, the axis shows decimals."""
LABEL_ROOM = 0.32
"""Free room beside the longest bar, in parts of it, for its figure."""
BAR_HEIGHT = 0.62
DAY_MAX = timedelta(hours=25)
"""The longest day there is: midnight is its beginning or end, and needs no date."""
NEAR_END = 0.8
"""From this part of the width on, words stand to the left of their mark."""


def figure_of(request: ReportChart) -> "Figure":
    """The chart before it becomes pixels."""
    taller = 1.35 if request.bars else 1
    figure = sheet(request.mark, mark_y=0.5, height_in=HEIGHT_IN * taller)
    grid = figure.add_gridspec(
        2 if request.bars else 1,
        1,
        height_ratios=[3, 2] if request.bars else [1],
        left=0.15,
        right=0.96,
        top=0.86,
        bottom=0.04 if request.bars else 0.1,
        hspace=0.42,
    )
    title = f"{request.mark} {request.title}".strip()
    figure.text(0.02, 0.975, title, fontsize=TITLE_PT, va="top")
    _equity(figure.add_subplot(grid[0]), request)
    if request.bars:
        _bars(figure.add_subplot(grid[1]), request)
    return figure


def pieces(request: ReportChart) -> list[list[EquityPoint]]:
    """The line's parts between the times that were not read, thinned, empty ones left out."""
    edges = sorted(start for start, _ in request.blind)
    parts: list[list[EquityPoint]] = [[] for _ in range(len(edges) + 1)]
    for point in thinned(request.points):
        # A gap begins with the last reading before it, which ends its part of the line.
        parts[sum(1 for edge in edges if edge < point.at)].append(point)
    return [part for part in parts if part]


def _days(at: datetime) -> float:
    return at.timestamp() / DAY_S


def _equity(axes: "Axes", request: ReportChart) -> None:
    from matplotlib.dates import AutoDateLocator  # noqa: PLC0415 - slow
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    zone = ZoneInfo(request.time_zone)
    for part in pieces(request):
        at = [_days(point.at) for point in part]
        equity = [float(point.equity) for point in part]
        axes.plot(at, equity, color=INK, lw=2.4, drawstyle="steps-post")
        axes.plot(at[-1:], equity[-1:], "o", color=INK, ms=4)
    for start, end in request.blind:
        axes.axvspan(_days(start), _days(end), color=BLIND, alpha=0.22, lw=0)
    _flows(axes, request)
    axes.set_xlim(_days(request.start), _days(request.end))
    # 3 to 7: with more at least, three hours would be too long for minutes, too short for hours
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=7)  # type: ignore[no-untyped-call] # untyped upstream
    axes.xaxis.set_major_locator(locator)
    dates = axis_dates(locator, zone, show_offset=False)
    is_day = request.end - request.start <= DAY_MAX
    dates.formats = ["%Y", "%b", "%a %d", "%H:%M", "%H:%M", "%H:%M:%S"]
    dates.zero_formats = ["", "%Y", "%a %d", "%H:%M" if is_day else "%a %d", "%H:%M", "%H:%M"]
    axes.xaxis.set_major_formatter(dates)
    low, high = axes.get_ylim()
    places = request.currency_digits if high - low < FINE_SPAN else 0
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:,.{places}f}"))
    note = t(
        "Equity, {currency}; times: {zone}",
        currency=request.currency,
        zone=request.time_zone,
    )
    if request.blind:
        note += t("; grey: not read")
    axes.set_title(note, loc="left", fontsize=TEXT_PT, color=PEAK)
    _plain(axes)


def _flows(axes: "Axes", request: ReportChart) -> None:
    """A line where money came in or went out: the step there is neither profit nor loss."""
    length = request.end - request.start
    for at, amount in request.flows[:FLOWS_MAX]:
        is_late = at - request.start > length * NEAR_END
        axes.axvline(_days(at), color=PEAK, lw=1.4, ls=(0, (2, 2)))
        axes.annotate(
            _figure(amount, request),
            (_days(at), 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if is_late else 3, 0),
            textcoords="offset points",
            ha="right" if is_late else "left",
            fontsize=TEXT_PT - 3,
            color=PEAK,
        )


def _figure(amount: Decimal, request: ReportChart) -> str:
    """`+12.40`: the currency stands once, in the note above."""
    return gain(amount, request.currency, request.currency_digits).rsplit(" ", 1)[0]


def _bars(axes: "Axes", request: ReportChart) -> None:
    """Results from zero, each with its figure: the colour is not the only cue."""
    shown = list(request.bars[:BARS_MAX])
    names = [name for name, _ in shown][::-1]
    values = [float(amount) for _, amount in shown][::-1]
    colors = [GAIN if value >= 0 else FLOOR for value in values]
    axes.barh(range(len(values)), values, color=colors, height=BAR_HEIGHT)
    axes.set_yticks(range(len(names)), names)
    most = max((abs(value) for value in values), default=0.0) or 1.0
    _room(axes, values, most)
    for row, (value, (_, amount)) in enumerate(zip(values, shown[::-1], strict=True)):
        axes.annotate(
            _figure(amount, request),
            (value, row),
            xytext=(5 if value >= 0 else -5, 0),
            textcoords="offset points",
            ha="left" if value >= 0 else "right",
            va="center",
            fontsize=TEXT_PT,
        )
    axes.axvline(0, color=PEAK, lw=1)
    axes.set_title(
        f"{request.bars_title}, {request.currency}", loc="left", fontsize=TEXT_PT, color=PEAK
    )
    axes.set_xticks([])
    _plain(axes)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


def _room(axes: "Axes", values: Sequence[float], most: float) -> None:
    """Leave room for the figures: left of losses, right of everything else, a zero too."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    room = most * LABEL_ROOM
    right = any(value >= 0 for value in values) or not values
    axes.set_xlim(low - (room if low < 0 else 0), high + (room if right else 0))


def _plain(axes: "Axes") -> None:
    axes.tick_params(labelsize=TEXT_PT)
    axes.grid(visible=True, alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
