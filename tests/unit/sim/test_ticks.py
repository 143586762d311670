"""Tick files: both formats, zipped or not, inferred or told; a bad file gets one line."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.sim.ticks import LINE_CHARS_MAX, TickFile, TickFileError

MARKET_DATA = Path(__file__).parents[3].parent / "shared" / "market-data"
MIDNIGHT_MS = datetime(2014, 5, 2, tzinfo=UTC).timestamp() * 1000
NAME = "20140502_xauusd_tick_quote.csv"
PLAIN = "46.2042,1284.065,1284.405\n1000,1284.1,1284.4\n"
HEADER = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
EXPORT = (
    HEADER + "2014.05.02\t03:00:00.046\t1284.06\t1284.40\t\t\t6\n"
    "2014.05.02\t03:00:01.000\t\t1284.45\t\t\t4\n"
    "2014.05.02\t03:00:02.500\t1284.10\t\t\t\t2\n"
)

Content = str | bytes | dict[str, str]
Write = Callable[[str, Content], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file, or a zip of members."""

    def make(name: str, content: Content) -> Path:
        path = tmp_path / name
        if isinstance(content, dict):
            with zipfile.ZipFile(path, "w") as archive:
                for member, text in content.items():
                    archive.writestr(member, text)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return path

    return make


def test_the_plain_format_keeps_fractions_and_prices_as_written(write: Write) -> None:
    file = TickFile(write(NAME, PLAIN))
    assert (file.symbol, file.count, file.digits) == ("XAUUSD", 2, 3)
    assert list(file.ticks()) == [
        (MIDNIGHT_MS + 46.2042, "1284.065", "1284.405"),
        (MIDNIGHT_MS + 1000, "1284.1", "1284.4"),
    ]
    assert (file.first_ms, file.last_ms) == (MIDNIGHT_MS + 46.2042, MIDNIGHT_MS + 1000)


def test_the_export_carries_unchanged_sides_over_in_server_time(write: Write) -> None:
    """03:00 at UTC+3 is midnight UTC."""
    file = TickFile(write("XAUUSD_ticks.csv", EXPORT))
    assert list(file.ticks()) == [
        (MIDNIGHT_MS + 46, "1284.06", "1284.40"),
        (MIDNIGHT_MS + 1000, "1284.06", "1284.45"),
        (MIDNIGHT_MS + 2500, "1284.10", "1284.45"),
    ]


def test_an_export_begins_once_both_sides_are_known(write: Write) -> None:
    text = HEADER + "2014.05.02\t00:00:00\t1284.1\t\t\t\t2\n2014.05.02\t00:00:01\t\t1284.4\t\t\t4\n"
    file = TickFile(write("XAUUSD.csv", text), utc_offset_s=0)
    assert [tick.time_ms for tick in file.ticks()] == [MIDNIGHT_MS + 1000]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_an_export_may_carry_a_byte_order_mark(write: Write, codec: str) -> None:
    assert TickFile(write("XAUUSD.csv", EXPORT.encode(codec))).count == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", {NAME: PLAIN}),
        ("xauusd-ticks-20140502-payrolls.zip", {"ticks.csv": PLAIN}),
        ("xauusd_2014-05-02.csv", PLAIN),
    ],
)
def test_date_and_symbol_come_from_the_names(write: Write, name: str, content: Content) -> None:
    file = TickFile(write(name, content))
    assert (file.symbol, file.first_ms) == ("XAUUSD", MIDNIGHT_MS + 46.2042)


def test_what_is_told_wins_over_the_name(write: Write) -> None:
    """At UTC-5 midnight is 05:00 UTC."""
    told = TickFile(write(NAME, PLAIN), symbol="eurusd", date="2014-05-08", utc_offset_s=-5 * 3600)
    assert told.symbol == "EURUSD"
    assert told.first_ms == MIDNIGHT_MS + 6 * 86_400_000 + 5 * 3_600_000 + 46.2042


def test_crossed_quotes_are_skipped_and_counted(write: Write) -> None:
    file = TickFile(write(NAME, "1,10.0,10.1\n2,10.2,10.1\n3,10.1,10.1\n"))
    assert (file.count, file.crossed) == (2, 1)
    assert [tick.bid for tick in file.ticks()] == ["10.0", "10.1"]


def test_blank_lines_and_line_ends_of_windows_are_no_mistakes(write: Write) -> None:
    assert TickFile(write(NAME, "1,10.0,10.1\r\n\r\n2,10.0,10.1\r\n\r\n")).count == 2


BAD: list[tuple[str, Content, str]] = [
    (NAME, "", "line 1: expected a tick file, was no lines"),
    (NAME, "\n1,2,3\n", "line 1: expected a tick file, was an empty line"),
    (NAME, "hello\n", ("line 1: expected milliseconds,bid,ask or MetaTrader's tick export with its "
     "header, was 1 columns")),
    (NAME, "1,10.0,10.1\n2,10.0\n", "line 2: expected milliseconds,bid,ask, was 2 columns"),
    (NAME, "1,10.0,10.1\nx,10.0,10.1\n", ("line 2, column 1 (milliseconds): expected milliseconds "
     "since midnight, 0 to 86399999, was 'x'")),
    (NAME, "86400000,10.0,10.1\n", ("line 1, column 1 (milliseconds): expected milliseconds since "
     "midnight, 0 to 86399999, was '86400000'")),
    (NAME, "1,10.0,10.1\n2,ten,10.1\n", ("line 2, column 2 (bid): expected a positive price, was "
     "'ten'")),
    (NAME, "1,0,10.1\n", "line 1, column 2 (bid): expected a positive price, was '0'"),
    (NAME, "1,10.0,-10.1\n", "line 1, column 3 (ask): expected a positive price, was '-10.1'"),
    (NAME, "1,nan,10.1\n", "line 1, column 2 (bid): expected a positive price, was 'nan'"),
    (NAME, "1,1_0,10.1\n", "line 1, column 2 (bid): expected a positive price, was '1_0'"),
    (NAME, "2,10.0,10.1\n1,10.0,10.1\n", ("line 2, column 1 (time): expected a time not before the "
     "line above's")),
    (NAME, "1,10.2,10.1\n", ": expected at least one quote with a bid and an ask, was none"),
    (NAME, b"1,10.0,10.1\n\xff\xff\n", ": expected text (UTF-8 or UTF-16), was other bytes"),
    ("a.csv", EXPORT, "a.csv: names no known symbol, expected --symbol"),
    ("xauusd.csv", PLAIN, ("xauusd.csv: its times have no date and its name neither, expected "
     "--date")),
    ("xauusd-20141399.csv", PLAIN, "its name neither, expected --date"),
    ("XAUUSD.csv", HEADER, ": expected at least one quote with a bid and an ask, was none"),
    ("XAUUSD.csv", HEADER + "2014.05.02 03:00\t1\t2\n", ("line 2: expected tab separated date, "
     "time, bid, ask, last, volume, flags, was 3 columns")),
    ("XAUUSD.csv", HEADER + "02/05/14\t03:00:00\t1\t2\t\t\t6\n", ("line 2, column 1 (date): "
     "expected a date like 2014.05.02, was '02/05/14'")),
    ("XAUUSD.csv", HEADER + "2014.02.30\t03:00:00\t1\t2\t\t\t6\n", ("line 2, column 1 (date): "
     "expected a date like 2014.05.02, was '2014.02.30'")),
    ("XAUUSD.csv", HEADER + "2014.05.02\t24:00:00\t1\t2\t\t\t6\n", ("line 2, column 2 (time): "
     "expected a time like 12:30:00.123, was '24:00:00'")),
    ("XAUUSD.csv", HEADER + "2014.05.02\t03:00:00\t1,5\t2\t\t\t6\n", ("line 2, column 3 (bid): "
     "expected a positive price, was '1,5'")),
    ("XAUUSD.csv", EXPORT + "2014.05.02\t03:00:00.000\t1\t2\t\t\t6\n", ("line 5, column 1 (time): "
     "expected a time not before the line above's")),
    ("a.zip", {NAME: PLAIN, "b.csv": PLAIN}, ": expected a zip with one file in it, was 2 files"),
    ("a.zip", {}, ": expected a zip with one file in it, was 0 files"),
    ("a.zip", b"PK not a zip", ": expected a readable file, was File is not a zip file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "text"), BAD)
def test_a_bad_file_gets_one_line_that_says_where(
    write: Write, name: str, content: Content, text: str
) -> None:
    with pytest.raises(TickFileError) as caught:
        TickFile(write(name, content))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_zip_is_found_before_the_replay(write: Write) -> None:
    path = write("a.zip", {NAME: PLAIN * 1})
    content = bytearray(path.read_bytes())
    content[content.index(b"1284.065")] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(TickFileError, match="expected a readable file, was Bad CRC-32"):
        TickFile(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TickFileError, match=r"gone\.csv: expected a readable file, was No such"):
        TickFile(tmp_path / "gone.csv")


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"symbol": "DOGE"}, "symbol: expected one of XAUUSD, .* was 'DOGE'"),
        ({"date": "yesterday"}, "date: expected YYYY-MM-DD, was 'yesterday'"),
        ({"date": "2014-02-30"}, "date: expected YYYY-MM-DD, was '2014-02-30'"),
        ({"utc_offset_s": 15 * 3600}, "utc offset: expected between -14 and"),
    ],
)
def test_what_is_told_is_checked(write: Write, told: dict[str, Any], text: str) -> None:
    with pytest.raises(TickFileError, match=text):
        TickFile(write(NAME, PLAIN), **told)


def test_a_line_without_end_does_not_fill_the_memory(write: Write) -> None:
    with pytest.raises(TickFileError, match="line 1: expected milliseconds,bid,ask"):
        TickFile(write(NAME, "1," * LINE_CHARS_MAX))


@pytest.mark.skipif(not MARKET_DATA.is_dir(), reason="../shared/market-data is not here")
@pytest.mark.parametrize(
    ("name", "symbol", "usable", "crossed"),
    [
        ("xauusd-ticks-20140502-payrolls.zip", "XAUUSD", 265_015, 0),
        ("eurusd-ticks-20140508-ecb.zip", "EURUSD", 167_466 - 18_285, 18_285),
    ],
)
def test_real_days(name: str, symbol: str, usable: int, crossed: int) -> None:
    """Counted by a loop over the raw lines; the README gives the totals."""
    file = TickFile(MARKET_DATA / name)
    assert (file.symbol, file.count, file.crossed) == (symbol, usable, crossed)


@pytest.mark.skipif(not MARKET_DATA.is_dir(), reason="../shared/market-data is not here")
def test_hourly_bars_are_not_ticks() -> None:
    with pytest.raises(TickFileError, match="line 1: expected milliseconds,bid,ask or MetaTrader"):
        TickFile(MARKET_DATA / "usdchf-h1-201501-snb.csv")
