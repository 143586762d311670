"""Equity and its floor as a picture: one drawn at a time, in a thread, remembered for a minute.

matplotlib is an extra. Where it is absent the figures come as a line of text instead. It is
imported in the drawing thread, because the import alone takes most of a second.
"""

import asyncio
import io
from collections import OrderedDict
from datetime import UTC
from decimal import ROUND_HALF_UP, Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec import Struct

from bot import exposure_chart, report_chart
from bot.chart_parts import (
    FLOOR,
    INK,
    LEGEND_PT,
    PEAK,
    TEXT_PT,
    WARN,
    axis_dates,
    sheet,
    thinned,
)
from bot.i18n import speaking, t
from bot.views.message import ChartRequest, ExposureChart, ReportChart
from bot.views.numbers import DAY_S, money
from core.domain.money import HUNDRED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CACHE_S = 60.0
CACHED_MAX = 64
DRAW_TIMEOUT_S = 20.0
TICK_GAP_PT = 7
"""From the axis down to its labels: the tick and the space below it."""
LONE_POINT_S = 600
"""How much time is shown on each side of a point that is alone."""
FINE_SPAN = 10
"""Where the picture spans less money than this, the axis shows decimals."""


class Curve(Struct, frozen=True):
    """What is drawn: floats only here, where money becomes pixels. Times are days since 1970.

    Each value holds from its time until the next one: samples are kept up to a minute apart, and a
    slope between two of them would show a slide that nobody has read.
    """

    times: list[float]
    equity: list[float]
    peak: list[float]
    floor: list[float]
    warn: list[float]


class Charts:
    """Draws charts, or answers None where that is not possible now."""

    def __init__(self, *, enabled: bool | None = None) -> None:
        self._enabled = find_spec("matplotlib") is not None if enabled is None else enabled
        self._one_at_a_time = asyncio.Semaphore(1)
        self._cache: OrderedDict[tuple[object, ...], tuple[float, bytes]] = OrderedDict()

    async def draw(self, request: ChartRequest | ReportChart | ExposureChart) -> bytes | None:
        """The chart as PNG; None without matplotlib, or where the drawing takes too long."""
        if not self._enabled or request.is_empty:
            return None
        key = request.key
        async with self._one_at_a_time:
            now_s = asyncio.get_running_loop().time()
            found = self._cache.get(key)
            if found is not None and now_s - found[0] < CACHE_S:
                return found[1]
            try:
                async with asyncio.timeout(DRAW_TIMEOUT_S):
                    png = await asyncio.to_thread(render, request)
            except TimeoutError:
                return None
            self._remember(key, now_s, png)
            return png

    def _remember(self, key: tuple[object, ...], now_s: float, png: bytes) -> None:
        self._cache[key] = (now_s, png)
        self._cache.move_to_end(key)
        while len(self._cache) > CACHED_MAX:
            self._cache.popitem(last=False)


def render(request: ChartRequest | ReportChart | ExposureChart) -> bytes:
    """Draw one chart. Blocks; to be called in a thread."""
    out = io.BytesIO()
    with speaking(request.language):
        if isinstance(request, ReportChart):
            figure = report_chart.figure_of(request)
        elif isinstance(request, ExposureChart):
            figure = exposure_chart.figure_of(request)
        else:
            figure = figure_of(request)
        figure.savefig(out, format="png")
    return out.getvalue()


def figure_of(request: ChartRequest) -> "Figure":
    """The chart before it becomes pixels: words above, the four lines below."""
    figure = sheet(request.mark, mark_y=0.45)
    figure.subplots_adjust(left=0.15, right=0.97, top=0.77, bottom=0.13)
    axes = figure.add_subplot()
    curve = curve_of(request)
    _lines(axes, curve, request)
    _frame(axes, curve, request)
    _words(figure, request)
    return figure


def curve_of(request: ChartRequest) -> Curve:
    """The four lines. The floor is the higher of the two rules': drawdown and minimum equity."""
    points = thinned(request.points)
    minimum = request.minimum_equity or Decimal(0)

    def level(peak: Decimal, percent: Decimal) -> float:
        return float(peak * (HUNDRED - percent) / HUNDRED)

    return Curve(
        times=[point.at.timestamp() / DAY_S for point in points],
        equity=[float(point.equity) for point in points],
        peak=[float(point.peak) for point in points],
        floor=[max(level(p.peak, request.limit_percent), float(minimum)) for p in points],
        warn=[level(p.peak, request.warn_percent) for p in points],
    )


def percent_label(value: Decimal) -> str:
    """`15 %`, `12.5 %`, `12.3 %` for 12.25: at most one decimal, rounded half up."""
    rounded = value.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded:.1f}".removesuffix(".0") + " %"


def floor_label(request: ChartRequest) -> str:
    """Name the rule the floor follows now: the drawdown limit, or the minimum equity."""
    minimum, peak = request.minimum_equity, request.points[-1].peak
    if minimum is not None and minimum > peak * (HUNDRED - request.limit_percent) / HUNDRED:
        return t(
            "Closes all below {minimum}",
            minimum=money(minimum, request.currency, request.currency_digits),
        )
    return t("Closes all at {percent}", percent=percent_label(request.limit_percent))


def room_words(request: ChartRequest) -> str | None:
    """What is left above the floor; past it, that it is past; None while it is not known."""
    if request.headroom is None:
        return None
    room = money(abs(request.headroom), request.currency, request.currency_digits)
    if request.headroom > 0:
        return t("Headroom {room}", room=room)
    return (
        t("Past the limit by {room}", room=room)
        if request.headroom < 0
        else t("At the limit, no headroom")
    )


def _lines(axes: "Axes", curve: Curve, request: ChartRequest) -> None:
    at = curve.times
    if len(at) == 1:  # its levels hold around it, or there would be nothing but a dot
        at = [at[0] - LONE_POINT_S / DAY_S, at[0] + LONE_POINT_S / DAY_S]
    many = len(at) // len(curve.times)

    def step(values: list[float], color: str, width: float, dash: object, label: str) -> None:
        axes.plot(
            at, values * many, color=color, lw=width, ls=dash, label=label, drawstyle="steps-post"
        )

    step(curve.peak, PEAK, 1.5, (0, (1, 2)), t("Peak"))
    if len(curve.times) > 1:
        step(curve.equity, INK, 2.4, "-", t("Equity"))
        axes.fill_between(at, curve.floor, curve.equity, step="post", color=INK, alpha=0.07, lw=0)
    step(
        curve.warn,
        WARN,
        1.8,
        (0, (4, 3)),
        t("Warning {percent}", percent=percent_label(request.warn_percent)),
    )
    step(curve.floor, FLOOR, 2.2, "-.", floor_label(request))
    alone = t("Equity") if len(curve.times) == 1 else None
    axes.plot(curve.times[-1:], curve.equity[-1:], "o", color=INK, ms=7, label=alone)


def _words(figure: "Figure", request: ChartRequest) -> None:
    """Title, headroom: above the picture, where no line can ever run through them."""
    now = money(request.points[-1].equity, request.currency, request.currency_digits)
    mark = f"{request.mark} " if request.mark else ""
    figure.text(
        0.02,
        0.965,
        mark + t("{login}: equity {equity}", login=request.login, equity=now),
        fontsize=17,
        va="top",
    )
    words = room_words(request)
    if words is None or request.headroom is None:
        return
    color = INK if request.headroom > 0 else FLOOR
    figure.text(0.02, 0.895, words, fontsize=15, weight="bold", color=color, va="top")


def _frame(axes: "Axes", curve: Curve, request: ChartRequest) -> None:
    from matplotlib.dates import AutoDateLocator  # noqa: PLC0415 - slow
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    # 3 to 7: with more at least, three hours would be too long for minutes, too short for hours
    locator = AutoDateLocator(tz=UTC, minticks=3, maxticks=7)  # type: ignore[no-untyped-call] # untyped upstream
    axes.xaxis.set_major_locator(locator)
    dates = axis_dates(locator, UTC)
    dates.formats[-1], dates.offset_formats[-1] = "%H:%M:%S", "%Y-%b-%d"
    axes.xaxis.set_major_formatter(dates)
    fine = max(curve.peak + curve.equity) - min(curve.floor + curve.equity) < FINE_SPAN
    places = request.currency_digits if fine else 0
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:,.{places}f}"))
    axes.tick_params(labelsize=TEXT_PT)
    axes.xaxis.get_offset_text().set_fontsize(TEXT_PT)
    axes.annotate(
        "UTC",
        (0.02, 0.0),
        xycoords=("figure fraction", "axes fraction"),
        xytext=(0, -TICK_GAP_PT),
        textcoords="offset points",
        fontsize=TEXT_PT,
        va="top",
    )
    axes.grid(visible=True, alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.01, 0.77),
        bbox_transform=axes.figure.transFigure,
        ncols=4,
        fontsize=LEGEND_PT,
        frameon=False,
        borderaxespad=0.2,
        columnspacing=1.0,
        handlelength=1.8,
    )
