"""The world as a whole: who may ask, what it announces, when the app counts as ready."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.sandbox.world import World
from tests.wire.telegram.conftest import Side

PORT_NOBODY_HAS = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost@evil.example"}, 403),
        ({"Host": "evil@127.0.0.1"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_only_loopback_may_ask(side: Side, headers: dict[str, str], status: int) -> None:
    async with side.http.get(f"{side.base_url}/sim/chats", headers=headers) as answer:
        assert answer.status == status


async def test_the_page_and_its_files_are_served_with_a_policy(side: Side) -> None:
    for path in ("/", "/page/app.js", "/page/style.css"):
        async with side.http.get(side.base_url + path) as answer:
            assert answer.status == 200
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_world_announces_itself(world: World, tmp_path: Path) -> None:
    body = json.loads((tmp_path / "world.json").read_text("utf-8"))
    assert body["pid"] == os.getpid()
    assert body["base_url"] == body["terminal_base_url"] == world.base_url
    assert (body["bot_token"], body["admin_chat_id"]) == ("42:SANDBOX", -1001000000001)
    assert body["admins"] == [11, 12]
    assert body["clients"][0] == {"user_id": 101, "login": 50001}
    assert body["clock_url"] is None  # only replayed ticks make a time of their own


async def _app(status: int) -> tuple[web.AppRunner, str]:
    async def readyz(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.add_routes([web.get("/readyz", readyz)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _state(side: Side, tmp_path: Path, body: dict[str, Any] | None) -> dict[str, Any]:
    if body is not None:
        (tmp_path / "app.json").write_text(json.dumps(body), "utf-8")
    found: dict[str, Any] = await side.get("/sim/state")
    return found


async def test_ready_is_a_live_app_whose_readyz_is_200(side: Side, tmp_path: Path) -> None:
    runner, base_url = await _app(200)
    body = {"pid": os.getpid(), "base_url": base_url, "tokens": {"50001": "t"}}
    state = await _state(side, tmp_path, body)
    assert (state["ready"], state["app_pid"], state["world_pid"]) == (
        True,
        os.getpid(),
        os.getpid(),
    )
    assert state["metrics_url"] == f"{base_url}/metrics"
    assert state["clients"][3] == {"user_id": 104, "login": 50004}
    nobody = 2**22 + 1  # past the highest process id Linux gives
    assert (await _state(side, tmp_path, {**body, "pid": nobody}))["ready"] is False
    await runner.cleanup()


async def test_not_ready_otherwise(side: Side, tmp_path: Path) -> None:
    absent = await _state(side, tmp_path, None)
    assert (absent["ready"], absent["app_pid"], absent["metrics_url"]) == (False, None, None)
    runner, base_url = await _app(503)
    body = {"pid": os.getpid(), "base_url": base_url}
    assert (await _state(side, tmp_path, body))["ready"] is False
    await runner.cleanup()
    assert (await _state(side, tmp_path, {**body, "base_url": PORT_NOBODY_HAS}))["ready"] is False
    (tmp_path / "app.json").write_text('{"pid":', "utf-8")
    assert (await _state(side, tmp_path, None))["ready"] is False
