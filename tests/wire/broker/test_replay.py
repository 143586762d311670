"""Replays: lockstep, every tick counted, reads noted, and a real day in seconds."""

import asyncio
import json
import time
import zipfile
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.part import WorldOptions
from core.sim.remote_clock import ClockLost, RemoteClock
from core.sim.ticks import TickFileError
from tests.wire.broker.desk import ALICE, BEN, App, Desk, expected, serve

MARKET_DATA = Path(__file__).parents[3].parent / "shared" / "market-data"
PAYROLLS = MARKET_DATA / "xauusd-ticks-20140502-payrolls.zip"
ECB = MARKET_DATA / "eurusd-ticks-20140508-ecb.zip"
MIDNIGHT = datetime(2014, 5, 2, tzinfo=UTC)
MIDNIGHT_MS = int(MIDNIGHT.timestamp() * 1000)
ROWS = (
    "1000.5,1284.00,1284.30\n5000,1285.000,1285.30\n40000,1280.00,1280.30\n"
    "41000,1283.00,1282.00\n100000,1286.00,1286.30\n"
)
D = Decimal


@pytest.fixture
def options(tmp_path: Path) -> WorldOptions:
    """Five ticks, one of them crossed."""
    path = tmp_path / "20140502_xauusd.csv"
    path.write_text(ROWS, encoding="utf-8")
    return WorldOptions(ticks_file=path)


async def advance(desk: Desk, until_ms: int) -> tuple[int, bool]:
    """Move market time to milliseconds after midnight; answers where it stands and if it ended."""
    body = await desk.post("/clock/advance", until_ms=MIDNIGHT_MS + until_ms)
    return body["now_ms"] - MIDNIGHT_MS, body["ended"]


async def gold(desk: Desk) -> tuple[float, str]:
    """Bid and time of gold."""
    (row,) = [
        one for one in (await desk.get("/broker/market"))["quotes"] if one["symbol"] == "XAUUSD"
    ]
    return row["bid"], row["at"]


async def test_market_time_stands_at_the_first_tick_until_advanced(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        clock = await desk.get("/clock")
        assert (clock["now_ms"] - MIDNIGHT_MS, clock["ended"]) == (1001, False)
        assert (clock["ticks"], clock["crossed"]) == (4, 1)
        assert await gold(desk) == (1284.0, "2014-05-02T00:00:01.001Z")
        assert await advance(desk, 4999) == (4999, False)
        assert (await gold(desk))[0] == 1284.0
        assert await advance(desk, 5000) == (5000, False)
        assert await gold(desk) == (1285.0, "2014-05-02T00:00:05.000Z")
        assert await advance(desk, 3000) == (5000, False)


async def test_past_the_last_tick_market_time_is_real_time_and_the_world_serves_on(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        now_ms, ended = await advance(desk, 10_000_000)
        assert ended
        assert 100_000 <= now_ms < 110_000
        await asyncio.sleep(0.05)
        later_ms, ended = await advance(desk, 20_000_000)
        assert ended
        assert now_ms + 50 <= later_ms < 110_000
        status, body = await desk.read(ALICE)
        assert status == 200
        assert later_ms <= body["agent_clock_ms"] - MIDNIGHT_MS < 110_000
        assert body["positions"][0]["price_current"] == 1286.0
        assert body["symbols"]["XAUUSD"]["digits"] == 3


async def test_past_the_end_time_goes_on_while_the_world_is_away(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        before_ms, _ = await advance(desk, 10_000_000)
    await asyncio.sleep(0.05)
    async with Desk(tmp_path, options) as desk:
        after = await desk.get("/clock")
        assert after["ended"]
        assert before_ms + 50 <= after["now_ms"] - MIDNIGHT_MS < 130_000


async def test_executors_ask_on_past_the_end(
    tmp_path: Path, options: WorldOptions, app: App
) -> None:
    """The last tick asks 1286.30, and nobody advances the clock any more."""
    async with Desk(tmp_path, options, loops=True) as desk:
        await advance(desk, 10_000_000)
        app.trades[ALICE] = [expected(4, stop_loss=None, take_profit=None)]
        placed: list[dict[str, Any]] = []
        for _ in range(100):
            positions = (await desk.get(f"/broker/{ALICE}"))["positions"]
            placed = [one for one in positions if one["magic"] == 4]
            if placed:
                break
            await asyncio.sleep(0.1)
        assert placed[0]["price_open"] == pytest.approx(1286.30, abs=0.0031)


async def test_each_account_holds_from_the_first_tick_on_by_mobile(
    tmp_path: Path, options: WorldOptions
) -> None:
    """Ben sells 5 x 12000 USD / (1284.30 * 100) = 0.467 lots: 0.46 on the grid."""
    async with Desk(tmp_path, options) as desk:
        (position,) = (await desk.get(f"/broker/{BEN}"))["positions"]
        assert (position["side"], position["volume"]) == ("sell", 0.46)
        assert (position["reason"], position["price_open"]) == (1, 1284.0)
        assert position["time"] == "2014-05-02T00:00:01.001Z"
        rows = (await desk.get("/broker"))["accounts"]
        assert [row["login"] for row in rows if row["margin"] == 0] == [50005], "the spare one"


async def test_stops_run_at_their_tick_inside_one_advance(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        await desk.buy(ALICE, 0.01, sl=1281.0)
        await advance(desk, 90_000)
        deal = (await desk.get(f"/broker/{ALICE}"))["deals"][-1]
        assert (deal["reason"], deal["price"]) == (4, 1280.0)
        assert deal["time"] == "2014-05-02T00:00:40.000Z"


async def test_every_read_is_noted_at_its_market_time(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        await desk.read(ALICE)
        await advance(desk, 6000)
        await desk.read(BEN)
        await advance(desk, 7000)
        lines = (tmp_path / "reads.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [
            {
                "at_ms": MIDNIGHT_MS + 1001,
                "at": "2014-05-02T00:00:01.001Z",
                "login": ALICE,
                "bid": 1284.0,
                "ask": 1284.3,
            },
            {
                "at_ms": MIDNIGHT_MS + 6000,
                "at": "2014-05-02T00:00:06.000Z",
                "login": BEN,
                "bid": 1285.0,
                "ask": 1285.3,
            },
        ]


async def test_executors_ask_each_half_minute_of_market_time(
    tmp_path: Path, options: WorldOptions, app: App
) -> None:
    """Marks at 30, 60 and 90 s; the price is that of 1285.30 (asked at 30 s)."""
    app.trades[ALICE] = [expected(4, stop_loss=None, take_profit=None)]
    async with Desk(tmp_path, options) as desk:
        await advance(desk, 29_999)
        assert app.asked == []
        await advance(desk, 30_000)
        assert app.asked.count(ALICE) == 1
        await advance(desk, 99_000)
        assert app.asked.count(ALICE) == 3
        body = await desk.get(f"/broker/{ALICE}")
        (placed,) = [one for one in body["positions"] if one["magic"] == 4]
        assert placed["time"] == "2014-05-02T00:00:30.000Z"
        assert placed["price_open"] == pytest.approx(1285.30, abs=0.0031)


async def test_a_paced_replay_takes_its_time(tmp_path: Path, options: WorldOptions) -> None:
    """20 s of market time at 50 a second are 0.4 s."""
    paced = WorldOptions(ticks_file=options.ticks_file, ticks_speed=50.0)
    async with Desk(tmp_path, paced) as desk:
        began = time.monotonic()
        assert await advance(desk, 21_001) == (21_001, False)
        assert 0.35 < time.monotonic() - began < 10


async def test_a_restarted_replay_goes_on_where_it_was_committed(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        await desk.buy(ALICE, 0.01, sl=1281.0)
        await advance(desk, 50_000)
        truth = await desk.get(f"/broker/{ALICE}")
    async with Desk(tmp_path, options) as desk:
        assert (await desk.get("/clock"))["now_ms"] == MIDNIGHT_MS + 50_000
        assert await desk.get(f"/broker/{ALICE}") == truth
        now_ms, ended = await advance(desk, 200_000)
        assert ended
        assert 100_000 <= now_ms < 110_000


async def test_another_file_over_the_same_data_is_refused(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        await desk.get("/clock")
    other = tmp_path / "20140503_xauusd.csv"
    other.write_text(ROWS, encoding="utf-8")
    with pytest.raises(TickFileError, match="the data directory holds another world"):
        Desk(tmp_path, WorldOptions(ticks_file=other))


@pytest.mark.parametrize("body", [{}, [], {"until_ms": "soon"}, {"until_ms": True}])
async def test_an_advance_needs_its_instant(
    tmp_path: Path, options: WorldOptions, body: object
) -> None:
    async with Desk(tmp_path, options) as desk:
        status, answer = await desk.ask("POST", "/clock/advance", body)
        assert (status, list(answer)) == (400, ["error"])


async def test_a_replayed_symbol_takes_no_other_price(
    tmp_path: Path, options: WorldOptions
) -> None:
    async with Desk(tmp_path, options) as desk:
        body = {"symbol": "XAUUSD", "bid": 1, "ask": 2}
        assert (await desk.ask("POST", "/broker/market", body))[0] == 409
        await desk.post("/broker/market", symbol="GBPUSD", bid=1.3, ask=1.3001)


@pytest.mark.parametrize("suffix", ["", "/", "/clock"])
async def test_the_remote_clock_is_market_time(
    tmp_path: Path, options: WorldOptions, suffix: str
) -> None:
    async with Desk(tmp_path, options) as desk, aiohttp.ClientSession() as session:
        clock = RemoteClock(desk.base_url + suffix, session)
        await clock.start()
        assert clock.now() == MIDNIGHT + timedelta(milliseconds=1001)
        assert await clock.rest_until(MIDNIGHT + timedelta(seconds=10)) is True
        assert clock.now() == MIDNIGHT + timedelta(seconds=10)
        assert await clock.rest_until(MIDNIGHT + timedelta(seconds=500)) is True
        at_the_end = clock.now()
        assert timedelta(seconds=100) <= at_the_end - MIDNIGHT < timedelta(seconds=110)
        assert await clock.rest_until(MIDNIGHT + timedelta(seconds=900)) is False
        await asyncio.sleep(0.05)
        passed = clock.now() - at_the_end
        assert timedelta(seconds=0.05) <= passed < timedelta(seconds=10)


async def test_a_long_paced_advance_is_answered_in_parts(
    tmp_path: Path, options: WorldOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sandbox.replay.HOLD_S", 0.15)
    paced = WorldOptions(ticks_file=options.ticks_file, ticks_speed=50.0)
    async with Desk(tmp_path, paced) as desk, aiohttp.ClientSession() as session:
        now_ms, ended = await advance(desk, 31_000)
        assert 1_001 < now_ms < 31_000
        assert not ended
        clock = RemoteClock(desk.base_url, session)
        await clock.start()
        assert await clock.rest_until(MIDNIGHT + timedelta(seconds=31)) is True
        assert clock.now() == MIDNIGHT + timedelta(seconds=31)


@pytest.mark.parametrize(("failures", "lost"), [(9, False), (10, True)])
async def test_a_world_that_is_away_too_long_loses_the_clock(
    monkeypatch: pytest.MonkeyPatch, failures: int, *, lost: bool
) -> None:
    monkeypatch.setattr("core.sim.remote_clock.RETRY_PAUSE_S", 0.0)
    left = failures

    async def answer(_request: web.Request) -> web.Response:
        nonlocal left
        left -= 1
        body = {"now_ms": MIDNIGHT_MS, "ended": False}
        return web.json_response(body, status=503 if left >= 0 else 200)

    app = web.Application()
    app.add_routes([web.get("/clock", answer)])
    runner, base_url = await serve(app)
    async with aiohttp.ClientSession() as session:
        clock = RemoteClock(base_url, session)
        with pytest.raises(ClockLost) if lost else nullcontext():
            await clock.start()
            assert clock.now() == MIDNIGHT
    await runner.cleanup()


@pytest.mark.skipif(not PAYROLLS.is_file(), reason="../shared/market-data is not here")
async def test_the_gold_payrolls_day_to_the_cent_and_in_seconds(tmp_path: Path) -> None:
    """Alice and Dai buy at the first ask; their equity every ten minutes is worked out anew.

    Gains in dollars buy pounds at the ask of GBPUSD (1.27012), losses at its bid (1.27000).
    """
    ticks = raw_ticks(PAYROLLS)
    entry = ticks[0][2]
    async with Desk(tmp_path, WorldOptions(ticks_file=PAYROLLS)) as desk:
        rows = {row["login"]: row for row in (await desk.get("/broker"))["accounts"]}
        lots = {}
        for login in (50001, 50004):
            (position,) = (await desk.get(f"/broker/{login}"))["positions"]
            lots[login] = D(str(position["volume"]))
            assert position["price_open"] == float(entry)
        began, index, ended, worst = time.process_time(), 0, False, dict.fromkeys(rows, 0.0)
        peak = dict.fromkeys(rows, 0.0)
        instants = [*range(600_000, 75_600_000, 600_000), 45_007_624, 80_000_000]
        for until in sorted(instants):
            _, ended = await advance(desk, until)
            while index + 1 < len(ticks) and ticks[index + 1][0] <= until:
                index += 1
            for row in (await desk.get("/broker"))["accounts"]:
                login, equity = row["login"], row["equity"]
                peak[login] = max(peak[login], equity)
                worst[login] = max(worst[login], 1 - equity / peak[login])
                if login in lots:
                    gain = (ticks[index][1] - entry) * lots[login] * 100
                    gain /= D("1.27012") if gain >= 0 else D("1.27000")
                    deposit = {50001: 10_000, 50004: 9_000}[login]
                    cents = gain.quantize(D("0.01"), rounding=ROUND_HALF_UP)
                    assert D(str(equity)) == deposit + cents
        assert ended
        assert time.process_time() - began < 10
    assert worst[50001] > 0.20
    assert worst[50004] < 0.05


@pytest.mark.skipif(not ECB.is_file(), reason="../shared/market-data is not here")
async def test_a_file_five_hours_behind_utc_is_replayed_at_its_true_instants(
    tmp_path: Path,
) -> None:
    """The ECB day of 8 May 2014; the press conference began at 12:30 UTC, 07:30 in the file."""
    ticks = raw_ticks(ECB)
    usable = [tick for tick in ticks if tick[1] <= tick[2]]
    midnight = datetime(2014, 5, 8, tzinfo=UTC)
    behind = timedelta(hours=5)
    world = WorldOptions(ticks_file=ECB, ticks_utc_offset_s=-5 * 3600)
    async with Desk(tmp_path, world) as desk:
        start = await desk.get("/clock")
        first = midnight + behind + timedelta(milliseconds=usable[0][0])
        assert abs(start["now_ms"] / 1000 - first.timestamp()) < 0.002
        assert (start["ticks"], start["crossed"]) == (len(usable), len(ticks) - len(usable))
        for hours, minutes in ((11, 45), (12, 29), (12, 31), (13, 0)):
            at = midnight + timedelta(hours=hours, minutes=minutes)
            await desk.post("/clock/advance", until_ms=int(at.timestamp() * 1000))
            since_ms = (at - behind - midnight) / timedelta(milliseconds=1)
            (bid, ask) = [tick[1:] for tick in usable if tick[0] <= since_ms][-1]
            rows = (await desk.get("/broker/market"))["quotes"]
            (quote,) = [one for one in rows if one["symbol"] == "EURUSD"]
            assert (quote["bid"], quote["ask"]) == (float(bid), float(ask))


def raw_ticks(path: Path) -> list[tuple[float, Decimal, Decimal]]:
    """The file's rows, read without the code under test."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows: list[Any] = [line.split(",") for line in text.split()]
    return [(float(at), D(bid), D(ask)) for at, bid, ask in rows]
