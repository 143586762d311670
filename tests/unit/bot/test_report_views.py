"""Reports, digests and files as their readers see them, written out by hand."""

import csv
import io
import struct
from datetime import UTC, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot import report_chart
from bot.charts import render
from bot.i18n import speaking
from bot.views import alerts, report, report_csv
from bot.views.message import Audience, Voice
from bot.views.tables import COLUMNS_MAX, table
from core.domain.periods import Span, period
from core.domain.report import Blind, Flows, ReportFile, SignalCount, SymbolResult
from core.domain.statement import Statement
from tests.fakes.alerts_digest import day_of, digest
from tests.fakes.clock import START
from tests.fakes.reports import DAY, account_report, deal
from tests.fakes.reports import report as a_report
from tests.unit.bot.html import words

D = Decimal
DEMO = Voice(mark="[DEMO]")
ANN = 900


def test_a_days_report() -> None:
    message = report.report(account_report(), DEMO, ANN)
    assert words(message.html) == (
        "[DEMO] 📒 50001, Sun 22 Nov 2026\n"
        "⚠️ Could not be read 02:00 to 02:30 (30 min)\n"
        "Lowest equity and drawdown of that time are not known.\n"
        "Realised: +98.25 GBP\n"
        "Open at 14:02: +12.00 GBP\n"
        "3 trades closed: 2 won, 1 lost\n"
        "Best: +120.40 GBP, XAUUSD buy 0.10, #900001\n"
        "Worst: -20.15 GBP, EURUSD sell 0.10, #900002\n"
        "Symbol  Trades Result GBP\n"
        "XAUUSD       2    +120.40\n"
        "EURUSD       1     -20.15\n"
        "charges             -2.00\n"
        "Slippage in pips, + is worse than expected:\n"
        "Symbol     Fills Median Worst\n"
        "XAUUSD in      2   +0.4  +3.1\n"
        "XAUUSD out     1   -1.2  -1.2\n"
        "By hour of the day:\n"
        "Symbol     Hour Fills Median Worst\n"
        "XAUUSD in  09h      1   -2.3  -2.3\n"
        "XAUUSD in  14h      1   +3.1  +3.1\n"
        "XAUUSD out 14h      1   -1.2  -1.2\n"
        "Signals: 2 followed, 1 missed, 1 rejected, 0 expired\n"
        "From start to end:\n"
        "                       GBP\n"
        "Balance at start  9,987.75\n"
        "Money in           +500.00\n"
        "Realised            +98.25\n"
        "Balance now      10,586.00\n"
        "Open positions      +12.00\n"
        "Equity now       10,598.00\n"
        "Worst drawdown read: 4.2 % at 13:02\n"
        "Times: UTC. Read at 14:02:08 UTC, 3 s ago."
    )
    assert [[b.label for b in row] for row in message.keyboard] == [["Day before", "Its week"]]
    assert message.document is not None
    assert message.document.name == "50001_2026-11-22.csv"
    assert message.document.caption == "[DEMO] 2 deals of Sun 22 Nov 2026"


def test_a_quiet_day_says_so_and_has_no_empty_tables() -> None:
    quiet = a_report(
        realised=D(0),
        symbols=(),
        charges=D(0),
        trades=0,
        best=None,
        worst=None,
        floating=None,
        flows=Flows(),
        flow_marks=(),
        slippage=(),
        slippage_by_hour=(),
        signals=SignalCount(),
        curve=(),
        worst_drawdown=None,
        blind=(),
        statement=None,
    )
    message = report.report(account_report(quiet), Voice(), ANN)
    assert words(message.html) == (
        "📒 50001, Sun 22 Nov 2026\n"
        "Realised: 0.00 GBP\n"
        "No trade was closed.\n"
        "Signals: none\n"
        "Drawdown: not known, nothing was read\n"
        "Times: UTC. Read at 14:02:08 UTC, 3 s ago."
    )
    assert message.chart is None


def test_a_statement_that_is_over_names_credit_and_what_no_deal_explains() -> None:
    """1,000 - 200 + 50 - 30 - 5 = 815. Deals came after the last reading: no equity is named."""
    made = a_report(
        realised=D(-30),
        flows=Flows(withdrawals=D(-200), credit=D(50)),
        statement=Statement(
            start=D(1000),
            end=D(815),
            unexplained=D(-5),
            open_result=None,
            equity=None,
            has_credit=True,
        ),
    )
    text = words(report.report(account_report(made, now=DAY.end), Voice(), ANN).html)
    told = text.split("\n")
    at = told.index("From start to end, balance with credit:")
    assert [line.rsplit(None, 1) for line in told[at + 2 : at + 8]] == [
        ["Balance at start", "1,000.00"],
        ["Money out", "-200.00"],
        ["Credit", "+50.00"],
        ["Realised", "-30.00"],
        ["No deal explains", "-5.00"],
        ["Balance at end", "815.00"],
    ]
    assert told[at + 8].startswith("Worst drawdown")


def test_money_moved_is_told_also_where_there_is_no_statement() -> None:
    text = words(report.report(account_report(a_report(statement=None)), Voice(), ANN).html)
    assert "Money moved, neither profit nor loss: in +500.00 GBP" in text


def test_figures_that_are_not_the_whole_are_called_so_before_they_are_read() -> None:
    cut = a_report(are_deals_cut=True, blind=())
    lines = words(report.report(account_report(cut), DEMO, ANN).html).split("\n")
    assert lines[1] == (
        "⚠️ More than 2 deals: only the newest are counted, so results and file are not the whole."
    )
    blind = account_report(unavailable_since=START - timedelta(minutes=5))
    lines = words(report.report(blind, DEMO, ANN).html).split("\n")
    assert lines[1] == "⚠️ Cannot be read since 13:57:11 UTC; figures are from before."


def test_the_longest_times_without_readings_are_named_and_the_others_summed() -> None:
    """Five gaps of 1 to 5 minutes: 3, 4 and 5 by name, 1 + 2 = 3 minutes together."""
    gaps = tuple(
        Blind(
            start=DAY.start + timedelta(hours=n),
            end=DAY.start + timedelta(hours=n, minutes=n),
            is_outage=False,
        )
        for n in range(1, 6)
    )
    assert report.blind_words(a_report(blind=gaps), Voice()) == [
        "⚠️ Reckoner was not running 03:00 to 03:03 (3 min)",
        "⚠️ Reckoner was not running 04:00 to 04:04 (4 min)",
        "⚠️ Reckoner was not running 05:00 to 05:05 (5 min)",
        "⚠️ and 2 shorter times without readings, 3 min",
        "Lowest equity and drawdown of that time are not known.",
    ]


def test_more_symbols_than_have_room_are_one_line_and_nothing_is_lost() -> None:
    """Twelve symbols of 1.00 each: ten by name, the last two as 2.00."""
    many = tuple(SymbolResult(symbol=f"S{n}", trades=1, result=D(1)) for n in range(12))
    text = words(report.report(account_report(a_report(symbols=many)), Voice(), ANN).html)
    cells = [row.split() for row in text.split("\n")]
    assert ["S9", "1", "+1.00"] in cells
    assert "S10" not in text
    assert ["2", "more", "2", "+2.00"] in cells


def test_the_readers_zone_rules_times() -> None:
    """Kolkata is five and a half hours ahead: 13:02 UTC is 18:32."""
    kolkata = ZoneInfo("Asia/Kolkata")
    made = a_report(period=period(Span.DAY, START.date(), kolkata))
    text = words(report.report(account_report(made, time_zone="Asia/Kolkata"), DEMO, ANN).html)
    assert "Worst drawdown read: 4.2 % at 18:32" in text
    assert "Open at 19:32" in text
    assert "Times: Asia/Kolkata. Read at 19:32:08 IST, 3 s ago." in text


def test_a_week_has_bars_for_the_days_that_have_begun() -> None:
    """Seen on Wednesday: three bars."""
    wednesday = START - timedelta(days=4)
    week = period(Span.WEEK, wednesday.date(), UTC)
    made = a_report(period=week, days=(D(1), D(-2), D(3), D(0), D(0), D(0), D(0)))
    chart = report.chart(account_report(made, now=wednesday), DEMO)
    assert chart.bars == (("Mon 16", D(1)), ("Tue 17", D(-2)), ("Wed 18", D(3)))
    assert report.period_words(week) == "Mon 16 Nov to Sun 22 Nov 2026"


def test_a_chart_is_in_the_language_of_whoever_asked_and_so_are_its_days() -> None:
    week = period(Span.WEEK, (START - timedelta(days=4)).date(), UTC)
    made = a_report(period=week, days=(D(1), D(-2), D(3), D(0), D(0), D(0), D(0)))
    with speaking("es"):
        chart = report.chart(account_report(made), DEMO)
        assert report.period_words(DAY) == "dom 22 nov 2026"
    assert chart.language == "es"
    assert chart.bars[:2] == (("lun 16", D(1)), ("mar 17", D(-2)))
    assert replace(chart, language="en").key != chart.key


def test_a_reports_caption_and_buttons_in_spanish_are_whole_words() -> None:
    with speaking("es"):
        message = report.report(account_report(), DEMO, ANN)
    assert message.document is not None
    assert message.document.caption == "[DEMO] 2 deals: dom 22 nov 2026"
    labels = [button.label for row in message.keyboard for button in row]
    assert labels == ["Día anterior", "Toda la semana"]


def test_the_picture_is_a_png_and_its_line_is_broken_where_nothing_was_read() -> None:
    chart = report.chart(account_report(), DEMO)
    parts = report_chart.pieces(chart)
    assert [len(part) for part in parts] == [9, 46]  # readings up to 02:00, and from 02:30 on
    assert parts[0][-1].at == DAY.start + timedelta(hours=2)
    assert parts[1][0].at == DAY.start + timedelta(hours=2, minutes=30)
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    png = render(chart)
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (1200, 911)
    alone = replace(chart, bars=(), points=chart.points[:1], flows=())
    assert struct.unpack(">II", render(alone)[16:24]) == (1200, 675)


def test_no_figure_of_the_bars_is_cut_off() -> None:
    """A week with one day of losses: the zeros of the others stood past the right edge."""
    pytest.importorskip("matplotlib", reason="the extra `charts` is not installed")
    week = (("Sat", D("-2362.99")), *((day, D(0)) for day in ("Fri", "Thu", "Wed", "Tue", "Mon")))
    for bars in (week, tuple((day, -amount) for day, amount in week), week[1:]):
        figure = report_chart.figure_of(replace(report.chart(account_report(), DEMO), bars=bars))
        figure.canvas.draw()
        for text in figure.axes[-1].texts:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= figure.bbox.width, text.get_text()


# --- the file -----------------------------------------------------------------------------------


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_the_file_has_a_row_per_deal_with_its_figures_plain() -> None:
    opened, closed = rows(report_csv.content(account_report()))
    assert opened["time"] == "2026-11-22 12:00:00+00:00"
    assert (opened["what"], opened["side"], opened["lots"]) == ("opened", "buy", "0.1")
    assert (opened["commission"], opened["amount"]) == ("-1.50", "-1.50")
    assert (opened["slippage_pips"], opened["signal"], opened["account"]) == ("0.4", "5", "50001")
    assert (closed["what"], closed["side"], closed["how"]) == ("closed", "buy", "client_mobile")
    assert (closed["profit"], closed["slippage_pips"]) == ("121.90", "")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-12.50", "-12.50"),
        ("+12", "+12"),
        ("", ""),
        ("R-1", "R-1"),
    ],
)
def test_a_cell_never_becomes_a_formula(cell: str, written: str) -> None:
    assert report_csv.safe(cell) == written


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_comment_survives_the_file_as_text(comment: str) -> None:
    file = ReportFile(deals=(deal(1, comment=comment),), signals={}, slips={}, ours=frozenset())
    (row,) = rows(report_csv.content(account_report(file=file)))
    assert row["comment"] in {comment, f"'{comment}"}
    assert not row["comment"].startswith(("=", "@"))


def test_a_balance_operation_has_no_price_and_no_side() -> None:
    file = ReportFile(
        deals=(deal(3, deal_type=2, position_id=0, symbol="", profit=D(500), magic=0),),
        signals={},
        slips={},
        ours=frozenset(),
    )
    (row,) = rows(report_csv.content(account_report(file=file)))
    assert (row["what"], row["side"], row["price"], row["lots"]) == ("deposit", "", "", "")
    assert (row["amount"], row["position"]) == ("500.00", "")


def test_a_weeks_file_is_named_by_both_its_dates() -> None:
    week = period(Span.WEEK, START.date(), UTC)
    assert report_csv.name(50001, week) == "50001_2026-11-16_2026-11-22.csv"


# --- tables -------------------------------------------------------------------------------------


def test_a_table_is_as_wide_as_a_phone_and_becomes_cards_past_that() -> None:
    """36 columns fit: 17 and a space and 18; one more does not."""
    (block,) = table(["a", "b"], [["x" * 17, "1" * 18]])
    assert [len(row) for row in words(block).split("\n")] == [COLUMNS_MAX, COLUMNS_MAX]
    assert table(["a", "b"], [["x" * 18, "1" * 18]]) == [f"• {'x' * 18}\n   b: {'1' * 18}"]


def test_a_table_shows_markup_as_text() -> None:
    (block,) = table(["<b>", "&"], [["a", "1"]])
    assert words(block) == "<b> &\na   1"


# --- the digest ---------------------------------------------------------------------------------


def test_a_digest_of_one_account() -> None:
    message = alerts.render(digest(), DEMO, Audience.CLIENT)
    assert words(message.html) == (
        "[DEMO] 🗓 Sat 21 Nov: +98.25 GBP, 3 trades closed\n"
        "50001: realised +98.25 GBP, open +12.00 GBP\n"
        "3 trades closed: 2 won, 1 lost\n"
        "Signals: 2 followed, 1 missed, 0 rejected, 1 expired\n"
        "Money moved, neither profit nor loss: in +500.00 GBP, out -20.50 GBP\n"
        "Worst drawdown read: 4.2 %\n"
        "⚠️ Not read for 30 min: lowest equity of that time is not known.\n"
        "Equity ▁▄█\n"
        "Times: Europe/London. Chart and file:\n"
        "/report day 2026-11-21"
    )
    assert message.silent, "it can wait until its reader looks"


def test_amounts_of_several_currencies_are_not_added() -> None:
    both = digest(day_of(), day_of(login=50002, currency="USD"), left_out=3)
    text = words(alerts.render(both, DEMO, Audience.CLIENT).html)
    assert text.startswith("[DEMO] 🗓 Sat 21 Nov: 6 trades closed on 2 accounts\n")
    assert "and 3 more accounts: see /report" in text
