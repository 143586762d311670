"""Exposure by symbol as a picture: long to the right, short to the left. Drawn in a thread."""

from decimal import Decimal
from typing import TYPE_CHECKING

from bot.chart_parts import FLOOR, INK, PEAK, TEXT_PT, sheet
from bot.i18n import t
from bot.views.exposure import gross_words, net_words
from bot.views.message import ExposureChart
from bot.views.numbers import lots, money
from core.domain.exposure import SymbolExposure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE_PT = 17
SYMBOLS_MAX = 7
"""Symbols of one picture, the largest; the words beside it list all."""
BAR_HEIGHT = 0.5
LABEL_ROOM = 0.55
"""Free room beyond the longest bar on each side that has any, in parts of it, for its figures."""
NAME_CHARS_MAX = 12
ROWS_MIN = 3
"""Rows that there is room for: one bar alone is no wall."""


def figure_of(request: ExposureChart) -> "Figure":
    """The chart before it becomes pixels."""
    figure = sheet(request.mark, mark_y=0.4)
    figure.subplots_adjust(left=0.21, right=0.97, top=0.76, bottom=0.1)
    _bars(figure.add_subplot(), request)
    title = t("{login}: exposure by symbol", login=request.login)
    mark = f"{request.mark} " if request.mark else ""
    figure.text(0.02, 0.965, mark + title, fontsize=TITLE_PT, va="top")
    figure.text(0.02, 0.885, gross_words(request), fontsize=15, weight="bold", va="top", color=INK)
    figure.text(0.02, 0.02, _note(request), fontsize=TEXT_PT - 1, color=PEAK)
    return figure


def _note(request: ExposureChart) -> str:
    note = t("Values in {currency}, as of {at}", currency=request.currency, at=request.read)
    left = len(request.rows) - len(drawn(request))
    return t("{note}; symbols not drawn: {n}", note=note, n=left) if left else note


def drawn(request: ExposureChart) -> list[SymbolExposure]:
    """The symbols in the picture: the largest of those whose value is known."""
    return [row for row in request.rows if row.gross_value][:SYMBOLS_MAX]


def _bars(axes: "Axes", request: ExposureChart) -> None:
    """Each side from zero, with its word and lots: neither colour nor place is the only cue."""
    shown = drawn(request)
    for place, row in enumerate(reversed(shown)):
        _side(axes, place, row.long_value, t("long {lots}", lots=lots(row.long_lots)), right=True)
        short = t("short {lots}", lots=lots(row.short_lots))
        _side(axes, place, row.short_value, short, right=False)
    names = [f"{row.symbol[:NAME_CHARS_MAX]}\n{net_words(row)}" for row in reversed(shown)]
    axes.set_yticks(range(len(names)), names)
    longest = max((float(row.long_value or 0) for row in shown), default=0.0)
    shortest = max((float(row.short_value or 0) for row in shown), default=0.0)
    most = max(longest, shortest) or 1.0
    axes.set_xlim(
        -shortest - (LABEL_ROOM * most if shortest else 0),
        longest + (LABEL_ROOM * most if longest else 0),
    )
    axes.set_ylim(len(names) - max(len(names), ROWS_MIN) - 0.6, len(names) - 0.4)
    axes.axvline(0, color=PEAK, lw=1.2)
    axes.set_xticks([])
    axes.tick_params(labelsize=TEXT_PT - 1, length=0)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    _heads(axes, longest=longest, shortest=shortest)


def _heads(axes: "Axes", *, longest: float, shortest: float) -> None:
    heads = (
        (longest, t("long: gains when the price rises →"), 4, "left"),
        (shortest, t("← short: gains when it falls"), -4, "right"),
    )
    for length, words, off, side in heads:
        if length:
            axes.annotate(
                words,
                (0, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(off, 6),
                textcoords="offset points",
                ha=side,
                fontsize=TEXT_PT - 2,
                color=PEAK,
            )


def _side(axes: "Axes", place: int, value: Decimal | None, words: str, *, right: bool) -> None:
    if not value:
        return
    reach = float(value) * (1 if right else -1)
    axes.barh(
        place,
        reach,
        height=BAR_HEIGHT,
        color=INK if right else FLOOR,
        hatch=None if right else "//",
        edgecolor="white",
        lw=0,
    )
    figure = money(value, "", 0).strip()
    axes.annotate(
        f"{words}\n{figure}",
        (reach, place),
        xytext=(5 if right else -5, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=TEXT_PT - 2,
    )
