"""What was answered survives: a restart, a kill -9, and a second process is refused."""

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

from bot.sandbox import store as store_module
from bot.sandbox.store import StoreError, StoreLockedError, WorldStore
from bot.sandbox.world import World, WorldOptions
from tests.wire.telegram.conftest import PNG, Side

ALICE = 101
START_S_MAX = 10.0
STEP_S = 0.02
PROGRAM = """
import asyncio, sys
from pathlib import Path
from bot.sandbox.world import WorldOptions, serve_world
asyncio.run(serve_world(Path(sys.argv[1]), 0, WorldOptions(market="manual"), print))
assert "aiogram" not in sys.modules
"""
OPTIONS = WorldOptions(market="manual", flood_limits=False)


@asynccontextmanager
async def process(data_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the world in a process of its own until it has announced itself."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(data_dir), stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_S_MAX):
            while not (data_dir / "world.json").exists() and running.returncode is None:
                await asyncio.sleep(STEP_S)
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@asynccontextmanager
async def side_of(base_url: str) -> AsyncIterator[Side]:
    """Open the person's side of a world."""
    async with aiohttp.ClientSession() as http:
        yield Side(http, base_url)


def announced(data_dir: Path) -> str:
    """Read the address of the world."""
    return str(json.loads((data_dir / "world.json").read_text("utf-8"))["base_url"])


async def _fill(side: Side) -> str:
    """Leave something of every kind; answer the id of a tap that waits."""
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    body = {"chat_id": ALICE, "text": "x", "reply_markup": keyboard}
    await side.raw("sendMessage", body)
    commands = [{"command": "start", "description": "Begin"}]
    await side.raw("setMyCommands", {"commands": commands})
    await side.post("/sim/message", {"user_id": 2001, "text": "hello"})
    await side.post("/sim/block", {"user_id": 102})
    await side.post("/sim/fault", {"method": "getMe", "code": 503})
    form = aiohttp.FormData()
    form.add_field("chat_id", str(ALICE))
    form.add_field("photo", PNG, filename="c.png")
    async with side.http.post(f"{side.base_url}/bot42:SANDBOX/sendPhoto", data=form) as answer:
        assert answer.status == 200
    group = {"title": "Forum", "members": [11], "forum": True}
    chat_id = (await side.post("/sim/group", group))["chat_id"]
    await side.raw("createForumTopic", {"chat_id": chat_id, "name": "Alerts"})
    await side.raw("sendMessage", {"chat_id": chat_id, "text": "x", "message_thread_id": 1})
    await side.raw("pinChatMessage", {"chat_id": chat_id, "message_id": 2})
    role = {"chat_id": chat_id, "user_id": 12, "status": "administrator"}
    await side.post("/sim/member", role)
    tap = {"user_id": ALICE, "chat_id": ALICE, "label": "Yes"}
    return str((await side.post("/sim/callback", tap))["callback_query_id"])


async def _check(side: Side, query_id: str) -> None:
    assert (await side.text(ALICE)).startswith("[1] bot: x\n    [Yes]\n[2] bot:")
    photo = (await side.get(f"/sim/chat/{ALICE}"))["messages"][1]["photo"]
    async with side.http.get(f"{side.base_url}/sim/file/{photo}") as answer:
        assert await answer.read() == PNG
    assert (await side.raw("getMe", {}))[0] == 503
    assert (await side.raw("getMe", {}))[0] == 200
    assert (await side.raw("sendMessage", {"chat_id": 102, "text": "x"}))[0] == 403
    assert (await side.raw("sendMessage", {"chat_id": 2001, "text": "x"}))[0] == 200
    chats = (await side.get("/sim/chats"))["chats"]
    (chat_id,) = (chat["chat_id"] for chat in chats if chat["title"] == "Forum")
    assert (await side.text(chat_id)).endswith("[2] bot #Alerts (pinned): x\n")
    member = {"chat_id": chat_id, "user_id": 12}
    assert (await side.raw("getChatMember", member))[1]["result"]["status"] == "administrator"
    menu = await side.get(f"/sim/commands?user_id={ALICE}")
    assert menu["commands"][0]["command"] == "start"
    _, updates = await side.raw("getUpdates", {})
    ids = [one["update_id"] for one in updates["result"]]
    assert ids == [1, 2, 3]
    assert (await side.raw("answerCallbackQuery", {"callback_query_id": query_id}))[0] == 200
    assert (await side.raw("answerCallbackQuery", {"callback_query_id": query_id}))[0] == 400
    assert [one["method"] for one in await side.calls()][:3] == [
        "sendMessage",
        "setMyCommands",
        "sendPhoto",
    ]


async def test_everything_survives_a_kill(tmp_path: Path) -> None:
    async with process(tmp_path) as running, side_of(announced(tmp_path)) as side:
        query_id = await _fill(side)
        running.send_signal(signal.SIGKILL)
        await running.wait()
    world = World(tmp_path, 0, OPTIONS)
    await world.start()
    async with side_of(world.base_url) as side:
        await _check(side, query_id)
    await world.stop()


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("/bot42:SANDBOX/sendMessage", {"chat_id": ALICE, "text": "x"}),
    ("/bot42:SANDBOX/sendMessage", {"chat_id": ALICE}),  # refused, and logged all the same
    ("/bot42:SANDBOX/getUpdates", {"offset": 1}),
    ("/bot43:OTHER/getMe", {}),
    ("/sim/message", {"user_id": ALICE, "text": "x"}),
    ("/sim/block", {"user_id": ALICE}),
    ("/sim/fault", {"method": "getMe", "code": 500}),
    ("/sim/reset", {}),
]


async def test_every_change_is_durable_before_its_answer(tmp_path: Path) -> None:
    world = World(tmp_path, 0, OPTIONS)
    await world.start()
    async with side_of(world.base_url) as side:
        for path, body in CHANGES:
            before = world.telegram.state.outbox.head
            async with side.http.post(side.base_url + path, json=body) as answer:
                assert not world.telegram.state.store.dirty, path
                assert answer.status < 500
            assert path.startswith("/sim") or world.telegram.state.outbox.head == before + 1
    await world.stop()


async def test_a_confirmation_is_durable_while_the_poll_still_waits(tmp_path: Path) -> None:
    world = World(tmp_path, 0, OPTIONS)
    await world.start()
    async with side_of(world.base_url) as side:
        await side.post("/sim/message", {"user_id": ALICE, "text": "x"})
        polling = asyncio.create_task(side.raw("getUpdates", {"offset": 2, "timeout": 20}))
        while len(world.telegram.state.updates):
            await asyncio.sleep(STEP_S)
        assert not world.telegram.state.store.dirty
        await side.post("/sim/message", {"user_id": ALICE, "text": "y"})
        assert (await polling)[1]["result"][0]["update_id"] == 2
    await world.stop()


async def test_confirmed_updates_do_not_come_back(tmp_path: Path) -> None:
    async with process(tmp_path) as running, side_of(announced(tmp_path)) as side:
        for text in "abc":
            await side.post("/sim/message", {"user_id": ALICE, "text": text})
        polling = asyncio.create_task(side.raw("getUpdates", {"offset": 4, "timeout": 20}))
        while (await side.raw("getWebhookInfo", {}))[1]["result"]["pending_update_count"]:
            await asyncio.sleep(STEP_S)
        running.send_signal(signal.SIGKILL)
        with pytest.raises(aiohttp.ClientError):
            await polling
    world = World(tmp_path, 0, OPTIONS)
    await world.start()
    async with side_of(world.base_url) as side:
        assert (await side.raw("getUpdates", {}))[1]["result"] == []
        await side.post("/sim/message", {"user_id": ALICE, "text": "d"})
        assert (await side.raw("getUpdates", {}))[1]["result"][0]["update_id"] == 4
    await world.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_at_once_also_under_a_long_poll(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with process(tmp_path) as running, side_of(announced(tmp_path)) as side:
        assert json.loads((tmp_path / "world.json").read_text("utf-8"))["pid"] == running.pid
        polling = asyncio.create_task(side.raw("getUpdates", {"timeout": 50}))
        while not await side.get("/sim/chats"):
            await asyncio.sleep(STEP_S)
        os.kill(running.pid, number)
        async with asyncio.timeout(2):
            await polling
            await side.http.close()
            assert await running.wait() == 0
    assert not (tmp_path / "world.json").exists()


async def test_a_second_world_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async with process(tmp_path), side_of(announced(tmp_path)):
        with pytest.raises(StoreLockedError, match="in use by another world process"):
            WorldStore(tmp_path / "world.db")


class TestStore:
    """The file itself."""

    def test_nothing_is_kept_that_was_not_committed(self, tmp_path: Path) -> None:
        """Records, logs and blobs alike."""
        store = WorldStore(tmp_path / "w.db")
        store.put("a", 1, {"x": 1})
        store.append("l", {"n": 1})
        store.commit()
        store.put("a", 2, {"x": 2})
        store.append("l", {"n": 2})
        store.put_blob("b", b"1")
        assert set(store.load("a")) == {"1", "2"}
        assert [n for n, _ in store.log("l")] == [1, 2]
        store.close()
        store = WorldStore(tmp_path / "w.db")
        assert (store.load("a"), store.log("l"), store.blob("b")) == (
            {"1": {"x": 1}},
            [(1, {"n": 1})],
            None,
        )
        store.close()

    def test_ids_grow_after_a_trim_and_a_restart(self, tmp_path: Path) -> None:
        """A reader's `since` never means something else later."""
        store = WorldStore(tmp_path / "w.db")
        for n in range(3):
            store.append("l", {"n": n})
        store.trim("l", 1)
        assert store.log("l") == [(3, {"n": 2})]
        store.commit()
        store.trim("l", 0)
        store.commit()
        store.close()
        store = WorldStore(tmp_path / "w.db")
        assert (store.log("l"), store.append("l", {}), store.head("l")) == ([], 4, 4)
        store.close()

    def test_bodies_are_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the bound it fits, past it the store says so."""
        store = WorldStore(tmp_path / "w.db")
        monkeypatch.setattr(store_module, "BODY_BYTES_MAX", 9)
        monkeypatch.setattr(store_module, "BLOB_BYTES_MAX", 2)
        store.put("a", 1, {"x": "12"[:1]})
        with pytest.raises(StoreError, match="at most 9 fit"):
            store.put("a", 1, {"x": "12"})
        store.put_blob("b", b"12")
        with pytest.raises(StoreError, match="at most 2 fit"):
            store.put_blob("b", b"123")
        store.close()

    def test_a_file_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        """With a sentence, not a traceback of SQLite's."""
        (tmp_path / "w.db").write_bytes(b"not a database, certainly not one of ours" * 40)
        with pytest.raises(StoreError, match="cannot be used as a world file"):
            WorldStore(tmp_path / "w.db")
