"""Charts: drawn off the loop, one at a time, remembered for a minute, optional."""

import struct
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot import charts
from bot.chart_parts import POINTS_MAX, spoken_dates, thinned
from bot.charts import Charts, curve_of, figure_of, percent_label, render, room_words
from bot.i18n import speaking, spoken
from bot.views.message import ChartRequest
from core.domain.board import EquityPoint
from tests.fakes.clock import START
from tests.fakes.shell import history


def request(points: int = 30) -> ChartRequest:
    return ChartRequest(
        account_id=7,
        login=50001,
        currency="GBP",
        currency_digits=2,
        limit_percent=Decimal(20),
        warn_percent=Decimal(15),
        minimum_equity=Decimal(8100),
        headroom=Decimal(1600),
        mark="[DEMO]",
        language="en",
        points=history(points),
        drawn_at=START,
    )


def test_the_picture_is_a_png_of_1200_by_675() -> None:
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    png = render(request())
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (1200, 675)


SHAPES = {
    "one": ["10000"],
    "flat": ["10000"] * 20,
    "near": ["10000", "9000", "8152.54"],
    "rich": ["123456789.01", "123400000"],
    "past": ["10000", "9990", "7640"],
}
"""Equity a minute apart, below a peak of 10,000."""


def shaped(*equity: str) -> ChartRequest:
    points = tuple(
        EquityPoint(START + timedelta(minutes=n), Decimal(value), Decimal(10000))
        for n, value in enumerate(equity)
    )
    room = points[-1].equity - Decimal(8100)
    return replace(request(), points=points, headroom=room)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_words_touch_other_words_or_the_lines(shape: str) -> None:
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    figure = figure_of(shaped(*SHAPES[shape]))
    figure.canvas.draw()
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    above = [text.get_window_extent() for text in figure.texts if text.get_rotation() == 0]
    above.append(legend.get_window_extent())
    below = [axes.texts[0].get_window_extent()]
    below += [one.get_window_extent() for one in axes.get_xticklabels() if one.get_text()]
    assert len(above) == 3, "title, headroom, legend"
    assert len(below) > 3, "UTC and the times"
    for boxes in (above, below):
        for at, box in enumerate(boxes):
            assert not box.overlaps(axes.bbox)
            assert not any(box.overlaps(other) for other in boxes[at + 1 :])
            assert 0 <= box.x0 < box.x1 <= 1200, "inside the picture"


@pytest.mark.parametrize("minutes", [1, 2, 4, 30, 179, 240, 1500, 10000, 100000])
def test_any_length_of_history_has_its_times(minutes: int) -> None:
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    first, last = shaped("10000", "9900").points
    points = (first, replace(last, at=START + timedelta(minutes=minutes)))
    figure = figure_of(replace(request(), points=points))
    figure.canvas.draw()
    assert 2 <= sum(1 for one in figure.axes[0].get_xticklabels() if one.get_text()) <= 9


def test_what_was_read_holds_until_the_next_reading() -> None:
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    lines = [one for one in figure_of(shaped("10000", "7640")).axes[0].lines if one.get_label()]
    steps = {str(one.get_label()).split()[0]: one.get_drawstyle() for one in lines[:4]}
    assert steps == dict.fromkeys(("Peak", "Equity", "Warning", "Closes"), "steps-post")


@pytest.mark.parametrize(
    ("headroom", "words"),
    [
        ("52.54", "Headroom 52.54 GBP"),
        ("0", "At the limit, no headroom"),
        ("-360", "Past the limit by 360.00 GBP"),
    ],
)
def test_headroom_is_never_negative(headroom: str, words: str) -> None:
    assert room_words(replace(request(), headroom=Decimal(headroom))) == words


def test_percentages_are_rounded_half_up() -> None:
    values = ("15", "12.5", "12.25", "12.24", "20.00")
    labels = [percent_label(Decimal(value)) for value in values]
    assert labels == ["15 %", "12.5 %", "12.3 %", "12.2 %", "20 %"]


def test_the_legend_names_the_rule_that_closes() -> None:
    assert charts.floor_label(request()) == "Closes all below 8,100.00 GBP"
    assert charts.floor_label(replace(request(), minimum_equity=None)) == "Closes all at 20 %"


def test_the_floor_is_the_higher_of_both_rules() -> None:
    curve = curve_of(request())
    assert curve.floor[0] == 8100.0, "minimum equity, above 80 % of 10,000"
    assert curve.warn[0] == 8500.0
    assert curve_of(replace(request(), minimum_equity=None)).floor[0] == 8000.0


def test_many_points_are_thinned_and_keep_both_ends() -> None:
    points = history(POINTS_MAX + 1)
    assert len(thinned(points[:-1])) == POINTS_MAX
    kept = thinned(points)
    assert len(kept) == POINTS_MAX
    assert (kept[0], kept[-1]) == (points[0], points[-1])


async def test_the_same_curve_is_drawn_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def count(wanted: ChartRequest) -> bytes:
        drawn.append(wanted.account_id)
        return b"png"

    monkeypatch.setattr(charts, "render", count)
    monkeypatch.setattr(charts, "CACHED_MAX", 2)
    drawer = Charts(enabled=True)
    for account_id in (1, 1, 2, 3, 1):
        assert await drawer.draw(replace(request(), account_id=account_id)) == b"png"
    assert drawn == [1, 2, 3, 1], "past the bound the oldest is drawn anew"
    monkeypatch.setattr(charts, "CACHE_S", 0.0)
    await drawer.draw(replace(request(), account_id=1))
    assert drawn[-2:] == [1, 1]


async def test_a_picture_in_another_language_is_another_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(charts, "render", lambda wanted: wanted.language.encode())
    drawer = Charts(enabled=True)
    for language in ("en", "es", "en"):
        drawn = await drawer.draw(replace(request(), language=language))
        assert drawn == language.encode()


def test_it_is_drawn_in_the_language_it_was_asked_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drawing thread is nobody's: whoever asked is known from the value alone."""
    heard: list[str] = []

    class Paper:
        def savefig(self, _out: object, **_more: object) -> None:
            heard.append(spoken())

    monkeypatch.setattr(charts, "figure_of", lambda _wanted: Paper())
    render(replace(request(), language="es"))
    assert (heard, spoken()) == (["es"], "en")


def test_months_and_days_of_the_week_below_the_picture_are_in_that_language() -> None:
    assert spoken_dates("2026-Mar-04") == "2026-Mar-04"
    with speaking("es"):
        assert spoken_dates("2026-Mar-04") == "2026-mar-04"
        assert spoken_dates("Tue 03") == "mar 03"
        assert spoken_dates("14:05") == "14:05"


async def test_without_matplotlib_there_is_no_picture() -> None:
    assert await Charts(enabled=False).draw(request()) is None
