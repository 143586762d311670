"""Charts: drawn off the loop, one at a time, remembered for a minute, optional."""

import struct
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot import charts
from bot.charts import Charts, curve_of, render, thinned
from bot.views.message import ChartRequest
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
        points=history(points),
        drawn_at=START,
    )


def test_the_picture_is_a_png_of_1200_by_675() -> None:
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    png = render(request())
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (1200, 675)


def test_the_floor_is_the_higher_of_both_rules() -> None:
    curve = curve_of(request())
    assert curve.floor[0] == 8100.0, "minimum equity, above 80 % of 10,000"
    assert curve.warn[0] == 8500.0
    assert curve_of(replace(request(), minimum_equity=None)).floor[0] == 8000.0


def test_many_points_are_thinned_and_keep_both_ends() -> None:
    points = history(charts.POINTS_MAX + 1)
    assert len(thinned(points[:-1])) == charts.POINTS_MAX
    kept = thinned(points)
    assert len(kept) == charts.POINTS_MAX
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


async def test_without_matplotlib_there_is_no_picture() -> None:
    assert await Charts(enabled=False).draw(request()) is None
