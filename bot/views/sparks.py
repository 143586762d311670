"""Figures as a line of text, where no picture can be drawn."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from bot.i18n import t
from bot.views.exposure import bars
from bot.views.message import ExposureChart, Message
from bot.views.numbers import (
    money,
)

SPARKS = "▁▂▃▄▅▆▇█"


SPARKS_MAX = 24


def sparkline(values: Sequence[Decimal]) -> str:
    """A curve in one line of text, for where no chart can be drawn."""
    if not values:
        return ""
    step = max(1, -(-len(values) // SPARKS_MAX))
    kept = [*values[::-1][::step]][::-1]
    low, high = min(kept), max(kept)
    top = len(SPARKS) - 1
    return "".join(
        SPARKS[0 if high == low else int((value - low) * top / (high - low))] for value in kept
    )


def chart_in_words(message: Message) -> Message:
    """The same message with a sparkline, or bars of text, in place of its chart."""
    if message.chart is None:
        return message
    if isinstance(message.chart, ExposureChart):
        return replace(message, html=f"{message.html}\n{bars(message.chart.rows)}", chart=None)
    points = message.chart.points
    lows, highs = min(p.equity for p in points), max(p.equity for p in points)
    request = message.chart
    low = money(lows, request.currency, request.currency_digits)
    high = money(highs, request.currency, request.currency_digits)
    line = sparkline([p.equity for p in points])
    said = t("Equity from {low} to {high}", low=low, high=high)
    return Message(
        html=f"{message.html}\n{line}\n{said}", keyboard=message.keyboard, silent=message.silent
    )
