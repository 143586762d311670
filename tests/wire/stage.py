"""Worlds and apps as processes, started by the zygote and driven over HTTP as people would."""

import asyncio
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import aiosqlite

PATIENCE_S = 30.0
LOOK_S = 0.1
IMPORT_S = 120.0
"""The longest the zygote may take to import everything."""
ADMIN_CHAT = -1_001_000_000_001
QUICK = {
    "RECONCILIATION_SYNC_INTERVAL_S": "1",
    "CARD_INTERVAL_S": "0",
    "DRAWDOWN_COUNTDOWN_S": "2",
    "MANUAL_SYNC_INTERVAL_S": "0",
    "MARKET_MUTE_WINDOW": "none",
}
"""Settings under which a scene takes seconds."""
T = TypeVar("T")


class Zygote:
    """A line to the forking process. Orders are answered one at a time, whichever loop asks."""

    def __init__(self, path: Path) -> None:
        """Connect, starting the process where no other worker has."""
        if self._claim(path):
            self._spawn(path)
        link = self._connected(path)
        if link is None:  # it ended with the last of its workers
            path = path.with_suffix(f".{os.getpid()}")
            self._spawn(path)
            link = self._connected(path)
        assert link is not None, "the zygote ended"
        self._link = link
        self._answered = self._link.makefile("rb")
        self._lock = threading.Lock()

    @staticmethod
    def _claim(path: Path) -> bool:
        try:
            path.with_suffix(".claim").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @staticmethod
    def _spawn(path: Path) -> None:
        words = [sys.executable, "-m", "tests.wire.zygote", str(path)]
        os.posix_spawn(sys.executable, words, os.environ)

    @staticmethod
    def _connected(path: Path) -> socket.socket | None:
        """A line to it; None where it was there and is no more."""
        for _ in range(int(IMPORT_S / LOOK_S)):
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(str(path))
            except FileNotFoundError:
                link.close()
                Event().wait(LOOK_S)
            except ConnectionError:
                link.close()
                return None
            else:
                return link
        raise AssertionError(f"the zygote did not start within {IMPORT_S} s")

    def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._link.sendall(json.dumps(order).encode() + b"\n")
            line = self._answered.readline()
        assert line, "the zygote ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def run(self, what: str, data_dir: Path, **more: Any) -> int:
        """Fork a world or an app; answers its pid."""
        order = {"run": what, "data_dir": str(data_dir), **more}
        return int((await asyncio.to_thread(self._order, order))["pid"])

    def stop(self) -> None:
        """Hang up, which ends everything started here."""
        self._answered.close()
        self._link.close()


def alive(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Stage:
    """One data directory with its world and app."""

    def __init__(
        self,
        zygote: Zygote,
        data_dir: Path,
        *,
        words: tuple[str, ...] = ("--market", "manual", "--headless"),
        env: dict[str, str] | None = None,
        free_sending: bool = False,
    ) -> None:
        self._zygote = zygote
        self.data_dir = data_dir
        self._words = words
        self.env = env or {}
        self._free_sending = free_sending
        self.world_pid = 0
        self.app_pid = 0
        self.base_url = ""
        self.session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pid in (self.app_pid, self.world_pid):
            if pid and alive(pid):
                os.kill(pid, signal.SIGKILL)
        await self.session.close()

    async def start_world(self) -> None:
        """Start a world on this directory and learn its address."""
        file = self.data_dir / "world.json"
        file.unlink(missing_ok=True)
        self.world_pid = await self._zygote.run(
            "world",
            self.data_dir,
            env=self.env,
            words=self._words,
            free_sending=self._free_sending,
        )
        await self.until(file.exists, "world.json")
        self.base_url = json.loads(file.read_text())["base_url"]

    async def start_app(
        self, crash_after: int | None = None, *, crash_at: str | None = None
    ) -> None:
        """Start an app; it may be meant to end by itself, after so many effects or at a named one.

        The names are journalled, decided and settled: a press on its way.
        """
        self.app_pid = await self._zygote.run(
            "app",
            self.data_dir,
            env=self.env,
            words=self._words,
            crash_after=crash_after,
            crash_at=crash_at,
            free_sending=self._free_sending,
        )

    async def ready(self) -> None:
        """Wait until the app is ready."""
        for _ in range(int(PATIENCE_S / LOOK_S)):
            state = await self.get("/sim/state")
            if state["ready"] and state["app_pid"] == self.app_pid:
                return
            await asyncio.sleep(LOOK_S)
        raise AssertionError("the app did not become ready")

    async def stop(self, pid: int) -> None:
        """Ask a process to end, and wait for it."""
        os.kill(pid, signal.SIGTERM)
        await self.until(lambda: not alive(pid), f"the end of process {pid}")

    async def kill_app(self) -> None:
        """Shoot the app, and wait until it holds nothing that the next one needs."""
        pid = self.app_pid
        os.kill(pid, signal.SIGKILL)
        await self.until(lambda: not alive(pid), f"the end of process {pid}")

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition, bounded."""
        for _ in range(int(PATIENCE_S / LOOK_S)):
            if holds():
                return
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"{what} did not come within {PATIENCE_S} s")

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """A JSON answer of the world."""
        async with self.session.get(self.base_url + path) as response:
            assert response.status == 200, await response.text()
            return await response.json(content_type=None)

    async def post(self, path: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
        """A JSON answer of the world."""
        async with self.session.post(self.base_url + path, json=body) as response:
            answer = await response.json(content_type=None)
            assert response.status == 200, answer
            return answer

    async def transcript(self, chat_id: int) -> str:
        """The chat as its people see it."""
        url = f"{self.base_url}/sim/chat/{chat_id}?format=text"
        async with self.session.get(url) as response:
            return await response.text()

    async def hears(self, chat_id: int, words: str) -> str:
        """Wait until a chat shows these words; answers the transcript."""
        text = ""
        for _ in range(int(PATIENCE_S / LOOK_S)):
            text = await self.transcript(chat_id)
            if words in text:
                return text
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"chat {chat_id} never showed {words!r}:\n{text}")

    async def messages(self, chat_id: int, viewer: int | None = None) -> list[dict[str, Any]]:
        """The messages of a chat, oldest first; with a viewer, those only they see as well."""
        query = "" if viewer is None else f"?user_id={viewer}"
        chat = await self.get(f"/sim/chat/{chat_id}{query}")
        messages: list[dict[str, Any]] = chat["messages"]
        return messages

    async def last_id(self, chat_id: int) -> int:
        """The id of the chat's newest message; 0 where it is empty."""
        messages = await self.messages(chat_id)
        return int(messages[-1]["id"]) if messages else 0

    async def hears_after(
        self,
        chat_id: int,
        seen_id: int,
        *words: str,
        patience_s: float = PATIENCE_S,
        viewer: int | None = None,
    ) -> dict[str, Any]:
        """Wait for a message newer than `seen_id` with all these words; answers it."""
        messages: list[dict[str, Any]] = []
        for _ in range(int(patience_s / LOOK_S)):
            messages = await self.messages(chat_id, viewer)
            for message in messages:
                place = message.get("after", message["id"] - 1)
                if place >= seen_id and all(word in message["text"] for word in words):
                    return message
            await asyncio.sleep(LOOK_S)
        told = "\n".join(m["text"] for m in messages if m["id"] > seen_id)
        raise AssertionError(f"chat {chat_id} never showed {words!r}:\n{told}")

    async def settled(self, chat_id: int, message_id: int) -> None:
        """Wait until the app knows that a message arrived: before, a kill has it told once more."""

        async def known() -> bool:
            query = "SELECT 1 FROM outbox WHERE chat_id = ? AND message_id = ?"
            return bool(await self.rows(query, chat_id, message_id))

        await self.comes(known, f"message {message_id} as sent")

    async def offers(self, chat_id: int, message_id: int, label: str) -> None:
        """Wait until a message has a button; it is changed after the press that asks for it."""
        for _ in range(int(PATIENCE_S / LOOK_S)):
            for message in await self.messages(chat_id):
                rows = message["buttons"] or [] if message["id"] == message_id else []
                if any(button["label"] == label for row in rows for button in row):
                    return
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"message {message_id} never had a button {label!r}")

    async def asks(
        self, user_id: int, text: str, *words: str, chat_id: int | None = None
    ) -> dict[str, Any]:
        """Somebody writes; answers the bot's answer that has these words."""
        chat_id = chat_id or user_id
        answer: dict[str, Any] = await self.post(
            "/sim/message", user_id=user_id, text=text, chat_id=chat_id
        )
        return await self.hears_after(chat_id, answer["message_id"], *words, viewer=user_id)

    async def comes(self, look: Callable[[], Awaitable[T]], what: str) -> T:
        """Look until there is something; answers it."""
        for _ in range(int(PATIENCE_S / LOOK_S)):
            found = await look()
            if found:
                return found
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"{what} did not come within {PATIENCE_S} s")

    async def account(self, login: int) -> dict[str, Any]:
        """The broker's truth about an account."""
        found: dict[str, Any] = await self.get(f"/broker/{login}")
        return found

    async def is_flat(self, login: int) -> bool:
        """Whether the broker holds nothing for this account."""
        account = await self.account(login)
        return not account["positions"] and not account["orders"]

    async def opens(self, login: int, symbol: str, side: str, volume: float, **more: Any) -> int:
        """A person opens a position; answers its ticket."""
        more = {"by": "mobile"} | more
        opened = await self.post(
            f"/broker/{login}/open", symbol=symbol, side=side, volume=volume, **more
        )
        return int(opened["ticket"])

    async def price(self, symbol: str, bid: float, ask: float) -> None:
        """The market moves."""
        await self.post("/broker/market", symbol=symbol, bid=bid, ask=ask)

    async def fault(self, login: int, kind: str, **more: Any) -> None:
        """The broker misbehaves as told."""
        await self.post(f"/broker/{login}/fault", kind=kind, **more)

    async def mend(self, login: int) -> None:
        """The broker behaves again."""
        async with self.session.delete(f"{self.base_url}/broker/{login}/fault") as response:
            assert response.status == 200

    async def telegram_mends(self) -> None:
        """Telegram behaves again."""
        async with self.session.delete(f"{self.base_url}/sim/fault") as response:
            assert response.status == 200

    async def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the app's database, opened read-only."""
        file = self.data_dir / "reckoner.db"
        async with aiosqlite.connect(f"file:{file}?mode=ro", uri=True) as db:
            found = await db.execute_fetchall(query, values)
        return [tuple(row) for row in found]

    async def says(self, user_id: int, text: str, chat_id: int | None = None) -> None:
        """Somebody writes a message, to their private chat unless told otherwise."""
        await self.post("/sim/message", user_id=user_id, text=text, chat_id=chat_id or user_id)

    async def forges(self, user_id: int, data: str, chat_id: int, message_id: int) -> str:
        """Somebody presses with data of their own making; answers the pop-up's text."""
        answer = await self.post(
            "/sim/callback",
            user_id=user_id,
            chat_id=chat_id,
            data=data,
            message_id=message_id,
            wait_s=10,
        )
        return str(answer["text"])

    async def taps(
        self, user_id: int, label: str, chat_id: int | None = None, **more: Any
    ) -> dict[str, Any]:
        """Somebody presses a button; answers what the bot answered to the press."""
        answer: dict[str, Any] = await self.post(
            "/sim/callback",
            user_id=user_id,
            chat_id=chat_id or user_id,
            label=label,
            wait_s=10,
            **more,
        )
        return answer


@asynccontextmanager
async def staged(
    zygote: Zygote, folder: Path, env: dict[str, str] | None = None
) -> AsyncIterator[Stage]:
    """A world and a ready app, quick and free to send."""
    async with Stage(zygote, folder, env=QUICK | (env or {}), free_sending=True) as made:
        await made.start_world()
        await made.start_app()
        await made.ready()
        yield made
