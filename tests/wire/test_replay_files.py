"""Small recorded files through a real world and a real app, and files that cannot be replayed."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.wire.stage import Stage, Zygote

ALICE, LOGIN = 101, 50001
HEADER = "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
FIRST = datetime(2024, 3, 4, 10, 0, 0, 250_000, tzinfo=UTC)
ENV = {"DRAWDOWN_COUNTDOWN_S": "1"}


def export(rows: list[tuple[float, str, str]]) -> str:
    """MetaTrader's tick export; seconds after `FIRST`, written three hours ahead of UTC."""
    lines = [HEADER]
    for after_s, bid, ask in rows:
        at = FIRST + timedelta(hours=3, seconds=after_s)
        stamp = f"{at:%Y.%m.%d}\t{at:%H:%M:%S}.{at.microsecond // 1000:03}"
        lines.append(f"{stamp}\t{bid}\t{ask}\t\t\t6\n")
    return "".join(lines)


async def ended(stage: Stage) -> dict[str, Any]:
    """Wait for the end of the file."""
    replay: dict[str, Any] = {}
    for _ in range(300):
        replay = (await stage.get("/sim/state"))["replay"]
        if replay["ended"]:
            return replay
        await asyncio.sleep(0.1)
    raise AssertionError(f"not ended: {replay}")


async def test_a_metatrader_export_whose_last_tick_breaches_is_closed_after_its_end(
    zygote: Zygote, tmp_path: Path
) -> None:
    """Alice holds 35 times her 10,000 GBP: 350,000 GBP buy 444,542 dollars of gold.

    At 2000.30 the ounce that is 2.22 lots of 100 ounces. The bid falls from 2000.00 to 1988.40:
    222 ounces lose 11.60 each, 2575.20 dollars, at 1.27000 for a pound 2027.72 GBP, which is more
    than 20 % of the peak (9947.57, at the first bid: 0.30 x 222 = 66.60 dollars = 52.44 GBP less)
    and less than 22 %: the countdown runs, past the end of the file.
    """
    steady = [(float(second), "2000.00", "2000.30") for second in range(0, 60, 2)]
    crossed = [(60.0, "2001.00", "2000.00")]
    path = tmp_path / "XAUUSD_ticks.csv"
    path.write_text(export([*steady, *crossed, (61.0, "1988.40", "1988.70")]))
    data = tmp_path / "data"
    data.mkdir()
    words = ("--ticks", str(path), "--utc-offset=+03:00", "--speed", "0", "--headless")
    async with Stage(zygote, data, words=words, env=ENV) as stage:
        await stage.start_world()
        (held,) = (await stage.get(f"/broker/{LOGIN}"))["positions"]
        assert (held["volume"], held["price_open"]) == (2.22, 2000.3)
        # Nobody reads: market time stands.
        assert (await stage.get("/sim/state"))["replay"] == {
            "now": "2024-03-04T10:00:00.250Z",
            "ended": False,
            "ticks": 31,
            "skipped_crossed": 1,
        }
        await stage.start_app()
        assert (await ended(stage))["ticks"] == 31
        await stage.hears(ALICE, "flat")
        account = await stage.get(f"/broker/{LOGIN}")
        assert account["positions"] == []
        (closing,) = [deal for deal in account["deals"] if deal["entry"] == 1]
        assert closing["price"] == 1988.4
        reads = [json.loads(line) for line in (data / "reads.jsonl").read_text().splitlines()]
        first = FIRST - datetime(1970, 1, 1, tzinfo=UTC)
        assert [(row["at_ms"], row["bid"]) for row in reads[:4]] == [
            (first // timedelta(milliseconds=1), 2000.0)
        ] * 4
        assert {row["login"] for row in reads[:4]} == {50001, 50002, 50003, 50004}
        # 10,000 GBP less (2000.30 - 1988.40) x 222 = 2641.80 dollars at 1.27000.
        assert Decimal(str(account["balance"])) == Decimal(10_000) - Decimal("2080.16")
        assert (await stage.get("/sim/state"))["ready"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "1000,1284.00,1284.30\n2000,abc,1284.30\n",
            "20140502_xauusd.csv, line 2, column 2 (bid): expected a positive price, was 'abc'",
        ),
        (
            "1000,1284.00\n",
            (
                "20140502_xauusd.csv, line 1: expected milliseconds,bid,ask or MetaTrader's tick "
                "export with its header, was 2 columns"
            ),
        ),
        (
            HEADER + "2014.05.02\t25:00:00\t1\t2\t\t\t6\n",
            (
                "20140502_xauusd.csv, line 2, column 2 (time): expected a time like 12:30:00.123, "
                "was '25:00:00'"
            ),
        ),
    ],
    ids=["price", "columns", "time"],
)
def test_a_bad_file_is_one_line_and_exit_status_2(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "20140502_xauusd.csv"
    path.write_text(text)
    words = ["--ticks", str(path), "--data-dir", str(tmp_path / "data"), "--port", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [complaint]


async def test_another_file_over_a_replay_that_has_begun_is_one_line_and_exit_status_2(
    zygote: Zygote, tmp_path: Path
) -> None:
    for name in ("20240304_xauusd.csv", "20240305_xauusd.csv"):
        (tmp_path / name).write_text("1000,2000.00,2000.30\n2000,2000.00,2000.30\n")
    words = ("--ticks", str(tmp_path / "20240304_xauusd.csv"), "--headless")
    async with Stage(zygote, tmp_path, words=words) as stage:
        await stage.start_world()
        await stage.stop(stage.world_pid)
    other = ["--ticks", str(tmp_path / "20240305_xauusd.csv"), "--data-dir", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "bot", "demo", "--world-only", "--port", "0", *other],
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().splitlines() == [
        "20240305_xauusd.csv: the data directory holds another world, expected a fresh one"
    ]
