"""A Windows Python under Wine, as `.ci/wine` prepares it, and an agent that runs on it."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.wheel import ROOT

WINE: Final = Path("/usr/lib/wine/wine64")
HOME: Final = ROOT / ".cache" / "wine"
STARTER: Final = ROOT / "deploy" / "wine-agent"
AGENT: Final = ROOT / "core" / "adapters" / "mt5" / "agent.py"
STUB: Final = "tests.fakes.metatrader5_stub"
SERVER: Final = WINE.with_name("wineserver")
WITHIN_S: Final = 60.0
"""How long anything may take that does not hang: Wine boots with the first process."""
STAYS_S: Final = 60
"""How long Wine's server outlives the last test's program."""
POLL_S: Final = 0.01
DIAGNOSTICS_MAX: Final = 64 * 1024

Answer = dict[str, Any]


def windows_python() -> Path:
    """The Windows Python. Skips the test, saying why, where there is none."""
    if not WINE.exists():
        pytest.skip(f"no {WINE}: run .ci/wine")
    found = next(HOME.glob("python/*/python.exe"), None)
    if found is None or not (HOME / "ready").exists():
        pytest.skip(f"no Windows Python in {HOME.relative_to(ROOT)}: run .ci/wine")
    return found


def environment(**more: str) -> dict[str, str]:
    """What Wine is told: its own home, no diagnostics, and none of its optional parts."""
    home = str(HOME / "prefix")
    silent = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree=;mshtml="}
    return {**os.environ, "WINEPREFIX": home, "WINE_STAYS_S": str(STAYS_S), **silent, **more}


def run(*arguments: str) -> str:
    """What a Windows Python prints."""
    done = subprocess.run(
        [str(STARTER), str(windows_python()), *arguments],
        input=b"",
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=environment(),
        timeout=WITHIN_S,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode().replace("\r\n", "\n")


def until(effect: Callable[[], bool], within_s: float) -> float:
    """Wait for an effect; how long it took. Fails the test past the bound."""
    began_s = time.monotonic()
    while not effect():
        if time.monotonic() - began_s > within_s:
            pytest.fail(f"not within {within_s} s")
        threading.Event().wait(POLL_S)
    return time.monotonic() - began_s


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """A Wine home in which nothing runs yet, and nothing after: the tests' other one is shared."""
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        home = Path(folder, "prefix")
        # Links, for it is large; Wine writes its few files anew.
        subprocess.run(["cp", "-al", str(HOME / "prefix"), str(home)], check=True)
        try:
            yield home
        finally:
            for option in ("-k", "-w"):
                ended = {**environment(), "WINEPREFIX": str(home)}
                subprocess.run([str(SERVER), option], check=False, env=ended, timeout=WITHIN_S)


def is_running(program: str, home: Path) -> bool:
    """Whether a program of that name runs in that Wine home."""
    return any(
        program in words[0] and f"WINEPREFIX={home}" in _environ(pid) for pid, words in _commands()
    )


def children_of(state: Path) -> list[int]:
    """The living children of agents with this state directory, by Linux' process numbers."""
    return [
        pid for pid, words in _commands() if "--child" in words and _marker(state) in _environ(pid)
    ]


def _commands() -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                words = (each / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            found.append((int(each.name), words))
    return found


def _environ(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _marker(state: Path) -> str:
    return f"AGENT_OF={state}"


class WineAgent:
    """The agent, started as `wine64 python.exe agent.py`, and its two pipes."""

    def __init__(self, state: Path, *, module: str = "MetaTrader5", **more: str) -> None:
        more["AGENT_OF"] = str(state)
        self._marker = _marker(state)
        self._asked = 0
        python = str(windows_python())  # or the test is skipped, before anything is open
        self._log = tempfile.TemporaryFile(dir=state.parent)  # noqa: SIM115 - closed by `end`
        self.process = subprocess.Popen(
            [
                *(str(STARTER), python, str(AGENT)),
                *("--module", module, "--state-dir", str(state)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env=environment(**more),
            start_new_session=True,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def diagnostics(self) -> str:
        """What it said beside its answers."""
        return os.pread(self._log.fileno(), DIAGNOSTICS_MAX, 0).decode(errors="replace")

    def say(self, line: bytes) -> None:
        """Write one line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def how_it_ended(self) -> str:
        """The exit status, and all that was said beside the answers: `cat` hands it on last."""
        status = self.process.wait(WITHIN_S)
        until(lambda: not self._is_handing_on(), WITHIN_S)
        return f"the agent ended with status {status}, saying {self.diagnostics()!r}"

    def _is_handing_on(self) -> bool:
        return any(
            words[0] == "cat" and self._marker in _environ(pid) for pid, words in _commands()
        )

    def hear(self) -> Answer:
        """The next line."""
        line = self._lines.get(timeout=WITHIN_S)
        assert line.endswith(b"\n"), self.how_it_ended()
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def tell(self, verb: str, **fields: Any) -> None:
        """Send a request and do not wait."""
        self._asked += 1
        head = {"id": self._asked, "verb": verb, "epoch": 1, "owner": "test:1"}
        message = {**head, "deadline_ms": 30_000, **fields}
        self.say(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    def ask(self, verb: str, **fields: Any) -> Answer:
        """Send a request and wait for its answer."""
        self.tell(verb, **fields)
        answer = self.hear()
        assert answer["id"] == self._asked
        return answer

    def close_stdin(self) -> None:
        """End what it reads."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.kill()
        self.process.wait(WITHIN_S)

    def end(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(WITHIN_S)
        self._reader.join(WITHIN_S)
        self._log.close()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def hello(**changes: Any) -> Mapping[str, Any]:
    """The fields of a `hello`."""
    return {
        "terminal": {"path": r"C:\MT5\terminal64.exe", "portable": False},
        "login": 1001,
        "server": "Stub-Demo",
        "password": None,
        "timeout_ms": 10_000,
        **changes,
    }
