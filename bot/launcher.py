"""`demo`: the world and the app, two processes of this interpreter, and what to press first.

The launcher neither restarts a process that dies nor stops the other: the world must survive the
app and the app the world, and whoever killed one wants to see that. It says which died and the
exact command that starts it again. Ctrl-C and SIGTERM stop the app, then the world.
"""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from types import FrameType
from typing import IO, Final

from bot.cli.options import DemoOptions, UsageError
from bot.cli.world_file import WorldFile, find_world, read_world, world_state
from bot.sandbox.people import BROKER_SERVER, DEMO_PEOPLE

HOST: Final = "127.0.0.1"
READY_PATIENCE_S: Final = 60.0
"""When the launcher says that it is still waiting."""
LOOK_INTERVAL_S: Final = 0.2
STOP_BOUND_S: Final = {"app": 15.0, "world": 10.0}
"""How long each may take to stop before it is killed."""
TAIL_LINES_MAX: Final = 15
TAIL_BYTES_MAX: Final = 16_384
BAD_INPUT: Final = 2
FAILED: Final = 1


class Child:
    """One of the two processes, its log, and how it ended."""

    def __init__(self, name: str, command: list[str], log: Path, *, echo: bool) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.reported = False
        self._echo: threading.Thread | None = None
        with log.open("ab") as sink:
            self.began_at = sink.tell()
            # Its own session: Ctrl-C must reach the launcher only, which stops app before world.
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, our own words
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if echo else sink,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        if self.process.stdout is not None:
            self._echo = threading.Thread(target=self._repeat, args=(self.process.stdout,))
            self._echo.start()

    def _repeat(self, lines: IO[bytes]) -> None:
        """Write each line to the log and, with the child's name before it, to standard output.

        It reads to the end whatever becomes of the line: nobody else empties the pipe, and a child
        that waits for room in it watches no account.
        """
        is_told = False
        for line in lines:
            try:
                with self.log.open("ab") as sink:
                    sink.write(line)
            except OSError as error:
                if not is_told:
                    is_told = True
                    _complain(f"{self.name}: {self.log} cannot be written: {error.strerror}")
            with contextlib.suppress(OSError):  # standard output may lie on the same full disk
                _say(f"{self.name:>5} | {line.decode(errors='replace').rstrip()}")

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self.process.poll()

    def tail(self) -> list[str]:
        """Answer the last lines of this run."""
        with self.log.open("rb") as source:
            end = source.seek(0, 2)
            source.seek(max(self.began_at, end - TAIL_BYTES_MAX))
            lines = source.read().decode(errors="replace").splitlines()
        return list(deque(lines, TAIL_LINES_MAX))

    def stop(self, bound_s: float) -> None:
        """Ask it to stop; past the bound, kill it."""
        if self.status is None:
            self.process.terminate()
            try:
                self.process.wait(bound_s)
            except subprocess.TimeoutExpired:
                _say(f"{self.name} did not stop within {bound_s:g} s; killed")
                self.process.kill()
                self.process.wait()
        if self._echo is not None:
            self._echo.join(bound_s)


class Launcher:
    """Starts both, waits for ready, watches, stops both."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._asked_to_stop = threading.Event()
        self._children: list[Child] = []
        self._ready = False

    def run(self) -> int:
        """Run until asked to stop (0), until both died by themselves (1). Raises UsageError."""
        self._check_free()
        for number in _stop_signals():
            signal.signal(number, self._on_signal)
        started = time.monotonic()
        try:
            # The world first in the list: its failure explains the app's.
            self._children = [self._start("world"), self._start("app")]
            return self._watch(started)
        finally:
            for child in reversed(self._children):
                child.stop(STOP_BOUND_S[child.name])

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop.set()

    def _check_free(self) -> None:
        """Find a taken port or data dir before anything is started. Raises UsageError."""
        world = find_world(self._options.data_dir)
        if world is not None:
            raise UsageError(
                f"--data-dir {self._options.data_dir}: a demo already runs there, "
                f"at {world.base_url}/ (process {world.pid})"
            )
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self._options.port))
            except OSError as error:
                raise UsageError(
                    f"--port {self._options.port}: {error.strerror} on {HOST}; "
                    "choose another with --port P, or --port 0 for any free one"
                ) from None

    def _start(self, name: str) -> Child:
        return Child(
            name,
            self._options.command(name, self._options.port),
            self._options.data_dir / f"{name}.log",
            echo=self._options.headless,
        )

    def _watch(self, started: float) -> int:
        patience_end = started + READY_PATIENCE_S
        while not self._asked_to_stop.wait(LOOK_INTERVAL_S):
            for child in self._children:
                if child.status is not None and not child.reported:
                    if child.status == BAD_INPUT and not self._ready:
                        raise UsageError("\n".join(child.tail()) or f"{child.name}: exit status 2")
                    self._report(child)
            if all(child.status is not None for child in self._children):
                return FAILED
            if not self._ready:
                self._look_for_ready(started)
                if not self._ready and time.monotonic() > patience_end:
                    patience_end += READY_PATIENCE_S
                    _say(f"not ready yet; see {' and '.join(str(c.log) for c in self._children)}")
        return 0

    def _look_for_ready(self, started: float) -> None:
        world = self._own_world()
        state = None if world is None else world_state(world)
        if world is None or state is None or not state.get("ready"):
            return
        self._ready = True
        seconds = time.monotonic() - started
        _say(_welcome(world, self._options, seconds))

    def _own_world(self) -> WorldFile | None:
        """Answer the world's file once it is of the process started here."""
        world = read_world(self._options.data_dir)
        is_own = sys.platform == "win32" or (
            # There the interpreter of a virtual environment is a launcher with another id.
            world is not None and world.pid == self._children[0].process.pid
        )
        return world if is_own else None

    def _report(self, child: Child) -> None:
        """Say that it died, with what, its last words, and how to start it again."""
        child.reported = True
        world = read_world(self._options.data_dir)
        port = self._options.port if world is None else world.port
        other = "app" if child.name == "world" else "world"
        lines = [f"the {child.name} died: {_status_words(child.status or 0)}"]
        if not self._options.headless:
            lines += [f"  {child.name} | {line}" for line in child.tail()]
        lines += [
            f"the {other} is left as it is; start the {child.name} again with:",
            # `-m bot` and a relative data dir mean what they say only from where this was started.
            f"  cd {shlex.quote(str(Path.cwd()))} && {_words(self._options, child.name, port)}",
        ]
        print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - the launcher's voice


def _words(options: DemoOptions, name: str, port: int) -> str:
    return shlex.join(options.command(name, port))


def _welcome(world: WorldFile, options: DemoOptions, seconds: float) -> str:
    if options.narrates:
        first = (
            "Open it and watch: within two minutes a signal, fills, a slipped entry, a manual\n"
            "close, a spread warning, a drawdown, flat. Press any button at any time."
        )
    elif options.ticks is not None:
        first = "The recorded market plays; write /positions as a client, /accounts as an admin."
    else:
        first = (
            "First, as Ada in the admin chat: /signal EURUSD buy 0.10\n"
            "then press Approve as a client, and move the market on the right."
        )
    spare = DEMO_PEOPLE.spares[0]
    return (
        f"\nReckoner demo, ready after {seconds:.1f} s: {world.base_url}/\n\n{first}\n\n"
        f"To have an account guarded yourself, write /link as a client: server {BROKER_SERVER},\n"
        f"account {spare.login}, password {spare.password}; then approve it in the admin chat.\n\n"
        f"Files: {options.data_dir}{'' if options.headless else ' (app.log, world.log)'}. "
        "Stop with Ctrl-C.\n"
    )


def _status_words(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _stop_signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the launcher's voice


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - as above
