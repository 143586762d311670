"""Recorded tick files, read as a stream in bounded memory, zipped (one member) or not.

Two formats: MetaTrader's own tick export (tab separated, with a header, times in broker server
time) and the plain `milliseconds-since-midnight,bid,ask` CSV (times UTC). Prices are kept as
written, so that whoever needs them exact can have them so. Crossed quotes (bid above ask; real
files have thousands) are skipped and counted.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final, NamedTuple

from core.sim.structs import SERVER_OFFSET_S
from core.sim.symbols import SYMBOLS

LINE_CHARS_MAX: Final = 1_000
DAY_MS: Final = 86_400_000
OFFSET_S_MAX: Final = 14 * 3600
EXPORT_HEADER: Final = "<DATE>"
EXPORT_COLUMNS: Final = ("date", "time", "bid", "ask", "last", "volume", "flags")
EXPORT_COLUMNS_MIN: Final = 4
PLAIN_COLUMNS: Final = ("milliseconds", "bid", "ask")

_NUMBER: Final = re.compile(r"\d{1,12}(?:\.\d{1,12})?")
_PLAIN: Final = re.compile(
    r"(\d{1,8}(?:\.\d{1,12})?),(\d{1,12}(?:\.\d{1,12})?),(\d{1,12}(?:\.\d{1,12})?)\s*"
)
_DATE: Final = re.compile(r"(\d{4})[.\-/](\d{2})[.\-/](\d{2})")
_TIME: Final = re.compile(r"(\d{2}):(\d{2}):(\d{2})(\.\d{1,6})?")
_DATE_IN_NAME: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")
_BOMS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


class TickFileError(Exception):
    """The file cannot be replayed; one line says where and what was expected."""


class FileTick(NamedTuple):
    """One quote. `time_ms` is true UTC milliseconds, fractions kept; prices as written."""

    time_ms: float
    bid: str
    ask: str


class TickFile:
    """A tick file that was read once from end to end, so that replaying it meets no surprise.

    `first_ms` and `last_ms` are the times of its first and last usable tick (true UTC), `count`
    how many are usable, `crossed` how many were skipped, `digits` the most decimals of a price.
    Raises TickFileError.
    """

    def __init__(
        self,
        path: Path,
        *,
        symbol: str | None = None,
        date: str | None = None,
        utc_offset_s: int | None = None,
    ) -> None:
        self.path = path
        self.crossed = 0
        if utc_offset_s is not None and abs(utc_offset_s) > OFFSET_S_MAX:
            raise TickFileError("utc offset: expected between -14 and +14 hours")
        self._offset_s = utc_offset_s
        with self._lines() as (names, first, _):
            self.is_export = first.upper().startswith(EXPORT_HEADER)
            if not self.is_export:
                self._recognise(first)
            self.symbol = self._find_symbol(symbol, names)
            self._midnight_ms = 0.0 if self.is_export else self._find_midnight(date, names)
        self._check()

    def _recognise(self, first: str) -> None:
        if not first.strip():
            raise self._error(1, None, "a tick file", "an empty line" if first else "no lines")
        if not _PLAIN.fullmatch(first):
            self._explain_plain(1, first)

    def _check(self) -> None:
        count, digits, first_ms, last_ms = 0, 0, 0.0, 0.0
        for tick in self.ticks():
            if not count:
                first_ms = tick.time_ms
            count += 1
            last_ms = tick.time_ms
            decimals = max(len(tick.bid.partition(".")[2]), len(tick.ask.partition(".")[2]))
            digits = max(digits, decimals)
        if not count:
            raise self._error(None, None, "at least one quote with a bid and an ask", "none")
        self.count, self.digits, self.first_ms, self.last_ms = count, digits, first_ms, last_ms

    def _find_symbol(self, given: str | None, names: tuple[str, ...]) -> str:
        if given is not None:
            if given.upper() in SYMBOLS:
                return given.upper()
            known = ", ".join(SYMBOLS)
            raise TickFileError(f"symbol: expected one of {known}, was {given!r}")
        for name in names:
            for symbol in SYMBOLS:
                if symbol in name.upper():
                    return symbol
        raise TickFileError(f"{self.path.name}: names no known symbol, expected --symbol")

    def _find_midnight(self, given: str | None, names: tuple[str, ...]) -> float:
        texts = [given] if given is not None else list(names)
        for text in texts:
            for year, month, day in _DATE_IN_NAME.findall(text):
                try:
                    midnight = datetime(int(year), int(month), int(day), tzinfo=UTC)
                except ValueError:
                    continue
                return midnight.timestamp() * 1000 - (self._offset_s or 0) * 1000
        if given is not None:
            raise TickFileError(f"date: expected YYYY-MM-DD, was {given!r}")
        raise TickFileError(
            f"{self.path.name}: its times have no date and its name neither, expected --date"
        )

    @contextmanager
    def _lines(self) -> Iterator[tuple[tuple[str, ...], str, Iterator[str]]]:
        """Open the file: names to infer from, its first line, and all of its lines."""
        try:
            with self._bytes() as (names, stream):
                buffered = io.BufferedReader(_Raw(stream))
                head = buffered.peek(3)[:3]
                codec = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
                text = io.TextIOWrapper(buffered, encoding=codec)
                first = text.readline(LINE_CHARS_MAX)
                yield names, first, _bounded(first, text)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            # RuntimeError: an encrypted member, or (NotImplementedError) an unknown compression.
            raise self._error(None, None, "a readable file", _first_line(error)) from error
        except UnicodeError as error:
            raise self._error(None, None, "text (UTF-8 or UTF-16)", "other bytes") from error

    @contextmanager
    def _bytes(self) -> Iterator[tuple[tuple[str, ...], IO[bytes]]]:
        if self.path.suffix.lower() != ".zip":
            with self.path.open("rb") as stream:
                yield (self.path.name,), stream
            return
        with zipfile.ZipFile(self.path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) != 1:
                raise self._error(None, None, "a zip with one file in it", f"{len(members)} files")
            with archive.open(members[0]) as stream:
                yield (Path(members[0].filename).name, self.path.name), stream

    def ticks(self) -> Generator[FileTick, None, None]:
        """Every usable tick in order; crossed ones are left out. Raises TickFileError."""
        skipped = 0
        with self._lines() as (_, _, lines):
            source = self._export(lines) if self.is_export else self._plain(lines)
            last_ms = float("-inf")
            for number, tick in source:
                if tick.time_ms < last_ms:
                    raise self._error(number, (1, "time"), "a time not before the line above's")
                last_ms = tick.time_ms
                if float(tick.bid) > float(tick.ask):
                    skipped += 1
                    continue
                yield tick
        self.crossed = skipped

    def _plain(self, lines: Iterator[str]) -> Iterator[tuple[int, FileTick]]:
        midnight_ms, match = self._midnight_ms, _PLAIN.fullmatch
        for number, line in enumerate(lines, 1):
            found = match(line)
            if found is None:
                self._explain_plain(number, line)
                continue
            time, bid, ask = found.groups()
            at = float(time)
            if at >= DAY_MS or not float(bid) or not float(ask):
                self._explain_plain(number, line)
            yield number, FileTick(midnight_ms + at, bid, ask)

    def _explain_plain(self, number: int, line: str) -> None:
        """Say what is wrong with a line; blank ones are nothing to complain of."""
        if not line.strip():
            return
        cells = line.strip().split(",")
        if len(cells) != len(PLAIN_COLUMNS):
            expected = "milliseconds,bid,ask" + (
                " or MetaTrader's tick export with its header" if number == 1 else ""
            )
            raise self._error(number, None, expected, f"{len(cells)} columns")
        for column, (name, cell) in enumerate(zip(PLAIN_COLUMNS, cells, strict=True), 1):
            if column > 1:
                self._price(number, (column, name), cell)
            elif not _NUMBER.fullmatch(cell) or float(cell) >= DAY_MS:
                expected = f"milliseconds since midnight, 0 to {DAY_MS - 1}"
                raise self._error(number, (column, name), expected, repr(cell))

    def _export(self, lines: Iterator[str]) -> Iterator[tuple[int, FileTick]]:
        bid = ask = ""
        offset_s = SERVER_OFFSET_S if self._offset_s is None else self._offset_s
        days: dict[str, float] = {}
        for number, line in enumerate(lines, 1):
            if number == 1 or not line.strip():
                continue
            cells = line.rstrip("\r\n").split("\t")
            if not EXPORT_COLUMNS_MIN <= len(cells) <= len(EXPORT_COLUMNS):
                expected = "tab separated date, time, bid, ask, last, volume, flags"
                raise self._error(number, None, expected, f"{len(cells)} columns")
            if cells[0] not in days:
                days.clear()
                days[cells[0]] = self._day_ms(number, cells[0])
            at = days[cells[0]] + self._time_ms(number, cells[1]) - offset_s * 1000
            # An empty cell means unchanged; a line may come before both sides are known.
            bid = self._price(number, (3, "bid"), cells[2]) if cells[2] else bid
            ask = self._price(number, (4, "ask"), cells[3]) if cells[3] else ask
            if bid and ask:
                yield number, FileTick(at, bid, ask)

    def _day_ms(self, number: int, cell: str) -> float:
        found = _DATE.fullmatch(cell)
        try:
            if found is not None:
                year, month, day = map(int, found.groups())
                return datetime(year, month, day, tzinfo=UTC).timestamp() * 1000
        except ValueError:
            pass
        raise self._error(number, (1, "date"), "a date like 2014.05.02", repr(cell))

    def _time_ms(self, number: int, cell: str) -> float:
        found = _TIME.fullmatch(cell)
        if found is not None:
            hours, minutes, seconds = (int(part) for part in found.groups()[:3])
            span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
            if hours <= 23 and minutes <= 59 and seconds <= 59:  # noqa: PLR2004 - a clock's own
                return span.total_seconds() * 1000 + float(found[4] or 0) * 1000
        raise self._error(number, (2, "time"), "a time like 12:30:00.123", repr(cell))

    def _price(self, number: int, column: tuple[int, str], cell: str) -> str:
        if not _NUMBER.fullmatch(cell) or not float(cell):
            raise self._error(number, column, "a positive price", repr(cell))
        return cell

    def _error(
        self, line: int | None, column: tuple[int, str] | None, expected: str, found: str = ""
    ) -> TickFileError:
        where = self.path.name
        where += f", line {line}" if line is not None else ""
        where += f", column {column[0]} ({column[1]})" if column is not None else ""
        return TickFileError(f"{where}: expected {expected}" + (f", was {found}" if found else ""))


class _Raw(io.RawIOBase):
    """A binary stream as raw bytes, so that a zip's member can be peeked at and decoded alike."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed: Buffer
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _bounded(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    """Every line, cut at `LINE_CHARS_MAX`: a file without line ends must not fill the memory."""
    line = first
    while line:
        yield line
        line = text.readline(LINE_CHARS_MAX)


def _first_line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.splitlines()[0] if text else type(error).__name__
