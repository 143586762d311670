"""The demo as a whole: two processes, ready, and cleanly gone; one without the other."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

ROOT = Path(__file__).parents[3]
READY_S_MAX = 40.0
"""The promise is 10 s; a machine that runs the whole suite is given more."""
STOP_S_MAX = 20.0
LOOK_S = 0.05


@asynccontextmanager
async def started(data_dir: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "demo", "--data-dir", str(data_dir), *words),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.communicate(), STOP_S_MAX)


def _world(data_dir: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((data_dir / "world.json").read_text())
    except (OSError, ValueError):
        return None
    return found


async def _state(data_dir: Path, *, ready: bool) -> dict[str, Any]:
    """Wait until the world says so."""
    async with asyncio.timeout(READY_S_MAX), aiohttp.ClientSession() as session:
        while True:
            world = _world(data_dir)
            if world is not None:
                try:
                    async with session.get(f"{world['base_url']}/sim/state") as answer:
                        state: dict[str, Any] = await answer.json()
                    if state["ready"] is ready:
                        return state
                except aiohttp.ClientError:
                    pass
            await asyncio.sleep(LOOK_S)


async def _line(stream: asyncio.StreamReader | None, words: bytes) -> None:
    assert stream is not None
    async with asyncio.timeout(READY_S_MAX):
        while words not in await stream.readline():
            assert not stream.at_eof(), f"never said {words!r}"


async def _until_gone(pid: int) -> None:
    async with asyncio.timeout(STOP_S_MAX):
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(LOOK_S)


async def test_it_becomes_ready_and_stops_both_on_a_signal(tmp_path: Path) -> None:
    async with started(tmp_path, "--port", "0", "--market", "manual", "--headless") as demo:
        state = await _state(tmp_path, ready=True)
        assert state["admins"]
        assert len(state["clients"]) >= 4
        assert state["story"] == []
        await _line(demo.stdout, b"ready after")
        demo.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(demo.communicate(), STOP_S_MAX)
    assert demo.returncode == 0
    assert err == b""
    assert b"Traceback" not in out
    for pid in (state["world_pid"], state["app_pid"]):
        await _until_gone(pid)
    assert _world(tmp_path) is None


async def test_what_a_demo_keeps_is_readable_by_its_user_only(tmp_path: Path) -> None:
    """Whatever the user's own umask allows: balances, chats and tokens are nobody else's."""
    data_dir = tmp_path / "made" / "here"
    before = os.umask(0o000)
    try:
        async with started(data_dir, "--port", "0", "--market", "manual") as demo:
            await _state(data_dir, ready=True)
            modes = {path.name: path.stat().st_mode & 0o777 for path in data_dir.iterdir()}
            await _line(demo.stdout, b"ready after")
    finally:
        os.umask(before)
    assert data_dir.stat().st_mode & 0o777 == 0o700
    databases = {"world.db", "reckoner.db", "reckoner.db-wal"}
    assert set(modes) >= databases | {"world.json", "app.json", "world.log", "app.log"}
    assert set(modes.values()) == {0o600}


async def test_the_app_runs_against_a_world_in_another_process(tmp_path: Path) -> None:
    async with started(tmp_path, "--world-only", "--port", "0", "--market", "manual") as world:
        await _line(world.stdout, b"the world answers at http://127.0.0.1:")
        async with started(tmp_path, "--app-only") as app:
            first = await _state(tmp_path, ready=True)
            assert first["app_pid"] == app.pid
            async with started(tmp_path, "--app-only") as twice:
                _, said = await asyncio.wait_for(twice.communicate(), READY_S_MAX)
            assert twice.returncode == 1
            lines = said.decode().splitlines()
            assert f"Reckoner already runs here (process {app.pid})" in lines[-1]
            assert "database cannot be used" not in said.decode()
            app.kill()
            await app.communicate()
            assert (await _state(tmp_path, ready=False))["world_pid"] == first["world_pid"]
        async with started(tmp_path, "--app-only") as again:
            second = await _state(tmp_path, ready=True)
            assert second["app_pid"] == again.pid
            assert second["world_pid"] == world.pid
