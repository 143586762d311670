"""Equity and its floor as a picture: one drawn at a time, in a thread, remembered for a minute.

matplotlib is an extra. Where it is absent the figures come as a line of text instead. It is
imported in the drawing thread, because the import alone takes most of a second.
"""

import asyncio
import io
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec import Struct

from bot.views.message import ChartRequest
from bot.views.numbers import DAY_S, limit, money
from core.domain.board import EquityPoint
from core.domain.money import HUNDRED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CACHE_S = 60.0
CACHED_MAX = 64
POINTS_MAX = 2_000
"""More samples than this are thinned: a phone shows about a thousand columns."""
DRAW_TIMEOUT_S = 20.0
WIDTH_IN, HEIGHT_IN, DPI = 8, 4.5, 150
TEXT_PT = 11
INK, FLOOR, WARN, PEAK = "#1b3a5c", "#a3161f", "#b26a00", "#6b7280"


class Curve(Struct, frozen=True):
    """What is drawn: floats only here, where money becomes pixels. Times are days since 1970."""

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

    async def draw(self, request: ChartRequest) -> bytes | None:
        """The chart as PNG; None without matplotlib, or where the drawing takes too long."""
        if not self._enabled or not request.points:
            return None
        last = request.points[-1]
        key = (request.account_id, last.at, last.equity, request.limit_percent, request.mark)
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


def render(request: ChartRequest) -> bytes:
    """Draw one chart. Blocks; to be called in a thread."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow, optional
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.13, right=0.97, top=0.87, bottom=0.12)
    axes = figure.add_subplot()
    curve = curve_of(request)
    _lines(axes, curve, request)
    _words(axes, curve, request)
    _frame(axes, request)
    if request.mark:
        figure.text(
            0.5,
            0.45,
            request.mark.strip("[]"),
            fontsize=64,
            color="#00000014",
            rotation=20,
            ha="center",
            va="center",
        )
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


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


def thinned(points: Sequence[EquityPoint]) -> list[EquityPoint]:
    """At most POINTS_MAX samples, the first and the last always among them."""
    if len(points) <= POINTS_MAX:
        return list(points)
    step = (len(points) - 1) / (POINTS_MAX - 1)
    return [points[round(at * step)] for at in range(POINTS_MAX)]


def _lines(axes: "Axes", curve: Curve, request: ChartRequest) -> None:
    axes.plot(curve.times, curve.peak, color=PEAK, lw=1.5, ls=(0, (1, 2)), label="Peak")
    axes.plot(curve.times, curve.equity, color=INK, lw=2.4, label="Equity")
    warn = f"Warning {limit(request.warn_percent)}"
    axes.plot(curve.times, curve.warn, color=WARN, lw=1.8, ls=(0, (4, 3)), label=warn)
    floor = f"Closes everything {limit(request.limit_percent)}"
    axes.plot(curve.times, curve.floor, color=FLOOR, lw=2.2, ls="-.", label=floor)
    axes.fill_between(curve.times, curve.floor, curve.equity, color=INK, alpha=0.07, lw=0)
    axes.plot(curve.times[-1:], curve.equity[-1:], "o", color=INK, ms=7)


def _words(axes: "Axes", curve: Curve, request: ChartRequest) -> None:
    now = money(request.points[-1].equity, request.currency, request.currency_digits)
    title = f"{request.mark} " if request.mark else ""
    axes.set_title(f"{title}{request.login}: equity {now}", fontsize=15, loc="left", pad=26)
    if request.headroom is None:
        return
    room = money(request.headroom, request.currency, request.currency_digits)
    last, middle = curve.times[-1], (curve.equity[-1] + curve.floor[-1]) / 2
    arrow = {"arrowstyle": "<->", "color": INK, "lw": 1.5}
    axes.annotate("", (last, curve.floor[-1]), xytext=(last, curve.equity[-1]), arrowprops=arrow)
    axes.annotate(
        f"headroom {room}",
        (last, middle),
        xytext=(-12, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=12,
        weight="bold",
        color=INK,
        bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none", "alpha": 0.85},
    )


def _frame(axes: "Axes", request: ChartRequest) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - slow
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    locator = AutoDateLocator(tz=UTC, maxticks=7)  # type: ignore[no-untyped-call] # untyped upstream
    axes.xaxis.set_major_locator(locator)
    dates = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call] # untyped upstream
    axes.xaxis.set_major_formatter(dates)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:,.0f}"))
    axes.tick_params(labelsize=TEXT_PT)
    axes.xaxis.get_offset_text().set_fontsize(TEXT_PT)
    axes.set_ylabel(request.currency, fontsize=TEXT_PT)
    axes.set_xlabel("UTC", fontsize=TEXT_PT, loc="left", labelpad=-10)
    axes.grid(visible=True, alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=4,
        fontsize=TEXT_PT,
        frameon=False,
        borderaxespad=0.2,
        columnspacing=1.2,
        handlelength=2.2,
    )
