"""The gold payrolls day of 2 May 2014, replayed through a real world and a real app.

Of the engine nothing is taken but the instants at which it read (`reads.jsonl`). Everything else is
worked out here, from the recorded file and from what the broker says the accounts bought: equity
at each read, its peak and drawdown, the breach, the spread episodes. Both are then compared.
"""

import asyncio
import json
import sqlite3
import zipfile
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from tests.wire.stage import Stage, Zygote

D = Decimal
PAYROLLS: Final = (
    Path(__file__).parents[2].parent / "shared/market-data/xauusd-ticks-20140502-payrolls.zip"
)
MIDNIGHT: Final = datetime(2014, 5, 2, tzinfo=UTC)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
WORDS: Final = ("--ticks", str(PAYROLLS), "--speed", "0", "--headless")
ENV: Final = {
    "RECONCILIATION_SYNC_INTERVAL_S": "120",
    "SYNC_INTERVAL_OPEN_S": "120",
    "SYNC_INTERVAL_FAST_S": "20",
    "MARKET_MUTE_WINDOW": "none",
    "PRICE_GAP_TYPICAL_MULTIPLE": "0",
    "SPREAD_TYPICAL_MULTIPLE": "0",
}
"""A thirtieth of the default's reads, so that a whole day fits into a test; spreads by their limit
alone, all day long.
"""
DAY_BOUND_S: Final = 600.0
OUNCES_A_LOT: Final = 100
CENT: Final = D("0.01")
DEPOSITS: Final = {50001: D(10_000), 50002: D(12_000), 50003: D(8_000), 50004: D(9_000)}
DOLLARS: Final = {
    50001: (D("1.27000"), D("1.27012")),
    50002: (D(1), D(1)),
    50003: (D("1.08500"), D("1.08510")),
    50004: (D("1.27000"), D("1.27012")),
}
"""Dollars for one unit of the account's money, bid and ask: they do not move in this replay."""
WIDE: Final = 10 * D("0.10")
"""A spread of more than ten pips, each 0.10 dollars of gold."""
CALM: Final = 8 * D("0.10")
"""At or below 80 % of it a spread is calm; it is over once it is so for half a minute."""


class Ticks:
    """The file's usable quotes."""

    def __init__(self, path: Path) -> None:
        self.crossed = 0
        self._at: list[D] = []
        self._quotes: list[tuple[D, D]] = []
        with zipfile.ZipFile(path) as archive:
            rows = archive.read(archive.namelist()[0]).decode().split()
        for row in rows:
            at, bid, ask = map(D, row.split(","))
            if bid > ask:
                self.crossed += 1
                continue
            self._at.append(at)
            self._quotes.append((bid, ask))

    def __len__(self) -> int:
        return len(self._at)

    def at(self, instant: datetime) -> tuple[D, D]:
        """Bid and ask of the last quote at or before an instant."""
        since = D((instant - MIDNIGHT) // timedelta(microseconds=1)) / 1000
        return self._quotes[bisect_right(self._at, since) - 1]


@dataclass
class Course:
    """One account's day as worked out here."""

    login: int
    sign: int
    lots: D
    entry: D
    flat_at: datetime | None
    equity: dict[datetime, D] = field(default_factory=dict)
    peak: dict[datetime, D] = field(default_factory=dict)
    """The highest equity of any read so far."""
    breach: datetime | None = None
    warned: list[datetime] = field(default_factory=list)
    """When the drawdown came to 15 %, each time anew."""

    def drawdown(self, at: datetime) -> D:
        """In percent of the peak."""
        return (self.peak[at] - self.equity[at]) * 100 / self.peak[at]

    def worst(self) -> D:
        """The maximum drawdown over all reads with the position open."""
        return max(self.drawdown(at) for at in self.equity)


def follow(course: Course, reads: list[datetime], ticks: Ticks) -> None:
    """Work out one account's day until it is flat."""
    peak, warned = D(0), False
    for place, at in enumerate(reads):
        # A breach too far past the limit for a countdown is closed at the instant of its reads.
        if course.flat_at is not None and at > course.flat_at:
            break
        bid, ask = ticks.at(at)
        price = bid if course.sign > 0 else ask
        dollars = (price - course.entry) * course.sign * course.lots * OUNCES_A_LOT
        # A gain in dollars buys the account's money at the ask, a loss at the bid.
        rate = DOLLARS[course.login][1 if dollars > 0 else 0]
        gain = (dollars / rate).quantize(CENT, ROUND_HALF_UP)
        equity = DEPOSITS[course.login] + gain
        peak = max(peak, equity)
        course.equity[at], course.peak[at] = equity, peak
        fallen = (peak - equity) * 100 / peak
        confirmed = reads[place + 1 : place + 2] == [at]
        if fallen >= 20 and confirmed and course.breach is None:
            course.breach = at
        # Who falls past both limits between two reads is told of the breach alone.
        if fallen >= 15 and not warned and course.breach != at:
            course.warned.append(at)
        warned = fallen >= 15


@dataclass
class Day:
    """What is compared: the courses, the broker's truth, the app's database, the end state."""

    ticks: Ticks
    courses: dict[int, Course]
    reads: dict[int, list[datetime]]
    broker: dict[int, dict[str, Any]]
    database: Path
    state: dict[str, Any]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the app's database."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]


async def replay_the_day(folder: Path, zygote: Zygote) -> Day:
    """Replay the whole day, and work it out from the file."""
    async with Stage(zygote, folder, words=WORDS, env=ENV) as stage:
        await stage.start_world()
        before = {login: await stage.get(f"/broker/{login}") for login in DEPOSITS}
        await stage.start_app()
        state = await replayed(stage)
        await stage.stop(stage.app_pid)
        broker = {login: await stage.get(f"/broker/{login}") for login in DEPOSITS}
        await stage.stop(stage.world_pid)
    ticks = Ticks(PAYROLLS)
    reads = read_instants(folder / "reads.jsonl")
    courses = {}
    for login in DEPOSITS:
        (held,) = before[login]["positions"]
        out = [d for d in broker[login]["deals"] if d["entry"] == 1]
        courses[login] = Course(
            login=login,
            sign=1 if held["side"] == "buy" else -1,
            lots=D(str(held["volume"])),
            entry=D(str(held["price_open"])),
            flat_at=instant(out[0]["time"]) if out else None,
        )
        follow(courses[login], reads[login], ticks)
    return Day(ticks, courses, reads, broker, folder / "reckoner.db", state)


async def replayed(stage: Stage) -> dict[str, Any]:
    """Wait for the end of the file; answers the state then."""
    state: dict[str, Any] = {}
    for _ in range(int(DAY_BOUND_S * 2)):
        state = await stage.get("/sim/state")
        if state["replay"]["ended"]:
            return state
        await asyncio.sleep(0.5)
    raise AssertionError(f"not at the end after {DAY_BOUND_S} s: {state}")


def read_instants(path: Path) -> dict[int, list[datetime]]:
    """When each account was read."""
    reads: dict[int, list[datetime]] = defaultdict(list)
    for line in path.read_text().splitlines():
        row = json.loads(line)
        reads[row["login"]].append(EPOCH + timedelta(milliseconds=row["at_ms"]))
    return reads


def instant(text: str) -> datetime:
    """An instant as the broker writes it."""
    return datetime.fromisoformat(text)


def stored(text: str) -> datetime:
    """An instant as SQLite holds it: UTC, without saying so."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def amount(scaled: int) -> D:
    """An exact amount, stored as an integer of 1e-8."""
    return D(scaled) / 10**8


def check_the_world_tells_how_far_the_replay_is(day: Day) -> None:
    """All usable ticks were fed, the crossed ones counted."""
    replay = day.state["replay"]
    assert replay["ended"] is True
    assert (replay["ticks"], replay["skipped_crossed"]) == (len(day.ticks), day.ticks.crossed)
    assert instant(replay["now"]) >= MIDNIGHT + timedelta(hours=20)


def check_every_account_was_read_before_time_moved_and_all_day_long(day: Day) -> None:
    """All first reads are at one instant, and no account is forgotten."""
    first = {reads[0] for reads in day.reads.values()}
    assert len(first) == 1
    for reads in day.reads.values():
        assert len(reads) > 600
        # 120 s apart at most; an instant may be late by what one reading takes.
        assert max(b - a for a, b in pairwise(reads)) <= timedelta(seconds=121)


def check_the_peak_of_each_account_is_that_of_its_reads(day: Day) -> None:
    """To the cent."""
    recorded = {
        row["login"]: amount(row["peak_equity"])
        for row in day.rows(
            "SELECT a.login, s.peak_equity FROM account_state s JOIN accounts a ON a.id = s.id"
        )
    }
    assert recorded == {login: max(c.equity.values()) for login, c in day.courses.items()}


def check_each_sample_holds_the_equity_peak_and_drawdown_of_its_instant(day: Day) -> None:
    """To the cent, and four decimals of a percent."""
    rows = day.rows(
        "SELECT a.login, p.* FROM position_snapshots p JOIN accounts a ON a.id = p.account_id"
    )
    compared: dict[int, list[D]] = defaultdict(list)
    for row in rows:
        course, at = day.courses[row["login"]], stored(row["created_at"])
        if at not in course.equity:
            continue  # flat, or after the end of the file
        assert amount(row["equity"]) == course.equity[at]
        assert amount(row["peak_equity"]) == course.peak[at]
        assert abs(amount(row["drawdown_percent"]) - course.drawdown(at)) <= D("0.0001")
        compared[row["login"]].append(course.drawdown(at))
    for login, course in day.courses.items():
        minutes = len({at.replace(second=0, microsecond=0) for at in course.equity})
        assert len(compared[login]) >= minutes * 0.8
        # Samples are a minute apart: the worst of all reads lies at most a little below theirs.
        assert 0 <= course.worst() - max(compared[login]) < 3


def check_who_breaches_twenty_percent_is_closed_at_the_quote_and_stays_flat(day: Day) -> None:
    """Who, when, at which equity and which price; sent once."""
    alerts = {
        row["login"]: row
        for row in day.rows(
            "SELECT a.login, d.* FROM drawdown_alerts d JOIN accounts a ON a.id = d.account_id"
            " WHERE d.alert_type = 'execution'"
        )
    }
    breached = {login for login, course in day.courses.items() if course.breach}
    assert set(alerts) == breached
    assert breached, "this day takes an account that holds 35 times its deposit past 20 %"
    for login in breached:
        course, row = day.courses[login], alerts[login]
        assert course.breach is not None
        assert stored(row["created_at"]) == course.breach
        assert amount(row["equity"]) == course.equity[course.breach]
        assert abs(amount(row["drawdown_percent"]) - course.drawdown(course.breach)) <= D("0.0001")
        account = day.broker[login]
        assert account["positions"] == []
        (deal,) = [one for one in account["deals"] if one["entry"] == 1]
        closed_at = instant(deal["time"])
        bid, ask = day.ticks.at(closed_at)
        assert D(str(deal["price"])) == (bid if course.sign > 0 else ask)
        # The countdown is ten seconds, and the next read is a second away at most.
        assert timedelta(0) <= closed_at - course.breach <= timedelta(seconds=12)
        assert [send["source"] for send in account["order_sends"]] == ["person", "reckoner"]


def check_nobody_else_is_touched(day: Day) -> None:
    """Their one position is the one they began with."""
    for login, course in day.courses.items():
        if course.breach is None:
            assert course.worst() < 20
            assert len(day.broker[login]["positions"]) == 1
            assert [s["source"] for s in day.broker[login]["order_sends"]] == ["person"]


def check_a_warning_is_given_each_time_the_drawdown_comes_to_fifteen_percent(day: Day) -> None:
    """And only then."""
    rows = day.rows(
        "SELECT a.login, d.created_at FROM drawdown_alerts d JOIN accounts a ON a.id = d.account_id"
        " WHERE d.alert_type = 'warning' ORDER BY d.id"
    )
    given: dict[int, list[datetime]] = {login: [] for login in DEPOSITS}
    for row in rows:
        given[row["login"]].append(stored(row["created_at"]))
    assert given == {login: course.warned for login, course in day.courses.items()}


def check_each_wide_spread_is_one_warning_until_it_was_calm_for_half_a_minute(day: Day) -> None:
    """From the first read that is wide to the read that ends half a minute of calm ones."""
    instants = sorted({at for course in day.courses.values() for at in course.equity})
    episodes: list[tuple[datetime, datetime | None]] = []
    wide_since: datetime | None = None
    calm_since: datetime | None = None
    for at in instants:
        bid, ask = day.ticks.at(at)
        if wide_since is None:
            wide_since = at if ask - bid > WIDE else None
            continue
        calm_since = (calm_since or at) if ask - bid <= CALM else None
        if calm_since is not None and at - calm_since >= timedelta(seconds=30):
            episodes.append((wide_since, at))
            wide_since = calm_since = None
    if wide_since is not None:
        episodes.append((wide_since, None))
    rows = day.rows(
        "SELECT opened_at, resolved_at FROM market_warnings"
        " WHERE kind = 'spread' AND symbol = 'XAUUSD' ORDER BY id"
    )
    assert len(rows) == len(episodes) > 0
    found = [
        (stored(row["opened_at"]), stored(row["resolved_at"]) if row["resolved_at"] else None)
        for row in rows
    ]
    assert found == episodes


@pytest.mark.skipif(not PAYROLLS.is_file(), reason="../shared/market-data is not here")
async def test_the_gold_payrolls_day(tmp_path: Path, zygote: Zygote) -> None:
    """One replay of the whole day, all comparisons."""
    day = await replay_the_day(tmp_path, zygote)
    check_the_world_tells_how_far_the_replay_is(day)
    check_every_account_was_read_before_time_moved_and_all_day_long(day)
    check_the_peak_of_each_account_is_that_of_its_reads(day)
    check_each_sample_holds_the_equity_peak_and_drawdown_of_its_instant(day)
    check_a_warning_is_given_each_time_the_drawdown_comes_to_fifteen_percent(day)
    check_who_breaches_twenty_percent_is_closed_at_the_quote_and_stays_flat(day)
    check_nobody_else_is_touched(day)
    check_each_wide_spread_is_one_warning_until_it_was_calm_for_half_a_minute(day)
