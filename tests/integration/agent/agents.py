"""Real agents over the stand-in for MetaTrader, as the gateway would run them."""

import contextlib
import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from core.adapters.mt5 import agent
from tests.fakes.metatrader5_stub import LOGIN, PASSWORD, SERVER

ROOT = Path(__file__).parents[3]
FILE = Path(agent.__file__)
PATIENCE_S = 20.0
GONE_S = 1.0
"""Both processes are gone within it (docs/agent-protocol.md)."""
POLL_S = 0.002
CLOSE = {"action": 1, "position": 7, "symbol": "EURUSD", "volume": 0.5, "type": 1}
BODIES: dict[str, dict[str, Any]] = {
    "connect": {},
    "snapshot": {"deals_from_s": 1_763_800_000, "symbols": []},
    "symbols": {},
    "deals": {"position": 7},
    "check": {"request": CLOSE},
    "send": {"request": CLOSE},
    "shutdown": {},
}
HELLO: dict[str, Any] = {
    "terminal": {"path": "C:\\MT5\\terminal64.exe", "portable": False},
    "login": LOGIN,
    "server": SERVER,
    "password": PASSWORD,
    "timeout_ms": 60_000,
}
CALLS = {
    "connect": "initialize",
    "snapshot": "positions_get",
    "symbols": "symbols_get",
    "deals": "history_deals_get",
    "check": "order_check",
    "send": "order_send",
    "shutdown": "shutdown",
}
"""The call of each verb at which it is made to fail."""


def wait_until(effect: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    until_s = time.monotonic() + PATIENCE_S
    while not effect():
        assert time.monotonic() < until_s, "it did not come to that"
        threading.Event().wait(POLL_S)


class Watched:
    """A process, by a handle that never means another."""

    def __init__(self, pid: int) -> None:
        self._handle = os.pidfd_open(pid)

    def is_gone(self, within_s: float = 0.0) -> bool:
        """Whether it ends in time."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(within_s * 1000))

    def close(self) -> None:
        """Forget it."""
        os.close(self._handle)


class AgentProcess:
    """One agent and the directory its module obeys."""

    def __init__(
        self,
        directory: Path,
        *,
        state: Path | None = None,
        module: str | None = "tests.fakes.metatrader5_stub",
        file: Path = FILE,
        cwd: Path = ROOT,
        flags: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.state = state or directory / "state"
        directory.mkdir(exist_ok=True)
        self.fault()
        (directory / "calls.log").touch()
        command = [sys.executable, *flags, str(file)]
        command += ["--module", module] if module else []
        command += ["--state-dir", str(self.state)] if environment is None else []
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "STUB_DIRECTORY": str(directory), **(environment or {})},
        )
        self.watched = [Watched(self.process.pid)]
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.heard = b""
        self.diagnostics = b""
        self._last_id = 0
        self._threads = [threading.Thread(target=work) for work in (self._hear, self._read_stderr)]
        for thread in self._threads:
            thread.start()

    def _hear(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.heard += line
            self.lines.put(line)

    def _read_stderr(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.diagnostics += line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_input()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
        while self.watched:
            watched = self.watched.pop()
            assert watched.is_gone(GONE_S)
            watched.close()

    def fault(self, **calls: str) -> None:
        """Say what the calls do from now on."""
        new = self.directory / "faults.new"
        new.write_text(json.dumps(calls))
        new.replace(self.directory / "faults.json")

    def calls(self) -> list[tuple[int, str]]:
        """The calls made so far, each with the process that made it."""
        lines = (self.directory / "calls.log").read_text().splitlines()
        return [(int(pid), call) for pid, call in (line.split() for line in lines)]

    def wait_for_call(self, call: str, times: int = 1) -> None:
        """Wait until it was made."""
        wait_until(lambda: [name for _, name in self.calls()].count(call) >= times)

    def say(self, line: bytes) -> None:
        """Write as it is."""
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def close_input(self) -> None:
        """Let standard input end."""
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def hear(self) -> dict[str, Any]:
        """The next answer."""
        answer: dict[str, Any] = json.loads(self.lines.get(timeout=PATIENCE_S))
        assert answer["protocol"] == 1
        assert answer["agent_pid"] == self.process.pid
        assert answer["ok"] is not ("error" in answer)
        return answer

    def request(
        self, verb: str, *, epoch: int = 1, owner: str = "a", deadline_ms: int = 10_000, **body: Any
    ) -> int:
        """Write one request and give its id."""
        self._last_id += 1
        head = {"id": self._last_id, "verb": verb, "epoch": epoch, "owner": owner}
        self.say(json.dumps({**head, "deadline_ms": deadline_ms, **body}).encode() + b"\n")
        return self._last_id

    def ask(self, verb: str, **parts: Any) -> dict[str, Any]:
        """One request and its answer."""
        number = self.request(verb, **{**BODIES.get(verb, {}), **parts})
        answer = self.hear()
        assert (answer["id"], answer["verb"]) == (number, verb)
        if answer["child_pid"] is not None:
            with contextlib.suppress(ProcessLookupError):
                self.watched.append(Watched(answer["child_pid"]))
        return answer

    def error(self, verb: str, **parts: Any) -> dict[str, Any]:
        """The error that one request is answered with."""
        error: dict[str, Any] = self.ask(verb, **parts)["error"]
        return error

    def kind(self, verb: str, **parts: Any) -> str:
        """The kind of that error."""
        return str(self.error(verb, **parts)["kind"])

    def hello(self, **parts: Any) -> dict[str, Any]:
        """Say hello, with a password."""
        return self.ask("hello", **{**HELLO, **parts})

    def start(self, **parts: Any) -> Watched:
        """Say hello and connect; give the child."""
        assert self.hello(**parts)["ok"]
        answer = self.ask("connect", **{k: parts[k] for k in ("epoch", "owner") if k in parts})
        assert answer["ok"], answer
        return self.watched[-1]
