"""One agent process: a line out, a line in (docs/agent-protocol.md).

A question has one answer, and an answer that is not had in time is never had: the process is killed
with its group, so that nothing late is taken for the answer to the next question. No task runs
beside the caller's.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec

PROTOCOL: Final = 1
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
"""The protocol's bound of a line, its end included."""
KILL_WAIT_S: Final = 5.0
"""How long the end of a killed process is waited for; the system ends it whether or not."""
SHUTDOWN_WAIT_S: Final = 2.0
LOG_BYTES_MAX: Final = 256 * 1024
"""What an agent says on standard error is kept up to here, then begun anew."""
LAST_WORDS_MAX: Final = 200
STATUS_WAIT_S: Final = 0.5
"""How long the exit status of an agent whose output ended is waited for; some live on."""

Message = dict[str, Any]
Answer = Mapping[str, Any]


class NotAsked(Exception):
    """Certainly nothing was written to the agent."""


class LostHow(StrEnum):
    """Why an agent is not to be spoken with any more; words of `mt5_terminal_restarts_total`."""

    FROZEN = "frozen"
    """Neither the answer nor the agent's own report of a passed deadline came in time."""
    DIED = "died"
    """Its output ended."""
    MALFORMED = "malformed"
    """It answered something that is no answer to what was asked."""


class Lost(Exception):
    """The agent was asked and did not answer as it must; it is killed. The text says how."""

    def __init__(self, how: LostHow, text: str) -> None:
        super().__init__(text)
        self.how = how


class Channel(Protocol):
    """A way to speak with one agent."""

    @property
    def usable(self) -> bool:
        """Whether it can still be asked."""
        ...

    async def ask(self, message: Message, within_s: float) -> Answer:
        """Ask and answer. `message` has its verb; the number is put in here.

        Raises NotAsked, or Lost, after which it is not usable; cancelled, it is not usable either.
        """
        ...

    def last_words(self) -> str:
        """What the agent last said beside its answers, one line, "" where nothing."""
        ...

    async def kill(self) -> None:
        """End it now, and wait for its end for a bounded time. May be called again."""
        ...


class AgentProcess:
    """An agent started by a command."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        process: Process,
        log: BinaryIO,
        log_path: Path,
    ) -> None:
        self._transport = transport
        self._process = process
        self._log = log
        self._log_path = log_path
        self._lock = asyncio.Lock()
        self._asked = 0
        self._usable = True

    @classmethod
    async def start(cls, command: Sequence[str], log_path: Path) -> "AgentProcess":
        """Start the command, its standard error appended to a file. Raises OSError."""
        loop = asyncio.get_running_loop()
        log = _opened(log_path)
        try:
            # `create_subprocess_exec`, spelled out: only the transport can close the pipes. Its
            # limit counts a line without its end.
            transport, protocol = await loop.subprocess_exec(
                lambda: SubprocessStreamProtocol(limit=LINE_BYTES_MAX - 1, loop=loop),
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        except BaseException:
            log.close()
            raise
        return cls(transport, Process(transport, protocol, loop), log, log_path)

    @property
    def pid(self) -> int:
        """The process started: the supervisor, or what leads to it (ssh, wine)."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it can still be asked."""
        return self._usable and not self._has_ended()

    async def ask(self, message: Message, within_s: float) -> Answer:
        """Ask and answer. Raises NotAsked, or Lost, after which the process is killed."""
        async with self._lock:
            number = self._asked + 1
            line = msgspec.json.encode({"id": number, **message}) + b"\n"
            if len(line) > LINE_BYTES_MAX:
                raise NotAsked(f"a request of more than {LINE_BYTES_MAX} bytes")
            if not self.usable:
                raise NotAsked(f"the agent has ended{self._why()}")
            self._asked = number
            try:
                return await self._exchange(number, message["verb"], line, within_s)
            except BaseException:
                self._kill()
                raise
            finally:
                self._keep_log_short()

    async def _exchange(self, number: int, verb: str, line: bytes, within_s: float) -> Answer:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise NotAsked("the agent was started without pipes")
        try:
            async with asyncio.timeout(within_s):
                stdin.write(line)
                await stdin.drain()
                raw = await stdout.readuntil(b"\n")
        except TimeoutError as error:
            raise Lost(LostHow.FROZEN, f"no answer to {verb} within {within_s:g} s") from error
        except asyncio.LimitOverrunError as error:
            text = f"an answer to {verb} of more than {LINE_BYTES_MAX} bytes"
            raise Lost(LostHow.MALFORMED, text) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            status = await self._status()
            text = f"the agent ended during {verb}{status}{self._why()}"
            raise Lost(LostHow.DIED, text) from error
        return understood(raw, number, verb)

    def last_words(self) -> str:
        """The last line on standard error, shortened."""
        try:
            # Not through our own handle: where it stands is where the agent writes, on Windows.
            with self._log_path.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_WORDS_MAX))
                lines = log.read(LAST_WORDS_MAX).decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((text for line in reversed(lines) if (text := line.strip())), "")

    async def kill(self) -> None:
        """Kill the process and its group, and wait for its end for a bounded time."""
        self._kill()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KILL_WAIT_S):
                    await self._process.wait()
        finally:  # whoever waits may be cancelled
            self._transport.close()
            self._log.close()

    def _kill(self) -> None:
        """Make an end at once. What is still in the pipes is never read."""
        self._usable = False
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _has_ended(self) -> bool:
        stdout = self._process.stdout
        return self._process.returncode is not None or stdout is None or stdout.at_eof()

    async def _status(self) -> str:
        """How it exited, where that is known in time; a signal's number is below 0."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STATUS_WAIT_S):
                await self._process.wait()
        status = self._process.returncode
        return "" if status is None else f" (status {status})"

    def _why(self) -> str:
        words = self.last_words()
        return f": {words}" if words else ""

    def _keep_log_short(self) -> None:
        if not self._log.closed and os.fstat(self._log.fileno()).st_size > LOG_BYTES_MAX:
            self._log.truncate(0)


def understood(raw: bytes, number: int, verb: str) -> Answer:
    """The answer in a line. Raises Lost where it is none, or one to something else."""
    try:
        answer = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Lost(LostHow.MALFORMED, f"not JSON in answer to {verb}: {error}") from error
    if not isinstance(answer, dict):
        raise Lost(LostHow.MALFORMED, f"no object in answer to {verb}")
    head = {"id": number, "verb": verb, "protocol": PROTOCOL}
    for name, expected in head.items():
        found = answer.get(name)
        if type(found) is not type(expected) or found != expected:
            text = f"expected an answer to {verb} with {name} {expected}, got {found!r:.40}"
            raise Lost(LostHow.MALFORMED, text)
    if not isinstance(answer.get("ok"), bool):
        raise Lost(LostHow.MALFORMED, f"an answer to {verb} that is neither ok nor not")
    return answer


def _opened(path: Path) -> BinaryIO:
    """The log, for appending and reading back, private; begun anew where it is full."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    binary = getattr(os, "O_BINARY", 0)  # Windows alone makes a difference
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | binary, 0o600)
    log = os.fdopen(descriptor, "r+b", buffering=0)
    if os.fstat(descriptor).st_size > LOG_BYTES_MAX:
        log.truncate(0)
    return log
