"""The demo world, one process: Telegram and the broker behind one loopback port, over one file.

Composition root of the world and the only place here that creates tasks. It never imports aiogram
(seconds of start-up) nor anything of the app: the app reaches it over HTTP, as it would reach the
real Telegram and the real terminal.
"""

import asyncio
import importlib.util
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.sandbox.app_probe import AppProbe, AppState, is_alive
from bot.sandbox.guard import loopback_only
from bot.sandbox.narrator import Narrator
from bot.sandbox.part import Loop, Looping, Part, Telling, WorldOptions
from bot.sandbox.people import ADMIN_CHAT_ID, BOT_TOKEN, DEMO_PEOPLE, People
from bot.sandbox.store import WorldStore
from bot.sandbox.telegram.part import TelegramPart

__all__ = ["Part", "World", "WorldOptions", "serve_world"]

WORLD_FILE: Final = "world.json"
STORE_FILE: Final = "world.db"
HOST: Final = "127.0.0.1"
BODY_BYTES_MAX: Final = 50 * 1024 * 1024
"""Telegram's own bound on an upload; more is 413."""
SHUTDOWN_TIMEOUT_S: Final = 2.0
"""How long requests under way may take to finish once the world stops."""
APP_START_S: Final = 30.0
"""How long after the world's own start an app that was never seen may still be starting."""
PROGRAM_DIR: Final = Path(__file__).resolve().parents[2]
BROKER_PART: Final = "bot.sandbox.broker_part"


class World:
    """The running world. `start`, then `stopped()` or `wait()`, then `stop`."""

    def __init__(
        self, data_dir: Path, port: int, options: WorldOptions, people: People = DEMO_PEOPLE
    ) -> None:
        self._data_dir = data_dir
        self._port = port
        self._people = people
        self._probe = AppProbe(data_dir)
        self._started_s = time.monotonic()
        self._replays = options.ticks_file is not None
        self._agents = options.agents
        self._store = WorldStore(data_dir / STORE_FILE)
        (data_dir / WORLD_FILE).unlink(missing_ok=True)  # only its owner may take it away
        self.telegram = TelegramPart(self._store, options, people)
        self.narrator = Narrator(self._store, people, plays=options.narrate)
        self.parts: list[Part] = [
            self.telegram,
            *_broker_part(self._store, options, people),
            self.narrator,
        ]
        self._runner = web.AppRunner(
            self._application(), shutdown_timeout=SHUTDOWN_TIMEOUT_S, access_log=None
        )
        self._tasks: list[asyncio.Task[None]] = []
        self.base_url = ""

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[loopback_only], client_max_size=BODY_BYTES_MAX)
        for part in self.parts:
            app.add_routes(part.routes())
        app.add_routes([web.get("/sim/state", self._state)])
        return app

    async def start(self) -> None:
        """Listen, then say so in `world.json`, then let the loops run.

        Raises OSError when the port is taken.
        """
        for part in self.parts:
            await part.start()
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        self._store.commit()
        self._announce()
        for part in self.parts:
            if isinstance(part, Looping):
                self._run(part.loops(self.base_url))

    def _run(self, loops: Iterable[Loop]) -> None:
        for loop in loops:
            self._tasks.append(asyncio.create_task(_awaited(loop)))

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait until ``stop`` is set; a loop that ends with an error ends the wait with it."""
        stopping = asyncio.create_task(stop.wait())
        try:
            watched: set[asyncio.Task[Any]] = {stopping, *self._tasks}
            while not stopping.done():
                done, watched = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            stopping.cancel()

    async def stop(self) -> None:
        """Stop loops and long polls at once, commit, close the file."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for part in self.parts:
            await part.stop()
        await self._runner.cleanup()
        await self._probe.close()
        (self._data_dir / WORLD_FILE).unlink(missing_ok=True)
        self._store.commit()
        self._store.close()

    def _announce(self) -> None:
        body = {
            "pid": os.getpid(),
            "base_url": self.base_url,
            "bot_token": BOT_TOKEN,
            **self._cast(),
            "terminal_base_url": self.base_url,
            "clock_url": self.base_url if self._replays else None,
            "people": self._people.roster(),
            "spare_logins": [spare.login for spare in self._people.spares],
        }
        target = self._data_dir / WORLD_FILE
        draft = target.with_suffix(".json.new")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(body)))
        draft.replace(target)

    def _cast(self) -> dict[str, Any]:
        return {
            "admin_chat_id": ADMIN_CHAT_ID,
            "admins": [admin.user_id for admin in self._people.admins],
            "clients": [
                {"user_id": client.person.user_id, "login": client.login}
                for client in self._people.clients
            ],
        }

    async def _state(self, _request: web.Request) -> web.Response:
        app = await self._probe.look()
        return web.json_response(
            {
                **app.as_json(),
                "app_command": self._app_command(app),
                "world_pid": os.getpid(),
                **self._cast(),
                "story": self.narrator.captions.all(),
                **self._told(),
            }
        )

    def _app_command(self, app: AppState) -> str | None:
        """How to start the app on this world, in a shell; None while it runs, or may be about to.

        An app that crashed leaves its file behind, one that was stopped takes it away.
        """
        crashed = app.pid is not None and not is_alive(app.pid)
        starting = app.pid is None and time.monotonic() - self._started_s < APP_START_S
        if app.ready or starting or (app.pid is not None and not crashed):
            return None
        words = [sys.executable, "-m", "bot", "demo", "--app-only"]
        words += ["--data-dir", str(self._data_dir.resolve())]
        if self._agents:
            words.append("--agents")
        return f"cd {shlex.quote(str(PROGRAM_DIR))} && {shlex.join(words)}"

    def _told(self) -> dict[str, Any]:
        parts = [part for part in self.parts if isinstance(part, Telling)]
        return {name: value for part in parts for name, value in part.told().items()}


async def _awaited(loop: Loop) -> None:
    await loop()


def _broker_part(store: WorldStore, options: WorldOptions, people: People) -> list[Part]:
    """Answer the broker's half of the world, or nothing where it is not installed."""
    if importlib.util.find_spec(BROKER_PART) is None:
        return []
    build: Callable[[WorldStore, WorldOptions, People], Part] = importlib.import_module(
        BROKER_PART
    ).build
    return [build(store, options, people)]


async def serve_world(
    data_dir: Path, port: int, options: WorldOptions, say: Callable[[str], None]
) -> None:
    """Run the world on 127.0.0.1:``port`` (0: any free one) until SIGTERM or SIGINT.

    Says once where it answers.

    Raises StoreLockedError when another world owns the data dir, OSError when the port is taken,
    and whatever a loop of a part failed with.
    """
    world = World(data_dir, port, options)
    stop = asyncio.Event()
    _on_signals(stop.set)
    try:
        await world.start()
        say(f"the world answers at {world.base_url}; how to reach it: {data_dir / WORLD_FILE}")
        await world.wait(stop)
    finally:
        await world.stop()


def _on_signals(stop: Callable[[], None]) -> None:
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            running.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows' loop: the handler runs between bytecodes instead
            signal.signal(number, lambda *_: running.call_soon_threadsafe(stop))
