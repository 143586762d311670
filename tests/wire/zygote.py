"""A process with everything imported, which forks worlds and apps on demand.

Starting Python and importing aiogram costs seconds; a crash test starts hundreds of processes. The
zygote listens on a Unix socket, reads one JSON line per order and answers one:
`{"run": "world" | "app", "data_dir": ...}` answers `{"pid": n}`. All workers of a test run share
it. A child runs exactly what the command line runs, from the parsed options on.

`crash_after` kills the app with SIGKILL right after its n-th effect: a commit, or a call of the
terminal gateway, whichever comes. Each effect's name is written to `effects.log` before that.
`crash_at` kills it right after the first effect of that name, of which a press has three more.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiogram.methods
from aiogram.methods.base import Response

import bot.limits
from bot.__main__ import main
from bot.polling import Poller
from bot.sandbox.telegram import limits as server_limits
from core.adapters.sql.transaction import SqlTransaction
from core.adapters.terminal.http_gateway import HttpTerminalGateway
from core.services.approvals import DecideApproval

for _name in (
    # What a child would load after it was forked, each child anew.
    "aiosqlite",
    "apscheduler.executors.asyncio",
    "apscheduler.triggers.interval",
    "bot.app",
    "bot.cli.demo",
    "bot.cli.demo_agents",
    "bot.sandbox.broker_part",
    "bot.sandbox.world",
    "encodings.idna",
    "importlib.readers",
):
    importlib.import_module(_name)
for _method in ("AnswerCallbackQuery", "EditMessageText", "GetMe", "GetUpdates", "SendMessage"):
    # aiogram makes a model of each kind of answer when it first comes.
    Response.__class_getitem__(getattr(aiogram.methods, _method).__returning__)

PRESS_EFFECTS: tuple[tuple[type, str, str], ...] = (
    (Poller, "_journal", "journalled"),
    (DecideApproval, "__call__", "decided"),
    (Poller, "_settle", "settled"),
)
FREE = 100_000
SIDES_MAX = 64
FIRST_SIDE_S = 120.0
"""How long it waits for the test that started it."""
WORDS = ("--market", "manual", "--headless")


class Effects:
    """Counts what the app does to the world outside its memory, and ends it at one of them."""

    def __init__(self, log: Path, crash_after: int | None, crash_at: str | None = None) -> None:
        self._log = log.open("a", buffering=1)
        self._crash_after = crash_after
        self._crash_at = crash_at
        self._seen = 0

    def happened(self, name: str) -> None:
        """Note an effect; end the process where it is the chosen one."""
        self._seen += 1
        self._log.write(f"{self._seen} {name}\n")
        if self._seen == self._crash_after or name == self._crash_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, name: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        """Wrap a method so that its success is an effect."""

        async def counted(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any method
            result = await work(*args, **kwargs)
            self.happened(name)
            return result

        return counted


def send_freely() -> None:
    """Lift the sending rates of both sides: scenes of one stage share a chat, and are quick."""
    bot.limits.GROUP_MAX = bot.limits.PRIVATE_BURST = bot.limits.GLOBAL_MAX = FREE
    server_limits.FLOOD_GROUP_MAX = server_limits.FLOOD_PRIVATE_BURST = FREE  # type: ignore[misc]
    server_limits.FLOOD_OVERALL_MAX = FREE  # type: ignore[misc]


def run_child(order: dict[str, Any]) -> None:
    """Be a world or an app until it ends."""
    os.setsid()
    data_dir = Path(order["data_dir"])
    output = (data_dir / f"{order['run']}.log").open("ab")
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.environ.update(order.get("env", {}))
    if order.get("free_sending"):
        send_freely()
    words = ["demo", "--data-dir", str(data_dir), *order.get("words", WORDS)]
    if order["run"] == "world":
        words += ["--world-only", "--port", "0"]
    else:
        words += ["--app-only"]
        crash_after, crash_at = order.get("crash_after"), order.get("crash_at")
        effects = Effects(data_dir / "effects.log", crash_after, crash_at)
        SqlTransaction.commit = effects.after("commit", SqlTransaction.commit)  # type: ignore[method-assign]
        HttpTerminalGateway.snapshot = effects.after(  # type: ignore[method-assign]
            "snapshot", HttpTerminalGateway.snapshot
        )
        HttpTerminalGateway.send = effects.after(  # type: ignore[method-assign]
            "send", HttpTerminalGateway.send
        )
        if crash_at is not None:
            for kind, method, name in PRESS_EFFECTS:
                setattr(kind, method, effects.after(name, getattr(kind, method)))
    os._exit(main(words) or 0)


class Served:
    """One test process that orders: what it asked for so far, and the children it got."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.unread = b""
        self.children: list[int] = []

    def orders(self) -> list[dict[str, Any]] | None:
        """Whole orders that have come; None where the other side is gone."""
        try:
            chunk = self.link.recv(65_536)
        except ConnectionError:
            return None
        if not chunk:
            return None
        *lines, self.unread = (self.unread + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self) -> None:
        """Kill its children."""
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.link.close()


def serve(path: str) -> None:
    """Fork on order; a side that hangs up loses its children, and the last one ends this."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What is loaded is never garbage: a child's collector that looked through it would copy it all.
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.new")
    listener.listen(SIDES_MAX)
    Path(f"{path}.new").rename(path)  # there only once it answers
    listener.settimeout(FIRST_SIDE_S)
    sides = [Served(listener.accept()[0])]

    def ended(_number: int, _frame: object) -> None:
        for side in sides:
            side.end()
        os._exit(1)

    signal.signal(signal.SIGTERM, ended)
    while sides:
        ready, _, _ = select.select([listener, *(side.link for side in sides)], [], [])
        if listener in ready:
            sides.append(Served(listener.accept()[0]))
        for side in [each for each in sides if each.link in ready]:
            orders = side.orders()
            if orders is None:
                side.end()
                sides.remove(side)
                continue
            for order in orders:
                pid = os.fork()
                if pid == 0:
                    for each in (listener, *(one.link for one in sides)):
                        each.close()
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    run_child(order)
                side.children.append(pid)
                side.link.sendall(json.dumps({"pid": pid}).encode() + b"\n")


if __name__ == "__main__":
    serve(sys.argv[1])
    os._exit(0)  # nothing to tidy up, and taking down everything imported costs seconds
