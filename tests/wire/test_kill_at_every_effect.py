"""kill -9 of the app after every commit and every gateway call of a close of ten positions.

Enumerated, not sampled: a first run without a crash counts the effects; then one world per effect
is copied from the same moment, its app killed right after that effect and started again alone.
What precedes an effect is what follows the one before it: killing after each covers both sides.
"""

import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage, Zygote, alive

BEN, LOGIN = 102, 50002
POSITIONS = 10
SHARES = 2
"""Each prepares a world of its own, which costs as much as five of its cases."""
TOGETHER_MAX = 5
"""Worlds at a time of each share: they mostly wait."""
ENV = {"DRAWDOWN_COUNTDOWN_S": "0", "RECONCILIATION_SYNC_INTERVAL_S": "1"}


async def prepare(zygote: Zygote, folder: Path) -> set[int]:
    """Ten positions known to the app, everything told, the market fallen, both processes ended."""
    async with Stage(zygote, folder, env=ENV) as stage:
        await stage.start_world()
        await stage.start_app()
        await stage.ready()
        tickets = set()
        for _ in range(POSITIONS):
            opened = await stage.post(
                f"/broker/{LOGIN}/open", symbol="XAUUSD", side="buy", volume=0.2, by="mobile"
            )
            tickets.add(opened["ticket"])
        for _ in range(200):
            (known,) = await stage.rows("SELECT count(*) FROM episodes WHERE resolved_at IS NULL")
            (due,) = await stage.rows("SELECT count(*) FROM outbox WHERE state <> 'sent'")
            if (*known, *due) == (POSITIONS, 0):
                break
            await asyncio.sleep(0.2)
        await stage.stop(stage.app_pid)
        await stage.post("/broker/market", symbol="XAUUSD", bid=1957.0, ask=1957.3)
        await stage.stop(stage.world_pid)
    return tickets


async def close_with_a_crash(zygote: Zygote, folder: Path, crash_after: int | None) -> list[str]:
    """Run the close, killed after the given effect; answers the effects that happened."""
    async with Stage(zygote, folder, env=ENV) as stage:
        await stage.start_world()
        await stage.start_app(crash_after)
        if crash_after is not None:
            pid = stage.app_pid
            await stage.until(lambda: not alive(pid), "the crash")
            await stage.start_app()
        await prove(stage)
    return (folder / "effects.log").read_text().splitlines()


async def prove(stage: Stage) -> None:
    """Flat at the broker, told in both chats, and no ticket closed twice."""
    await stage.hears(BEN, "is flat - confirmed by two reads")
    chat = await stage.hears(ADMIN_CHAT, "is flat - confirmed by two reads")
    # Once; where it was under way at the crash, nobody knows whether it arrived: once more, marked.
    # When it is over it is edited.
    begins, ended = "Closing everything on 50002", "50002 was closed"
    told = [m for m in chat.split("\n[") if begins in m or ended in m]
    assert 1 <= len(told) <= 2, chat
    assert sum(begins in m and "(repeat)" not in m for m in told) <= 1, chat
    account = await stage.get(f"/broker/{LOGIN}")
    assert account["positions"] == []
    sends = [s for s in account["order_sends"] if s["source"] == "reckoner"]
    done = Counter(s["request"]["position"] for s in sends if s["retcode"] == 10009)
    assert len(done) == POSITIONS, done
    assert set(done.values()) == {1}, done
    exits = Counter(d["position_id"] for d in account["deals"] if d["entry"] == 1)
    assert len(exits) == POSITIONS, exits
    assert set(exits.values()) == {1}, exits


@pytest.mark.parametrize("share", range(SHARES))
async def test_a_close_survives_kill_9_after_every_effect(
    tmp_path: Path, zygote: Zygote, share: int
) -> None:
    """The account ends flat, nothing is closed twice, the chat tells what happened.

    The effects are dealt out to as many tests as run side by side.
    """
    origin = tmp_path / "origin"
    origin.mkdir()
    tickets = await prepare(zygote, origin)
    assert len(tickets) == POSITIONS
    (origin / "effects.log").unlink(missing_ok=True)
    effects = await close_with_a_crash(zygote, _copy(origin, tmp_path / "whole"), None)
    kinds = Counter(line.split()[1] for line in effects)
    assert kinds["send"] == POSITIONS
    gate = asyncio.Semaphore(TOGETHER_MAX)
    failures: list[str] = []

    async def case(number: int) -> None:
        async with gate:
            folder = _copy(origin, tmp_path / f"crash{number}")
            try:
                await close_with_a_crash(zygote, folder, number)
            except AssertionError as error:
                failures.append(f"killed after {effects[number - 1]}: {error}")
            shutil.rmtree(folder)

    numbers = range(1 + share, len(effects) + 1, SHARES)
    await asyncio.gather(*(case(n) for n in numbers))
    assert failures == [], json.dumps(failures, indent=1)


def _copy(origin: Path, target: Path) -> Path:
    shutil.copytree(origin, target)
    return target
